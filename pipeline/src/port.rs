//! The typed ports of a graph, and the items that travel between stages.
//!
//! ```text
//! Files ──► Contents ──► Syntax ──► Chunks ──► Vectors
//! ```
//!
//! Every item holds its predecessor behind an `Arc`: text is decoded once, and all that
//! follows are offsets into it.

mod chunk;
mod file;
mod name_path;
mod syntax;
mod vector;

pub use chunk::{CONTEXT, Chunk, Chunked, Header, Passage};
pub use file::{Content, FileItem, Text};
pub use name_path::{Anchor, InvalidLead, Lead, LeadKind, Linkage, NamePath};
pub use syntax::{Block, Definition, DefinitionKind, Import, NO_DEFINITION, Reference, ReferenceKind, Span, Syntax};
pub use vector::Vector;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a stage takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// [`FileItem`]: a file that the source names.
    Files,
    /// [`Content`]: a file's decoded text.
    Contents,
    /// [`Syntax`]: a text with its definitions and its outline.
    Syntax,
    /// [`Chunked`] out of a chunk stage, [`Passage`] into an embed stage.
    Chunks,
    /// [`Vector`]: one embedding.
    Vectors,
}

impl Port {
    /// The name used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Contents => "contents",
            Self::Syntax => "syntax",
            Self::Chunks => "chunks",
            Self::Vectors => "vectors",
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An item of some port. The executors move these; operators see the typed items.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant holds the item it is named after")]
pub enum Item {
    File(Arc<FileItem>),
    Content(Arc<Content>),
    Syntax(Arc<Syntax>),
    Chunked(Arc<Chunked>),
    Passage(Arc<Passage>),
    Vector(Vector),
}

/// A type that travels through a port.
pub trait PortItem: Sized + Send + 'static {
    /// The port it travels through.
    const PORT: Port;
    /// Wraps the item for an executor.
    fn into_item(self) -> Item;
    /// Unwraps the item, or gives it back where it is of another type.
    fn from_item(item: Item) -> Result<Self, Item>;
}

macro_rules! port_items {
    ($($type:ty => $port:ident, $variant:ident;)*) => {$(
        impl PortItem for $type {
            const PORT: Port = Port::$port;
            fn into_item(self) -> Item {
                Item::$variant(self)
            }
            fn from_item(item: Item) -> Result<Self, Item> {
                match item {
                    Item::$variant(inner) => Ok(inner),
                    other => Err(other),
                }
            }
        }
    )*};
}

port_items! {
    Arc<FileItem> => Files, File;
    Arc<Content> => Contents, Content;
    Arc<Syntax> => Syntax, Syntax;
    Arc<Chunked> => Chunks, Chunked;
    Arc<Passage> => Chunks, Passage;
    Vector => Vectors, Vector;
}

impl Item {
    /// What the item is counted as in stage measures and in-flight limits, in bytes:
    /// the bytes of source text that it stands for.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.bytes,
            Self::Content(content) => content.text.len() as u64,
            Self::Syntax(syntax) => syntax.content.text.len() as u64,
            Self::Chunked(chunked) => chunked.syntax.content.text.len() as u64,
            Self::Passage(passage) => passage.text.len() as u64,
            Self::Vector(vector) => (vector.values.len() * size_of::<f32>()) as u64,
        }
    }

    /// The number of model tokens, where the item has them.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        match self {
            Self::Passage(passage) => u64::from(passage.tokens),
            _ => 0,
        }
    }

    /// The path that diagnostics about this item name.
    #[must_use]
    pub fn path(&self) -> Option<&crate::RelPath> {
        Some(match self {
            Self::File(file) => &file.path,
            Self::Content(content) => &content.file.path,
            Self::Syntax(syntax) => &syntax.content.file.path,
            Self::Chunked(chunked) => &chunked.syntax.content.file.path,
            Self::Passage(passage) => &passage.path,
            Self::Vector(_) => return None,
        })
    }
}
