//! Facts made of what is known, and the texts that their keys stand for.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_ids::{ChunkKey, ChunkLaneId, ContentKey, Hash, NameKey};
use gristmill_plane::ChunkFact;
use gristmill_plane::{
    Cell, ContentFact, DefinitionFact, FactRow, Facts, ImportFact, OutlineFact, PathFact, Place, ReferenceFact, RowFact,
};
use gristmill_views::View;
use gristmill_views::words;
use gristmill_views::{ViewRow, ViewValue};

use super::assembly::Known;
use crate::graph::Graph;
use crate::path::RelPath;
use crate::port::Import;
use crate::sink::{Analysis, StoredFacts};

/// Turns what is known into facts. Where the job has views it remembers the text behind
/// each key, so that the rows of views can be written out.
pub(super) struct FactMaker<'a> {
    graph: &'a Graph,
    views: &'a [Arc<dyn View>],
    texts: HashMap<NameKey, Arc<str>>,
}

/// A path as the plane knows it.
pub(super) fn place(path: &RelPath) -> Place {
    let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    Place { path: path.key(), folder: NameKey::of(folder) }
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
        for name in self.graph.module_names(path) {
            push(PathFact::Module(NameKey::of(&name)));
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
        for (ordinal, definition) in (0..).zip(&analysis.definitions) {
            let fact = DefinitionFact {
                name: self.name(scope, &definition.name),
                qualified: self.text(&definition.qualified_name),
                line: definition.span.start_line,
                ordinal,
            };
            facts.contents.push(((content, ContentFact::Definition(fact)), 1));
        }
        for (ordinal, reference) in (0..).zip(&analysis.references) {
            let within = reference.within.and_then(|within| analysis.definitions.get(within as usize));
            let fact = ReferenceFact {
                name: self.name(scope, &reference.name),
                within: within.map_or(NameKey::NONE, |within| self.text(&within.qualified_name)),
                kind: self.text(reference.kind.as_str()),
                line: reference.line,
                ordinal,
            };
            facts.contents.push(((content, ContentFact::Reference(fact)), 1));
        }
    }

    /// Enters what a row imports.
    pub(super) fn imports(&mut self, path: &RelPath, content: ContentKey, imports: &[Import], facts: &mut Facts) {
        if !self.has_views() {
            return;
        }
        let row = RowFact { path: path.key(), content };
        for (ordinal, import) in (0..).zip(imports) {
            let written = self.text(&import.module);
            for (rank, name) in (0..).zip(self.graph.import_names(path, import)) {
                let fact = ImportFact { ordinal, line: import.line, written, rank, module: NameKey::of(&name) };
                facts.imports.push(((row, fact), 1));
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
