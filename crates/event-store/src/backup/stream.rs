//! A backup on its way from a running server: whole or noticed.
//!
//! ```text
//! stream: "tallyhook backup stream 1" 0x0a | marker of the store | frames
//! frame:  kind 1 | length 4 LE | bytes
//! ```
//!
//! The marker ([`crate::marker`]) is there so that values of a newer program are not taken for ours.
//!
//! | kind | bytes | when |
//! | --- | --- | --- |
//! | `m` | the manifest | first |
//! | `p` | length of the key 2 LE, key, stored piece | each piece, those of a value together |
//! | `f` | what is wrong, for a person | last, when the server can't go on |
//! | `e` | number of pieces 8 LE, the manifest once more | last |
//!
//! Every piece has a digest of its own ([`crate::frame`]); a stream without its last frame broke
//! off.

use std::io::{ErrorKind, Read, Write};

use super::manifest::Manifest;
use crate::{
    bytes::{Malformed, Reader},
    frame::{FrameFault, PIECE_BYTES_MAX},
    key::StoredKey,
    log::ReadError,
    marker,
    sled::{Value, damaged_at},
};

const TAG: &str = "tallyhook backup stream 1\n";

/// The most bytes of a frame: a manifest of thousands of ledgers, or a piece with its key.
const FRAME_BYTES_MAX: usize = 1 << 20;
const _: () = assert!(PIECE_BYTES_MAX + 1024 < FRAME_BYTES_MAX);

