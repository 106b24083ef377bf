//! Facts made of what is known, and the texts that their keys stand for.

mod linkage;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gristmill_ids::{ChunkKey, ChunkLaneId, ContentKey, Hash, NameKey};
use gristmill_plane::ChunkFact;
use gristmill_plane::{
    Cell, ChainKey, ContentFact, DeclaredFact, DefinitionFact, FactRow, Facts, ImportFact, LeadFact, MAX_THEN,
    NameChain, OutlineFact, PathFact, Place, ReferenceFact, Root, RowFact, ScopeFact, ShortName, UseKind, short_name,
    short_names,
};
use gristmill_views::View;
use gristmill_views::words;
use gristmill_views::{ViewRow, ViewValue};

use super::assembly::Known;
use crate::graph::Graph;
use crate::operator::{Declared, ModuleUnit, NamedPlace, path_chain, path_parts};
use crate::path::RelPath;
use crate::port::{Anchor, DefinitionKind, Import, Lead, LeadKind, Linkage, NamePath, Reference, ReferenceKind};
use crate::sink::{Analysis, StoredFacts};

/// Turns what is known into facts. Where the job has views it remembers the text behind
/// each key, so that the rows of views can be written out.
pub(super) struct FactMaker<'a> {
    graph: &'a Graph,
    views: &'a [Arc<dyn View>],
    texts: HashMap<NameKey, Arc<str>>,
}

/// A path as the plane knows it.
pub(super) fn place(graph: &Graph, path: &RelPath) -> Place {
    let ModuleUnit { unit, package, .. } = graph.unit(path);
    Place { path: path.key(), unit: NameKey::of(&unit), package: NameKey::of(&package) }
}

impl<'a> FactMaker<'a> {
    pub(super) fn new(graph: &'a Graph, views: &'a [Arc<dyn View>]) -> Self {
        let mut maker = Self { graph, views, texts: HashMap::new() };
        if maker.has_views() {
            for text in words() {
                maker.text(text);
            }
        }
        maker
    }

    pub(super) fn has_views(&self) -> bool {
        !self.views.is_empty()
    }

    /// The key of a text.
    fn text(&mut self, text: &str) -> NameKey {
        let key = NameKey::of(text);
        self.texts.entry(key).or_insert_with(|| text.into());
        key
    }

    /// The key of a name among the languages that share names with this one.
    fn name(&mut self, scope: &str, name: &str) -> NameKey {
        let key = NameKey::from(&Hash::of_parts([scope.as_bytes(), name.as_bytes()]));
        self.texts.entry(key).or_insert_with(|| name.into());
        key
    }

    /// Enters (or takes back) what is known of a path, whatever it holds.
    pub(super) fn path(&mut self, path: &RelPath, difference: isize, facts: &mut Facts) {
        if !self.has_views() {
            return;
        }
        let key = path.key();
        self.texts.entry(key.into()).or_insert_with(|| path.as_str().into());
        let mut push = |fact: PathFact| facts.paths.push(((key, fact), difference));
        push(PathFact::Folder(NameKey::NONE));
        for (end, _) in path.as_str().match_indices('/') {
            let folder = path.as_str().get(..end).unwrap_or_default();
            push(PathFact::Folder(self.text(folder)));
        }
        let ModuleUnit { unit, member_of, .. } = self.graph.unit(path);
        let unit = NameKey::of(&unit);
        for name in self.graph.module_names(path) {
            push(PathFact::Module { name: ChainKey::of(NameKey::of(&name)), unit });
        }
        for place in self.graph.module_places(path) {
            push(PathFact::Module { name: place.key(), unit });
        }
        for (of, name) in &member_of {
            push(PathFact::Member { of: NameKey::of(of), name: short_name(name), unit });
        }
        for (place, view) in (0..).zip(self.views) {
            if view.marks(path.as_str()) {
                push(PathFact::Mark(place));
            }
        }
    }

