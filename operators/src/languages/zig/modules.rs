//! How Zig's `@import` names files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names};

pub(super) static MODULES: ModuleSystem = ModuleSystem { index: &["root"], ..ModuleSystem::new("zig:", resolve) };

/// Adds the file that a path names; anything else is a package that the build names.
fn resolve(path: &str, import: &Import, names: &mut Names) {
    let module = &*import.module;
    match module.strip_suffix(".zig") {
        Some(file) => {
            if let Some(base) = from(directory(path), file) {
                names.exact(&base);
            }
        }
        None if matches!(module, "std" | "builtin" | "root") => {}
        None => {
            for folder in ["src", "lib"] {
                names.push(&below(folder, module));
            }
            names.push(&below(module, "src"));
            names.push(module);
        }
    }
}
