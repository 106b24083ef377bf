//! What the plane knows, and what it tells.

use differential_dataflow::consolidation::consolidate;
use gristmill_ids::{ChunkKey, ChunkLaneId, ContentKey, EmbedLaneId, Key, NameKey, PathKey};
use serde::{Deserialize, Serialize};

use super::FactRow;
use super::chain::{ChainKey, MAX_THEN, NameChain, ShortName};

/// A change of multiplicity: how many more times something holds.
pub type Difference = isize;

/// A path, with what the definitions of its file belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The key of the path.
    pub path: PathKey,
    /// The unit whose definitions the file shares; the key of the path where it is its own.
    pub unit: NameKey,
    /// The package that several units belong to.
    pub package: NameKey,
}

/// A chunk of a content, as the plane knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkFact {
    /// The chunk lane that cut it.
    pub lane: ChunkLaneId,
    /// The key of its body: scope, symbol and text.
    pub body: ChunkKey,
}

/// The sizes of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutlineFact {
    /// Names the language.
    pub language: NameKey,
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
    pub name: NameKey,
    /// Names the qualified name.
    pub qualified: NameKey,
    /// The path of names that leads to it.
    pub names: NameChain,
    /// Its line, counted from 1.
    pub line: u32,
    /// Its place among the definitions of the content.
    pub ordinal: u32,
    /// Where that path begins; [`Root::None`] if no use can mean it.
    pub root: Root,
}

/// A use of a name in a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReferenceFact {
    /// Names the name, as [`DefinitionFact::name`] does.
    pub name: NameKey,
    /// Names the qualified name of the definition that it lies in; 0 if in none.
    pub within: NameKey,
    /// Names what it is bound to: the lead from this [target](Root::Target) is where the search
    /// begins. [`NameKey::NONE`] if nothing is known, or it is local.
    pub target: NameKey,
    /// Its line, counted from 1.
    pub line: u32,
    /// Its place among the references of the content.
    pub ordinal: u32,
    /// How it uses the name.
    pub kind: UseKind,
    /// Whether it is bound to something local, which is no definition.
    pub local: bool,
}

/// How a name is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UseKind {
    /// It is called, or a value of it is made.
    Call,
    /// It is extended or implemented.
    Implements,
    /// It is used otherwise.
    #[default]
    Mention,
}

/// Where a path of names begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Root {
    /// Nowhere.
    #[default]
    None,
    /// With what the file binds itself.
    File,
    /// With the definitions of the file's unit.
    Unit,
    /// With what the units of the package share.
    Package,
    /// With the unit, or what the file imports whole.
    Free,
    /// With a use of a name.
    Target,
}

/// How a path of names continues as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeadKind {
    /// It is another name of the same thing.
    Alias,
    /// It is a name that the file does not bind.
    Free,
    /// It is imported from there.
    Import,
    /// All names of a module are imported.
    All,
    /// It is of that type: members are looked up there.
    Type,
    /// It inherits from that type: members that it lacks are looked up there.
    Base,
    /// Another file of the package defines it, as a linker would find it.
    Link,
}

/// A path of names in a content that continues as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeadFact {
    /// The names of the path.
    pub from: NameChain,
    /// The first names of the other: those that are known to lead somewhere.
    pub to: NameChain,
    /// The names that follow them.
    pub then: [ShortName; MAX_THEN],
    /// Where the path begins.
    pub from_root: Root,
    /// Where the other begins.
    pub to_root: Root,
    /// How it continues.
    pub kind: LeadKind,
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
    /// A path of names continues as another.
    Lead(LeadFact),
}

/// Something that is known of a path, whatever it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PathFact {
    /// It lies in a folder, directly or not.
    Folder(NameKey),
    /// Imports may mean it by a name.
    Module {
        /// The name, or the place of the file.
        name: ChainKey,
        /// The unit that its definitions belong to.
        unit: NameKey,
    },
    /// Its unit is a member of another.
    Member {
        /// That unit.
        of: NameKey,
        /// The name of the member.
        name: ShortName,
        /// The unit that its definitions belong to.
        unit: NameKey,
    },
    /// A view, by its place among the views, has marked it (see
    /// `View::marks`).
    Mark(u16),
}

/// A path with the content that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowFact {
    /// The path.
    pub path: PathKey,
    /// The content.
    pub content: ContentKey,
}

/// One of the module names that an import in a row may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImportFact {
    /// The import's place among those of the content.
    pub ordinal: u32,
    /// Its line, counted from 1.
    pub line: u32,
    /// Names what is written.
    pub written: NameKey,
    /// How likely the name is: the least that a file has is what is meant.
    pub rank: u32,
    /// Names the module, or the folder that it lies in.
    pub module: ChainKey,
    /// The path of the module in that folder; `None` if `module` names the module.
    pub below: Option<NameChain>,
    /// The names that it binds in the file.
    pub local: NameChain,
    /// The names that follow in the module.
    pub then: [ShortName; MAX_THEN],
    /// What it declares for imports elsewhere.
    pub declares: DeclaredFact,
    /// Whether it brings in all names of the module.
    pub all: bool,
    /// Whether it makes no edge by itself: the language implies it, or the module is guessed.
    pub implied: bool,
}

