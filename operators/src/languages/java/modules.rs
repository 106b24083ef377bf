//! How Java's imports name files.

use gristmill_pipeline::port::Import;

use crate::languages::jvm::{self, Imported};
use crate::spec::resolution::{ModuleSystem, Names};

pub(super) static MODULES: ModuleSystem = ModuleSystem { resolve, ..jvm::MODULES };

/// Adds the class, and for `*` its package: a file is named after its class, so nothing else
/// of the package can be meant.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    let Some(imported) = Imported::of(import) else { return };
    imported.class(names);
    if imported.is_whole_package() {
        imported.package(names);
    }
}
