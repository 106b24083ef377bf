//! What the plane knows, and what it tells.

use serde::{Deserialize, Serialize};

use super::FactRow;
use crate::hash::Key;

/// A change of multiplicity: how many more times something holds.
pub type Difference = isize;

/// A path, with the folder that it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The key of the path.
    pub path: Key,
    /// The key of the folder's path.
    pub folder: Key,
}

/// A chunk of a content, as the plane knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkFact {
    /// The chunk lane that cut it.
    pub lane: u16,
    /// The key of its [`body_hash`](crate::port::Chunk::body_hash).
    pub body: Key,
}

/// The sizes of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutlineFact {
    /// Names the language.
    pub language: Key,
    /// Its bytes.
    pub bytes: u64,
    /// Its lines.
    pub lines: u32,
    /// How many chunks the first chunk lane cuts it into.
    pub chunks: u32,
    /// How many definitions it has.
    pub definitions: u32,
}

/// A definition of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefinitionFact {
    /// Names the name, together with the languages that share names with its own.
    pub name: Key,
    /// Names the qualified name.
    pub qualified: Key,
    /// Its line, counted from 1.
    pub line: u32,
    /// Its place among the definitions of the content.
    pub ordinal: u32,
}

/// A use of a name in a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReferenceFact {
    /// Names the name, as [`DefinitionFact::name`] does.
    pub name: Key,
    /// Names the qualified name of the definition that it lies in; 0 if in none.
    pub within: Key,
    /// Names the kind.
    pub kind: Key,
    /// Its line, counted from 1.
    pub line: u32,
    /// Its place among the references of the content.
    pub ordinal: u32,
}

/// Something that is known of a content, whatever paths hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContentFact {
    /// It has a chunk.
    Chunk(ChunkFact),
    /// It is of a language and of a size.
    Outline(OutlineFact),
    /// It defines something.
    Definition(DefinitionFact),
    /// It uses a name.
    Reference(ReferenceFact),
}

/// Something that is known of a path, whatever it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PathFact {
    /// It lies in a folder, directly or not.
    Folder(Key),
    /// Imports may mean it by a name.
    Module(Key),
    /// A view, by its place among the views, has marked it (see
    /// [`View::marks`](super::View::marks)).
    Mark(u16),
}

/// A path with the content that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowFact {
    /// The path.
    pub path: Key,
    /// The content.
    pub content: Key,
}

/// One of the module names that an import in a row may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImportFact {
    /// The import's place among those of the content.
    pub ordinal: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// Names what is written.
    pub written: Key,
    /// How likely the name is: the least that a file has is what is meant.
    pub rank: u32,
    /// Names the module.
    pub module: Key,
}

/// What an embedder sees of a chunk, by identity: chunks with equal identities have
/// equal vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PassageId {
    /// The embed lane.
    pub lane: u16,
    /// The key of the path, where the header holds it; 0 where it does not.
    pub header: Key,
    /// The key of the chunk's body hash.
    pub body: Key,
}

/// How an embed lane identifies passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageLane {
    /// The chunk lane that it embeds.
    pub chunk_lane: u16,
    /// Whether its header holds the path.
    pub path_in_header: bool,
}

/// Facts that change in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `(content, place)`: which path holds which content.
    ///
    /// The Merkle diff enters here with the first round of an epoch. Should a file turn
    /// out to hold something else when it is read, its fact is taken back; as its
    /// content was not analysed by then, no row had come of it.
    pub files: Vec<((Key, Place), Difference)>,
    /// Contents that were analysed, all of whose facts are known.
    pub analysed: Vec<(Key, Difference)>,
    /// `(content, fact)`.
    pub contents: Vec<((Key, ContentFact), Difference)>,
    /// `(path, fact)`; for views only.
    pub paths: Vec<((Key, PathFact), Difference)>,
    /// `(row, import)`; for views only.
    pub imports: Vec<((RowFact, ImportFact), Difference)>,
}

impl Facts {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.analysed.append(&mut other.analysed);
        self.contents.append(&mut other.contents);
        self.paths.append(&mut other.paths);
        self.imports.append(&mut other.imports);
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of facts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len() + self.analysed.len() + self.contents.len() + self.paths.len() + self.imports.len()
    }
}

/// What a round of facts leads to. Each list is in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deltas {
    /// `(content, path)`: contents to analyse, each with the least of the paths that
    /// hold it. Only what is newly so has a positive difference.
    pub contents: Vec<((Key, Key), Difference)>,
    /// `(path, content)`: rows to add and delete.
    pub rows: Vec<(RowFact, Difference)>,
    /// Passages that came to life or died.
    pub passages: Vec<(PassageId, Difference)>,
    /// Rows of views, each with the view's place among the views.
    pub views: Vec<((u16, FactRow), Difference)>,
    /// Analysed contents that no path holds any more (where positive).
    pub dead: Vec<(Key, Difference)>,
    /// Facts of such contents.
    pub dead_facts: Vec<((Key, ContentFact), Difference)>,
    /// Imports of rows that are no more (where positive).
    pub dead_imports: Vec<((RowFact, ImportFact), Difference)>,
}

impl Deltas {
    pub(super) fn append(&mut self, mut other: Self) {
        self.contents.append(&mut other.contents);
        self.rows.append(&mut other.rows);
        self.passages.append(&mut other.passages);
        self.views.append(&mut other.views);
        self.dead.append(&mut other.dead);
        self.dead_facts.append(&mut other.dead_facts);
        self.dead_imports.append(&mut other.dead_imports);
    }

    pub(super) fn sort(&mut self) {
        self.contents.sort_unstable();
        self.rows.sort_unstable();
        self.passages.sort_unstable();
        self.views.sort_unstable();
        self.dead.sort_unstable();
        self.dead_facts.sort_unstable();
        self.dead_imports.sort_unstable();
    }

    /// The facts that nothing holds any more, to be entered with the next round. Entering
    /// them changes no other output.
    #[must_use]
    pub fn forgotten(&self) -> Facts {
        fn gone<T: Clone>(list: &[(T, Difference)]) -> Vec<(T, Difference)> {
            let dead = list.iter().filter(|(_, difference)| *difference > 0);
            dead.map(|(fact, difference)| (fact.clone(), -difference)).collect()
        }
        Facts {
            analysed: gone(&self.dead),
            contents: gone(&self.dead_facts),
            imports: gone(&self.dead_imports),
            ..Facts::default()
        }
    }
}
