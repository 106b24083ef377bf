//! Which files an import may mean, told from paths alone.
//!
//! Every file has names, by which imports elsewhere may mean it, and every import has names
//! that it may mean, the likeliest first. Both are paths behind the prefix of a family of
//! languages:
//!
//! ```text
//! py:/src/a/b    the file at exactly that path, without its extension
//! py:a/b         any file whose path ends so
//! jvm:a/b/*      any file of the package `a.b`
//! ```
//!
//! What a relative import says is exact. What an absolute one says begins at a root that
//! only a build tool knows, so it is compared with the ends of paths.

mod ecmascript;
mod names;
mod python;
mod relative;
mod resolve;
mod rust;

use gristmill_pipeline::RelPath;
use gristmill_pipeline::port::Import;

use self::names::Names;
use self::relative::{directory, stem};
use crate::language;

/// Adds the names of the file at a path.
type NamesOf = fn(path: &str, index: &[&str], names: &mut Names);
/// Adds what an import in the file at a path may mean.
type Resolve = fn(path: &str, import: &Import, names: &mut Names);

/// Languages whose files import each other.
struct Family {
    prefix: &'static str,
    languages: &'static [&'static str],
    /// Stems of files that stand for the folder they lie in.
    index: &'static [&'static str],
    names: NamesOf,
    resolve: Resolve,
}

static FAMILIES: &[Family] = &[
    Family {
        prefix: "py:",
        languages: &["python"],
        index: &["__init__"],
        names: names::of_file,
        resolve: python::resolve,
    },
    Family {
        prefix: "js:",
        languages: &["javascript", "typescript", "tsx"],
        index: &["index"],
        names: names::of_script,
        resolve: ecmascript::resolve,
    },
    Family { prefix: "rs:", languages: &["rust"], index: rust::INDEX, names: names::of_file, resolve: rust::resolve },
    Family { prefix: "go:", languages: &["go"], index: &[], names: names::of_folder, resolve: resolve::go },
    Family {
        prefix: "jvm:",
        languages: &["java", "kotlin", "scala"],
        index: &[],
        names: names::of_package_member,
        resolve: resolve::jvm,
    },
    Family { prefix: "c:", languages: &["c", "cpp"], index: &[], names: names::of_header, resolve: resolve::c },
    Family {
        prefix: "cs:",
        languages: &["csharp"],
        index: &[],
        names: names::of_namespace_member,
        resolve: resolve::csharp,
    },
    Family { prefix: "php:", languages: &["php"], index: &[], names: names::of_file, resolve: resolve::php },
    Family { prefix: "rb:", languages: &["ruby"], index: &[], names: names::of_file, resolve: resolve::ruby },
    Family { prefix: "swift:", languages: &["swift"], index: &[], names: names::of_target, resolve: resolve::swift },
    Family { prefix: "hs:", languages: &["haskell"], index: &[], names: names::of_file, resolve: resolve::haskell },
    Family { prefix: "ex:", languages: &["elixir"], index: &[], names: names::of_file, resolve: resolve::elixir },
    Family { prefix: "lua:", languages: &["lua"], index: &["init"], names: names::of_file, resolve: resolve::lua },
    Family { prefix: "zig:", languages: &["zig"], index: &["root"], names: names::of_file, resolve: resolve::zig },
    Family { prefix: "sh:", languages: &["bash"], index: &[], names: names::of_file, resolve: resolve::included },
    Family { prefix: "css:", languages: &["css"], index: &[], names: names::of_file, resolve: resolve::included },
];

fn family(path: &RelPath) -> Option<&'static Family> {
    let language = language::of_path(path)?.name;
    FAMILIES.iter().find(|family| family.languages.contains(&language))
}

/// Names the languages that share names with this one.
pub(crate) fn name_scope(language: &str) -> &str {
    FAMILIES.iter().find(|family| family.languages.contains(&language)).map_or(language, |family| family.prefix)
}

/// The names by which imports may mean the file at `path`.
pub(crate) fn module_names(path: &RelPath) -> Vec<String> {
    let Some(family) = family(path) else { return Vec::new() };
    let mut names = Names::new(family.prefix);
    (family.names)(path.as_str(), family.index, &mut names);
    names.finish()
}

/// The names that an import in the file at `path` may mean, the likeliest first. The file
/// itself is not among them where its whole path would say so.
pub(crate) fn import_names(path: &RelPath, import: &Import) -> Vec<String> {
    let Some(family) = family(path) else { return Vec::new() };
    let mut names = Names::new(family.prefix);
    let own = stem(path.as_str());
    names.leave_out(own);
    if family.index.contains(&own.rsplit('/').next().unwrap_or(own)) {
        names.leave_out(directory(own));
    }
    (family.resolve)(path.as_str(), import, &mut names);
    names.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::known_languages;

    #[test]
    fn families_name_languages_and_no_language_twice() {
        let mut claimed: Vec<&str> = FAMILIES.iter().flat_map(|family| family.languages).copied().collect();
        assert!(claimed.iter().all(|name| known_languages().iter().any(|language| language.name == *name)));
        let all = claimed.len();
        claimed.sort_unstable();
        claimed.dedup();
        assert_eq!(claimed.len(), all);
    }
}
