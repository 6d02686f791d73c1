//! The file to which every checkpoint is added: what an outsider keeps a copy of.
//!
//! One signed note after the other, each with an empty line behind it, of all ledgers. Nothing in
//! it is ever changed: it may lie on a file system that only lets files grow.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use domain::ids::LedgerId;
use proof::checkpoint::{Checkpoint, Published, notes};

/// The most bytes of one note with the line behind it: sixteen signatures and more.
const NOTE_BYTES_MAX: usize = 128 * 1024;

/// The file, open to be added to.
pub(crate) struct CheckpointFile {
    path: PathBuf,
    file: File,
    /// Whether its end may be a note that was cut short.
    is_torn: bool,
}

impl CheckpointFile {
    /// Opens or makes the file, and reads the newest checkpoint of each ledger in it.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, BTreeMap<LedgerId, Published>)> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if !file.metadata()?.is_file() {
            // What is written to a pipe or a device can't be read again.
            let opened = Self { path: path.to_owned(), file, is_torn: false };
            return Ok((opened, BTreeMap::new()));
        }
        let newest = newest(&file)?;
        let length = file.seek(SeekFrom::End(0))?;
        if length == 0 {
            // A file that was just made is nowhere until its folder is synced.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        }
        let mut end = [0; 2];
        if length >= 2 {
            file.seek(SeekFrom::End(-2))?;
            file.read_exact(&mut end)?;
        }
        let is_torn = length > 0 && end != *b"\n\n";
        Ok((Self { path: path.to_owned(), file, is_torn }, newest))
    }

    /// A pipe or a device has nothing to sync.
    fn sync(&self) -> io::Result<()> {
        match self.file.sync_data() {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a note; durable when it returns.
    pub(crate) fn add(&mut self, note: &str) -> io::Result<()> {
        let before = if self.is_torn { "\n\n" } else { "" };
        self.is_torn = true;
        self.file.write_all(format!("{before}{note}\n").as_bytes())?;
        self.sync()?;
        self.is_torn = false;
        Ok(())
    }
}

/// The largest checkpoint of each ledger. Reads a note at a time: the file grows for years.
fn newest(file: &File) -> io::Result<BTreeMap<LedgerId, Published>> {
    let mut newest: BTreeMap<LedgerId, Published> = BTreeMap::new();
    let mut take = |chunk: &str| {
        for note in notes(chunk) {
            let Ok(checkpoint) = Checkpoint::unverified(&note) else { continue };
            let Ok(ledger) = LedgerId::new(checkpoint.ledger()) else { continue };
            let known = newest.get(&ledger).map(|known: &Published| known.checkpoint.size);
            if known.is_none_or(|size| size <= checkpoint.size) {
                newest.insert(ledger, Published { checkpoint, note });
            }
        }
    };
    let mut reader = BufReader::new(file);
    let mut chunk = String::new();
    let mut line = Vec::new();
    let longest = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX);
    while reader.by_ref().take(longest).read_until(b'\n', &mut line)? > 0 {
        // What is no text is no note, and is passed over like one that was cut short.
        chunk.push_str(&String::from_utf8_lossy(&line));
        if line == b"\n" && chunk.contains("\n\u{2014} ") || chunk.len() > NOTE_BYTES_MAX {
            take(&chunk);
            chunk.clear();
        }
        line.clear();
    }
    take(&chunk);
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proof::{merkle::Hash, note::PrivateKey};

    use super::*;

    fn note(ledger: &str, size: u64) -> String {
        let origin = format!("tallyhook/{ledger}");
        let signer = PrivateKey::of([1; 32]).signer(&origin).unwrap();
        Checkpoint { origin, size, root: Hash::of_nothing() }.sign(&signer)
    }

    fn sizes(newest: &BTreeMap<LedgerId, Published>) -> Vec<(&str, u64)> {
        newest.iter().map(|(ledger, known)| (ledger.as_str(), known.checkpoint.size)).collect()
    }

    #[test]
    fn the_newest_of_each_ledger_is_read_past_notes_that_were_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let whole = note("main", 7);
        for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            let _ = fs::remove_file(&path);
            let (mut file, newest) = CheckpointFile::open(&path).unwrap();
            assert_eq!(sizes(&newest), []);
            file.add(&note("main", 3)).unwrap();
            file.add(&note("other", 5)).unwrap();
            let before = fs::read(&path).unwrap();
            fs::write(&path, [&before, &whole.as_bytes()[..cut]].concat()).unwrap();
            let (mut file, newest) = CheckpointFile::open(&path).unwrap();
            // A signature that is cut short can be read as one, as long as nobody verifies it.
            assert!(sizes(&newest).contains(&("other", 5)), "{cut}");
            file.add(&note("main", 8)).unwrap();
            let (_, newest) = CheckpointFile::open(&path).unwrap();
            assert_eq!(sizes(&newest), [("main", 8), ("other", 5)], "{cut}");
            assert_eq!(newest.values().next().unwrap().note, note("main", 8));
            assert!(fs::read(&path).unwrap().starts_with(&before), "nothing is ever changed");
        }
    }
}
