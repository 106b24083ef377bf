//! All indexes of a server.

use std::sync::Arc;

use super::served::Served;

/// All indexes of a server. Clones share them.
#[derive(Clone)]
pub(super) struct ServedIndexes(Arc<[Arc<Served>]>);

impl ServedIndexes {
    pub(super) fn new(served: Vec<Arc<Served>>) -> Self {
        Self(served.into())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The index of a job.
    pub(super) fn get(&self, job: &str) -> Option<&Arc<Served>> {
        self.0.iter().find(|served| **served.index().name() == *job)
    }

    /// The indexes that have no epoch open and cannot answer queries yet.
    pub(super) fn without_epoch(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.0.iter().filter(|served| served.index().current_if_open().is_none())
    }

    /// The epoch lag of the index that lags most.
    pub(super) fn max_epoch_lag(&self) -> u64 {
        self.0.iter().map(|served| served.epoch_lag()).max().unwrap_or_default()
    }
}
