//! `history_recent`: the newest epochs, and which paths each changed.

use std::collections::HashMap;
use std::fmt::Write as _;

use gristmill_display::{milliseconds, thousands, utc};
use gristmill_pipeline::run::Changes;
use gristmill_pipeline::source::RefRevision;
use gristmill_pipeline::{Epoch, RelPath};
use gristmill_query::past::{self, PastEpoch};
use gristmill_query::{At, ErrorCode, Tool, ToolError, all, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the newest epochs that are kept, and what each changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct HistoryRecent {
    /// How many epochs, from 1 to 100.
    #[serde(default = "default_epochs")]
    #[arg(short = 'n', long, default_value_t = default_epochs(), value_name = "N")]
    pub epochs: usize,
    /// Name the paths that each epoch added, modified and deleted, compared with the epoch
    /// before it that is kept.
    #[serde(default)]
    #[arg(long)]
    pub paths: bool,
    /// How many paths of each epoch to name at most, from 1 to 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_epochs() -> usize {
    10
}

fn default_limit() -> usize {
    50
}

/// An epoch that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EpochEntry {
    /// Its number.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since 1970.
    pub committed_ms: u64,
    /// The revision that it holds, where its source has revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The refs that it holds, where it holds several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// Files of it.
    pub files: u64,
    /// How many files the run that made it found changed, while its report is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// How long that run took, in milliseconds, while its report is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<f64>,
    /// Which paths changed, if that was asked and an epoch before it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<ChangedPaths>,
}

/// The paths in which two epochs differ. Those of a ref, where the index holds several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedPaths {
    /// The epoch that it is compared with.
    pub since: Epoch,
    /// Paths that only the later epoch has.
    #[schemars(with = "Vec<String>")]
    pub added: Vec<RelPath>,
    /// Paths with other content.
    #[schemars(with = "Vec<String>")]
    pub modified: Vec<RelPath>,
    /// Paths that only the earlier epoch has.
    #[schemars(with = "Vec<String>")]
    pub deleted: Vec<RelPath>,
    /// How many paths changed, be they named or not.
    pub changed: u64,
    /// Whether some are not named.
    pub truncated: bool,
}

/// Epochs that are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryAnswer {
    /// The epochs, newest first.
    pub epochs: Vec<EpochEntry>,
}

impl Tool for HistoryRecent {
    const NAME: &'static str = "history_recent";
    const ABOUT: &'static str = "Lists the newest epochs (states of the index) that are kept: revision, time, how many \
        files changed, and with `paths` which ones. Any of them can be asked by its number.";
    type Answer = HistoryAnswer;

    fn answer(self, at: &At<'_>) -> Result<HistoryAnswer, ToolError> {
        let wanted = in_range("epochs", self.epochs, 1..=100)?;
        let limit = in_range("limit", self.limit, 1..=1000)?;
        let epochs = past::epochs(at.epoch.folder())
            .map_err(|error| ToolError::unreadable("the records of the epochs cannot be read", &error))?;
        let newest = at.epoch.record().epoch;
        let mut kept = epochs.into_iter().rev().skip_while(|past| past.record.epoch > newest).peekable();
        let mut entries = Vec::new();
        // What the last epoch was compared with is the next one to compare.
        let mut compared: Option<Contents> = None;
        while entries.len() < wanted
            && let Some(past) = kept.next()
        {
            at.call.check()?;
            let mut entry = entry(past);
            if let (true, Some(before)) = (self.paths, kept.peek()) {
                let since = before.record.epoch;
                let after = compared.take().map_or_else(|| contents(at, entry.epoch), |known| Ok(Some(known)))?;
                compared = contents(at, since)?;
                let pair = compared.as_ref().zip(after.as_ref());
                entry.paths = pair.map(|(before, after)| compare(since, before, after, limit));
            }
            entries.push(entry);
        }
        Ok(HistoryAnswer { epochs: entries })
    }

