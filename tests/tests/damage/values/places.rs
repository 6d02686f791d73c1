//! Keys, read and made by their drawing: kind 1, length of the ledger's id 1, id, number 8, item 2
//! and part 2, all big-endian.

use super::Values;

/// What a key of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: u8,
    pub(super) ledger: String,
    pub(super) number: u64,
    pub(super) item: u16,
    pub(super) part: u16,
}

impl Place {
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let (&[kind, length], rest) = key.split_first_chunk()?;
        let (ledger, rest) = rest.split_at_checked(length.into())?;
        let ledger = String::from_utf8(ledger.to_vec()).ok()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (item, rest) = rest.split_first_chunk()?;
        let part = u16::from_be_bytes(rest.try_into().ok()?);
        let (number, item) = (u64::from_be_bytes(*number), u16::from_be_bytes(*item));
        b"brxy".contains(&kind).then_some(Self { kind, ledger, number, item, part })
    }

    pub(super) fn key(&self) -> Vec<u8> {
        let id = self.ledger.as_bytes();
        let mut key = vec![self.kind, u8::try_from(id.len()).unwrap()];
        key.extend_from_slice(id);
        key.extend_from_slice(&self.number.to_be_bytes());
        key.extend_from_slice(&self.item.to_be_bytes());
        key.extend_from_slice(&self.part.to_be_bytes());
        key
    }
}

/// Other keys of ours that a value can be copied to: of another kind, ledger, number, item or
/// piece, whether there is a value already or none.
pub(super) fn copies(key: &[u8]) -> Vec<Vec<u8>> {
    let place = Place::of(key).unwrap();
    let kinds = b"brxy".iter().map(|&kind| Place { kind, ..place.clone() });
    let ledgers = ["a", "b", "main", "other", "zz"];
    let ledgers = ledgers.map(|name| Place { ledger: name.to_owned(), ..place.clone() });
    let numbers = [1, place.number - 1, place.number + 1, place.number + 2, 1 << 40, u64::MAX];
    let numbers = numbers.map(|number| Place { number, ..place.clone() });
    let items = [0, 1, 2, u16::MAX].map(|item| Place { item, ..place.clone() });
    let parts = [0, 1, 2, u16::MAX].map(|part| Place { part, ..place.clone() });
    let all = kinds.chain(ledgers).chain(numbers).chain(items).chain(parts);
    all.filter(|copy| *copy != place && copy.number > 0).map(|copy| copy.key()).collect()
}

/// Keys that nothing of ours has: cut, longer, of no kind, of no ledger, number 0.
pub(super) fn strays(values: &Values) -> Vec<Vec<u8>> {
    let mut strays: Vec<Vec<u8>> =
        [b"".as_slice(), b"a", b"b", b"r", b"x", b"y", b"z", b"r\x04maim", b"r\x00", &[0xff; 40]]
            .map(<[u8]>::to_vec)
            .into();
    for (key, _) in values {
        strays.extend((1..key.len()).map(|end| key[..end].to_vec()));
        strays.extend([0, 1, 0xff].map(|byte| [key.as_slice(), &[byte]].concat()));
        strays.push(Place { number: 0, ..Place::of(key).unwrap() }.key());
    }
    strays.sort();
    strays.dedup();
    strays
}
