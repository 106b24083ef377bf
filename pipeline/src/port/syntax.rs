//! What parsing finds in a text.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Content, Lead, NamePath};
use crate::extra::Extras;

/// A stretch of text: bytes `start_byte..end_byte`, lines `start_line..=end_line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte, counted from 0.
    pub start_byte: u32,
    /// One past the last byte.
    pub end_byte: u32,
    /// Line of the first byte, counted from 1.
    pub start_line: u32,
    /// Line of the last byte, counted from 1.
    pub end_line: u32,
}

impl Span {
    /// The byte range.
    #[must_use]
    pub const fn bytes(&self) -> Range<usize> {
        self.start_byte as usize..self.end_byte as usize
    }
}

macro_rules! definition_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a definition defines. The names are the same across languages, so that a
        /// query by kind means one thing everywhere.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DefinitionKind { $($(#[$doc])* $variant,)* }

        impl DefinitionKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name stored in tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

definition_kinds! {
    /// A function that belongs to no type.
    Function = "function",
    /// A function that belongs to a type.
    Method = "method",
    /// What makes a value of a type, where the language names it apart.
    Constructor = "constructor",
    /// A class.
    Class = "class",
    /// A struct or record.
    Struct = "struct",
    /// A union.
    Union = "union",
    /// An enumeration.
    Enum = "enum",
    /// A case of an enumeration or sum type.
    Variant = "variant",
    /// An interface or protocol.
    Interface = "interface",
    /// A trait or type class.
    Trait = "trait",
    /// An implementation block, extension or instance.
    Implementation = "implementation",
    /// A type alias or other named type.
    Type = "type",
    /// A module, namespace or package.
    Module = "module",
    /// A constant.
    Constant = "constant",
    /// A variable, static or global.
    Variable = "variable",
    /// A field or property of a type.
    Field = "field",
    /// A macro.
    Macro = "macro",
    /// An object or singleton.
    Object = "object",
    /// A titled part of a document.
    Section = "section",
}

impl std::str::FromStr for DefinitionKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or_else(|| UnknownKind(name.into()))
    }
}

/// A name that is no [`DefinitionKind`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no kind of definition; the kinds are listed in `DefinitionKind`")]
pub struct UnknownKind(Box<str>);

/// A named thing that a text defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name as written.
    pub name: Box<str>,
    /// Its name with those of the definitions that contain it, joined with the
    /// language's own separator (`Parser::next`, `Parser.next`).
    pub qualified_name: Box<str>,
    /// What it is.
    pub kind: DefinitionKind,
    /// Its head on one line: the text up to the body, white space collapsed.
    pub signature: Box<str>,
    /// Its documentation with comment marks removed; empty if it has none.
    pub doc: Box<str>,
    /// The definition itself, without doc comment and attributes before it.
    pub span: Span,
    /// Where its doc comment, attributes or decorators begin: the first byte that
    /// belongs with it. Equals `span.start_byte` if there are none.
    pub extent_start: u32,
    /// The innermost definition that contains it, as an index into
    /// [`Syntax::definitions`].
    pub parent: Option<u32>,
    /// The path of names that leads to it. One that leads to a type makes what the definition
    /// contains members of that type, as an `impl` block does: the definition itself is nothing
    /// that a use may mean.
    pub key: NamePath,
}

/// How a text uses a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// It calls it, or makes a value of it.
    Call,
    /// It extends or implements it.
    Implements,
    /// It uses it otherwise, as a type for example.
    Mention,
}

impl ReferenceKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Call, Self::Implements, Self::Mention];

    /// The name stored in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Implements => "implements",
            Self::Mention => "mention",
        }
    }
}

/// A use of a name that something else may define.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The name: the last part where several are joined, as `next` in `parser.next()`.
    pub name: Box<str>,
    /// What stands before it as written, such as `parser` or `std::fs`; empty if nothing,
    /// or no plain path of names.
    pub qualifier: Box<str>,
    /// How it is used.
    pub kind: ReferenceKind,
    /// Its first byte, counted from 0.
    pub start_byte: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// The innermost definition that it lies in, as an index into
    /// [`Syntax::definitions`].
    pub within: Option<u32>,
    /// What it is bound to, as far as its file tells.
    pub target: NamePath,
    /// What else it says: that something is of this type, or inherits from it.
    pub lead: Option<Lead>,
}

/// A statement that brings in what another file or package defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// What is named, as written and without quotes: `os.path`, `./util`, `fmt`.
    pub module: Box<str>,
    /// The name that is taken from it; empty if it is brought in whole, `*` if all its
    /// names are.
    pub name: Box<str>,
    /// What it is called here, where that is another name; empty if not.
    pub alias: Box<str>,
    /// Its line, counted from 1.
    pub line: u32,
}

/// [`Block::definition`] of a block that is no definition.
pub const NO_DEFINITION: u32 = u32::MAX;

/// A stretch of text that the grammar holds together: a place to cut before and after.
///
/// Blocks lie in preorder. Those of one level do not overlap, and lie within their
/// parent; text between them belongs to no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// First byte; for a definition this is its `extent_start`.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Index one past its last descendant: `i + 1..next` are what block `i` contains.
    pub next: u32,
    /// The definition that this block is, as an index, or [`NO_DEFINITION`].
    pub definition: u32,
}

/// A text with what parsing found in it; the item of the `Syntax` port.
#[derive(Debug)]
pub struct Syntax {
    /// The text.
    pub content: Arc<Content>,
    /// The language's name in lower case, such as `rust`; `text` if it is none known.
    pub language: &'static str,
    /// Number of lines; a last line without a line feed counts.
    pub lines: u32,
    /// Definitions in the order of their first byte.
    pub definitions: Vec<Definition>,
    /// Names that it uses, in the order of their first byte. Names of the language itself,
    /// such as `print` or `int`, may be among them.
    pub references: Vec<Reference>,
    /// What it imports, in the order of the text.
    pub imports: Vec<Import>,
    /// Where the text may be cut, in preorder. Empty for text without a grammar.
    pub blocks: Vec<Block>,
    /// Values of [extra columns](crate::ExtraColumn) of files.
    pub extras: Extras,
}
