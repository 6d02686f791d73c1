//! How much a run does: a little, unless the environment asks for more.

/// How many, unless the variable says otherwise.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    setting(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The value of a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration but the environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The first seed of a run.
pub(crate) fn first_seed() -> u64 {
    number("TALLYHOOK_SEED", 0)
}
