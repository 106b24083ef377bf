//! What a rule finds at a node, and the ways of finding that languages share.

use std::borrow::Cow;
use std::ops::Range;

use gristmill_pipeline::port::DefinitionKind;
use tree_sitter::Node;

/// What a rule says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the definition that [`Found`] describes.
    Definition,
    /// It belongs to the definition that follows; [`Found::doc`] documents it.
    Lead,
    /// It documents the definition around it: [`Found::doc`].
    Inner,
    /// It is nothing of the kind.
    Nothing,
}

/// How far a definition reaches that ends where the next of its kind begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(pub u8);

/// A definition in the making.
pub(crate) struct Found<'t> {
    pub text: &'t str,
    pub node: Node<'t>,
    /// The node that `node` is a child of.
    pub parent: Node<'t>,
    /// What the innermost definition around it is.
    pub owner: Option<DefinitionKind>,
    /// Whether it lies in the body of a function.
    pub local: bool,

    pub kind: DefinitionKind,
    pub name: Cow<'t, str>,
    /// Further names that the same node defines.
    pub more: Vec<&'t str>,
    /// Names between those of the definitions around it and its own.
    pub scope: Cow<'t, str>,
    /// What joins `scope` with the name, where it is not the grammar's choice.
    pub separator: Option<&'static str>,
    /// Where its head ends.
    pub body: Option<Node<'t>>,
    /// Documentation inside it.
    pub doc: Option<Range<usize>>,
    /// A node inside it that is no definition of its own.
    pub absorbed: Option<usize>,
    /// Set if it reaches to the next of the same or a lower rank, or the end of its
    /// parent.
    pub open: Option<Rank>,
    /// Whether it continues a definition of the same name right before it.
    pub merges: bool,
}

impl<'t> Found<'t> {
    pub fn slice(&self, node: Node<'t>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    pub fn field(&self, name: &str) -> Option<Node<'t>> {
        self.node.child_by_field_name(name)
    }

    /// The text of a field; empty if there is none.
    pub fn field_text(&self, name: &str) -> &'t str {
        self.field(name).map_or("", |node| self.slice(node))
    }

    /// Takes the text of `node` as the name.
    pub fn name_at(&mut self, node: Option<Node<'t>>) -> Verdict {
        let Some(node) = node else { return Verdict::Nothing };
        let name = self.slice(node);
        self.name = one_line(name);
        if self.name.is_empty() { Verdict::Nothing } else { Verdict::Definition }
    }

    /// Adds a name: the first becomes the name, the rest further ones.
    pub fn add_name(&mut self, name: &'t str) {
        if self.name.is_empty() {
            self.name = Cow::Borrowed(name);
        } else if !name.is_empty() {
            self.more.push(name);
        }
    }

    /// [`Verdict::Definition`] if a name was added.
    pub fn verdict(&self) -> Verdict {
        if self.name.is_empty() { Verdict::Nothing } else { Verdict::Definition }
    }

    pub fn in_type(&self) -> bool {
        self.owner.is_some_and(is_type)
    }
}

/// Whether functions inside are methods.
pub(crate) fn is_type(kind: DefinitionKind) -> bool {
    use DefinitionKind as K;
    matches!(kind, K::Class | K::Struct | K::Union | K::Enum | K::Interface | K::Trait | K::Implementation | K::Object)
}

/// Whether what lies inside is local to it.
pub(crate) fn is_callable(kind: DefinitionKind) -> bool {
    use DefinitionKind as K;
    matches!(kind, K::Function | K::Method | K::Constructor | K::Macro)
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

/// The named children of a node. Linear in their number.
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

/// The children of a node in a field, in order.
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

/// The first named child of a kind.
pub(crate) fn child_of_kind<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    children(node).find(|child| child.kind() == kind)
}

/// A keyword or mark among a node's children.
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

/// Whether a node has a keyword or mark among its children.
pub(crate) fn has_token(node: Node<'_>, mark: &str) -> bool {
    token(node, mark).is_some()
}

/// The name is in the field `name`.
pub(crate) fn named(found: &mut Found<'_>) -> Verdict {
    found.name_at(found.field("name"))
}

/// As [`named`], but only with a body: without one the node only mentions a type.
pub(crate) fn named_with_body(found: &mut Found<'_>) -> Verdict {
    if found.field("body").is_none() {
        return Verdict::Nothing;
    }
    named(found)
}

/// As [`named`], in members of types only.
pub(crate) fn named_member(found: &mut Found<'_>) -> Verdict {
    if found.local { Verdict::Nothing } else { named(found) }
}
