//! The read operator: reads a file's bytes and decodes them into one shared text.

mod decode;
mod generated;
mod redact;
mod secrets;

pub use decode::{DecodeError, Decoded, decode};
pub use generated::generated;
pub use redact::redact;
pub use secrets::{Finding, find_secrets};

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::port::{Content, FileItem, Text};
use gristmill_pipeline::source::Origin;
use gristmill_pipeline::{Batch, Emitter, Extras, Fingerprint, Hash, Operator, OperatorError, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// What to do with a file that contains a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretPolicy {
    /// Quarantine the file: it is not indexed.
    Skip,
    /// Replace each byte of the secret with `*`, and index the file.
    #[default]
    Redact,
    /// Do not scan for secrets.
    Off,
}

/// What to do with a text that a program wrote: generated or minified code, or a source map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneratedPolicy {
    /// Index it like any other, with a note.
    #[default]
    Index,
    /// Do not index it.
    Skip,
}

/// Configuration of [`Read`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadConfig {
    /// What to do with a file that contains a secret: `skip` it, `redact` the secret, or
    /// turn the scan `off`.
    pub secrets: SecretPolicy,
    /// What to do with generated and minified code, which its header or its form gives away: `index` it
    /// with a note, or `skip` it.
    pub generated: GeneratedPolicy,
}

impl OperatorConfig for ReadConfig {
    type Operator = Read;

    const NAME: &'static str = "read";

    fn build(&self, _folder: &Path) -> Result<Read, OperatorConfigError> {
        Ok(Read::new(*self))
    }
}

/// Reads files, decodes them and scans them for secrets.
///
/// Reports these diagnostics:
///
/// | finding | severity | code | content |
/// |---|---|---|---|
/// | binary | note | `binary` | none |
/// | NUL in valid UTF-8 past the first 8,000 bytes | note | `nul` | unchanged |
/// | UTF-16 | note | `encoding` | decoded |
/// | UTF-8 with damaged characters | warning | `encoding` | each becomes U+FFFD |
/// | neither UTF-8 nor UTF-16 | warning | `encoding` | decoded as Windows-1252 |
/// | generated or minified | note | `generated` | unchanged, or none under `skip` |
/// | deleted since the scan | note | `vanished` | none |
/// | grown since the scan, past 64 KiB | note | `changed` | none |
/// | unreadable, or not a regular file | error | `unreadable` | none |
/// | more than 4 GiB of text (offsets have 32 bits) | error | `too_large` | none |
/// | a secret, under `redact` | warning | `secret` | redacted |
/// | a secret, under `skip` | error | `secret` | none |
#[derive(Clone, Copy, Debug, Default)]
pub struct Read {
    config: ReadConfig,
}

impl Read {
    /// Returns a read operator with that configuration.
    #[must_use]
    pub const fn new(config: ReadConfig) -> Self {
        Self { config }
    }

    /// Reads one file. Returns `Ok(None)` where what was reported keeps it out of the index.
    fn read(&self, file: &Arc<FileItem>, out: &mut Emitter<Arc<Content>>) -> Result<Option<Content>, Fault> {
        let bytes = match &file.origin {
            Origin::File(location) => read_bounded(location, file.bytes)?,
            Origin::Object(object) => object.read()?,
        };
        let content_hash = Hash::of(&bytes);
        let decoded = decode(&bytes)?;
        if u32::try_from(decoded.text.len()).is_err() {
            return Err(Fault::TooLarge);
        }
        if let Some(why) = generated(&decoded.text) {
            let is_skipped = self.config.generated == GeneratedPolicy::Skip;
            let outcome =
                if is_skipped { "not indexed" } else { "`generated = \"skip\"` of the read stage leaves it out" };
            out.report(&file.path, Severity::Note, "generated", 0, format!("generated, by {why}; {outcome}"));
            if is_skipped {
                return Ok(None);
            }
        }
        for (severity, code, line, message) in decoded.remarks() {
            out.report(&file.path, severity, code, line, message);
        }
        let findings = match self.config.secrets {
            SecretPolicy::Off => Vec::new(),
            SecretPolicy::Skip | SecretPolicy::Redact => find_secrets(&decoded.text),
        };
        let text: Arc<str> = if findings.is_empty() {
            decoded.text.into()
        } else {
            report_secrets(&findings, self.config.secrets, file, out);
            if self.config.secrets == SecretPolicy::Skip {
                return Ok(None);
            }
            redact(&decoded.text, &findings).into()
        };
        let (encoding, extras) = (decoded.encoding, Extras::default());
        Ok(Some(Content { file: Arc::clone(file), text: Text::new(text), content_hash, encoding, extras }))
    }
}

