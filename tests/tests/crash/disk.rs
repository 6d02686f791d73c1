//! A disk that remembers what is durable and what is only on its way, so that power can be lost.
//!
//! A file's bytes and size are durable when a sync of the file began after them and returned. Of the
//! rest, every 4 KiB piece is in one of the states that it went through, independently of the
//! others, or torn between two of them at a sector; so is the size. A name is durable when its
//! directory was synced; of the later changes of names in a directory, any number may have
//! happened, in their order. Nothing else is promised by POSIX, and no more is assumed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
};

use tallyhook_tests::dice::Dice;

use crate::trace::{Kind, Record, Trace};

const PIECE: usize = 4096;
const SECTOR: usize = 512;

/// Its blocks are set aside by a call that is not traced, and its content means nothing.
pub(crate) const RESERVE: &str = "reserve";

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    Dropped,
    Random,
    Kept,
}

/// The disk, and what is on its way to it.
#[derive(Clone)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
    /// Which node an inode's number means now.
    inodes: BTreeMap<u64, usize>,
}

#[derive(Clone)]
enum Node {
    File { durable: Image, later: Vec<(u64, Change)> },
    Directory { durable: Names, now: Names, later: Vec<(u64, Naming)> },
}

type Names = BTreeMap<String, usize>;

/// The content of a file.
#[derive(Clone, Default)]
pub(crate) struct Image {
    size: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Size(u64),
}

#[derive(Clone)]
enum Naming {
    Link(String, usize),
    Remove(String),
    Rename(String, String),
}

/// Files with their content, and directories, by path.
pub(crate) type Tree = BTreeMap<String, Option<Image>>;

impl Disk {
    /// What is below a folder under the name `data`, all of it durable.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut disk = Self { nodes: Vec::new(), inodes: BTreeMap::new() };
        disk.add_directory(folder, &|name| name == "data");
        disk
    }

    fn add_directory(&mut self, folder: &Path, taken: &dyn Fn(&str) -> bool) -> usize {
        let id = self.nodes.len();
        self.nodes.push(Node::directory(Names::new()));
        self.inodes.insert(fs::metadata(folder).unwrap().ino(), id);
        let mut names = Names::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !taken(&name) {
                continue;
            }
            let below = if entry.file_type().unwrap().is_dir() {
                self.add_directory(&entry.path(), &|_| true)
            } else {
                let bytes =
                    if name == RESERVE { Vec::new() } else { fs::read(entry.path()).unwrap() };
                let durable = Image::of(&bytes);
                self.nodes.push(Node::File { durable, later: Vec::new() });
                let inode = entry.metadata().unwrap().ino();
                self.inodes.insert(inode, self.nodes.len() - 1);
                self.nodes.len() - 1
            };
            names.insert(name, below);
        }
        self.nodes[id] = Node::directory(names);
        id
    }

    /// Does what a record of the trace says.
    pub(crate) fn apply(&mut self, record: &Record, trace: &Trace) {
        let at = record.at;
        match &record.kind {
            Kind::Started | Kind::RangeSynced | Kind::Failed { .. } => {}
            Kind::FileMade(path) => {
                let file = Node::File { durable: Image::default(), later: Vec::new() };
                self.make(at, record.inode, path, file);
            }
            Kind::DirectoryMade(path) => {
                self.make(at, record.inode, path, Node::directory(Names::new()));
            }
            Kind::Written { offset, bytes } => {
                let bytes = trace.written(bytes).to_vec();
                self.change(at, record.inode, Change::Write { offset: *offset, bytes });
            }
            Kind::Sized(size) => self.change(at, record.inode, Change::Size(*size)),
            Kind::Renamed { from, to } => self.rename(at, from, to),
            Kind::Removed(path) => {
                let (directory, name) = split(path);
                self.name(at, directory, Naming::Remove(name.to_owned()));
            }
            Kind::Synced { began, path } => {
                let id = self.inodes.get(&record.inode);
                let id = *id.unwrap_or_else(|| panic!("a sync of {path}, which nothing made"));
                self.nodes[id].sync(*began);
            }
        }
    }

    fn make(&mut self, at: u64, inode: u64, path: &str, node: Node) {
        let id = self.nodes.len();
        self.nodes.push(node);
        // The number of a file that is gone may be given again.
        self.inodes.insert(inode, id);
        let (directory, name) = split(path);
        self.name(at, directory, Naming::Link(name.to_owned(), id));
    }

    fn change(&mut self, at: u64, inode: u64, change: Change) {
        match &mut self.nodes[self.inodes[&inode]] {
            Node::File { later, .. } => later.push((at, change)),
            Node::Directory { .. } => panic!("a write into a directory"),
        }
    }

    fn rename(&mut self, at: u64, from: &str, to: &str) {
        let ((source, from), (target, to)) = (split(from), split(to));
        if source == target {
            self.name(at, source, Naming::Rename(from.to_owned(), to.to_owned()));
        } else {
            // Not even this is promised to be atomic.
            let id = self.directory(source).1[from];
            self.name(at, target, Naming::Link(to.to_owned(), id));
            self.name(at, source, Naming::Remove(from.to_owned()));
        }
    }

    fn name(&mut self, at: u64, directory: &str, naming: Naming) {
        let id = self.directory(directory).0;
        match &mut self.nodes[id] {
            Node::Directory { now, later, .. } => {
                naming.apply(now);
                later.push((at, naming));
            }
            Node::File { .. } => panic!("{directory} is a file"),
        }
    }

    /// A directory and its names, as processes see them.
    fn directory(&self, path: &str) -> (usize, &Names) {
        let mut id = 0;
        let names = |id: usize| match &self.nodes[id] {
            Node::Directory { now, .. } => now,
            Node::File { .. } => panic!("{path} is below a file"),
        };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            id = *names(id).get(name).unwrap_or_else(|| panic!("no {path}"));
        }
        (id, names(id))
    }

    /// What is found after a loss of power now.
    pub(crate) fn lose_power(&self, unsynced: Unsynced, dice: &mut Dice) -> Tree {
        let mut tree = Tree::new();
        let keep = dice.pick(&[10, 50, 90]);
        self.collect(0, "", &mut Losses { unsynced, keep, dice }, &mut tree);
        tree
    }

    fn collect(&self, id: usize, path: &str, losses: &mut Losses<'_>, tree: &mut Tree) {
        match &self.nodes[id] {
            Node::File { durable, later } => {
                tree.insert(path.to_owned(), Some(losses.file(durable, later)));
            }
            Node::Directory { durable, later, .. } => {
                if !path.is_empty() {
                    tree.insert(path.to_owned(), None);
                }
                let mut names = durable.clone();
                let happened = losses.number(later.len());
                later.iter().take(happened).for_each(|(_, naming)| naming.apply(&mut names));
                for (name, below) in names {
                    let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                    self.collect(below, &path, losses, tree);
                }
            }
        }
    }
}

