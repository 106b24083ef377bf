//! How Python's imports name files.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from, stem};
use crate::spec::resolution::{ModuleSystem, Names, absolute, local_name, taken};

pub(super) static MODULES: ModuleSystem =
    ModuleSystem { index: &["__init__"], local: local_names, unit, ..ModuleSystem::new("py:", resolve) };

/// Returns what an import binds: `import a.b` binds `a`, and `b` in it.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    if import.name.is_empty() && import.alias.is_empty() {
        return import.module.split('.').collect();
    }
    local_name(import)
}

/// A module is a unit, and a member of the package that its folder is.
fn unit(path: &str, index: &[&str]) -> ModuleUnit {
    let mut own = stem(path);
    let mut name = own.rsplit('/').next().unwrap_or(own);
    if index.contains(&name) {
        own = directory(own);
        name = own.rsplit('/').next().unwrap_or(own);
    }
    let package = below(directory(own), "__init__.py");
    let member_of = if own.is_empty() { Vec::new() } else { vec![(package, name.to_owned())] };
    ModuleUnit { unit: path.into(), member_of, ..ModuleUnit::default() }
}

/// Modules of the standard library that files are often named like, in order: only a file
/// right beside the importing one or in the root shadows them.
const OWN: &[&str] = &[
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "cmd",
    "code",
    "codecs",
    "collections",
    "concurrent",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "enum",
    "errno",
    "fractions",
    "functools",
    "gc",
    "getpass",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "locale",
    "logging",
    "math",
    "mimetypes",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "secrets",
    "select",
    "selectors",
    "shlex",
    "shutil",
    "signal",
    "site",
    "socket",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "symbol",
    "sys",
    "tempfile",
    "test",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "token",
    "tokenize",
    "trace",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
];

fn resolve(path: &str, import: &Import, names: &mut Names) {
    let folder = directory(path);
    let relative = import.module.trim_start_matches('.');
    let module = relative.replace('.', "/");
    let dots = import.module.len() - relative.len();
    let exact = |base: &str, names: &mut Names| {
        if let Some(name) = taken(import) {
            names.exact(&below(base, name));
        }
        names.exact(base);
    };
    if dots > 0 {
        let up = "../".repeat(dots - 1);
        if let Some(base) = from(folder, &format!("{up}{module}")) {
            exact(&base, names);
        }
        return;
    }
    let first = module.split('/').next().unwrap_or_default();
    if !module.contains('/') {
        exact(&below(folder, &module), names);
        exact(&module, names);
    }
    if OWN.binary_search(&first).is_err() {
        absolute(&module, taken(import), names);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_that_is_searched_is_in_order() {
        assert!(super::OWN.is_sorted());
    }
}