    /// Enters what is known of a content; what only views ask for goes to `late`.
    pub(super) fn content(&mut self, content: ContentKey, known: &Known, facts: &mut Facts, late: &mut Facts) {
        facts.analysed.push((content, 1));
        self.chunks(content, known, facts);
        let chunks = known.lanes.first().map_or(0, |chunks| chunks.len());
        self.analysis(content, &known.analysis, chunks, late);
    }

    /// Enters the chunks of a content.
    pub(super) fn chunks(&self, content: ContentKey, known: &Known, facts: &mut Facts) {
        for (lane, chunks) in self.graph.chunk_lanes().iter().zip(&known.lanes) {
            let chunk = |body| ContentFact::Chunk(ChunkFact { lane: lane.id, body });
            facts.contents.extend(chunks.iter().map(|of| ((content, chunk((&of.body_hash).into())), 1)));
        }
    }

    /// Enters the stored chunks of a content, which belong to `lane`.
    pub(super) fn stored_chunks(
        &self,
        content: ContentKey,
        stored: &StoredFacts,
        lane: ChunkLaneId,
        facts: &mut Facts,
    ) {
        let chunks = stored.bodies.iter().map(|body| ChunkFact { lane, body: ChunkKey::from(body) });
        facts.contents.extend(chunks.map(|chunk| ((content, ContentFact::Chunk(chunk)), 1)));
    }

    /// Enters the definitions, references and sizes of a content; `chunks` is the number of its
    /// chunks in the first chunk lane.
    pub(super) fn analysis(&mut self, content: ContentKey, analysis: &Analysis, chunks: usize, facts: &mut Facts) {
        if !self.has_views() {
            return;
        }
        let scope = self.graph.name_scope(&analysis.language);
        let outline = OutlineFact {
            language: self.text(&analysis.language),
            bytes: analysis.bytes,
            lines: analysis.lines,
            chunks: chunks as u32,
            definitions: analysis.definitions.len() as u32,
        };
        facts.contents.push(((content, ContentFact::Outline(outline)), 1));
        let mut linked: HashSet<LeadFact> = HashSet::new();
        for (ordinal, definition) in (0_u32..).zip(&analysis.definitions) {
            // What only adds members to a type is nothing that a use may mean.
            let (key, linkage) = definition.key.linked();
            let path = (definition.kind != DefinitionKind::Implementation).then_some(&key);
            let fact = DefinitionFact {
                name: self.name(scope, &definition.name),
                qualified: self.text(&definition.qualified_name),
                names: linkage::names(&key, linkage),
                line: definition.span.start_line,
                ordinal,
                root: path.map_or(Root::None, root),
            };
            facts.contents.push(((content, ContentFact::Definition(fact)), 1));
            let (unit, package) = ((Root::Unit, fact.names), (Root::Package, NameChain::of([&*definition.name])));
            let mut lead = |(from_root, from), (to_root, to), kind| {
                let lead = LeadFact { from, to, then: Default::default(), from_root, to_root, kind };
                facts.contents.push(((content, ContentFact::Lead(lead)), 1));
            };
            // Other files of the package may add members to a type, and call a macro by its name.
            if is_type(definition.kind) && fact.root == Root::Unit {
                lead(unit, package, gristmill_plane::LeadKind::Type);
            }
            if definition.kind == DefinitionKind::Macro && fact.root == Root::Unit {
                lead(package, unit, gristmill_plane::LeadKind::Alias);
            }
            linkage::leads(&key, linkage, &mut linked);
            // A node may name a type twice, as `typedef struct a {} b`; its members are those of the first.
            let first = ordinal.checked_sub(1).and_then(|before| analysis.definitions.get(before as usize));
            if let Some(first) = first.filter(|first| is_type(definition.kind) && first.span == definition.span) {
                linked.extend(linkage::lead(gristmill_plane::LeadKind::Type, &key, &first.key.linked().0));
            }
        }
        facts.contents.extend(linked.into_iter().map(|lead| ((content, ContentFact::Lead(lead)), 1)));
        // What a unit does not have its package may.
        let (from, to) = (NameChain::default(), NameChain::default());
        let (from_root, to_root, kind) = (Root::Unit, Root::Package, gristmill_plane::LeadKind::All);
        let all = LeadFact { from, to, then: Default::default(), from_root, to_root, kind };
        facts.contents.push(((content, ContentFact::Lead(all)), 1));
        let mut targets = HashSet::new();
        for (ordinal, reference) in (0..).zip(&analysis.references) {
            let within = reference.within.and_then(|within| analysis.definitions.get(within as usize));
            let is_bound = reference.target.anchor().is_some();
            let fact = ReferenceFact {
                name: self.name(scope, &reference.name),
                within: within.map_or(NameKey::NONE, |within| self.text(&within.qualified_name)),
                target: if is_bound { NameKey::of(reference.target.as_str()) } else { NameKey::NONE },
                line: reference.line,
                ordinal,
                kind: use_kind(reference.kind),
                local: reference.target == NamePath::LOCAL,
            };
            facts.contents.push(((content, ContentFact::Reference(fact)), 1));
            targets.insert(reference.target.as_str());
        }
        let leads = analysis.references.iter().filter_map(|reference| reference.lead.as_ref().zip(Some(reference)));
        let to: Vec<_> = leads.map(|(lead, reference)| (lead, continued(reference, lead))).collect();
        let mut leads: HashSet<LeadFact> = to.iter().filter_map(|(from, to)| lead(from, to)).collect();
        for path in targets.into_iter().map(NamePath::from).chain(to.iter().map(|(_, to)| to.clone())) {
            target_leads(path, &mut leads);
        }
        facts.contents.extend(leads.into_iter().map(|lead| ((content, ContentFact::Lead(lead)), 1)));
    }

