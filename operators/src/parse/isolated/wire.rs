//! What parent and worker say to each other.
//!
//! ```text
//! worker: greeting                        once
//! parent: head, text                      a request
//! worker: length, answer (postcard)       its answer
//! ```

use std::io::{self, Read, Write};
use std::time::Duration;

use gristmill_pipeline::Operator as _;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use crate::languages::known_languages;
use crate::parse::Parse;
use crate::parse::machine::{Failure, Parsed};
use crate::spec::Language;

/// Bytes of a request before its text.
pub(super) const HEAD_BYTES: usize = 32;
/// Bytes of an answer before it.
pub(super) const LENGTH_BYTES: usize = 8;

/// How much is read at once.
pub(super) const READ_BYTES: usize = 64 << 10;

/// What a worker says first: who its parsers are. Parent and worker are one program, unless that was
/// replaced on disk while it ran.
pub(super) fn greeting() -> [u8; 32] {
    *Parse::default().fingerprint().as_bytes()
}

/// The fixed part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The language, as an index into the known ones.
    pub language: u64,
    /// Bytes of text that follow.
    pub bytes: u64,
    pub budget: Budget,
}

impl Head {
    /// The head of a request for a text in a language.
    pub fn of(language: &Language, text: &str, budget: Budget) -> Self {
        let index = known_languages().iter().position(|known| known.name == language.name);
        Self { language: index.map_or(u64::MAX, |index| index as u64), bytes: text.len() as u64, budget }
    }

    pub fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let cpu = u64::try_from(self.budget.cpu.as_micros()).unwrap_or(u64::MAX);
        let mut bytes = [0; HEAD_BYTES];
        for (to, number) in bytes.chunks_exact_mut(8).zip([self.language, self.bytes, cpu, self.budget.memory]) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub fn from_bytes(bytes: &[u8; HEAD_BYTES]) -> Self {
        let mut numbers = [0; 4];
        for (number, from) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = u64::from_le_bytes(*from);
        }
        let [language, bytes, cpu, memory] = numbers;
        Self { language, bytes, budget: Budget { cpu: Duration::from_micros(cpu), memory } }
    }
}

/// What a worker makes of a text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub result: Outcome,
    /// CPU time that the worker took for it.
    pub cpu: Duration,
}

/// How parsing a text ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    Done(Result<Parsed, Failure>),
    /// Our own code panicked, with this message.
    Panicked(String),
}

/// Writes an answer. `buffer` is scratch space.
pub(super) fn write_answer(answer: &Answer, mut buffer: Vec<u8>, to: &mut impl Write) -> io::Result<Vec<u8>> {
    buffer.clear();
    buffer.extend_from_slice(&[0; LENGTH_BYTES]);
    let mut frame = postcard::to_extend(answer, buffer).map_err(io::Error::other)?;
    let length = (frame.len() - LENGTH_BYTES) as u64;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    to.write_all(&frame)?;
    Ok(frame)
}

/// Fills `buffer` with the next `bytes` bytes.
pub(super) fn read_exactly(from: &mut impl Read, bytes: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    let read = from.take(bytes).read_to_end(buffer)?;
    if read as u64 == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
