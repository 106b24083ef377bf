//! The facts as views see them, and what several views make of them.

use std::cell::OnceCell;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{
    ContentFact, DefinitionFact, Difference, ImportFact, LiveFacts, OutlineFact, PathFact, Place, ReferenceFact,
    RowFact, Tick, distinct,
};
use serde::{Deserialize, Serialize};
use timely::dataflow::Scope;

/// A collection of the plane.
pub(super) type Facts<'scope, D> = VecCollection<'scope, Tick, D, Difference>;

/// A name that more files than this define is resolved within its own file only: pairing
/// all its uses with all its definitions would cost their product, and tell nothing.
const FAN_OUT: Difference = 16;

/// A name that nothing but itself resolves must not have more candidates than this.
const BY_NAME: usize = 4;

/// Definitions of one name in one file that an edge may lead to. Overloads and methods
/// of one name share a file; beyond this many, the first ones stand for all.
const SAME_NAME: usize = 8;

/// Files that an import may mean. A package may have many files.
const FILES_OF_IMPORT: usize = 64;

/// How a use of a name was resolved; later ones are surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Resolution {
    /// By the name alone.
    Name,
    /// A file of the same folder defines it.
    Folder,
    /// A file that this one imports defines it.
    Import,
    /// This very file defines it.
    File,
}

impl Resolution {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Name, Self::Folder, Self::Import, Self::File];

    /// The name stored in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Folder => "folder",
            Self::Import => "import",
            Self::File => "file",
        }
    }
}

/// A use of a name with the definition that it means, or may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resolved {
    /// The file that uses it.
    pub from: PathKey,
    /// The use.
    pub reference: ReferenceFact,
    /// The file that defines it.
    pub to: PathKey,
    /// The definition.
    pub definition: DefinitionFact,
    /// How it was found.
    pub by: Resolution,
    /// Among how many files that are as likely.
    pub candidates: u32,
}

/// An import with a file that it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImportEdge {
    /// The file that imports.
    pub from: PathKey,
    /// The file that is imported.
    pub to: PathKey,
    /// The line of the import.
    pub line: u32,
    /// Names what is written.
    pub written: NameKey,
}

/// A place where a name is resolved: the name in a file.
type Use = (NameKey, PathKey);

/// A file that defines a name, how it was found, and among how many.
type Target = (PathKey, Resolution, u32);

/// The facts of a plane, for views to derive from. Cloning a collection is cheap; what
/// two views derive alike they should ask for here, where it is made once.
pub struct FactCollections<'scope> {
    rows: Facts<'scope, RowFact>,
    contents: Facts<'scope, (Place, ContentFact)>,
    paths: Facts<'scope, (PathKey, PathFact)>,
    imports: Facts<'scope, (RowFact, ImportFact)>,
    import_edges: OnceCell<Facts<'scope, ImportEdge>>,
    imported_files: OnceCell<Facts<'scope, (PathKey, PathKey)>>,
    targets: OnceCell<Facts<'scope, (Use, Target)>>,
    resolved: OnceCell<Facts<'scope, Resolved>>,
    /// The view that is being built, by its place among the views.
    pub(super) view: u16,
}

impl<'scope> FactCollections<'scope> {
    pub(super) fn new(facts: LiveFacts<'scope>) -> Self {
        let LiveFacts { rows, contents, paths, imports } = facts;
        let (import_edges, imported_files) = (OnceCell::new(), OnceCell::new());
        let (targets, resolved) = (OnceCell::new(), OnceCell::new());
        Self { rows, contents, paths, imports, import_edges, imported_files, targets, resolved, view: 0 }
    }

