//! How Java's imports name files.

use gristmill_pipeline::port::Import;

use crate::languages::jvm;
use crate::spec::resolution::{ModuleSystem, Names, package};

pub(super) static MODULES: ModuleSystem = ModuleSystem { resolve, ..jvm::MODULES };

/// Adds the class, and for `*` its package: a file is named after its class, so nothing else
/// of the package can be meant.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    if let Some(module) = jvm::module_path(import) {
        jvm::class(&module, import, names);
        if &*import.name == "*" {
            package(&module, names);
        }
    }
}
