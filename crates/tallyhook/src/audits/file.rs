//! Files that are there only once they are whole and on the disk, and for their owner alone: they have
//! what customers are and did.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::exit::Failed;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and nothing is written.
    Kept,
    /// The new one takes its place.
    Replaced,
}

/// Writes a file beside its place and moves it there once it is whole and on the disk.
pub(super) fn whole<T>(
    path: &Path,
    existing: Existing,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let unwritten =
        |error: io::Error| Failed::unopened(error).context(format!("write {}", path.display()));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    // Such a file is its owner's alone, whatever the umask.
    let mut aside = tempfile::Builder::new();
    let aside = aside.prefix(".tallyhook-export-").tempfile_in(folder).map_err(unwritten)?;
    let written = {
        let mut out: BufWriter<&File> = BufWriter::new(aside.as_file());
        let written = write(&mut out)?;
        out.flush().map_err(unwritten)?;
        written
    };
    aside.as_file().sync_all().map_err(unwritten)?;
    let persisted = match existing {
        Existing::Kept => aside.persist_noclobber(path),
        Existing::Replaced => aside.persist(path),
    };
    persisted.map_err(|error| unwritten(error.error))?;
    Ok(written)
}

/// Writes these bytes.
pub(super) fn written(path: &Path, existing: Existing, bytes: &[u8]) -> Result<(), Failed> {
    whole(path, existing, &mut |out| {
        out.write_all(bytes)
            .map_err(|error| Failed::unopened(error).context(format!("write {}", path.display())))
    })
}
