//! Where the bytes of a file come from.

use std::path::PathBuf;
use std::sync::Arc;

/// Where the bytes of one file come from.
#[derive(Clone)]
pub enum Origin {
    /// A file on disk.
    File(PathBuf),
    /// Something that gives its bytes when it is asked.
    Object(Arc<dyn Object>),
}

/// Bytes that lie somewhere else than in a file.
pub trait Object: Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read(&self) -> std::io::Result<Vec<u8>>;
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Object(_) => f.write_str("Object"),
        }
    }
}