impl Node {
    fn directory(names: Names) -> Self {
        Self::Directory { durable: names.clone(), now: names, later: Vec::new() }
    }

    /// Makes durable what happened before a sync began.
    fn sync(&mut self, began: u64) {
        match self {
            Self::File { durable, later } => {
                let count = later.partition_point(|(at, _)| *at < began);
                later.drain(..count).for_each(|(_, change)| change.apply(durable));
            }
            Self::Directory { durable, later, .. } => {
                let count = later.partition_point(|(at, _)| *at < began);
                later.drain(..count).for_each(|(_, naming)| naming.apply(durable));
            }
        }
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Link(name, id) => drop(names.insert(name.clone(), *id)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
        }
    }
}

/// What decides how much survives.
struct Losses<'d> {
    unsynced: Unsynced,
    /// In how many of a hundred cases everything of a piece survives.
    keep: u64,
    dice: &'d mut Dice,
}

impl Losses<'_> {
    /// How many of so many changes happened.
    fn number(&mut self, of: usize) -> usize {
        match self.unsynced {
            Unsynced::Dropped => 0,
            Unsynced::Kept => of,
            Unsynced::Random if self.dice.chance(self.keep) => of,
            Unsynced::Random => self.dice.below(of + 1),
        }
    }

    fn file(&mut self, durable: &Image, later: &[(u64, Change)]) -> Image {
        let mut image = durable.clone();
        if self.unsynced != Unsynced::Random {
            let happened = self.number(later.len());
            later.iter().take(happened).for_each(|(_, change)| change.apply(&mut image));
            return image;
        }
        // The pieces that each change touches, and the sizes that the file went through.
        let mut touched: BTreeMap<u64, Vec<&Change>> = BTreeMap::new();
        let (mut sizes, mut longest) = (vec![durable.size], durable.size);
        for (_, change) in later {
            let size = *sizes.last().unwrap();
            for piece in change.touches(longest) {
                touched.entry(piece).or_default().push(change);
            }
            sizes.push(change.size_after(size));
            longest = longest.max(*sizes.last().unwrap());
        }
        for (piece, changes) in touched {
            let happened = self.number(changes.len());
            let mut content = image.piece(piece);
            changes.iter().take(happened).for_each(|change| change.apply_to(piece, &mut content));
            if let Some(next) = changes.get(happened)
                && self.dice.chance(20)
            {
                // Power was lost while this piece was on its way.
                let torn = self.dice.below(PIECE / SECTOR + 1) * SECTOR;
                let mut after = content.clone();
                next.apply_to(piece, &mut after);
                content[..torn].copy_from_slice(&after[..torn]);
            }
            image.pieces.insert(piece, content);
        }
        image.size = sizes[self.number(sizes.len() - 1)];
        image
    }
}