/// Secrets of one file that are reported one by one; the others are only counted.
const MAX_SECRET_REPORTS: usize = 100;

/// Reports the secrets of a file, without their text.
fn report_secrets(findings: &[Finding], policy: SecretPolicy, file: &FileItem, out: &mut Emitter<Arc<Content>>) {
    let (severity, outcome) = match policy {
        SecretPolicy::Skip => (Severity::Error, "the file is not indexed"),
        SecretPolicy::Redact | SecretPolicy::Off => (Severity::Warning, "redacted"),
    };
    for finding in findings.iter().take(MAX_SECRET_REPORTS) {
        let message = format!("{}; {outcome}; revoke it if it is real", finding.rule);
        out.report(&file.path, severity, "secret", finding.line, message);
    }
    if let Some(more) = findings.len().checked_sub(MAX_SECRET_REPORTS).filter(|more| *more > 0) {
        out.report(&file.path, severity, "secret", 0, format!("{more} more secrets; {outcome}"));
    }
}

/// Why a file has no content.
enum Fault {
    Io(io::Error),
    NoFile,
    Grew { limit: u64 },
    TooLarge,
    Binary(DecodeError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for Fault {
    fn from(reason: DecodeError) -> Self {
        Self::Binary(reason)
    }
}

impl Fault {
    fn report(&self, file: &FileItem, out: &mut Emitter<Arc<Content>>) {
        use io::ErrorKind::{NotADirectory, NotFound};
        let (severity, code, message) = match self {
            Self::Io(error) if matches!(error.kind(), NotFound | NotADirectory) => {
                (Severity::Note, "vanished", "was gone when it was to be read; the next run sees it deleted".into())
            }
            Self::Io(error) => {
                let message = format!("cannot be read: {error}; grant access to it or exclude it");
                (Severity::Error, "unreadable", message)
            }
            Self::NoFile => {
                let message = "cannot be read: it is no regular file; exclude it";
                (Severity::Error, "unreadable", message.into())
            }
            Self::Grew { limit } => {
                let message = format!("grew past {limit} bytes while it was being indexed; the next run takes it");
                (Severity::Note, "changed", message)
            }
            Self::TooLarge => {
                (Severity::Error, "too_large", "has more than 4 GiB of text; exclude it or split it".into())
            }
            Self::Binary(reason) => (Severity::Note, "binary", format!("not text: {reason}; not indexed")),
        };
        out.report(&file.path, severity, code, 0, message);
    }
}

/// Every file may have this many bytes, whatever size the scan saw.
const MIN_SIZE_LIMIT: u64 = 64 << 10;

/// Reads a whole file. Memory is bounded by the size at the scan: a file that has grown
/// past it has other content, which the next run indexes.
fn read_bounded(path: &Path, scanned: u64) -> Result<Vec<u8>, Fault> {
    // Checked before opening: opening a FIFO blocks until it has a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Fault::NoFile);
    }
    let limit = scanned.max(MIN_SIZE_LIMIT);
    // Reads one byte past the limit, to tell the end of the file from a file that grew.
    let mut reader = File::open(path)?.take(limit.saturating_add(1));
    let mut bytes = Vec::new();
    let expected = usize::try_from(scanned.saturating_add(1)).unwrap_or_default();
    bytes.try_reserve_exact(expected).map_err(io::Error::from)?;
    reader.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Fault::Grew { limit });
    }
    Ok(bytes)
}

impl Operator for Read {
    type In = Arc<FileItem>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "read"
    }

    fn fingerprint(&self) -> Fingerprint {
        // The version of the rules for secrets counts only where they are used.
        let (version, policy): (&[u8], &[u8]) = match self.config.secrets {
            SecretPolicy::Skip => (b"2", b"skip"),
            SecretPolicy::Redact => (b"2", b"redact"),
            SecretPolicy::Off => (b"1", b"off"),
        };
        let generated: &[u8] = match self.config.generated {
            GeneratedPolicy::Index => b"index",
            GeneratedPolicy::Skip => b"skip",
        };
        Hash::of_parts([b"read".as_slice(), b"3", version, policy, generated])
    }

    fn process(&self, batch: Batch<Arc<FileItem>>, out: &mut Emitter<Arc<Content>>) -> Result<(), OperatorError> {
        for file in batch {
            match self.read(&file, out) {
                Ok(Some(content)) => out.emit(Arc::new(content)),
                Ok(None) => {}
                Err(fault) => fault.report(&file, out),
            }
        }
        Ok(())
    }
}
