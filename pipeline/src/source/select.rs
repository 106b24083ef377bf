//! Which files belong to the index: the rules that all sources share.

use std::path::Path;

use ignore::overrides::{Override, OverrideBuilder};

use super::{SourceError, is_sensitive};
use crate::diagnostic::Severity;
use crate::merkle::{Leaf, Stat};

/// The code of a file that is not read because of its name.
pub(super) const SENSITIVE: &str = "sensitive";

/// The code of a file that is not read because of its size.
pub(super) const TOO_LARGE: &str = "too_large";

/// The code of a file that is not taken because of a mark in `.gitattributes`.
pub(super) const GENERATED: &str = "generated";

/// The globs of a job, ready to match paths below `root`.
pub(super) fn overrides(root: &Path, include: &[String], exclude: &[String]) -> Result<Override, SourceError> {
    let mut overrides = OverrideBuilder::new(root);
    let globs = include.iter().cloned().chain(exclude.iter().map(|glob| format!("!{glob}")));
    for glob in globs {
        overrides.add(&glob).map_err(|reason| SourceError::Glob { glob: glob.clone(), reason })?;
    }
    overrides.build().map_err(|reason| SourceError::Glob { glob: String::new(), reason })
}

/// The leaf of a file that must not be read, because of its name or its size.
pub(super) fn refused(path: &str, stat: Stat, limit: u64) -> Option<Leaf> {
    if is_sensitive(path) {
        let message = "not read: files of this name hold keys or credentials".to_owned();
        Some(Leaf::noted(stat, Severity::Note, SENSITIVE, message))
    } else {
        (stat.bytes > limit).then(|| too_large(stat, limit))
    }
}

/// The leaf of a file that an attribute of `.gitattributes` marks, where such are left out.
pub(super) fn marked(stat: Stat, attribute: &str) -> Leaf {
    let message =
        format!("not indexed: `.gitattributes` marks it `{attribute}`; `source.generated = true` includes it");
    Leaf::noted(stat, Severity::Note, GENERATED, message)
}

/// The leaf of a file that is larger than the job takes.
pub(super) fn too_large(stat: Stat, limit: u64) -> Leaf {
    let message = format!("not read: it is larger than `source.max_file_bytes` ({limit} bytes)");
    Leaf::noted(stat, Severity::Note, TOO_LARGE, message)
}
