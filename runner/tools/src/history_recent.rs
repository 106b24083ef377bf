//! The tool `history_recent`.

use std::collections::HashMap;
use std::fmt::Write as _;

use gristmill_display::{milliseconds, thousands, utc};
use gristmill_pipeline::run::Changes;
use gristmill_pipeline::source::RefRevision;
use gristmill_pipeline::{Epoch, RelPath};
use gristmill_query::past::{self, PastEpoch};
use gristmill_query::{ErrorCode, Tool, ToolContext, ToolError, all, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The input of `history_recent`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct HistoryRecent {
    /// Number of epochs, between 1 and 100.
    #[serde(default = "default_epochs")]
    #[arg(short = 'n', long, default_value_t = default_epochs(), value_name = "N")]
    pub epochs: usize,
    /// List the paths that each epoch added, modified and deleted, compared with the retained epoch
    /// before it.
    #[serde(default)]
    #[arg(long)]
    pub paths: bool,
    /// Maximum number of paths per epoch, between 1 and 1000.
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

/// A retained epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub committed_ms: u64,
    /// The indexed revision, if the source is a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The indexed refs, if the job indexes several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// The number of files.
    pub files: u64,
    /// The number of changed files, if the report of the run is retained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// The wall time of the run in milliseconds, if its report is retained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<f64>,
    /// The changed paths, if requested, and if an earlier epoch is retained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<ChangedPaths>,
}

/// The paths in which two epochs differ; those of one ref, if the index has several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedPaths {
    /// The epoch of the comparison.
    pub since: Epoch,
    /// Added paths.
    #[schemars(with = "Vec<String>")]
    pub added: Vec<RelPath>,
    /// Modified paths.
    #[schemars(with = "Vec<String>")]
    pub modified: Vec<RelPath>,
    /// Deleted paths.
    #[schemars(with = "Vec<String>")]
    pub deleted: Vec<RelPath>,
    /// The number of changed paths, including those beyond the limit.
    pub total: u64,
    /// Whether the limit left some out.
    pub truncated: bool,
}

/// The answer of `history_recent`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryAnswer {
    /// The epochs, newest first.
    pub epochs: Vec<EpochEntry>,
}

impl Tool for HistoryRecent {
    const NAME: &'static str = "history_recent";
    const ABOUT: &'static str = "List the newest retained epochs and what each changed. Shows revision, time and the number of \
        changed files; with `paths` also their names. Every tool can query a listed epoch by its number.";
    type Answer = HistoryAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<HistoryAnswer, ToolError> {
        let wanted = in_range("epochs", self.epochs, 1..=100)?;
        let limit = in_range("limit", self.limit, 1..=1000)?;
        let epochs = past::epochs(context.epoch.folder())
            .map_err(|error| ToolError::unreadable("the records of the epochs cannot be read", &error))?;
        let newest = context.epoch.record().epoch;
        let mut kept = epochs.into_iter().rev().skip_while(|past| past.record.epoch > newest).peekable();
        let mut entries = Vec::new();
        // The older side of one comparison is the newer side of the next.
        let mut compared: Option<Contents> = None;
        while entries.len() < wanted
            && let Some(past) = kept.next()
        {
            context.call.check()?;
            let mut entry = entry(past);
            if let (true, Some(before)) = (self.paths, kept.peek()) {
                let since = before.record.epoch;
                let after = compared.take().map_or_else(|| contents(context, entry.epoch), |known| Ok(Some(known)))?;
                compared = contents(context, since)?;
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
            let (committed, files) = (utc(entry.committed_ms), thousands(entry.files));
            let _ = write!(out, "epoch {}  {committed} UTC, {files} files", entry.epoch);
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
        let _ = writeln!(out, "    … truncated: {} paths changed since epoch {}", thousands(paths.total), paths.since);
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

/// The content hash of each path of the ref.
type Contents = HashMap<RelPath, [u8; 32]>;

/// Reads the contents of an epoch; `None` if it was deleted meanwhile.
fn contents(context: &ToolContext<'_>, epoch: Epoch) -> Result<Option<Contents>, ToolError> {
    let epoch = match context.index.at(Some(epoch)) {
        Err(error) if error.code == ErrorCode::NoEpoch => return Ok(None),
        opened => opened?,
    };
    // The first ref of another epoch need not be the first of this one.
    let ref_name = context.ref_name.or_else(|| Some(&*context.epoch.record().refs.first()?.name));
    let mut contents = Contents::new();
    let visible = match epoch.visible(ref_name) {
        // The epoch did not have the ref.
        Err(error) if error.code == ErrorCode::NotFound => return Ok(Some(contents)),
        visible => visible?,
    };
    for (nth, file) in all(epoch.tables()?.files()?).enumerate() {
        context.check_row(nth)?;
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
        changed.total += paths.len() as u64;
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
        let changed = compare(Epoch::new(3), &before, &after, 10);
        assert_eq!((names(&changed.added), names(&changed.modified)), (vec!["e", "f"], vec!["b"]));
        assert_eq!((names(&changed.deleted), changed.total), (vec!["c", "d"], 5));
        assert!(!changed.truncated);

        let changed = compare(Epoch::new(3), &before, &after, 3);
        assert_eq!((changed.added.len(), changed.modified.len(), changed.deleted.len()), (2, 1, 0));
        assert!(changed.truncated && changed.total == 5);
        assert!(!compare(Epoch::new(3), &before, &before, 1).truncated);
    }
}