    fn render(answer: &HistoryAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for entry in &answer.epochs {
            let (at, files) = (utc(entry.committed_ms), thousands(entry.files));
            let _ = write!(out, "epoch {}  {at} UTC, {files} files", entry.epoch);
            if let Some(revision) = &entry.revision {
                let _ = write!(out, ", revision {}", revision.get(..12).unwrap_or(revision));
            }
            if !entry.refs.is_empty() {
                let _ = write!(out, ", {} refs", entry.refs.len());
            }
            if let Some(changes) = entry.changes {
                let Changes { added, modified, deleted, .. } = changes;
                let _ = write!(out, "; {added} added, {modified} modified, {deleted} deleted");
            }
            if let Some(wall_ms) = entry.wall_ms {
                let _ = write!(out, " in {}", milliseconds(wall_ms));
            }
            out.push('\n');
            if let Some(paths) = &entry.paths {
                render_paths(&mut out, paths);
            }
        }
        out
    }
}

fn render_paths(out: &mut String, paths: &ChangedPaths) {
    for (sign, changed) in [('+', &paths.added), ('~', &paths.modified), ('-', &paths.deleted)] {
        for path in changed {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "    {sign} {path}");
        }
    }
    if paths.truncated {
        let _ = writeln!(out, "    … of {} that changed since epoch {}", thousands(paths.changed), paths.since);
    }
}

fn entry(PastEpoch { record, run }: PastEpoch) -> EpochEntry {
    EpochEntry {
        epoch: record.epoch,
        committed_ms: record.committed_ms,
        revision: record.revision.map(String::from),
        refs: record.refs,
        files: record.files,
        changes: run.as_ref().map(|run| run.changes),
        wall_ms: run.map(|run| run.time.wall_ms),
        paths: None,
    }
}

/// By path what it holds, in the ref that is asked.
type Contents = HashMap<RelPath, [u8; 32]>;

/// What an epoch holds; `None` if it was given up meanwhile.
fn contents(at: &At<'_>, epoch: Epoch) -> Result<Option<Contents>, ToolError> {
    let epoch = match at.index.at(Some(epoch)) {
        Err(error) if error.code == ErrorCode::NoEpoch => return Ok(None),
        opened => opened?,
    };
    // The first ref of another epoch need not be the first of this one.
    let of_ref = at.of_ref.or_else(|| Some(&*at.epoch.record().refs.first()?.name));
    let mut contents = Contents::new();
    let visible = match epoch.visible(of_ref) {
        // It had not the ref, and so nothing of it.
        Err(error) if error.code == ErrorCode::NotFound => return Ok(Some(contents)),
        visible => visible?,
    };
    for (nth, file) in all(epoch.tables()?.files()?).enumerate() {
        at.check_row(nth)?;
        if visible.shows(file.key()) {
            let hash = file.table().content_hash.value(file.row);
            contents.insert(file.path().clone(), hash.try_into().unwrap_or_default());
        }
    }
    Ok(Some(contents))
}

fn compare(since: Epoch, before: &Contents, after: &Contents, limit: usize) -> ChangedPaths {
    let mut changed = ChangedPaths { since, ..ChangedPaths::default() };
    for (path, hash) in after {
        match before.get(path) {
            None => changed.added.push(path.clone()),
            Some(held) if held != hash => changed.modified.push(path.clone()),
            Some(_) => {}
        }
    }
    changed.deleted = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
    let mut left = limit;
    for paths in [&mut changed.added, &mut changed.modified, &mut changed.deleted] {
        changed.changed += paths.len() as u64;
        changed.truncated |= paths.len() > left;
        paths.sort_unstable();
        paths.truncate(left);
        left -= paths.len();
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(held: &[(&str, u8)]) -> Contents {
        held.iter().map(|(path, content)| (RelPath::from(*path), [*content; 32])).collect()
    }

    fn names(paths: &[RelPath]) -> Vec<&str> {
        paths.iter().map(RelPath::as_str).collect()
    }

    #[test]
    fn paths_are_added_modified_or_deleted() {
        let before = contents(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        let after = contents(&[("a", 1), ("b", 2), ("e", 1), ("f", 1)]);
        let changed = compare(3, &before, &after, 10);
        assert_eq!((names(&changed.added), names(&changed.modified)), (vec!["e", "f"], vec!["b"]));
        assert_eq!((names(&changed.deleted), changed.changed), (vec!["c", "d"], 5));
        assert!(!changed.truncated);

        let changed = compare(3, &before, &after, 3);
        assert_eq!((changed.added.len(), changed.modified.len(), changed.deleted.len()), (2, 1, 0));
        assert!(changed.truncated && changed.changed == 5);
        assert!(!compare(3, &before, &before, 1).truncated);
    }
}