    /// Enters what a row imports.
    pub(super) fn imports(&mut self, path: &RelPath, content: ContentKey, imports: &[Import], facts: &mut Facts) {
        if !self.has_views() {
            return;
        }
        let row = RowFact { path: path.key(), content };
        let written = imports.len();
        let implied = self.graph.implied_imports(path);
        for (ordinal, import) in imports.iter().chain(&implied).enumerate() {
            let mut local = self.graph.local_names(path, import);
            // What binds no name brings in all, or all below the names before a `*`.
            let all = local.is_empty() || local.pop_if(|name| &**name == "*").is_some();
            let local = NameChain::of(local.iter().map(AsRef::as_ref));
            let (implied, ordinal) = (ordinal >= written, ordinal as u32);
            let written = self.text(&import.module);
            let (declares, place) = declared(self.graph.declared(path, import));
            let line = import.line;
            let (rank, below, then, module) = (0, None, Default::default(), ChainKey::default());
            let fact = ImportFact { ordinal, line, written, rank, module, below, local, then, declares, all, implied };
            if let Some(module) = place {
                facts.imports.push(((row, ImportFact { module, ..fact }), 1));
                continue;
            }
            let mut rank = 0;
            for meant in self.graph.import_names(path, import) {
                rank += u32::from(!meant.also);
                let Some(then) = short_names(meant.then.iter().map(AsRef::as_ref)) else { continue };
                let (module, below) = (name_key(&meant.name), meant.below.as_deref().map(path_chain));
                // An edge to what is guessed needs something that is found there.
                let implied = implied || meant.guess;
                facts.imports.push(((row, ImportFact { rank, module, below, then, implied, ..fact }), 1));
            }
        }
    }

