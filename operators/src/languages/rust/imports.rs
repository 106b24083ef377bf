//! What `use`, `mod name;` and `extern crate` import.

use tree_sitter::Node;

use super::modules::OWN;
use crate::spec::{Uses, children};

/// Limit on the depth of lists in a `use`: nobody writes deeper ones.
const MAX_LISTS: usize = 32;

/// Records `mod name;`, which imports the file of that name, or a module within this file.
pub(super) fn module<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if node.child_by_field_name("body").is_some() {
        return uses.enter(node, true);
    }
    let scope = Scope::around(uses, node);
    let name = uses.field_text(node, "name");
    match path_attribute(uses, node) {
        Some(path) => uses.import(node, path, "", &scope.local(name)),
        None => {
            let module = scope.seen_from_file(format!("self::{name}"));
            uses.import(node, &module, "", &scope.alias(name, ""));
        }
    }
}

/// The file that an attribute `#[path = "file"]` before a module names.
fn path_attribute<'t>(uses: &Uses<'t>, node: Node<'t>) -> Option<&'t str> {
    let mut before = node.prev_named_sibling();
    while let Some(attribute) = before.filter(|before| before.kind() == "attribute_item") {
        let (path, value) = uses.slice(attribute).split_once('=').unwrap_or_default();
        if path.trim_start_matches(['#', '[']).trim() == "path" {
            return value.split('"').nth(1);
        }
        before = attribute.prev_named_sibling();
    }
    None
}

/// Records that imports in a function are bound in it alone.
pub(super) fn function<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.enter(node, false);
}

/// Records the crate that a path in the code may begin with.
pub(super) fn path<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let head = match node.child_by_field_name("path") {
        Some(head) if head.kind() == "identifier" => head,
        None => match node.child_by_field_name("name") {
            Some(name) => name,
            None => return,
        },
        Some(_) => return,
    };
    let name = uses.slice(head);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && !OWN.contains(&name) && !uses.is_past(head) {
        uses.import_head(head, name);
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
    let scope = Scope::around(uses, node);
    leaves(uses, argument, "", &scope, MAX_LISTS);
}

/// The modules within the file around an import, and the function in them.
struct Scope<'t> {
    modules: Vec<&'t str>,
    function: Option<&'t str>,
}

impl<'t> Scope<'t> {
    fn around(uses: &mut Uses<'t>, node: Node<'t>) -> Self {
        let (modules, function) = uses.around(node);
        Self { modules, function }
    }

    /// Where the name of an import is bound: below the names of what is around it.
    fn local(&self, name: &str) -> String {
        let mut path = String::new();
        for part in self.modules.iter().chain(&self.function) {
            path.push_str(part);
            path.push_str("::");
        }
        path + name
    }

    /// The alias of an import of that name: where it is bound, if not as the name in the file.
    fn alias(&self, name: &str, alias: &str) -> String {
        let local = if matches!(alias, "" | "_") { name } else { alias };
        if self.modules.is_empty() && self.function.is_none() && local == name {
            return String::new();
        }
        self.local(local)
    }

    /// A path as seen from the file.
    fn seen_from_file(&self, path: String) -> String {
        let mut rest = path.as_str();
        let mut modules = self.modules.as_slice();
        let mut relative = false;
        if let Some(inner) = after(rest, "self") {
            (rest, relative) = (inner, true);
        }
        while let (Some(outer), Some((_, above))) = (after(rest, "super"), modules.split_last()) {
            (rest, modules, relative) = (outer, above, true);
        }
        if !relative || rest == "super" || rest.starts_with("super::") {
            return if relative { rest.to_owned() } else { path };
        }
        modules.iter().chain(&[rest]).fold("self".to_owned(), |path, part| join(&path, part))
    }
}

/// What follows a first part of a path.
fn after<'p>(path: &'p str, first: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(first)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix("::") }
}

/// Records the leaves of a `use` tree below `prefix`.
fn leaves<'t>(uses: &mut Uses<'t>, node: Node<'t>, prefix: &str, scope: &Scope<'_>, lists: usize) {
    match node.kind() {
        "scoped_use_list" => {
            let prefix = join(prefix, uses.field_text(node, "path"));
            if let Some(list) = node.child_by_field_name("list") {
                leaves(uses, list, &prefix, scope, lists);
            }
        }
        "use_list" if lists > 0 => children(node).for_each(|leaf| leaves(uses, leaf, prefix, scope, lists - 1)),
        "use_as_clause" => {
            let (path, alias) = (uses.field_text(node, "path"), uses.field_text(node, "alias"));
            leaf(uses, node, prefix, path, scope, alias);
        }
        "use_wildcard" => {
            let path = node.named_child(0).map_or("", |path| uses.slice(path));
            let all =
                if scope.function.is_some() || !scope.modules.is_empty() { scope.local("*") } else { String::new() };
            uses.import(node, &scope.seen_from_file(join(prefix, path)), "*", &all);
            if scope.function.is_some() {
                // What such a function does not find there it finds around.
                uses.import(node, &scope.seen_from_file("self".into()), "*", &all);
            }
        }
        "identifier" | "scoped_identifier" | "crate" | "self" | "super" => {
            leaf(uses, node, prefix, uses.slice(node), scope, "");
        }
        _ => {}
    }
}

/// Records an import of `path` below `prefix`; `self` is the prefix itself.
fn leaf<'t>(uses: &mut Uses<'t>, node: Node<'t>, prefix: &str, path: &str, scope: &Scope<'_>, alias: &str) {
    let path = if path == "self" && !prefix.is_empty() { prefix.to_owned() } else { join(prefix, path) };
    let name = path.rsplit("::").next().unwrap_or_default();
    let alias = scope.alias(name, alias);
    uses.import_path(node, &scope.seen_from_file(path.clone()), "::", &alias);
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}::{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_a_module_of_the_file_are_seen_from_the_file() {
        let cases: [(&str, &[&str], &str); 10] = [
            ("super", &["m"], "self"),
            ("super::a::B", &["m"], "self::a::B"),
            ("super::super::a", &["m"], "super::a"),
            ("super::super::a", &["m", "n"], "self::a"),
            ("super::a", &["m", "n"], "self::m::a"),
            ("super::a", &[], "super::a"),
            ("superb::a", &["m"], "superb::a"),
            ("crate::a", &["m"], "crate::a"),
            ("self::a", &["m"], "self::m::a"),
            ("self::super::a", &[], "super::a"),
        ];
        for (path, modules, expected) in cases {
            let scope = Scope { modules: modules.to_vec(), function: Some("f") };
            assert_eq!(scope.seen_from_file(path.into()), expected, "{path} in {modules:?}");
        }
    }
}
