//! How `use` and `mod` name files.
//!
//! A module is a file `a.rs` or a folder `a` with `mod.rs`; both are the path `a` here, and
//! a crate is the folder of its `lib.rs` or `main.rs`. Which
//! part of a path names modules and which part items in one cannot be told: the longest
//! module comes first.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from, stem};
use crate::spec::resolution::{ModuleSystem, Names, local_name};

pub(super) static MODULES: ModuleSystem = ModuleSystem {
    index: INDEX,
    unit: of_crate,
    implied: &["crate", "super"],
    own: true,
    local: local_names,
    roots: ROOTS,
    ..ModuleSystem::new(PREFIX, resolve)
};

/// The prefix of names.
pub(super) const PREFIX: &str = "rs:";

/// Returns the names that lead to what an import binds: those of the modules within the file and of
/// the function that it is written in, and its own; `*` if it brings in all names.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    if import.alias.contains("::") { import.alias.split("::").collect() } else { local_name(import) }
}

/// A file is a unit, and the crate its package.
fn of_crate(path: &str, _index: &[&str]) -> ModuleUnit {
    // Tests and examples of many files lie in a folder each.
    let mut ends = path.match_indices('/').map(|(end, _)| end);
    let apart = ends.find(|end| {
        let folder = path.get(..*end).unwrap_or_default();
        matches!(folder.rsplit('/').next(), Some("tests" | "examples" | "benches"))
    });
    let root = match apart {
        Some(end) => path.get(..ends.next().unwrap_or(end)).unwrap_or_default(),
        None => roots(path).next().unwrap_or_default(),
    };
    ModuleUnit { unit: path.into(), package: format!("rs:{root}/"), ..ModuleUnit::default() }
}

/// Files that stand for the folder they lie in.
const INDEX: &[&str] = &["mod", "lib", "main"];

/// Those of them that other crates may import.
pub(super) const ROOTS: &[&str] = &["mod", "lib"];

/// Crates that come with the compiler.
pub(super) const OWN: &[&str] = &["alloc", "core", "proc_macro", "std", "test"];

/// Limit on the folders above a file that may be the root of its crate, where none is named
/// `src`.
const MAX_ROOTS: usize = 5;

fn resolve(path: &str, import: &Import, names: &mut Names) {
    let own = module(path);
    let mut parts: Vec<&str> = import.module.split("::").filter(|part| !part.is_empty()).collect();
    if import.module.ends_with(".rs") {
        // The file is named itself.
        if let Some(file) = from(directory(path), &import.module) {
            names.exact(stem(&file));
        }
        return;
    }
    let declares = parts.first() == Some(&"self") && import.name.is_empty();
    if !import.name.is_empty() && &*import.name != "*" {
        parts.push(&import.name);
    }
    match parts.first().copied() {
        None => {}
        Some("crate") => {
            for root in roots(path) {
                longest_first(root, parts.get(1..).unwrap_or_default(), 0, names);
            }
        }
        Some("self") => {
            let inner = parts.get(1..).unwrap_or_default();
            longest_first(own, inner, 1, names);
            names.take(inner.iter().copied());
            names.exact(stem(path));
            // The root of a test or an example has its modules beside it.
            if declares && let Some(module) = inner.first() {
                names.take([]);
                names.exact(&below(directory(path), module));
            }
        }
        Some("super") => {
            let up = parts.iter().take_while(|part| **part == "super").count();
            let base = (0..up).fold(own, |base, _| directory(base));
            longest_first(base, parts.get(up..).unwrap_or_default(), 0, names);
        }
        Some(first) if OWN.contains(&first) => {}
        Some(first) => {
            // A module of this one, or another crate.
            longest_first(own, &parts, 1, names);
            let inner = parts.get(1..).unwrap_or_default();
            crates(first, inner, names);
            for package in packages(path) {
                // Any crate may be meant: what comes from the library is found there.
                let library = below(package, "src");
                longest_first(&library, inner, 1, names);
                names.take(inner.iter().copied());
                names.guess();
                names.exact(&library);
            }
            // An item of the file, or what is imported there.
            names.take(parts.iter().copied());
            names.also();
            names.exact(stem(path));
        }
    }
}

/// Returns the path of the module that a file is.
fn module(path: &str) -> &str {
    let stem = stem(path);
    if INDEX.contains(&stem.rsplit('/').next().unwrap_or(stem)) { directory(stem) } else { stem }
}

/// Returns where the crate of a file may have its root: the innermost folder `src`, and for
/// what is outside of it, or has a folder of tests in between, the folders right above the
/// file.
fn roots(path: &str) -> impl Iterator<Item = &str> {
    let src = path.rfind("/src/").map(|at| at + 4).or_else(|| path.starts_with("src/").then_some(3));
    let inner = src.and_then(|end| path.get(end..)).unwrap_or(path);
    let apart = src.is_none() || inner.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "bin"));
    let mut folder = Some(directory(path)).filter(|_| apart);
    let folders = std::iter::from_fn(move || {
        let root = folder?;
        folder = Some(directory(root)).filter(|_| !root.is_empty());
        Some(root)
    });
    src.and_then(|end| path.get(..end)).into_iter().chain(folders.take(MAX_ROOTS))
}

/// Adds `parts` below `base`, the longest path first, down to `least` parts.
fn longest_first(base: &str, parts: &[&str], least: usize, names: &mut Names) {
    for length in (least..=parts.len()).rev() {
        let (inner, rest) = parts.split_at(length.min(parts.len()));
        names.take(rest.iter().copied());
        may_be_item(rest, names);
        names.exact(&below(base, &inner.join("/")));
    }
}

/// Says that a path may mean an item as well as a module of its last name.
fn may_be_item(rest: &[&str], names: &mut Names) {
    if let [name] = rest
        && name.starts_with(|c: char| c.is_ascii_lowercase())
    {
        names.also();
    }
}

/// Adds `parts` in the crate `name`: where a manifest says that it is, and else in a folder named like
/// it, with `-` for `_`.
fn crates(name: &str, parts: &[&str], names: &mut Names) {
    let dashed = name.replace('_', "-");
    let mut add = |to: &dyn Fn(&mut Names, &str)| {
        for length in (0..=parts.len()).rev() {
            let (inner, rest) = parts.split_at(length.min(parts.len()));
            names.take(rest.iter().copied());
            may_be_item(rest, names);
            to(names, &inner.join("/"));
        }
    };
    add(&|names, inner| names.in_place(name, inner));
    for folder in [name, &dashed] {
        add(&|names, inner| names.push(&below(&below(folder, "src"), inner)));
    }
}

/// Returns the folders of packages that a file belongs to but for their library, which it then uses
/// like another crate: the innermost first.
fn packages(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.rmatch_indices('/').map(|(end, _)| end);
    ends.filter_map(|end| {
        let (folder, rest) = (path.get(..end)?, path.get(end + 1..)?);
        let (package, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let outside = match name {
            "tests" | "examples" | "benches" => true,
            "src" => rest == "main.rs" || rest.starts_with("bin/"),
            _ => false,
        };
        outside.then_some(package)
    })
}
