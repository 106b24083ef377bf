//! The names of the tables.

use std::fmt;
use std::sync::Arc;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row per file.
    Files,
    /// One row per chunk.
    Chunks,
    /// One row per definition.
    Symbols,
    /// One row per use of a name.
    References,
    /// One row per import.
    Imports,
    /// One row per finding about a file.
    Diagnostics,
    /// The rows of the view of that name.
    View(Arc<str>),
}

impl Table {
    /// The tables whose rows each come from one record.
    pub const OF_RECORDS: [Self; 6] =
        [Self::Files, Self::Chunks, Self::Symbols, Self::References, Self::Imports, Self::Diagnostics];

    /// The table of that name; that of a view, if it is the name of no other table.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::OF_RECORDS.into_iter().find(|table| table.as_str() == name).unwrap_or_else(|| Self::View(name.into()))
    }

    /// The name used in folders, tokens and output.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Files => "files",
            Self::Chunks => "chunks",
            Self::Symbols => "symbols",
            Self::References => "references",
            Self::Imports => "imports",
            Self::Diagnostics => "diagnostics",
            Self::View(name) => name,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
