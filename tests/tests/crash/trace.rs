//! The trace that `shim.c` writes: everything that processes did to the files, in order.

use std::{fs, ops::Range, path::Path};

/// The bytes before each record's content.
const HEAD: usize = 32;

/// A whole trace.
pub(crate) struct Trace {
    bytes: Vec<u8>,
    pub(crate) records: Vec<Record>,
}

/// One effect.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Where it begins in the trace, which is its time.
    pub(crate) at: u64,
    /// The file.
    pub(crate) inode: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Started,
    FileMade(String),
    DirectoryMade(String),
    Written { offset: u64, bytes: Range<usize> },
    Sized(u64),
    Renamed { from: String, to: String },
    Removed(String),
    Synced { began: u64, path: String },
    RangeSynced,
    Failed { errno: u64, path: String },
}

impl Trace {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let mut records = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let number = |place: usize| {
                let from = at + place;
                u64::from_ne_bytes(bytes[from..from + 8].try_into().unwrap())
            };
            let (inode, value) = (number(8), number(16));
            let content = at + HEAD..at + HEAD + usize::try_from(number(24)).unwrap();
            let text = || String::from_utf8(bytes[content.clone()].to_vec()).unwrap();
            let kind = match bytes[at] {
                b'P' => Kind::Started,
                b'C' => Kind::FileMade(text()),
                b'D' => Kind::DirectoryMade(text()),
                b'W' => Kind::Written { offset: value, bytes: content.clone() },
                b'T' => Kind::Sized(value),
                b'R' => {
                    let both = text();
                    let (from, to) = both.split_once('\0').unwrap();
                    Kind::Renamed { from: from.to_owned(), to: to.to_owned() }
                }
                b'U' => Kind::Removed(text()),
                b'S' => Kind::Synced { began: value, path: text() },
                b'G' => Kind::RangeSynced,
                b'F' => Kind::Failed { errno: value, path: text() },
                other => panic!("a record of kind {other} at {at}"),
            };
            records.push(Record { at: u64::try_from(at).unwrap(), inode, kind });
            at = content.end;
        }
        Self { bytes, records }
    }

    /// The bytes of a write.
    pub(crate) fn written(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// Where a cut before a record is, as a place in the trace.
    pub(crate) fn place(&self, cut: usize) -> u64 {
        let end = u64::try_from(self.bytes.len()).unwrap();
        self.records.get(cut).map_or(end, |record| record.at)
    }

    /// How many writes and how many syncs the library counted.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let (mut writes, mut syncs) = (0, 0);
        for record in &self.records {
            match record.kind {
                Kind::FileMade(_)
                | Kind::DirectoryMade(_)
                | Kind::Written { .. }
                | Kind::Sized(_)
                | Kind::Renamed { .. }
                | Kind::Removed(_) => writes += 1,
                Kind::Synced { .. } | Kind::RangeSynced => syncs += 1,
                Kind::Started | Kind::Failed { .. } => {}
            }
        }
        (writes, syncs)
    }

    /// The first call that failed by order: its error, its file.
    pub(crate) fn failed(&self) -> Option<(u64, &str)> {
        self.records.iter().find_map(|record| {
            let Kind::Failed { errno, path } = &record.kind else { return None };
            Some((*errno, path.as_str()))
        })
    }
}