/// Why a stream ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamFault {
    /// The connection broke, or the server stopped.
    #[error("the stream from the server broke off after {pieces} pieces; start the backup again")]
    BrokenOff {
        /// How many pieces came.
        pieces: u64,
    },
    /// What came is no stream of a backup.
    #[error("what the server sent after {pieces} pieces is no backup; is it of another version?")]
    Malformed {
        /// How many pieces came.
        pieces: u64,
    },
    /// The server could not go on.
    #[error("the server could not go on: {0}")]
    Told(String),
    /// A value is not what was written.
    #[error(transparent)]
    Damaged(#[from] ReadError),
    /// The connection failed.
    #[error("read from the server")]
    Connection(#[source] std::io::Error),
}

/// Why a backup was not sent to its end.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The log can't be read; the receiver was told.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The receiver is gone.
    #[error("send a backup")]
    Gone(#[from] std::io::Error),
}

/// Sends values as they are read.
pub(crate) fn send(
    manifest: &Manifest,
    values: impl Iterator<Item = Result<Value, ReadError>>,
    out: &mut impl Write,
) -> Result<(), SendError> {
    let text = manifest.to_string();
    out.write_all(head().as_bytes())?;
    frame(out, b'm', &[text.as_bytes()])?;
    let mut pieces = 0_u64;
    for value in values {
        let value = match value {
            Ok(value) => value,
            Err(error) => {
                frame(out, b'f', &[error.to_string().as_bytes()])?;
                out.flush()?;
                return Err(error.into());
            }
        };
        for (key, stored) in &value.pieces {
            // A key has at most 64 bytes and 14 more.
            let length = u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes();
            frame(out, b'p', &[&length, key, stored])?;
            pieces = pieces.saturating_add(1);
        }
    }
    frame(out, b'e', &[&pieces.to_le_bytes(), text.as_bytes()])?;
    Ok(out.flush()?)
}

fn head() -> String {
    format!("{TAG}{}", marker::newest())
}

fn frame(out: &mut impl Write, kind: u8, parts: &[&[u8]]) -> std::io::Result<()> {
    let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
    let length = u32::try_from(length).map_err(|_| ErrorKind::InvalidInput)?;
    out.write_all(&[kind])?;
    out.write_all(&length.to_le_bytes())?;
    parts.iter().try_for_each(|part| out.write_all(part))
}

/// The values of a stream, whole and checked. It ends only after the stream's last frame.
pub(crate) struct Received<R> {
    from: R,
    manifest: Manifest,
    pieces: u64,
    is_over: bool,
}

/// A frame that came.
enum Came {
    Piece(Vec<u8>, Vec<u8>),
    End,
}

impl<R: Read> Received<R> {
    /// Reads the head of a stream.
    pub(crate) fn open(mut from: R) -> Result<Self, StreamFault> {
        let ours = head().into_bytes();
        let mut found = vec![0; ours.len()];
        fill(&mut from, &mut found, 0)?;
        let malformed = || StreamFault::Malformed { pieces: 0 };
        let first = if found == ours { next(&mut from, 0)? } else { return Err(malformed()) };
        let text = std::str::from_utf8(&first.1).ok().filter(|_| first.0 == b'm');
        let manifest = text.and_then(Manifest::parse).ok_or_else(malformed)?;
        Ok(Self { from, manifest, pieces: 0, is_over: false })
    }

    pub(crate) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn frame(&mut self) -> Result<Came, StreamFault> {
        let (kind, bytes) = next(&mut self.from, self.pieces)?;
        match kind {
            b'p' => {
                let (key, stored) = piece(&bytes).map_err(|Malformed| self.malformed())?;
                self.pieces = self.pieces.saturating_add(1);
                Ok(Came::Piece(key, stored))
            }
            b'f' => Err(StreamFault::Told(String::from_utf8_lossy(&bytes).into_owned())),
            b'e' => {
                let manifest = self.manifest.to_string();
                let said = [&self.pieces.to_le_bytes(), manifest.as_bytes()].concat();
                if bytes == said { Ok(Came::End) } else { Err(self.malformed()) }
            }
            _ => Err(self.malformed()),
        }
    }

    const fn malformed(&self) -> StreamFault {
        StreamFault::Malformed { pieces: self.pieces }
    }

    /// The next value; none after the last frame.
    fn value(&mut self) -> Result<Option<Value>, StreamFault> {
        let (first, stored) = match self.frame()? {
            Came::Piece(key, stored) => (key, stored),
            Came::End => return Ok(None),
        };
        let key = StoredKey::decode(&first).map_err(|Malformed| self.malformed())?;
        let mut first = Some((first, stored));
        let gathered = Value::gather(&key, |wanted| {
            let came = match first.take() {
                Some((key, stored)) => Came::Piece(key, stored),
                None => self.frame()?,
            };
            Ok::<_, StreamFault>(match came {
                Came::Piece(key, stored) if key == wanted => Some(stored),
                Came::Piece(..) | Came::End => None,
            })
        })?;
        let damaged = |fault: FrameFault| damaged_at(&key, &fault.to_string());
        Ok(Some(gathered.map_err(damaged)?))
    }
}

impl<R: Read> Iterator for Received<R> {
    type Item = Result<Value, StreamFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let value = self.value().transpose();
        self.is_over = !matches!(value, Some(Ok(_)));
        value
    }
}

fn next(from: &mut impl Read, pieces: u64) -> Result<(u8, Vec<u8>), StreamFault> {
    let mut head = [0; 5];
    fill(from, &mut head, pieces)?;
    let [kind, length @ ..] = head;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX {
        return Err(StreamFault::Malformed { pieces });
    }
    let mut bytes = vec![0; length];
    fill(from, &mut bytes, pieces)?;
    Ok((kind, bytes))
}

fn fill(from: &mut impl Read, bytes: &mut [u8], pieces: u64) -> Result<(), StreamFault> {
    from.read_exact(bytes).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof {
            StreamFault::BrokenOff { pieces }
        } else {
            StreamFault::Connection(error)
        }
    })
}

fn piece(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Malformed> {
    let mut reader = Reader::new(bytes);
    let length = u16::from_le_bytes(reader.array()?);
    let key = reader.take(usize::from(length))?;
    Ok((key.to_vec(), reader.rest().to_vec()))
}
