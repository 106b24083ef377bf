//! How Swift's imports name the targets of a package.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::directory;
use crate::spec::resolution::{ModuleSystem, Names};

pub(super) static MODULES: ModuleSystem =
    ModuleSystem { names: of_target, local: local_names, unit, ..ModuleSystem::new("swift:", resolve) };

/// The folder of a target: that below `Sources` or `Tests`, all of `Source`, or else the outermost.
fn target(path: &str) -> &str {
    let folder = directory(path);
    let mut end = 0;
    let mut parts = folder.split('/').peekable();
    while let Some(part) = parts.next() {
        end += part.len();
        match part {
            "Source" => return folder.get(..end).unwrap_or(folder),
            "Sources" | "Tests" => {
                let below = parts.next().map_or(0, |target| target.len() + 1);
                return folder.get(..end + below).unwrap_or(folder);
            }
            _ => end += 1,
        }
    }
    folder.split('/').next().unwrap_or(folder)
}

/// Adds the target that a file belongs to.
fn of_target(path: &str, _index: &[&str], names: &mut Names) {
    let target = target(path);
    if let Some(name) = target.rsplit('/').next().filter(|name| !name.is_empty()) {
        names.push(name);
    }
}

/// The files of a target are one unit; extensions may be in any.
fn unit(path: &str, _index: &[&str]) -> ModuleUnit {
    ModuleUnit { unit: format!("swift:{}/", target(path)), package: "swift:".to_owned(), ..ModuleUnit::default() }
}

/// An import brings in all names of a target, or one.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    if &*import.name == "*" { Vec::new() } else { vec![&*import.name] }
}

fn resolve(_path: &str, import: &Import, names: &mut Names) {
    names.push(import.module.split('.').next().unwrap_or(&import.module));
}
