//! Queries on syntax nodes and their text.

use std::borrow::Cow;

use tree_sitter::Node;

/// Converts a byte offset or a row. It fits: texts of more than `u32::MAX` bytes are not
/// parsed.
pub(crate) fn byte(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Collapses runs of white space; borrows where there is nothing to collapse.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.bytes().any(|b| matches!(b, b'\n' | b'\r' | b'\t')) && !text.contains("  ") {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    Cow::Owned(line)
}

/// Returns the named children of a node, in time linear in their number.
pub(crate) fn children<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    std::iter::from_fn(move || {
        while more {
            let child = cursor.node();
            more = cursor.goto_next_sibling();
            if child.is_named() {
                return Some(child);
            }
        }
        None
    })
}

/// Returns the children of a node in a field, in order.
pub(crate) fn fields<'t>(node: Node<'t>, field: &'static str) -> impl Iterator<Item = Node<'t>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    std::iter::from_fn(move || {
        while more {
            let child = cursor.node();
            let hit = cursor.field_name() == Some(field);
            more = cursor.goto_next_sibling();
            if hit {
                return Some(child);
            }
        }
        None
    })
}

/// Returns the first named child of a kind.
pub(crate) fn child_of_kind<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    children(node).find(|child| child.kind() == kind)
}

/// Returns the first child that is the keyword or punctuation mark `token`.
pub(crate) fn token<'t>(node: Node<'t>, token: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    while more {
        if cursor.node().kind() == token {
            return Some(cursor.node());
        }
        more = cursor.goto_next_sibling();
    }
    None
}

/// Returns whether a node has the keyword or punctuation mark `mark` among its children.
pub(crate) fn has_token(node: Node<'_>, mark: &str) -> bool {
    token(node, mark).is_some()
}
