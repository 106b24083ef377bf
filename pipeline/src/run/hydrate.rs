//! Bringing the fact plane to where the last epoch left it.
//!
//! Without views only what a diff touches is loaded: for each content that a changed path
//! held or holds, the paths that hold it. Facts of other contents lead to nothing that
//! could change. Views join across files, so with views all facts of the epoch are
//! loaded, once.

use std::collections::{HashMap, HashSet};

use gristmill_ids::{ContentHash, ContentKey};
use gristmill_plane::{FactPlane, Facts, PlaneError};

use super::base::{Base, content_key};
use super::facts::{FactMaker, place};
use super::sinks::WritingSinks;
use super::views::ViewChanges;
use crate::graph::Graph;
use crate::merkle::Diff;
use crate::path::RelPath;
use crate::sink::{RowId, SinkError};

/// How much of an epoch's facts the plane has.
#[derive(Debug, Default)]
pub(super) struct Hydrated {
    all: bool,
    /// Contents of which it has all paths that hold them.
    contents: HashSet<ContentKey>,
    /// Contents of which it has the chunks.
    chunks: HashSet<ContentKey>,
}

/// What hydration gives.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Facts that the plane lacks.
    facts: Facts,
    /// Of each content that the diff touches, by its key in this run, a row of the base
    /// whose stored rows are those of the content.
    stored: HashMap<ContentKey, RowId>,
}

/// What hydration gave, once the plane has its facts.
#[derive(Debug, Default)]
pub(super) struct Entered {
    /// How many facts the plane lacked.
    pub(super) facts: u64,
    /// See [`Loaded::stored`].
    pub(super) stored: HashMap<ContentKey, RowId>,
}

impl Loaded {
    /// Gives the plane what it lacks. What is known leads to no work: but for views that
    /// start from no rows, the deltas are dropped.
    pub(super) fn enter(self, plane: &mut FactPlane, views: &mut ViewChanges) -> Result<Entered, PlaneError> {
        let Self { facts, stored } = self;
        let entered = Entered { facts: facts.len() as u64, stored };
        if !facts.is_empty() {
            views.take(&mut plane.round(facts)?, true);
        }
        Ok(entered)
    }
}

impl Hydrated {
    /// Loads what the plane lacks before `diff` can enter.
    pub(super) fn load(
        &mut self,
        graph: &Graph,
        base: &Base,
        diff: &Diff,
        maker: &mut FactMaker<'_>,
        sinks: &mut WritingSinks,
    ) -> Result<Loaded, SinkError> {
        let mut loaded = Loaded::default();
        let (before, now) = (base.rows, graph.rows_fingerprint());
        let leaves = diff.changes.iter().flat_map(|change| [&change.before, &change.after]).flatten();
        let touched: HashSet<ContentHash> = leaves.map(|leaf| leaf.content_hash).collect();
        let mut entered: HashSet<ContentKey> = HashSet::new();
        let views = maker.has_views() && base.same_rows;
        let mut visit = |path: RelPath, content_hash: ContentHash| {
            let content = content_key(graph, &path, &content_hash, &before);
            if !self.all && !self.contents.contains(&content) {
                loaded.facts.files.push(((content, place(graph, &path)), 1));
                if entered.insert(content) {
                    loaded.facts.analysed.push((content, 1));
                }
                if views {
                    maker.path(&path, 1, &mut loaded.facts);
                }
            }
            if base.same_analysis && touched.contains(&content_hash) {
                let content = content_key(graph, &path, &content_hash, &now);
                loaded.stored.entry(content).or_insert(RowId { path, content_hash });
            }
        };
        if views && !self.all {
            base.tree.for_each_row(|path, leaf| visit(path.into(), leaf.content_hash));
            load_contents(graph, base, maker, sinks, &mut loaded.facts)?;
            self.all = true;
        } else {
            base.holders(&touched).into_iter().for_each(|(path, content_hash)| visit(path, content_hash));
        }
        self.contents.extend(entered);
        Ok(loaded)
    }

    /// An epoch's diff has entered: the plane has all there is of these contents, or,
    /// if the epoch went through all paths, of every content.
    pub(super) fn entered(&mut self, everything: bool, contents: &[ContentKey]) {
        self.all |= everything;
        self.contents.extend(contents);
        self.chunks.extend(contents);
    }

    /// Whether the plane lacks the chunks of a content that it knows as analysed. Whoever
    /// asks enters them.
    pub(super) fn learns_chunks(&mut self, content: ContentKey) -> bool {
        !self.all && self.chunks.insert(content)
    }
}

/// Loads the facts of all contents. If several stores have a fact, it is loaded once.
fn load_contents(
    graph: &Graph,
    base: &Base,
    maker: &mut FactMaker<'_>,
    sinks: &mut WritingSinks,
    facts: &mut Facts,
) -> Result<(), SinkError> {
    let first_lane = graph.chunk_lanes().first().map(|lane| lane.id);
    let (mut lanes, mut has_syntax) = (HashSet::new(), false);
    // The number of chunks of each content in the first chunk lane.
    let mut chunks: HashMap<ContentKey, usize> = HashMap::new();
    sinks.facts(|store| {
        let tells_syntax = store.has_syntax && !has_syntax;
        has_syntax |= tells_syntax;
        let lane = store.chunk_lane.filter(|lane| lanes.insert(*lane));
        let mut standing: HashSet<ContentKey> = HashSet::new();
        for of_path in &store.facts {
            let content = content_key(graph, &of_path.path, &of_path.analysis.content_hash, &base.rows);
            if tells_syntax {
                maker.imports(&of_path.path, content, &of_path.analysis.imports, facts);
            }
            if !standing.insert(content) {
                continue;
            }
            if let Some(lane) = lane {
                maker.stored_chunks(content, of_path, lane, facts);
                if first_lane == Some(lane) {
                    chunks.insert(content, of_path.bodies.len());
                }
            }
            if tells_syntax {
                let chunks = chunks.get(&content).copied().unwrap_or_default();
                maker.analysis(content, &of_path.analysis, chunks, facts);
            }
        }
    })
}
