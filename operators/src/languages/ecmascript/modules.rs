//! How imports of JavaScript and TypeScript name files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from, stem};
use crate::spec::resolution::{ModuleSystem, Names, local_name, of_stem, taken};

/// The prefix of names.
pub(super) const PREFIX: &str = "js:";

pub(crate) static MODULES: ModuleSystem = ModuleSystem {
    index: &["index"],
    names: of_script,
    local: local_names,
    roots: &["index"],
    ..ModuleSystem::new(PREFIX, resolve)
};

/// Returns what an import binds. One without a name, such as `import "./a"` or `require("./a").b`,
/// binds the module as it is written, which no name in the code can be.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    match (&*import.name, &*import.alias) {
        ("", "") if import.module.contains(char::is_whitespace) => vec![""],
        ("", "") => vec![&import.module],
        _ => local_name(import),
    }
}

/// Node's built-in modules, in order.
const OWN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Adds the path without its extension; declarations `a.d.ts` are named like what they
/// declare. Components are imported with their extension, so that is a name too.
fn of_script(path: &str, index: &[&str], names: &mut Names) {
    let stem = stem(path);
    of_stem(stem.strip_suffix(".d").unwrap_or(stem), index, names);
    if path.ends_with(".vue") || path.ends_with(".svelte") {
        of_stem(path, &[], names);
    }
}

/// Returns a path without the extension of a script. An import may say `.js` where the
/// source is `.ts`, so what remains means either.
pub(super) fn script(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts")) => {
            stem.strip_suffix(".d").unwrap_or(stem)
        }
        _ => path,
    }
}

/// Adds what manifests say of a module: of all of it, and of a folder that it begins with, one or two names
/// long, and three in a package of a scope.
fn in_named_places(written: &str, names: &mut Names) {
    let module = script(written.trim_end_matches('/'));
    names.in_place(module, "");
    // The package itself, or the one that the file is in; exact as well.
    names.declared(written);
    let most = if module.starts_with('@') { 3 } else { 2 };
    let ends: Vec<usize> = module.match_indices('/').map(|(end, _)| end).take(most).collect();
    for end in ends.into_iter().rev() {
        let (folder, below) = module.split_at(end);
        names.in_place(folder, below.trim_start_matches('/'));
    }
    // The folder that all modules may lie in.
    names.in_place("", module);
}

/// Whether a module is one of Node's, such as `fs` and `fs/promises`.
fn is_of_node(module: &str) -> bool {
    const PARTS: [&str; 8] = ["consumers", "posix", "promises", "strict", "types", "web", "win32", "reporters"];
    let (first, rest) = module.split_once('/').unwrap_or((module, ""));
    module.starts_with("node:") || OWN.binary_search(&first).is_ok() && (rest.is_empty() || PARTS.contains(&rest))
}

fn resolve(path: &str, import: &Import, names: &mut Names) {
    // A module may export a name that is its own: `import { a } from "./a"`.
    names.take(taken(import));
    let module = script(import.module.trim_end_matches('/'));
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    if let Some(rooted) = module.strip_prefix('/') {
        return names.exact(rooted);
    }
    if is_of_node(module) {
        return;
    }
    in_named_places(&import.module, names);
    // Aliases of the root of the sources: the one that the file is in comes first.
    let root = path.rsplit_once("/src/").map(|(root, _)| below(root, "src"));
    let rooted = |rest: &str, names: &mut Names| {
        for root in [root.as_deref(), Some("src"), Some("")].into_iter().flatten() {
            names.exact(&below(root, rest));
        }
    };
    if let Some(rest) = ["@/", "~/", "#/"].iter().find_map(|alias| module.strip_prefix(alias)) {
        rooted(rest, names);
        names.push(&below("src", rest));
        return names.push(rest);
    }
    // Packages of a workspace lie in folders of their name, with the sources below.
    let (scope, unscoped) = match module.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, rest)) => (Some(scope), rest),
        None => (None, module.trim_start_matches(['#', '$'])),
    };
    let (package, rest) = unscoped.split_once('/').unwrap_or((unscoped, ""));
    let scoped = scope.map(|scope| format!("{scope}-{package}"));
    for package in [Some(package), scoped.as_deref()].into_iter().flatten() {
        names.push(&below(&format!("{package}/src"), rest));
        names.push(&below(&format!("packages/{package}"), rest));
    }
    rooted(unscoped, names);
    // The end of some path with a single name would most often be a namesake of a package that is
    // installed.
    if unscoped.contains('/') {
        names.push(unscoped);
    }
    // An alias may be a folder: `@components/button`.
    if let Some(scope) = scope {
        names.push(&below(scope, unscoped));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_that_is_searched_is_in_order() {
        assert!(super::OWN.is_sorted());
    }
}