/// What an import declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeclaredFact {
    /// Nothing.
    #[default]
    Nothing,
    /// A name of the modules that it means.
    Module(ChainKey),
    /// A name of the place that [`ImportFact::module`] is.
    Place {
        /// The name.
        name: ChainKey,
        /// Names the root of the place.
        root: NameKey,
        /// The folder whose files know the name.
        scope: ScopeFact,
        /// Whether files outside of that folder know it too.
        is_public: bool,
        /// Of several manifests of one folder the least counts.
        order: u8,
    },
    /// The end of what folders around this one say of places with that root.
    Boundary {
        /// Names the root.
        root: NameKey,
        /// The folder.
        scope: ScopeFact,
        /// Whether it is none after all.
        is_passed: bool,
    },
}

/// A folder, with how deep it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScopeFact {
    /// How many folders its path has.
    pub depth: u8,
    /// Names the folder; [`NameKey::NONE`] for that of the source.
    pub folder: NameKey,
}

impl DeclaredFact {
    /// The name of the modules that the import means.
    #[must_use]
    pub const fn module(self) -> Option<ChainKey> {
        match self {
            Self::Module(name) => Some(name),
            Self::Nothing | Self::Place { .. } | Self::Boundary { .. } => None,
        }
    }
}

/// What an embedder sees of a chunk, by identity: chunks with equal identities have
/// equal vectors. [`PassageLane::passage`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PassageId {
    /// The embed lane.
    pub lane: EmbedLaneId,
    /// What the vector belongs to beside the body; see [`PassageIdentity`].
    pub owner: Key,
    /// The key of the chunk's body.
    pub body: ChunkKey,
}

/// Which chunks of equal bodies share a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassageIdentity {
    /// All of them: the header does not hold the path.
    Body,
    /// Those of one path: the header holds it.
    Path,
    /// Those of one row: no sink gives the lane's vectors back, so a vector lives no longer
    /// than the row that it was made for.
    Row,
}

/// How an embed lane identifies passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageLane {
    /// The embed lane.
    pub lane: EmbedLaneId,
    /// The chunk lane that it embeds.
    pub chunk_lane: ChunkLaneId,
    /// Which of its chunks share a vector.
    pub identity: PassageIdentity,
}

impl PassageLane {
    /// The passage that a chunk is in a row. The dataflow and whoever waits for its output
    /// both call this, and so agree.
    #[must_use]
    pub fn passage(&self, row: RowFact, body: ChunkKey) -> PassageId {
        let owner = match self.identity {
            PassageIdentity::Body => Key::NONE,
            PassageIdentity::Path => Key::from_bits(row.path.to_bits()),
            // Both are uniformly distributed, and a rotation keeps a path that equals its
            // content from cancelling out.
            PassageIdentity::Row => Key::from_bits(row.path.to_bits() ^ row.content.to_bits().rotate_left(64)),
        };
        PassageId { lane: self.lane, owner, body }
    }
}

/// Facts that change in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `(content, place)`: which path holds which content.
    ///
    /// The Merkle diff enters here with the first round of an epoch. Should a file turn
    /// out to hold something else when it is read, its fact is taken back; as its
    /// content was not analysed by then, no row had come of it.
    pub files: Vec<((ContentKey, Place), Difference)>,
    /// Contents that were analysed, all of whose facts are known.
    pub analysed: Vec<(ContentKey, Difference)>,
    /// `(content, fact)`.
    pub contents: Vec<((ContentKey, ContentFact), Difference)>,
    /// `(path, fact)`; for views only.
    pub paths: Vec<((PathKey, PathFact), Difference)>,
    /// `(row, import)`; for views only.
    pub imports: Vec<((RowFact, ImportFact), Difference)>,
}

impl Facts {
    /// Adds the facts of `other`.
    pub fn append(&mut self, mut other: Self) {
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

/// What a round of facts leads to. Each list is in ascending order and has a fact once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deltas {
    /// `(content, path)`: contents to analyse, each with the least of the paths that
    /// hold it. Only what is newly so has a positive difference.
    pub contents: Vec<((ContentKey, PathKey), Difference)>,
    /// `(path, content)`: rows to add and delete.
    pub rows: Vec<(RowFact, Difference)>,
    /// Passages that came to life or died.
    pub passages: Vec<(PassageId, Difference)>,
    /// Derived rows, each with the place of its relation.
    pub derived: Vec<((u16, FactRow), Difference)>,
    /// Analysed contents that no path holds any more (where positive).
    pub dead: Vec<(ContentKey, Difference)>,
    /// Facts of such contents.
    pub dead_facts: Vec<((ContentKey, ContentFact), Difference)>,
    /// Imports of rows that are no more (where positive).
    pub dead_imports: Vec<((RowFact, ImportFact), Difference)>,
}

impl Deltas {
    pub(super) fn append(&mut self, mut other: Self) {
        self.contents.append(&mut other.contents);
        self.rows.append(&mut other.rows);
        self.passages.append(&mut other.passages);
        self.derived.append(&mut other.derived);
        self.dead.append(&mut other.dead);
        self.dead_facts.append(&mut other.dead_facts);
        self.dead_imports.append(&mut other.dead_imports);
    }

    /// Sorts each list, and adds up what it says of one fact.
    pub(super) fn consolidate(&mut self) {
        consolidate(&mut self.contents);
        consolidate(&mut self.rows);
        consolidate(&mut self.passages);
        consolidate(&mut self.derived);
        consolidate(&mut self.dead);
        consolidate(&mut self.dead_facts);
        consolidate(&mut self.dead_imports);
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
