//! Giving up old epochs, and compacting what the newest holds.

use serde::{Deserialize, Serialize};

use super::RunError;
use super::indexer::Indexer;
use crate::graph::Body;
use crate::sink::{Epoch, Token};

/// What a collection did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// The epoch that holds the compacted stores, if they were compacted.
    pub compacted: Option<Epoch>,
    /// Epochs that were given up.
    pub given_up: u64,
    /// Epochs that are kept, oldest first.
    pub kept: Vec<Epoch>,
    /// Bytes of the index folder before and after.
    pub bytes: (u64, u64),
}

impl Indexer<'_> {
    /// Gives up all epochs but the newest `keep` and those that a reader holds; with
    /// `compact` the stores are compacted first, as an epoch of its own.
    ///
    /// # Errors
    /// If there is no epoch, or a store cannot be read or written. The index is whole
    /// then too; what was not deleted is deleted the next time.
    pub fn collect(&mut self, keep: u64, compact: bool) -> Result<Collected, RunError> {
        let before = bytes_under(self.writer.folder().path());
        let compacted = if compact { self.compact()? } else { None };
        let epochs = self.writer.folder().epochs()?.len();
        let kept = self.retain(keep)?;
        let given_up = epochs.saturating_sub(kept.len()) as u64;
        let after = bytes_under(self.writer.folder().path());
        Ok(Collected { compacted, given_up, kept, bytes: (before, after) })
    }

    /// Gives up old epochs once there are twice as many as are to be kept.
    pub(super) fn collect_now_and_then(&mut self) -> Result<(), RunError> {
        let keep = self.plan.keep;
        if keep > 0 && self.writer.folder().epochs()?.len() as u64 >= 2 * keep {
            self.retain(keep)?;
        }
        Ok(())
    }

    fn retain(&mut self, keep: u64) -> Result<Vec<Epoch>, RunError> {
        let kept = self.writer.give_up_old(keep.max(1))?;
        crate::failpoint::reach("given_up");
        let graph = self.plan.graph;
        for sink in graph.sinks() {
            let Some(stage) = graph.stages().get(sink.stage) else { continue };
            let Body::Sink(factory) = &stage.body else { continue };
            let tokens: Vec<Token> =
                kept.iter().filter_map(|record| record.tokens.get(&*stage.name)).cloned().collect();
            factory.retain(&self.writer.folder().sink(&stage.name), &tokens)?;
            crate::failpoint::reach("retain.one");
        }
        self.reopen_sinks()?;
        Ok(kept.iter().map(|record| record.epoch).collect())
    }
}

/// The bytes of all files in a folder.
fn bytes_under(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
