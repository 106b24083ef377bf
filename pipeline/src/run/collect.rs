//! Giving up old epochs, and compacting what the newest holds.

use gristmill_ids::{Epoch, Hash};
use serde::{Deserialize, Serialize};

use super::RunError;
use super::commit::Draft;
use super::indexer::{Begun, Indexer, Warm};
use super::sinks::PublishedSinks;
use crate::index::{CommitRecord, Damage, Depth, IndexError};
use crate::sink::{StagedRows, Token};

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
    pub(super) fn compact(&mut self) -> Result<Option<Epoch>, RunError> {
        let Some((record, tree)) = self.head.clone() else {
            return Err(IndexError::Missing { folder: self.plan.index.to_owned() }.into());
        };
        // What is rewritten gets new checksums, so damage that is not found now would not be found any more.
        self.find_damages(Depth::Contents);
        if let Some(Damage { path, fault }) = self.damages.first() {
            let (path, reason) = (self.writer.folder().path().join(path), fault.to_string());
            return Err(IndexError::Damaged { path, reason }.into());
        }
        let number = self.next_epoch();
        let Begun { mut sinks, knowledge, rebuilt_because, .. } = self.begin(number, false)?;
        if rebuilt_because.is_some() {
            return Ok(None);
        }
        sinks.compact()?;
        let draft = Draft {
            number,
            base: None,
            tree,
            revision: record.revision.clone(),
            refs: record.refs.clone(),
            selection: record.selection,
            place: record.source.clone(),
        };
        let (sinks, staged) = sinks.stage(&draft.meta())?;
        self.writer.write_tree(number, &draft.tree)?;
        crate::failpoint::reach("staged");
        let PublishedSinks { sinks, states, .. } = sinks.publish()?;
        let folder = |sink: &str| self.writer.folder().sink(sink);
        let drafted = draft.record(&self.plan, &staged, states, &record.seals, folder)?;
        let CommitRecord { tokens, seals, committed_ms, .. } = drafted;
        crate::failpoint::reach("published");
        // The rows are what the epoch before made of them, whatever this job would make.
        let mut compacted = CommitRecord { epoch: number, committed_ms, tokens, seals, ..record };
        let tables = self.plan.tables();
        let is_kept = |name: &str, made: &Hash| tables.iter().any(|it| *it.name == *name && it.fingerprint == *made);
        compacted.views.retain(|name, made| is_kept(name, made));
        for sink in compacted.sinks.values_mut() {
            sink.staged = StagedRows::default();
        }
        self.writer.commit(&compacted)?;
        self.writer.drop_old_trees(number);
        self.head = Some((compacted, draft.tree));
        self.warm = Some(Warm { sinks, knowledge });
        Ok(Some(number))
    }

    pub(super) fn retain(&mut self, keep: u64) -> Result<Vec<Epoch>, RunError> {
        let kept = self.writer.give_up_old(keep.max(1))?;
        crate::failpoint::reach("given_up");
        for sink in self.plan.graph.sinks() {
            let tokens: Vec<Token> = kept.iter().filter_map(|record| record.tokens.get(&*sink.name)).cloned().collect();
            sink.config.retain(&self.writer.folder().sink(&sink.name), &tokens)?;
            crate::failpoint::reach("retain.one");
        }
        self.reopen_sinks()?;
        Ok(kept.iter().map(|record| record.epoch).collect())
    }
}
