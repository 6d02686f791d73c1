//! Panics of the databases below, as errors.
//!
//! sled and redb check much of what they read by assertions. A damaged file must end in an error
//! that says what to do, and not in a stack trace; so what they do runs in [`caught`].

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

/// A database panicked; says with what words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it gave up: {0}")]
pub(crate) struct Panicked(String);

thread_local! {
    /// Whether this thread is in [`caught`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Does something; a panic becomes an error, and nothing is written to standard error.
///
/// What the closure used must not be used after a panic: it can be half done.
pub(crate) fn caught<T>(act: impl FnOnce() -> T) -> Result<T, Panicked> {
    keep_quiet();
    let before = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(act));
    CATCHING.set(before);
    result.map_err(|payload| Panicked(text(payload.as_ref())))
}

/// Makes the process say nothing of a panic that is caught here, nor of those in sled's own
/// threads, which come back as errors too. All others are told as before.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let of_sled = thread.name().is_some_and(|name| name.starts_with("sled-"));
            if !CATCHING.get() && !of_sled {
                tell(panic);
            }
        }));
    });
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_text() {
        assert_eq!(caught(|| 7), Ok(7));
        let number = 7;
        let panicked = caught(|| panic!("the number is {number}"));
        assert_eq!(panicked.unwrap_err().to_string(), "it gave up: the number is 7");
        let plain = caught(|| panic!("plain"));
        assert_eq!(plain.unwrap_err().to_string(), "it gave up: plain");
        // One that is caught within another does not end the quiet of the other.
        let outer = caught(|| {
            let inner = caught(|| panic!("inner"));
            assert!(CATCHING.get());
            inner
        });
        assert_eq!(outer.unwrap().unwrap_err().to_string(), "it gave up: inner");
        assert!(!CATCHING.get());
    }
}
