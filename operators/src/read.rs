//! The read operator: a file's bytes become one shared text.

mod decode;
mod redact;
mod secrets;

pub use decode::{Decoded, Undecodable, decode};
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

/// What to do with a text that holds a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretPolicy {
    /// Quarantine the file.
    Skip,
    /// Put a `*` in place of each byte of the secret, and index the rest.
    #[default]
    Redact,
    /// Do not look for secrets.
    Off,
}

/// Configures [`Read`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadConfig {
    /// What to do with a text that holds a secret.
    pub secrets: SecretPolicy,
}

/// Reads files, decodes them and looks for secrets.
///
/// | finding | severity | code | content |
/// |---|---|---|---|
/// | not text | note | `binary` | none |
/// | NUL in valid UTF-8 past the first 8,000 bytes | note | `nul` | whole |
/// | UTF-16 | note | `encoding` | decoded |
/// | neither UTF-8 nor UTF-16 | warning | `encoding` | decoded as Windows-1252 |
/// | gone since the scan | note | `vanished` | none |
/// | far longer than at the scan | note | `changed` | none |
/// | cannot be read | error | `unreadable` | none |
/// | more text than 32-bit offsets reach | error | `too_large` | none |
/// | a secret, under `redact` | warning | `secret` | without it |
/// | a secret, under `skip` | error | `secret` | none |
#[derive(Clone, Copy, Debug, Default)]
pub struct Read {
    config: ReadConfig,
}

impl Read {
    /// An operator of that configuration.
    #[must_use]
    pub const fn new(config: ReadConfig) -> Self {
        Self { config }
    }

    /// Reads one file. `Ok(None)` if it gives no content and that has been reported.
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

/// A file reports no more secrets than this one by one.
const MOST_REPORTS: usize = 100;

fn report_secrets(findings: &[Finding], policy: SecretPolicy, file: &FileItem, out: &mut Emitter<Arc<Content>>) {
    let (severity, outcome) = match policy {
        SecretPolicy::Skip => (Severity::Error, "the file is not indexed"),
        SecretPolicy::Redact | SecretPolicy::Off => (Severity::Warning, "redacted"),
    };
    for finding in findings.iter().take(MOST_REPORTS) {
        let message = format!("{}; {outcome}; revoke it if it is real", finding.rule);
        out.report(&file.path, severity, "secret", finding.line, message);
    }
    if let Some(more) = findings.len().checked_sub(MOST_REPORTS).filter(|more| *more > 0) {
        out.report(&file.path, severity, "secret", 0, format!("{more} more secrets; {outcome}"));
    }
}

/// Why a file gives no content.
enum Fault {
    Io(io::Error),
    NoFile,
    Grew { limit: u64 },
    TooLarge,
    Binary(Undecodable),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Undecodable> for Fault {
    fn from(reason: Undecodable) -> Self {
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

/// A file may always be this long, whatever the scan saw.
const SMALLEST_LIMIT: u64 = 64 << 10;

/// Reads a whole file. Memory is bounded by the size at the scan: a file that has grown
/// past it is another content, which the next run takes.
fn read_bounded(path: &Path, scanned: u64) -> Result<Vec<u8>, Fault> {
    // Asked before it is opened: to open a FIFO waits for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Fault::NoFile);
    }
    let limit = scanned.max(SMALLEST_LIMIT);
    // One byte more than the limit is read: to see the end, or to see that it grew.
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
        let policy: &[u8] = match self.config.secrets {
            SecretPolicy::Skip => b"skip",
            SecretPolicy::Redact => b"redact",
            SecretPolicy::Off => b"off",
        };
        Hash::of_parts([b"read".as_slice(), b"1", policy])
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
