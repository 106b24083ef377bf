//! What the benchmarks share: their corpus, which is the source of this repository.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::port::{Content, FileItem, Text};
use gristmill_pipeline::source::Origin;
use gristmill_pipeline::{Hash, RelPath};

/// The Rust files of this repository, decoded, in path order.
#[must_use]
pub fn rust_files() -> Vec<Arc<Content>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut paths = Vec::new();
    for part in ["pipeline/src", "operators/src", "sinks/src"] {
        gather(&root.join(part), &mut paths);
    }
    for runner in std::fs::read_dir(root.join("runner")).into_iter().flatten().flatten() {
        gather(&runner.path().join("src"), &mut paths);
    }
    paths.sort();
    paths.iter().filter_map(|path| content(root, path)).collect()
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            gather(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn content(root: &Path, path: &Path) -> Option<Arc<Content>> {
    let text = std::fs::read_to_string(path).ok()?;
    let file = FileItem {
        path: RelPath::from_relative(path.strip_prefix(root).ok()?),
        origin: Origin::File(path.to_owned()),
        bytes: text.len() as u64,
        content_hash: Hash::of(text.as_bytes()),
        variant: "rust",
    };
    let content_hash = file.content_hash;
    Some(Arc::new(Content {
        file: Arc::new(file),
        text: Text::new(text),
        content_hash,
        encoding: "UTF-8",
        extras: gristmill_pipeline::Extras::default(),
    }))
}

/// The bytes of all these texts.
#[must_use]
pub fn total_bytes(contents: &[Arc<Content>]) -> u64 {
    contents.iter().map(|content| content.text.len() as u64).sum()
}
