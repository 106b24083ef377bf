//! What `use`, `mod name;` and `extern crate` import.

use tree_sitter::Node;

use crate::spec::{Uses, children};

/// Limit on the depth of lists in a `use`: nobody writes deeper ones.
const MAX_LISTS: usize = 32;

/// Records `mod name;`, which imports the file of that name, or a module within this file.
pub(super) fn module<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if node.child_by_field_name("body").is_some() {
        uses.enter_module(node);
    } else {
        let module = format!("self::{}", uses.field_text(node, "name"));
        uses.import(node, &module, "", "");
    }
}

/// Records `extern crate name as alias;`.
pub(super) fn extern_crate<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.import(node, uses.field_text(node, "name"), "", uses.field_text(node, "alias"));
}

/// Records an import for each name in a `use`.
pub(super) fn use_declaration<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.pass(node);
    let Some(argument) = node.child_by_field_name("argument") else { return };
    // In a module within the file `super` is the file itself.
    let inner = uses.modules_around(node);
    leaves(uses, argument, "", inner, MAX_LISTS);
}

/// Records the leaves of a `use` tree below `prefix`.
fn leaves<'t>(uses: &mut Uses<'t>, node: Node<'t>, prefix: &str, inner: usize, lists: usize) {
    match node.kind() {
        "scoped_use_list" => {
            let prefix = join(prefix, uses.field_text(node, "path"));
            if let Some(list) = node.child_by_field_name("list") {
                leaves(uses, list, &prefix, inner, lists);
            }
        }
        "use_list" if lists > 0 => children(node).for_each(|leaf| leaves(uses, leaf, prefix, inner, lists - 1)),
        "use_as_clause" => {
            let (path, alias) = (uses.field_text(node, "path"), uses.field_text(node, "alias"));
            leaf(uses, node, prefix, path, inner, alias);
        }
        "use_wildcard" => {
            let path = node.named_child(0).map_or("", |path| uses.slice(path));
            uses.import(node, &from_file(join(prefix, path), inner), "*", "");
        }
        "identifier" | "scoped_identifier" | "crate" | "self" | "super" => {
            leaf(uses, node, prefix, uses.slice(node), inner, "");
        }
        _ => {}
    }
}

/// Records an import of `path` below `prefix`; `self` is the prefix itself.
fn leaf<'t>(uses: &mut Uses<'t>, node: Node<'t>, prefix: &str, path: &str, inner: usize, alias: &str) {
    let path = if path == "self" && !prefix.is_empty() { prefix.to_owned() } else { join(prefix, path) };
    uses.import_path(node, &from_file(path, inner), "::", alias);
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}::{path}"),
    }
}

/// Returns a path as seen from the file, where it was written inside `modules` modules of it.
fn from_file(path: String, modules: usize) -> String {
    let mut rest = path.as_str();
    let mut left = modules;
    while left > 0
        && let Some(after) = rest.strip_prefix("super")
        && (after.is_empty() || after.starts_with("::"))
    {
        rest = after.trim_start_matches("::");
        left -= 1;
    }
    if left == modules {
        path
    } else if rest.starts_with("super") {
        rest.to_owned()
    } else {
        join("self", rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn super_in_a_module_of_the_file_is_the_file() {
        let cases = [
            ("super", 1, "self"),
            ("super::a::B", 1, "self::a::B"),
            ("super::super::a", 1, "super::a"),
            ("super::super::a", 2, "self::a"),
            ("super::a", 0, "super::a"),
            ("superb::a", 1, "superb::a"),
            ("crate::a", 1, "crate::a"),
        ];
        for (path, modules, expected) in cases {
            assert_eq!(from_file(path.into(), modules), expected, "{path} in {modules}");
        }
    }
}