    /// A row of a view, written out.
    pub(super) fn row(&self, row: &FactRow) -> ViewRow {
        let value = |cell: &Cell| match cell {
            Cell::Name(NameKey::NONE) => ViewValue::Text("".into()),
            // Every key of a fact was made from a text above.
            Cell::Name(key) => ViewValue::Text(self.texts.get(key).cloned().unwrap_or_else(|| "".into())),
            Cell::Number(number) => ViewValue::Number(*number),
        };
        ViewRow { values: row.cells().iter().map(value).collect() }
    }
}

fn name_key(name: &str) -> ChainKey {
    ChainKey::of(NameKey::of(name))
}

/// What an import declares, and the place that it does so of, if it is none that is looked up.
fn declared(declared: Option<Declared>) -> (DeclaredFact, Option<ChainKey>) {
    match declared {
        None => (DeclaredFact::Nothing, None),
        Some(Declared::Module(name)) => (DeclaredFact::Module(name_key(&name)), None),
        Some(Declared::Place(NamedPlace { name, place, scope, is_public, order })) => {
            let (name, root, scope) = (name_key(&name), NameKey::of(&place.root), scope_fact(&scope));
            (DeclaredFact::Place { name, root, scope, is_public, order }, Some(place.key()))
        }
        Some(Declared::Boundary { root, scope, is_passed }) => {
            let (root, scope) = (NameKey::of(&root), scope_fact(&scope));
            (DeclaredFact::Boundary { root, scope, is_passed }, Some(ChainKey::default()))
        }
    }
}

fn scope_fact(folder: &str) -> ScopeFact {
    let depth = path_parts(folder).count();
    let folder = if depth == 0 { NameKey::NONE } else { NameKey::of(folder) };
    ScopeFact { depth: u8::try_from(depth).unwrap_or(u8::MAX), folder }
}

fn use_kind(kind: ReferenceKind) -> UseKind {
    match kind {
        ReferenceKind::Call => UseKind::Call,
        ReferenceKind::Implements => UseKind::Implements,
        ReferenceKind::Mention => UseKind::Mention,
    }
}

/// Where a path of names begins, as the plane knows it.
fn root(path: &NamePath) -> Root {
    match path.anchor() {
        None => Root::None,
        Some(Anchor::File) => Root::File,
        Some(Anchor::Unit) => Root::Unit,
        Some(Anchor::Package) => Root::Package,
        Some(Anchor::Free) => Root::Free,
    }
}

/// Splits a path into its first name, which is looked up at once, and the others, which are looked
/// up one by one; a free name is looked up in several places, so it is none of the first. What a
/// scope sees is known to its file alone, and so is looked up at once.
fn split(path: &NamePath) -> Option<(Root, usize)> {
    match root(path) {
        Root::None | Root::Target => None,
        Root::Free => Some((Root::Free, 0)),
        root => {
            let scope = path.names().position(|name| name == Linkage::Scope.as_str());
            Some((root, scope.map_or(1, |scope| scope + 1)))
        }
    }
}

/// Where a path begins, as the plane takes it: what it begins with, and the names to look up there.
/// One with more names than fit is taken as the target of its first names, and the others.
fn start(path: &NamePath) -> Option<(Root, NameChain, [ShortName; MAX_THEN])> {
    if path.seen().is_some() {
        return Some((Root::Target, NameChain::of_target(path.as_str()), Default::default()));
    }
    let (root, known) = split(path)?;
    if let Some(then) = short_names(path.names().skip(known)) {
        // What is imported within a module of the file is bound below the names of that, as one
        // name: `file tests::Mill`.
        let names = path.names().take(known);
        let known = match root {
            Root::File => NameChain::of(names.flat_map(|name| name.split("::"))),
            _ => NameChain::of(names),
        };
        return Some((root, known, then));
    }
    let (head, tail) = halves(path)?;
    Some((Root::Target, NameChain::of_target(head.as_str()), short_names(tail.names())?))
}

