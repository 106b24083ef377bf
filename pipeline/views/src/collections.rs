//! The facts as views see them, and what several views make of them.

use std::cell::OnceCell;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{
    ChainKey, ContentFact, DeclaredFact, DefinitionFact, Difference, ImportFact, LeadFact, LeadKind, LiveFacts,
    NameChain, OutlineFact, PathFact, Place, ReferenceFact, Root, RowFact, Tick, distinct,
};
use serde::{Deserialize, Serialize};
use timely::dataflow::Scope;

use crate::resolution::{self, Continuation, Evidence, Source, Way, root_key, target_key};

/// A collection of the plane.
pub(super) type Facts<'scope, D> = VecCollection<'scope, Tick, D, Difference>;

/// Files that an import may mean. A package may have many files.
const FILES_OF_IMPORT: usize = 64;

/// A use of a name with a definition that it means.
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
    pub evidence: Evidence,
    /// Among how many definitions that the same evidence leads to.
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

/// An import that some file is meant by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Imported {
    from: PathKey,
    import: ImportFact,
    to: PathKey,
    unit: NameKey,
}

/// A place where a name is used: the name in a file.
type Use = (NameKey, PathKey);

/// The facts of a plane, for views to derive from. Cloning a collection is cheap; what
/// two views derive alike they should ask for here, where it is made once.
pub struct FactCollections<'scope> {
    rows: Facts<'scope, RowFact>,
    contents: Facts<'scope, (Place, ContentFact)>,
    paths: Facts<'scope, (PathKey, PathFact)>,
    imports: Facts<'scope, (RowFact, ImportFact)>,
    imported: OnceCell<Facts<'scope, Imported>>,
    import_edges: OnceCell<Facts<'scope, ImportEdge>>,
    imported_files: OnceCell<Facts<'scope, (PathKey, PathKey)>>,
    resolved: OnceCell<Facts<'scope, Resolved>>,
    /// The view that is being built, by its place among the views.
    pub(super) view: u16,
}

/// An import, with how far from the file the folder lies in which a name of a place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Candidate {
    from: PathKey,
    import: ImportFact,
    /// The less, the deeper the folder.
    shallowness: u8,
}

/// Imports with the files that they mean, among modules by their names. Both are keyed by the name
/// that an import may mean.
fn meant<'scope>(
    candidates: Facts<'scope, (ChainKey, Candidate)>,
    modules: Facts<'scope, (ChainKey, (PathKey, NameKey))>,
    name: &str,
) -> Facts<'scope, Imported> {
    candidates
        .join_map(modules, |_, Candidate { from, import, shallowness }, (to, unit)| {
            ((*from, import.ordinal), ((import.rank, *shallowness), *to, *unit, *import))
        })
        .reduce_named(name, |_, found, means| {
            let likeliest = found.first().map_or((0, 0), |((rank, ..), _)| *rank);
            let files = found.iter().map(|(file, _)| **file).take_while(|(rank, ..)| *rank == likeliest);
            means.extend(files.take(FILES_OF_IMPORT).map(|(_, to, unit, import)| ((to, unit, import), 1)));
        })
        .map(|((from, _), (to, unit, import))| Imported { from, import, to, unit })
}

impl<'scope> FactCollections<'scope> {
    pub(super) fn new(facts: LiveFacts<'scope>) -> Self {
        let LiveFacts { rows, contents, paths, imports } = facts;
        let (imported, import_edges, imported_files) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let resolved = OnceCell::new();
        Self { rows, contents, paths, imports, imported, import_edges, imported_files, resolved, view: 0 }
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

    /// Every path of names that continues as another.
    pub(super) fn leads(&self) -> Facts<'scope, (Place, LeadFact)> {
        self.contents.clone().flat_map(|(place, fact)| match fact {
            ContentFact::Lead(lead) => Some((place, lead)),
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
    fn imported(&self) -> Facts<'scope, Imported> {
        let imported = self.imported.get_or_init(|| {
            let modules = self.paths.clone().flat_map(|(path, fact)| match fact {
                PathFact::Module { name, unit } => Some((name, (path, unit))),
                _ => None,
            });
            // Manifests name modules too, and places: folders that modules lie in.
            let written = self.imports.clone().flat_map(|(row, import)| {
                let is_plain = import.below.is_none() && !matches!(import.declares, DeclaredFact::Place { .. });
                is_plain.then_some((import.module, Candidate { from: row.path, import, shallowness: 0 }))
            });
            let manifests = written.clone().filter(|(_, candidate)| candidate.import.declares.module().is_some());
            let declared = meant(manifests, modules.clone(), "files that a manifest means")
                .flat_map(|Imported { import, to, unit, .. }| Some((import.declares.module()?, (to, unit))));
            let candidates = written.concat(self.in_named_places());
            meant(candidates, modules.concat(declared), "files that an import means")
        });
        imported.clone()
    }

    /// Imports of modules in places that a manifest names, by the places of the modules.
    fn in_named_places(&self) -> Facts<'scope, (ChainKey, Candidate)> {
        let places = self.imports.clone().flat_map(|(_, import)| match import.declares {
            DeclaredFact::Place { name, scope, depth } => Some((name, (import.module, scope, u8::MAX - depth))),
            _ => None,
        });
        let below = self.imports.clone();
        let below = below.flat_map(|(row, import)| Some((import.module, (row.path, import, import.below?))));
        below
            .join_map(places, |_, (from, import, below), (place, scope, shallowness)| {
                let candidate = Candidate { from: *from, import: *import, shallowness: *shallowness };
                ((*from, *scope), (place.join(*below), candidate))
            })
            .semijoin(self.folders())
            .map(|(_, candidate)| candidate)
    }

    /// What each import that is written leads to.
    #[must_use]
    pub fn import_edges(&self) -> Facts<'scope, ImportEdge> {
        let edges = self.import_edges.get_or_init(|| {
            let written = self.imported().filter(|found| !found.import.implied && found.from != found.to);
            written
                .map(|Imported { from, import, to, .. }| ImportEdge {
                    from,
                    to,
                    line: import.line,
                    written: import.written,
                })
                .threshold_total(distinct)
        });
        edges.clone()
    }