    pub(super) fn scope(&self) -> Scope<'scope, Tick> {
        self.rows.scope()
    }

    /// Every path with the content that it holds.
    #[must_use]
    pub fn rows(&self) -> Facts<'scope, RowFact> {
        self.rows.clone()
    }

    /// The language and sizes of every file.
    #[must_use]
    pub fn outlines(&self) -> Facts<'scope, (Place, OutlineFact)> {
        self.contents.clone().flat_map(|(place, fact)| match fact {
            ContentFact::Outline(outline) => Some((place, outline)),
            _ => None,
        })
    }

    /// Every definition.
    #[must_use]
    pub fn definitions(&self) -> Facts<'scope, (Place, DefinitionFact)> {
        self.contents.clone().flat_map(|(place, fact)| match fact {
            ContentFact::Definition(definition) => Some((place, definition)),
            _ => None,
        })
    }

    /// Every use of a name.
    #[must_use]
    pub fn references(&self) -> Facts<'scope, (Place, ReferenceFact)> {
        self.contents.clone().flat_map(|(place, fact)| match fact {
            ContentFact::Reference(reference) => Some((place, reference)),
            _ => None,
        })
    }

    /// `(path, folder)`: every folder above every file, the root (0) among them.
    #[must_use]
    pub fn folders(&self) -> Facts<'scope, (PathKey, NameKey)> {
        self.paths.clone().flat_map(|(path, fact)| match fact {
            PathFact::Folder(folder) => Some((path, folder)),
            _ => None,
        })
    }

    /// The paths that this view has marked (see [`View::marks`](super::View::marks)).
    #[must_use]
    pub fn marked(&self) -> Facts<'scope, PathKey> {
        let view = self.view;
        self.paths.clone().flat_map(move |(path, fact)| (fact == PathFact::Mark(view)).then_some(path))
    }

    /// Imports with the files that they mean: of the module names that an import may
    /// mean, the likeliest that some file has.
    #[must_use]
    pub fn import_edges(&self) -> Facts<'scope, ImportEdge> {
        let edges = self.import_edges.get_or_init(|| {
            let modules = self.paths.clone().flat_map(|(path, fact)| match fact {
                PathFact::Module(module) => Some((module, path)),
                _ => None,
            });
            let wanted = self.imports.clone().map(|(row, import)| (import.module, (row.path, import)));
            wanted
                .join_map(modules, |_, (from, import), to| {
                    ((*from, import.ordinal, import.line, import.written), (import.rank, *to))
                })
                .reduce_named("files that an import means", |_, found, means| {
                    let likeliest = found.first().map_or(0, |((rank, _), _)| *rank);
                    let files = found.iter().take_while(|((rank, _), _)| *rank == likeliest).map(|((_, to), _)| *to);
                    means.extend(files.take(FILES_OF_IMPORT).map(|to| (to, 1)));
                })
                .map(|((from, _, line, written), to)| ImportEdge { from, to, line, written })
                .filter(|edge| edge.from != edge.to)
                .threshold_total(distinct)
        });
        edges.clone()
    }

    /// `(from, to)`: which file imports which, each pair once.
    #[must_use]
    pub fn imported_files(&self) -> Facts<'scope, (PathKey, PathKey)> {
        let imported = self
            .imported_files
            .get_or_init(|| self.import_edges().map(|edge| (edge.from, edge.to)).threshold_total(distinct));
        imported.clone()
    }

    /// For each name that a file uses, the files that define it: those found by the
    /// surest [`Resolution`], and how many they are.
    fn targets(&self) -> Facts<'scope, (Use, Target)> {
        let targets = self.targets.get_or_init(|| {
            let uses = self.references().map(|(place, reference)| (reference.name, place)).threshold_total(distinct);
            let definers = self.definers();
            let popular = definers
                .clone()
                .map(|(name, _)| name)
                .count_total()
                .flat_map(|(name, files)| (files > FAN_OUT).then_some(name));
            let within_file = |pair: (NameKey, Place)| ((pair.0, pair.1.path), pair.1.path);
            let of_file = uses
                .clone()
                .map(within_file)
                .semijoin(definers.clone().map(|(name, place)| (name, place.path)))
                .map(|(used, path)| (used, (Resolution::File, path)));
            let pairs = uses.join_map(definers.antijoin(popular), |name, from, to| (*name, *from, *to));
            let by_name = pairs.clone().map(|(name, from, to)| {
                let by = if from.folder == to.folder { Resolution::Folder } else { Resolution::Name };
                ((name, from.path), (by, to.path))
            });
            let by_import = pairs
                .map(|(name, from, to)| ((from.path, to.path), name))
                .semijoin(self.imported_files())
                .map(|((from, to), name)| ((name, from), (Resolution::Import, to)));
            of_file.concat(by_name).concat(by_import).reduce_named("surest definers", |_, found, surest| {
                let by = found.last().map_or(Resolution::Name, |((by, _), _)| *by);
                let files = found.iter().filter(|((found_by, _), _)| *found_by == by);
                let candidates = files.clone().count();
                if by > Resolution::Name || candidates <= BY_NAME {
                    surest.extend(files.map(|((_, to), _)| ((*to, by, candidates as u32), 1)));
                }
            })
        });
        targets.clone()
    }

    /// `(name, file)`: which files define a name.
    fn definers(&self) -> Facts<'scope, (NameKey, Place)> {
        self.definitions().map(|(place, definition)| (definition.name, place)).threshold_total(distinct)
    }

    /// Uses of names with the definitions that they mean.
    #[must_use]
    pub fn resolved(&self) -> Facts<'scope, Resolved> {
        let resolved = self.resolved.get_or_init(|| {
            let definitions = self
                .definitions()
                .map(|(place, definition)| ((definition.name, place.path), (definition.ordinal, definition)))
                .reduce_named("first definitions of a name in a file", |_, found, first| {
                    first.extend(found.iter().take(SAME_NAME).map(|((_, definition), _)| (*definition, 1)));
                });
            self.references()
                .map(|(place, reference)| ((reference.name, place.path), reference))
                .join_map(self.targets(), |(name, from), reference, (to, by, candidates)| {
                    ((*name, *to), (*from, *reference, *by, *candidates))
                })
                .join_map(definitions, |(_, to), (from, reference, by, candidates), definition| Resolved {
                    from: *from,
                    reference: *reference,
                    to: *to,
                    definition: *definition,
                    by: *by,
                    candidates: *candidates,
                })
        });
        resolved.clone()
    }

    /// Uses of names that no definition was found for: `((name, file), (uses, files that
    /// define it))`, where the second number is 0 or too many to choose from.
    #[must_use]
    pub fn unresolved(&self) -> Facts<'scope, (Use, (u64, u64))> {
        let found = self.targets().map(|(used, _)| used).threshold_total(distinct);
        let uses = self.references().map(|(place, reference)| (reference.name, place.path)).count_total();
        let missing = uses.antijoin(found).map(|((name, from), uses)| (name, (from, uses as u64)));
        let definers = self.definers().map(|(name, _)| name).count_total();
        let some = missing
            .clone()
            .join_map(definers.clone(), |name, (from, uses), files| ((*name, *from), (*uses, *files as u64)));
        let none = missing.antijoin(definers.map(|(name, _)| name));
        some.concat(none.map(|(name, (from, uses))| ((name, from), (uses, 0))))
    }
}