/// A path without its last [`MAX_THEN`] names, and these.
fn halves(path: &NamePath) -> Option<(NamePath, NamePath)> {
    let (anchor, names) = (path.anchor()?, path.names().count().checked_sub(MAX_THEN)?);
    Some((NamePath::new(anchor, path.names().take(names)), NamePath::new(anchor, path.names().skip(names))))
}

/// Adds the leads from a path as a target to where it begins, and those of the paths that it is
/// taken by.
fn target_leads(path: NamePath, leads: &mut HashSet<LeadFact>) {
    let mut path = path;
    while let Some((before, separator, names)) = path.seen() {
        let from = NameChain::of_target(path.as_str());
        let Some(then) = short_names(names.names()) else {
            let Some((head, tail)) = halves(&path) else { return };
            let Some(then) = short_names(tail.names()) else { return };
            let to = NameChain::of_target(head.as_str());
            leads.insert(LeadFact { then, ..target_lead(from, Root::Target, to) });
            path = head;
            continue;
        };
        let outside = NameChain::of_target(OUTSIDE);
        leads.insert(LeadFact { then, ..target_lead(from, Root::Target, outside) });
        let kind = gristmill_plane::LeadKind::All;
        leads.insert(LeadFact { kind, ..target_lead(outside, Root::Free, NameChain::of([])) });
        if separator == NamePath::EXTENDED {
            let to = NameChain::of_target(before.as_str());
            leads.insert(LeadFact { then, ..target_lead(from, Root::Target, to) });
            path = before;
            continue;
        }
        for class in classes_around(&before) {
            leads.insert(LeadFact { then, ..target_lead(from, root(&class), NameChain::of(class.names())) });
        }
        return;
    }
    while let Some((to_root, to, then)) = start(&path) {
        let kind = match to_root {
            Root::Free | Root::Package => gristmill_plane::LeadKind::Free,
            _ => gristmill_plane::LeadKind::Alias,
        };
        let from = NameChain::of_target(path.as_str());
        let is_new = leads.insert(LeadFact { from, to, then, from_root: Root::Target, to_root, kind });
        match halves(&path).filter(|_| is_new && to_root == Root::Target) {
            Some((head, _)) => path = head,
            None => return,
        }
    }
}

/// What every file has once: from what is seen outside of the classes of a file, one goes on to what
/// is free there. It costs a step, so that members of classes come first.
const OUTSIDE: &str = " outside";

/// A class and those around it. What is around a class of another file is not what is around the code.
fn classes_around(class: &NamePath) -> impl Iterator<Item = NamePath> {
    let is_own = class.anchor() == Some(Anchor::Unit);
    class.ancestors().take(if is_own { usize::MAX } else { 1 })
}

/// A lead from a target without more names.
fn target_lead(from: NameChain, to_root: Root, to: NameChain) -> LeadFact {
    let kind = gristmill_plane::LeadKind::Alias;
    LeadFact { from, to, then: Default::default(), from_root: Root::Target, to_root, kind }
}

/// The path that a lead goes to: that of the use that carries it, and the names behind it.
fn continued(reference: &Reference, lead: &Lead) -> NamePath {
    reference.target.with(lead.then.split(' ').filter(|name| !name.is_empty()))
}

/// What a use of a name says of another path.
fn lead(lead: &Lead, to: &NamePath) -> Option<LeadFact> {
    let (to_root, to, then) = start(to)?;
    let (from_root, from) = (root(&lead.from), NameChain::of(lead.from.names()));
    let kind = match lead.kind {
        LeadKind::Alias => gristmill_plane::LeadKind::Alias,
        LeadKind::Type => gristmill_plane::LeadKind::Type,
        LeadKind::Base => gristmill_plane::LeadKind::Base,
    };
    (from_root != Root::None).then_some(LeadFact { from, to, then, from_root, to_root, kind })
}

fn is_type(kind: DefinitionKind) -> bool {
    use DefinitionKind as K;
    matches!(kind, K::Class | K::Struct | K::Union | K::Enum | K::Interface | K::Trait | K::Type)
}
