//! What lies below the stored form: keys, sealed pieces, blocks, index runs, the high-water file.
//!
//! An input is a letter for what it is, then bytes: `k` a key, `r` a block of records, `b` a block of
//! bodies, `h` the head of an index run, `w` a high-water file, `W` one without its digest, which is
//! put in; `s` a value that is sealed and opened; `p` what follows the digest in the pieces of a
//! value, which get their right digests; `l` a look-up in an index run. A digest is what a fuzzer
//! can't guess, so it is made here by the drawing in `event-store/src/frame.rs`.

use event_store::any_bytes;
use sha2::{Digest as _, Sha256};

/// The most bytes of a stored piece: DESIGN.md section 5 has none spill into files never synced.
const PIECE_BYTES_MAX: usize = 96 * 1024;
/// How many pieces a forged value has at most.
const PIECES_MAX: usize = 4;

/// Checks one input.
///
/// # Panics
/// Bytes are accepted that the store would not write, or a value does not come back.
pub fn check(input: &[u8]) {
    let Some((letter, bytes)) = input.split_first() else { return };
    match letter {
        b'k' => same(bytes, any_bytes::key(bytes)),
        b'r' => same(bytes, any_bytes::records(bytes)),
        b'b' => same(bytes, any_bytes::bodies(bytes)),
        b'h' => same(bytes, any_bytes::run_head(bytes)),
        b'w' => same(bytes, any_bytes::high_water(bytes)),
        b'W' => {
            let digest = hex::encode(Sha256::digest(bytes));
            let whole = [bytes, b"sha256 ", digest.as_bytes(), b"\n"].concat();
            same(&whole, any_bytes::high_water(&whole));
        }
        b's' => sealed(bytes),
        b'p' => forged(bytes),
        b'l' => looked_up(bytes),
        _ => {}
    }
}

/// There is one form for each value.
fn same(bytes: &[u8], written: Option<Vec<u8>>) {
    if let Some(written) = written {
        assert_eq!(written, bytes, "not what the store writes");
    }
}

/// A value comes back, and none of its pieces may be changed, missing or another.
fn sealed(raw: &[u8]) {
    let compressed = any_bytes::compressed(raw).expect("the value is small");
    let plain = any_bytes::plain(raw).expect("the value is small");
    for mut pieces in [compressed, plain] {
        assert_eq!(opened(&pieces).as_deref(), Some(raw), "what was sealed is opened");
        for (key, piece) in &pieces {
            assert!(piece.len() <= PIECE_BYTES_MAX, "a piece of {} bytes", piece.len());
            assert_eq!(any_bytes::key(key).as_ref(), Some(key), "its key is one");
            let (digest, rest) = piece.split_at_checked(16).unwrap_or_default();
            assert_eq!(digest, self::digest(key, rest), "the digest of the drawing");
        }
        let place = raw.iter().fold(0, |sum, byte| (sum * 31 + usize::from(*byte)) % 0xffff);
        if let Some((_, piece)) = pieces.first_mut() {
            let place = place % piece.len();
            if let Some(byte) = piece.get_mut(place) {
                *byte ^= 1 << (place % 8);
            }
        }
        assert_eq!(opened(&pieces), None, "a flipped bit is found");
        pieces.remove(0);
        assert_eq!(opened(&pieces), None, "a missing piece is found");
    }
}

/// Pieces with right digests, whatever they say: opened or refused.
fn forged(bytes: &[u8]) {
    let Some((count, bytes)) = bytes.split_first() else { return };
    let count = usize::from(*count) % PIECES_MAX + 1;
    let pieces: Vec<(Vec<u8>, Vec<u8>)> = bytes
        .chunks(bytes.len().div_ceil(count).max(1))
        .zip(0_u16..)
        .map(|(rest, part)| {
            let mut key = any_bytes::first_key();
            key.truncate(key.len().saturating_sub(2));
            key.extend(part.to_be_bytes());
            let piece = [&digest(&key, rest)[..], rest].concat();
            (key, piece)
        })
        .collect();
    if let Some(raw) = opened(&pieces) {
        same(&raw, any_bytes::records(&raw));
        sealed(&raw);
    }
}

fn opened(pieces: &[(Vec<u8>, Vec<u8>)]) -> Option<Vec<u8>> {
    any_bytes::opened(|wanted| {
        let found = pieces.iter().find(|(key, _)| key == wanted);
        found.map(|(_, piece)| piece.clone())
    })
}

/// The digest of a piece, by the drawing.
fn digest(key: &[u8], rest: &[u8]) -> [u8; 16] {
    let length = u64::try_from(key.len()).expect("a key is short").to_le_bytes();
    let hasher = Sha256::new().chain_update(b"tallyhook value 1\n").chain_update(length);
    let whole: [u8; 32] = hasher.chain_update(key).chain_update(rest).finalize().into();
    whole.first_chunk().copied().expect("16 are less than 32")
}

/// Looks for a mark: 16 bytes, then the length of a head in two, the head, and a chunk.
fn looked_up(bytes: &[u8]) {
    let Some((mark, rest)) = bytes.split_first_chunk::<16>() else { return };
    let Some((length, rest)) = rest.split_first_chunk::<2>() else { return };
    let Some((head, chunk)) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
    else {
        return;
    };
    let Some(found) = any_bytes::looked_up(head, chunk, *mark) else { return };
    assert!(found.len() <= chunk.len(), "every sequence is written somewhere");
}
