//! Files tell one story.

use crate::tree::{Breach, Tree};

/// Past this, a file has a second story.
const LINES_MAX: usize = 500;

/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 0] = [];

/// Files that are too long.
pub(crate) fn breaches(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in tree.sources("") {
        let lines = text.lines().count();
        let listed = LONGER.iter().any(|&(longer, _reason)| longer == path);
        if lines > LINES_MAX && !listed {
            let what = format!(
                "the file has {lines} lines, more than {LINES_MAX}: find its second story, or \
                 list it with a reason in tests/tests/architecture/size.rs"
            );
            breaches.push(Breach::new(path, lines, what));
        }
    }
    breaches
}
