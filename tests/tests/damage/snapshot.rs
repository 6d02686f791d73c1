//! The files of a store, kept to be written again with a flipped bit.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

/// A bit that is flipped.
#[derive(Clone, Debug)]
pub(crate) struct Flip {
    pub(crate) path: PathBuf,
    at: usize,
    bit: usize,
}

/// Among the zeros that a file ends with, one place in so many is flipped: sled fills a segment of
/// 8 MiB with them.
const ZEROS_STEP: usize = 65_521;

/// The files of a store that is closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    directories: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Contents>,
}

/// A file that can end with zeros.
#[derive(Clone, Debug)]
struct Contents {
    /// All up to the last byte that is not zero.
    bytes: Vec<u8>,
    length: usize,
}

impl Files {
    /// All files and directories of a directory.
    pub(crate) fn read(dir: &Path) -> Self {
        let mut files = Self::default();
        files.take(dir, Path::new(""));
        files
    }

    fn take(&mut self, dir: &Path, below: &Path) {
        for entry in fs::read_dir(dir.join(below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.directories.push(path.clone());
                self.take(dir, &path);
            } else {
                let mut bytes = fs::read(dir.join(&path)).unwrap();
                let length = bytes.len();
                let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
                bytes.truncate(length - zeros);
                self.files.insert(path, Contents { bytes, length });
            }
        }
    }

    /// Every byte of these files, each with one of its bits in turn; of the zeros at the end a few.
    pub(crate) fn flips(&self, which: impl Fn(&Path) -> bool) -> Vec<Flip> {
        let mut flips = Vec::new();
        for (path, contents) in self.files.iter().filter(|(path, _)| which(path)) {
            let zeros = (contents.bytes.len()..contents.length).step_by(ZEROS_STEP);
            let places = (0..contents.bytes.len()).chain(zeros);
            flips.extend(places.map(|at| Flip { path: path.clone(), at, bit: at % 8 }));
        }
        flips
    }

    /// Makes a directory hold these files and no others.
    pub(crate) fn write(&self, dir: &Path, flip: Option<&Flip>) {
        if dir.exists() {
            fs::remove_dir_all(dir).unwrap();
        }
        fs::create_dir_all(dir).unwrap();
        self.directories.iter().for_each(|path| fs::create_dir(dir.join(path)).unwrap());
        for (path, contents) in &self.files {
            let mut file = File::create(dir.join(path)).unwrap();
            let mut bytes = contents.bytes.clone();
            if let Some(flip) = flip.filter(|flip| flip.path == *path) {
                bytes.resize(bytes.len().max(flip.at + 1), 0);
                bytes[flip.at] ^= 1 << flip.bit;
            }
            file.write_all(&bytes).unwrap();
            file.set_len(u64::try_from(contents.length).unwrap()).unwrap();
        }
    }
}
