//! What is recorded of an epoch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gristmill_ids::{Epoch, Fingerprint, Hash};
use serde::{Deserialize, Serialize};

use super::Seals;
use crate::merkle::Tree;
use crate::sink::{StagedRows, Token};
use crate::source::{LastScan, RefRevision};

/// The version of the folder's layout that this code reads and writes.
pub const FORMAT: u32 = 2;

/// The record of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// The layout's version; see [`FORMAT`].
    pub format: u32,
    /// The epoch.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since 1970.
    pub committed_ms: u64,
    /// The root hash of its Merkle tree.
    pub merkle_root: Hash,
    /// The number of files in its Merkle tree.
    pub files: u64,
    /// The folder that was indexed.
    pub source: PathBuf,
    /// The revision that it holds, where the source has revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Box<str>>,
    /// The refs that it holds, where it holds several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// Hash of all that decided which files of the revision it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Hash>,
    /// The views that it has, each with its fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub views: BTreeMap<Box<str>, Fingerprint>,
    /// Hash of all that decides a content's definitions and chunks.
    pub analysis: Fingerprint,
    /// Hash of all that decides what rows a content leads to.
    pub rows: Fingerprint,
    /// For each sink what found its state, and what it was built by.
    pub sinks: BTreeMap<String, SinkRecord>,
    /// For each sink its token: the same as in `sinks`, where other programs look.
    pub tokens: BTreeMap<String, Token>,
    /// The files that the tokens reach, by which damage to them is found.
    pub seals: Seals,
}

impl CommitRecord {
    /// What a source can use of the epoch, given its tree.
    #[must_use]
    pub fn last_scan<'a>(&'a self, tree: &'a Tree) -> LastScan<'a> {
        LastScan {
            tree,
            merkle_root: self.merkle_root,
            place: &self.source,
            revision: self.revision.as_deref(),
            refs: &self.refs,
            selection: self.selection,
        }
    }
}

/// What a commit record says about one sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SinkRecord {
    /// The sink's name in configuration, such as `lance`.
    pub kind: String,
    /// Hash of the sink's own fingerprint and its ports.
    pub shape: Fingerprint,
    /// The fingerprint of the embed stage whose vectors it stores, with the header.
    pub embed: Option<Fingerprint>,
    /// The lineage of the stage whose chunks it stores, if the job has several such stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Fingerprint>,
    /// How many components these vectors have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<usize>,
    /// Rows that the epoch added and deleted.
    pub staged: StagedRows,
}