impl Change {
    /// The pieces in which it changes bytes of a file that was never longer than so many.
    fn touches(&self, longest: u64) -> BTreeSet<u64> {
        let piece = u64::try_from(PIECE).unwrap();
        match self {
            Self::Write { offset, bytes } if !bytes.is_empty() => {
                let end = offset + u64::try_from(bytes.len()).unwrap();
                (offset / piece..end.div_ceil(piece)).collect()
            }
            Self::Write { .. } => BTreeSet::new(),
            Self::Size(size) => (size / piece..longest.div_ceil(piece)).collect(),
        }
    }

    fn size_after(&self, size: u64) -> u64 {
        match self {
            Self::Write { offset, bytes } => size.max(offset + u64::try_from(bytes.len()).unwrap()),
            Self::Size(size) => *size,
        }
    }

    fn apply(&self, image: &mut Image) {
        for piece in self.touches(image.size) {
            let mut content = image.pieces.remove(&piece).unwrap_or_else(|| vec![0; PIECE]);
            self.apply_to(piece, &mut content);
            image.pieces.insert(piece, content);
        }
        image.size = self.size_after(image.size);
    }

    /// What it does to one piece.
    fn apply_to(&self, piece: u64, content: &mut [u8]) {
        let start = usize::try_from(piece).unwrap() * PIECE;
        match self {
            Self::Write { offset, bytes } => {
                let offset = usize::try_from(*offset).unwrap();
                let (from, to) = (start.max(offset), (start + PIECE).min(offset + bytes.len()));
                content[from - start..to - start]
                    .copy_from_slice(&bytes[from - offset..to - offset]);
            }
            Self::Size(size) => {
                let size = usize::try_from(*size).unwrap();
                content[size.saturating_sub(start).min(PIECE)..].fill(0);
            }
        }
    }
}

impl Image {
    fn of(bytes: &[u8]) -> Self {
        let size = u64::try_from(bytes.len()).unwrap();
        let mut image = Self { size, pieces: BTreeMap::new() };
        for (number, chunk) in (0..).zip(bytes.chunks(PIECE)) {
            if chunk.iter().any(|byte| *byte != 0) {
                let mut piece = chunk.to_vec();
                piece.resize(PIECE, 0);
                image.pieces.insert(number, piece);
            }
        }
        image
    }

    fn piece(&self, number: u64) -> Vec<u8> {
        self.pieces.get(&number).cloned().unwrap_or_else(|| vec![0; PIECE])
    }

    /// Its bytes, up to its size.
    fn bytes(&self) -> Vec<u8> {
        let size = usize::try_from(self.size).unwrap();
        let mut bytes = vec![0; size];
        for (piece, content) in &self.pieces {
            let start = usize::try_from(*piece).unwrap() * PIECE;
            if start < size {
                let end = size.min(start + PIECE);
                bytes[start..end].copy_from_slice(&content[..end - start]);
            }
        }
        bytes
    }

    fn write(&self, path: &Path) {
        let file = File::create(path).unwrap();
        for (piece, content) in &self.pieces {
            let start = piece * u64::try_from(PIECE).unwrap();
            if start < self.size {
                file.write_all_at(content, start).unwrap();
            }
        }
        file.set_len(self.size).unwrap();
    }
}

/// Writes a tree into a folder.
pub(crate) fn write(tree: &Tree, folder: &Path) {
    for (path, image) in tree {
        let path = folder.join(path);
        match image {
            None => fs::create_dir(path).unwrap(),
            Some(image) => image.write(&path),
        }
    }
}

/// Says where a tree differs from what is below a folder under the name `data`.
pub(crate) fn difference(tree: &Tree, folder: &Path) -> Option<String> {
    let mut dice = Dice::new(0);
    let found = Disk::of(folder).lose_power(Unsynced::Kept, &mut dice);
    for path in tree.keys().chain(found.keys()) {
        match (tree.get(path), found.get(path)) {
            (Some(None), Some(None)) => {}
            (Some(Some(said)), Some(Some(is))) if said.bytes() == is.bytes() => {}
            (Some(Some(said)), Some(Some(is))) => {
                return Some(format!("{path}: {} and {} bytes", said.size, is.size));
            }
            (Some(_), _) => return Some(format!("{path} should be there")),
            (None, _) => return Some(format!("{path} should not be there")),
        }
    }
    None
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
