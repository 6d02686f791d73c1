//! Bytes made from seeds, always the same: what a fuzzer does first, where there is none.

use crate::dice::Dice;

/// The most changes to one seed at once.
const CHANGES_MAX: usize = 3;
/// Bytes that mean something to one of our readers, or stand at a border.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff \t\r\n\"'$#-.,:;=[]{}\\0123456789aefu";

/// A seed with one to three changes: a bit flipped, a byte set, inserted or removed, an end cut off,
/// a part doubled, or a part of another seed put in.
///
/// # Panics
/// There is no seed.
#[must_use]
pub fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(seeds);
    for _ in 0..=dice.below(CHANGES_MAX) {
        change(&mut bytes, seeds, dice);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let place = dice.below(bytes.len() + 1);
    let length = dice.below(32) + 1;
    let end = bytes.len().min(place + length);
    match dice.below(8) {
        0 => bytes.truncate(place),
        1 => bytes.insert(place, dice.pick(TELLING)),
        2 => {
            bytes.drain(place..end);
        }
        3 => {
            let doubled = bytes.get(place..end).unwrap_or_default().to_vec();
            bytes.splice(place..place, doubled);
        }
        4 => {
            let other = dice.pick(seeds);
            let start = dice.below(other.len() + 1);
            let part = other.get(start..other.len().min(start + length)).unwrap_or_default();
            bytes.splice(place..end, part.iter().copied());
        }
        kind => {
            let telling = dice.pick(TELLING);
            let bit = 1 << dice.below(8);
            if let Some(byte) = bytes.get_mut(place) {
                *byte = if kind == 5 { telling } else { *byte ^ bit };
            }
        }
    }
}
