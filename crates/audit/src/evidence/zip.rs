//! A zip archive of files as they are: names in order, one fixed time, no compression, so that the
//! same files give the same bytes everywhere.
//!
//! Written here because it is little, and because no library promises its bytes. The form is that of
//! PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; names are ASCII.

use std::collections::BTreeMap;

/// The beginning of MS-DOS time: 1980-01-01.
const DATE: u16 = 0x21;

/// The version that is needed to read it: 1.0.
const VERSION: u16 = 10;

/// An archive became larger than four gigabytes, or has more files than a plain archive can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the archive: it would be over 4 GiB or have over 65,535 files")]
pub struct TooLarge;

/// The archive of files by their names.
///
/// # Errors
/// It is too large.
pub fn zip(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, TooLarge> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = long(archive.len())?;
        let entry = entry(name, bytes)?;
        archive.extend(0x0403_4b50_u32.to_le_bytes());
        archive.extend(&entry);
        archive.extend(name.as_bytes());
        archive.extend(bytes);

        directory.extend(0x0201_4b50_u32.to_le_bytes());
        // Made by: the version, on MS-DOS.
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&entry);
        // Comment 2, disk 2, internal attributes 2, external attributes 4: none.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (offset, size) = (long(archive.len())?, long(directory.len())?);
    let count = u16::try_from(files.len()).map_err(|_| TooLarge)?;
    archive.extend(directory);
    archive.extend(0x0605_4b50_u32.to_le_bytes());
    // This disk 2, the directory's disk 2: the first.
    archive.extend([0; 4]);
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(size.to_le_bytes());
    archive.extend(offset.to_le_bytes());
    // No comment.
    archive.extend([0; 2]);
    Ok(archive)
}

/// What both of a file's headers say of it.
fn entry(name: &str, bytes: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let size = long(bytes.len())?;
    let mut entry = Vec::with_capacity(26);
    // Flags and method: stored as it is. Time of day: 00:00.
    for short in [VERSION, 0, 0, 0, DATE] {
        entry.extend(short.to_le_bytes());
    }
    for long in [crc32fast::hash(bytes), size, size] {
        entry.extend(long.to_le_bytes());
    }
    let length = u16::try_from(name.len()).map_err(|_| TooLarge)?;
    entry.extend(length.to_le_bytes());
    // No extra field.
    entry.extend([0; 2]);
    Ok(entry)
}

fn long(size: usize) -> Result<u32, TooLarge> {
    u32::try_from(size).map_err(|_| TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand after the specification's tables.
    #[test]
    fn an_archive_of_one_file_has_the_bytes_of_the_specification() {
        let archive = zip(&BTreeMap::from([("a".to_owned(), b"hi".to_vec())])).unwrap();
        let shared = "0a0000000000000021 00 ac2a93d8 02000000 02000000 0100 0000";
        let local = format!("504b0304 {shared} 61 6869");
        let central = format!("504b0102 0a00 {shared} 0000 0000 0000 00000000 00000000 61");
        let end = "504b0506 0000 0000 0100 0100 2f000000 21000000 0000";
        let expected = format!("{local}{central}{end}").replace(' ', "");
        assert_eq!(hex::encode(archive), expected);
    }

    #[test]
    fn an_archive_of_nothing_is_its_end() {
        assert_eq!(zip(&BTreeMap::new()).unwrap().len(), 22);
    }
}
