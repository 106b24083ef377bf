//! What damage to an epoch costs, and how the rest of it is used.
//!
//! A run rebuilds the smallest part that it can: key runs and indexes over vectors from the rows of their table, the
//! table of a view from facts, a store from another that gives rows back, and what no store has left from the source.
//! Vectors are kept as long as the table that has them is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::graph::{Graph, SinkStage};
use crate::index::{CommitRecord, Damage, IndexFolder};
use crate::sink::{Salvaged, SinkError};

/// What damage to the newest epoch lost, by sink.
#[derive(Debug, Default)]
pub(super) struct Losses {
    sinks: BTreeMap<Arc<str>, Loss>,
    /// Sinks of which nothing is left: they are rebuilt in folders of their own.
    pub(super) rebuilt: BTreeSet<Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct Loss {
    rows: bool,
    vectors: bool,
}

impl Losses {
    /// Gives up all of the sinks with damaged files.
    pub(super) fn of_whole_sinks(graph: &Graph, damages: &[Damage]) -> Self {
        let mut losses = Self::default();
        for (sink, _) in by_sink(graph, damages) {
            losses.give_up(sink);
        }
        losses
    }

    /// Gives up all sinks.
    pub(super) fn of_all_sinks(graph: &Graph) -> Self {
        let mut losses = Self::default();
        graph.sinks().iter().for_each(|sink| losses.give_up(sink));
        losses
    }

    fn give_up(&mut self, sink: &SinkStage) {
        self.sinks.insert(Arc::clone(&sink.name), Loss { rows: true, vectors: true });
        self.rebuilt.insert(Arc::clone(&sink.name));
    }

    /// Deletes what is damaged of an epoch, and makes its record say what is left.
    pub(super) fn salvage(
        graph: &Graph,
        folder: &IndexFolder,
        record: &mut CommitRecord,
        damages: &[Damage],
    ) -> Result<Self, SinkError> {
        let mut losses = Self::default();
        for (sink, files) in by_sink(graph, damages) {
            let name = &*sink.name;
            // What is left of it has other files.
            record.seals.retain(|file, _| Path::new(&**file).iter().next().is_none_or(|first| first != name));
            let token = record.tokens.get(name);
            // An empty path is the folder itself.
            let is_lost = files.iter().any(|file| file.as_os_str().is_empty());
            let left = match token.filter(|_| !is_lost) {
                Some(token) => sink.config.salvage(&folder.sink(name), token, &files)?,
                None => None,
            };
            match left {
                Some(Salvaged { token, has_rows, has_vectors, lost_views }) => {
                    record.tokens.insert(name.to_owned(), token);
                    record.views.retain(|view, _| !lost_views.contains(view));
                    losses.sinks.insert(Arc::clone(&sink.name), Loss { rows: !has_rows, vectors: !has_vectors });
                }
                None => {
                    if sink.config.keeps_views() {
                        record.views.clear();
                    }
                    losses.give_up(sink);
                }
            }
        }
        Ok(losses)
    }

    /// Whether anything was lost.
    pub(super) fn is_empty(&self) -> bool {
        self.sinks.is_empty()
    }

    /// Whether a sink lost rows of records.
    pub(super) fn of_rows(&self, sink: &str) -> bool {
        self.sinks.get(sink).is_some_and(|loss| loss.rows)
    }

    /// Whether a sink lost vectors.
    pub(super) fn of_vectors(&self, sink: &str) -> bool {
        self.sinks.get(sink).is_some_and(|loss| loss.vectors)
    }
}

/// The sinks with damaged files, and these files relative to the sink's folder.
fn by_sink<'g>(graph: &'g Graph, damages: &[Damage]) -> Vec<(&'g SinkStage, Vec<PathBuf>)> {
    let files = |sink: &SinkStage| -> Vec<PathBuf> {
        damages.iter().filter_map(|damage| damage.path.strip_prefix(&*sink.name).ok().map(PathBuf::from)).collect()
    };
    let sinks = graph.sinks().iter().map(|sink| (sink, files(sink)));
    sinks.filter(|(_, files)| !files.is_empty()).collect()
}

/// Says what was damaged.
pub(super) fn notice(damages: &[Damage]) -> Option<String> {
    let (first, others) = damages.split_first()?;
    let others = if others.is_empty() { String::new() } else { format!(" (and {} more files)", others.len()) };
    Some(format!("the index was damaged, and was rebuilt where it was: {first}{others}"))
}
