//! Which of the known words a person may have meant.

/// Longer words are not compared: nobody mistypes a word of ours into one of that size.
const WORD_BYTES_MAX: usize = 40;

/// The known word nearest to what was written, when it is near enough to be meant.
pub(crate) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if written.len() > WORD_BYTES_MAX {
        return None;
    }
    let written = written.to_ascii_lowercase();
    known
        .into_iter()
        .map(|word| (distance(&written, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The remedy that offers the word that was meant, if any.
pub(crate) fn did_you_mean(meant: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    meant.map_or_else(otherwise, |word| format!("did you mean \"{word}\"?"))
}

/// How many characters must be put in, taken out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        let mut next_row = vec![before];
        for (right, above) in other.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(left != right));
            before = replaced.min(before.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next_row.push(before);
        }
        row = next_row;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_none() {
        let known = ["allow", "suspend", "freeze-payment", "freeze-account"];
        for (written, meant) in [
            ("suspended", Some("suspend")),
            ("Allow", Some("allow")),
            ("freeze_account", Some("freeze-account")),
            ("forbid", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }

    #[test]
    fn distances_are_symmetric_counts_of_edits() {
        for (one, other, edits) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), edits);
            assert_eq!(distance(other, one), edits);
        }
    }
}
