//! Giving up old epochs, and compacting what the newest holds.

use serde::{Deserialize, Serialize};

use super::RunError;
use super::indexer::{Draft, Indexer};
use crate::graph::Body;
use crate::hash::Hash;
use crate::index::{CommitRecord, IndexError};
use crate::sink::{Epoch, StagedRows, Token};

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
        let before = self.writer.folder().bytes();
        let compacted = if compact { self.compact()? } else { None };
        let epochs = self.writer.folder().epoch_numbers()?.len();
        let kept = self.retain(keep)?;
        let given_up = epochs.saturating_sub(kept.len()) as u64;
        let after = self.writer.folder().bytes();
        Ok(Collected { compacted, given_up, kept, bytes: (before, after) })
    }

    /// Gives up old epochs once there are twice as many as are to be kept.
    pub(super) fn collect_now_and_then(&mut self) -> Result<(), RunError> {
        let keep = self.plan.keep;
        if keep > 0 && self.writer.folder().epoch_numbers()?.len() as u64 >= 2 * keep {
            self.retain(keep)?;
        }
        Ok(())
    }

    /// Compacts all stores, as an epoch that changes no row. `None` if the job would
    /// rebuild them anyway.
    pub(super) fn compact(&mut self) -> Result<Option<crate::Epoch>, RunError> {
        let Some((record, tree)) = self.head.clone() else {
            return Err(IndexError::Missing { folder: self.plan.index.to_owned() }.into());
        };
        let number = record.epoch + 1;
        if self.open_sinks(number, false)?.is_some() {
            self.warm = None;
            return Ok(None);
        }
        for sink in self.warm.iter_mut().flat_map(|warm| &mut warm.sinks) {
            sink.call(|sink| sink.compact())?;
        }
        let draft = Draft {
            number,
            base: None,
            tree,
            revision: record.revision.clone(),
            refs: record.refs.clone(),
            selection: record.selection,
            place: record.source.clone(),
        };
        let staged = self.stage(&draft)?;
        self.writer.write_tree(number, &draft.tree)?;
        crate::failpoint::reach("staged");
        let CommitRecord { tokens, committed_ms, .. } = self.publish(&draft, &staged)?;
        crate::failpoint::reach("published");
        // The rows are what the epoch before made of them, whatever this job would make.
        let mut compacted = CommitRecord { epoch: number, committed_ms, tokens, ..record };
        let tables = self.plan.tables();
        let is_kept = |name: &str, made: &Hash| tables.iter().any(|it| *it.name == *name && it.fingerprint == *made);
        compacted.views.retain(|name, made| is_kept(name, made));
        for sink in compacted.sinks.values_mut() {
            sink.staged = StagedRows::default();
        }
        self.writer.commit(&compacted)?;
        self.writer.drop_old_trees(number);
        self.head = Some((compacted, draft.tree));
        Ok(Some(number))
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
