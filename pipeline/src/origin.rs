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

/// Bytes that lie somewhere else than in a file; see [`Source`](crate::source::Source) for where they are used.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_pipeline::source::{Object, Origin};
///
/// struct Zeros(usize);
///
/// impl Object for Zeros {
///     fn read(&self) -> std::io::Result<Vec<u8>> {
///         Ok(vec![0; self.0])
///     }
/// }
///
/// let origin = Origin::Object(Arc::new(Zeros(3)));
/// # if let Origin::Object(object) = origin { assert_eq!(object.read().ok(), Some(vec![0; 3])); }
/// ```
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
