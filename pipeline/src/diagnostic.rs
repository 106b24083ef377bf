//! What went wrong with an input, as data (law 6: a bad file is data, not a failure).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is indexed whole; something about it was noted.
    Note,
    /// The file is indexed, with a loss that the message names.
    Warning,
    /// The file is quarantined: nothing of its content is in the index.
    Error,
}

impl Severity {
    /// The name stored in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to tell about one file.
///
/// The message never holds the file's text, so it can be printed and stored even where
/// the finding is a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How much it matters; an [`Severity::Error`] quarantines the file.
    pub severity: Severity,
    /// The stage that found it.
    pub stage: Arc<str>,
    /// A stable word for the kind of finding, such as `binary` or `secret`.
    pub code: Arc<str>,
    /// The 1-based line, or 0 if the finding is about the whole file.
    pub line: u32,
    /// What, where, and what to do.
    pub message: Box<str>,
}