    /// `((file, line), what is written)`: every import that is written.
    pub(super) fn import_lines(&self) -> Facts<'scope, ((PathKey, u32), NameKey)> {
        let written = self.imports.clone().filter(|(_, import)| import.line != 0);
        written.map(|(row, import)| ((row.path, import.line), import.written)).distinct()
    }

    /// How paths of names continue.
    pub(super) fn sources(&self) -> Facts<'scope, Source> {
        let written = self.leads().flat_map(|(place, lead)| Source::of_lead(place, lead));
        let imported = self.imported().flat_map(|Imported { from, import, unit, .. }| {
            let way = Way::Lead(if import.all { LeadKind::All } else { LeadKind::Import });
            let continuation = Continuation { to: ChainKey::of(unit), then: import.then, way };
            let goes_on = import.all || !import.local.is_empty();
            goes_on.then(|| Source::new(from.into(), import.local, continuation))
        });
        let members = self.paths.clone().flat_map(|(_, fact)| match fact {
            PathFact::Member { of, name, unit } => {
                let way = Way::Lead(LeadKind::Alias);
                let continuation = Continuation { to: ChainKey::of(unit), then: Default::default(), way };
                Some(Source::new(of, NameChain::default().then(name), continuation))
            }
            _ => None,
        });
        written.concat(imported).concat(members)
    }

    /// Definitions that uses may mean, by where the paths that lead to them begin, and their names.
    pub(super) fn defined(&self) -> Facts<'scope, (ChainKey, NameChain, (PathKey, DefinitionFact))> {
        self.definitions().flat_map(|(place, definition)| {
            Some((root_key(place, definition.root)?, definition.names, (place.path, definition)))
        })
    }

    /// `(from, to)`: which file imports which, each pair once.
    #[must_use]
    pub fn imported_files(&self) -> Facts<'scope, (PathKey, PathKey)> {
        let imported = self
            .imported_files
            .get_or_init(|| self.import_edges().map(|edge| (edge.from, edge.to)).threshold_total(distinct));
        imported.clone()
    }

    /// `(name, file)`: which files define a name.
    fn definers(&self) -> Facts<'scope, (NameKey, PathKey)> {
        let meant = self.definitions().filter(|(_, definition)| definition.root != Root::None);
        meant.map(|(place, definition)| (definition.name, place.path)).threshold_total(distinct)
    }

    /// Uses of names with the definitions that they mean.
    #[must_use]
    pub fn resolved(&self) -> Facts<'scope, Resolved> {
        let resolved = self.resolved.get_or_init(|| {
            let bound = self.references().filter(|(_, reference)| reference.target != NameKey::NONE);
            bound
                .map(|(place, reference)| (target_key(place.path, reference.target).half(), (place.path, reference)))
                .join_map(resolution::answers(self), |_, (from, reference), answer| Resolved {
                    from: *from,
                    reference: *reference,
                    to: answer.path,
                    definition: answer.definition,
                    evidence: answer.evidence,
                    candidates: answer.candidates,
                })
        });
        resolved.clone()
    }

    /// Uses of names that no definition was found for: `((name, file), (uses, files that
    /// define the name))`. Uses of what is local are not among them.
    #[must_use]
    pub fn unresolved(&self) -> Facts<'scope, (Use, (u64, u64))> {
        let found = self.resolved().map(|edge| (edge.from, edge.reference.ordinal)).threshold_total(distinct);
        let uses = self.references().filter(|(_, reference)| !reference.local);
        let missing = uses
            .map(|(place, reference)| ((place.path, reference.ordinal), reference.name))
            .antijoin(found)
            .map(|((from, _), name)| (name, from))
            .count_total()
            .map(|((name, from), uses)| (name, (from, uses as u64)));
        let definers = self.definers().map(|(name, _)| name).count_total();
        let some = missing
            .clone()
            .join_map(definers.clone(), |name, (from, uses), files| ((*name, *from), (*uses, *files as u64)));
        let none = missing.antijoin(definers.map(|(name, _)| name));
        some.concat(none.map(|(name, (from, uses))| ((name, from), (uses, 0))))
    }
}
