//! The facts as views see them, and what several views make of them.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{
    ChainKey, ContentFact, DeclaredFact, DefinitionFact, Difference, ImportFact, LeadFact, LeadKind, LiveFacts,
    NameChain, OutlineFact, PathFact, Place, ReferenceFact, Root, RowFact, ScopeFact, Tick, distinct,
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

/// An import of what a name may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Candidate {
    from: PathKey,
    import: ImportFact,
    distance: Distance,
}

/// How far from a file a manifest gives a name to a place: the least counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Distance {
    /// The less, the deeper the folder.
    folders: u8,
    order: u8,
}

/// [`Distance::folders`] of the source's own folder.
const FAR: u8 = u8::MAX - 1;
/// [`Distance::folders`] of one that is not around the file.
const OUTSIDE: u8 = u8::MAX;

/// Imports with the files that they mean, among modules by their names. Both are keyed by the name
/// that an import may mean.
///
/// Which name it is is found before what has it: a name that is the end of many paths may come
/// behind one that is certain.
fn meant<'scope>(
    candidates: Facts<'scope, (ChainKey, Candidate)>,
    modules: Facts<'scope, (ChainKey, (PathKey, NameKey))>,
    name: &str,
) -> Facts<'scope, Imported> {
    let modules = modules.reduce_named("files of a name", |_, files, kept| {
        kept.extend(files.iter().take(FILES_OF_IMPORT).map(|(file, _)| (**file, 1)));
    });
    let names = modules.clone().map(|(name, _)| name).threshold_total(distinct);
    candidates
        .semijoin(names)
        .map(|(name, Candidate { from, import, distance })| {
            ((from, import.ordinal), ((import.rank, distance), name, import))
        })
        .reduce_named(name, |_, found, means| {
            let likeliest = found.first().map(|((rank, ..), _)| *rank);
            let names = found.iter().map(|(name, _)| **name).take_while(|(rank, ..)| Some(*rank) == likeliest);
            means.extend(names.map(|(_, name, import)| ((name, import), 1)));
        })
        .map(|((from, _), (name, import))| (name, (from, import)))
        .join_map(modules, |_, (from, import), (to, unit)| Imported {
            from: *from,
            import: *import,
            to: *to,
            unit: *unit,
        })
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
                let is_looked_up = matches!(import.declares, DeclaredFact::Nothing | DeclaredFact::Module(_));
                let candidate = Candidate { from: row.path, import, distance: Distance::default() };
                (is_looked_up && import.below.is_none()).then_some((import.module, candidate))
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
    ///
    /// Names and folders that no manifest has are dropped first: every import may begin with some
    /// name, and each file lies in some folders.
    fn in_named_places(&self) -> Facts<'scope, (ChainKey, Candidate)> {
        let declared = self.imports.clone().map(|(_, import)| (import.module, import.declares));
        let names = declared.clone().flat_map(|(_, declares)| match declares {
            DeclaredFact::Place { name, root, .. } => Some((name, root)),
            _ => None,
        });
        let below = self.imports.clone();
        let below = below.flat_map(|(row, import)| Some((import.module, (row.path, import, import.below?))));
        let wanted = below.join_map(names.threshold_total(distinct), |name, (from, import, below), root| {
            ((*from, *root), (*name, *import, *below))
        });
        let known = self.known_scopes(declared.clone());
        let inside = wanted.clone().join_map(known, |(from, _), (name, import, below), folder| {
            ((*name, Some(*folder)), (*from, *import, *below))
        });
        let outside = wanted.map(|((from, _), (name, import, below))| ((name, None), (from, import, below)));
        let places = declared.flat_map(|(place, declares)| {
            let DeclaredFact::Place { name, scope: ScopeFact { depth, folder }, is_public, order, .. } = declares
            else {
                return [None, None].into_iter().flatten();
            };
            let inside = ((name, Some(folder)), (place, Distance { folders: FAR - depth.min(FAR), order }));
            let outside = ((name, None), (place, Distance { folders: OUTSIDE, order }));
            [Some(inside), is_public.then_some(outside)].into_iter().flatten()
        });
        inside.concat(outside).join_map(places, |_, (from, import, below), (place, distance)| {
            (place.join(*below), Candidate { from: *from, import: *import, distance: *distance })
        })
    }

    /// The folders whose names of places a file knows, by file and root.
    fn known_scopes(
        &self,
        declared: Facts<'scope, (ChainKey, DeclaredFact)>,
    ) -> Facts<'scope, ((PathKey, NameKey), NameKey)> {
        // Whether outer folders count there, where a manifest says so.
        let scopes = declared.flat_map(|(_, declares)| match declares {
            DeclaredFact::Place { root, scope, .. } => Some((scope.folder, (root, scope.depth, None))),
            DeclaredFact::Boundary { root, scope, is_passed } => {
                Some((scope.folder, (root, scope.depth, Some(is_passed))))
            }
            DeclaredFact::Nothing | DeclaredFact::Module(_) => None,
        });
        self.folders()
            .map(|(path, folder)| (folder, path))
            .join_map(scopes.threshold_total(distinct), |folder, path, (root, depth, passed)| {
                ((*path, *root), (*depth, *folder, *passed))
            })
            .reduce_named("folders up to a boundary", |_, around, known| {
                let around = || around.iter().map(|(at, _)| **at);
                let passes = |at| around().any(|(depth, _, passed)| depth == at && passed == Some(true));
                let ends = around().filter(|(depth, _, passed)| *passed == Some(false) && !passes(*depth));
                let boundary = ends.map(|(depth, ..)| depth).max();
                let inner = around().filter(|(depth, ..)| Some(*depth) >= boundary);
                let folders: BTreeSet<NameKey> = inner.map(|(_, folder, _)| folder).collect();
                known.extend(folders.into_iter().map(|folder| (folder, 1)));
            })
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
