//! The folders of a job: resolved and checked.

use std::path::{Component, Path, PathBuf};

use super::error::Fault;
use super::texts::Place;

/// Returns the absolute path; unchanged if there is no working directory.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Resolves a path relative to `folder`: absolute, with links and `..` resolved as far as it exists.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    let joined = absolute(&folder.join(path));
    let mut rest = Vec::new();
    let mut existing = joined.as_path();
    loop {
        if let Ok(mut real) = existing.canonicalize() {
            for part in rest.iter().rev() {
                match part {
                    Component::ParentDir => {
                        real.pop();
                    }
                    part => real.push(part),
                }
            }
            return real;
        }
        match (existing.components().next_back(), existing.parent()) {
            (Some(last), Some(parent)) => {
                rest.push(last);
                existing = parent;
            }
            _ => return joined,
        }
    }
}

/// Checks that the source is a readable folder.
pub(super) fn check_source(root: &Path, place: Option<Place>) -> Option<Fault> {
    let reason = std::fs::read_dir(root).err()?;
    let message = format!("cannot read the source {}: {reason}", root.display());
    let help = "`source.path` is relative to the job file; `--source` overrides it";
    Some(fault("source", message, place).help(Some(help)))
}

/// Checks that the index folder is writable and does not contain the source.
pub(super) fn check_index(index: &Path, source: &Path, place: Option<Place>) -> Option<Fault> {
    if source.starts_with(index) {
        let message = format!("the index folder {} contains the source", index.display());
        let help = "use a separate folder, such as `.gristmill`; it may be inside the source";
        return Some(fault("index", message, place).help(Some(help)));
    }
    if index.to_string_lossy().chars().any(char::is_control) {
        let message = format!("the index folder {index:?} has a control character in its path");
        let help = "object stores, and so Lance, refuse it; choose another `index.path`, or rename the folder";
        return Some(fault("index", message, place).help(Some(help)));
    }
    let parent = index.ancestors().find(|folder| folder.exists())?;
    if !parent.is_dir() {
        let message = format!("cannot write the index folder {}: {} is a file", index.display(), parent.display());
        return Some(fault("index", message, place).help(Some("set another `index.path`")));
    }
    // Permissions, read-only mounts and quotas differ by system: only a write is conclusive.
    let reason = tempfile::Builder::new().prefix(".gristmill-check-").tempfile_in(parent).err()?;
    let message = format!("cannot write the index folder {}: {}", index.display(), without_path(&reason));
    let help = format!("make {} writable, or set another `index.path`", parent.display());
    Some(fault("index", message, place).help(Some(help)))
}

fn fault(code: &'static str, message: String, place: Option<Place>) -> Fault {
    match place {
        Some(place) => Fault::at(code, place, message),
        None => Fault::whole(code, message),
    }
}

/// Removes the random name of the temporary file from an error.
fn without_path(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" at path ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_beyond_what_exists() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().canonicalize().expect("exists");
        std::fs::create_dir(real.join("a")).expect("writable");
        assert_eq!(resolve(&real, Path::new("a/..")), real);
        assert_eq!(resolve(&real, Path::new("./a/x/y")), real.join("a/x/y"));
        assert_eq!(resolve(&real, Path::new("none/../b")), real.join("b"));
        assert_eq!(resolve(&real, Path::new("/")), Path::new("/"));
    }
}
