//! A definition as a rule finds it, and the rules that languages share.

use std::borrow::Cow;
use std::ops::Range;

use gristmill_pipeline::port::{DefinitionKind, Linkage};
use tree_sitter::Node;

use super::nodes::one_line;

/// What a rule decides about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the definition that [`Found`] describes.
    Definition,
    /// It belongs to the definition that follows; [`Found::doc`] documents it.
    Lead,
    /// It documents the definition around it: [`Found::doc`].
    Inner,
    /// It is none of these.
    Nothing,
    /// It is none of these, and holds no definition.
    Plain,
}

/// How far a definition reaches that ends where the next of its kind begins, such as a
/// section of a document: one of a lower rank ends those of higher ranks too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(pub u8);

/// Where the name of a definition is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Seen {
    /// In the definition around it.
    #[default]
    Inside,
    /// Right beside the definition around it, as an enumerator of C.
    Outside,
    /// In all of the file, as a macro of C.
    Everywhere,
    /// In the definition around it, apart from the names of its methods.
    Apart,
}

/// A definition that a rule fills in.
pub(crate) struct Found<'t> {
    pub text: &'t str,
    pub node: Node<'t>,
    /// The node that `node` is a child of.
    pub parent: Node<'t>,
    /// The kind of the innermost definition around it.
    pub owner: Option<DefinitionKind>,
    /// Whether it lies in the body of a function.
    pub local: bool,

    pub kind: DefinitionKind,
    pub name: Cow<'t, str>,
    /// Further names that the same node defines.
    pub more: Vec<&'t str>,
    /// Names between those of the definitions around it and its own.
    pub scope: Cow<'t, str>,
    /// Joins `scope` with the name; by default the grammar's separator.
    pub separator: Option<&'static str>,
    /// The body, which its signature leaves out; by default the field `body`.
    pub body: Option<Node<'t>>,
    /// Documentation inside it.
    pub doc: Option<Range<usize>>,
    /// The id of a node inside it that is not a definition of its own.
    pub absorbed: Option<usize>,
    /// Set if it reaches to the next of the same or a lower rank, or the end of its
    /// parent.
    pub open: Option<Rank>,
    /// Whether it continues a definition of the same name right before it.
    pub merges: bool,
    /// What its key says of other files.
    pub linkage: Option<Linkage>,
    /// Where its name is seen.
    pub seen: Seen,
}

impl<'t> Found<'t> {
    /// Returns the text of a node.
    pub fn slice(&self, node: Node<'t>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Returns the node in a field.
    pub fn field(&self, name: &str) -> Option<Node<'t>> {
        self.node.child_by_field_name(name)
    }

    /// Returns the text of a field; empty if there is none.
    pub fn field_text(&self, name: &str) -> &'t str {
        self.field(name).map_or("", |node| self.slice(node))
    }

    /// Sets the name to the text of `node`.
    pub fn name_at(&mut self, node: Option<Node<'t>>) -> Verdict {
        let Some(node) = node else { return Verdict::Nothing };
        let name = self.slice(node);
        self.name = one_line(name);
        if self.name.is_empty() { Verdict::Nothing } else { Verdict::Definition }
    }

    /// Adds a name: the first becomes [`Found::name`], the rest [`Found::more`].
    pub fn add_name(&mut self, name: &'t str) {
        if self.name.is_empty() {
            self.name = Cow::Borrowed(name);
        } else if !name.is_empty() {
            self.more.push(name);
        }
    }

    /// Returns [`Verdict::Definition`] if a name was added.
    pub fn verdict(&self) -> Verdict {
        if self.name.is_empty() { Verdict::Nothing } else { Verdict::Definition }
    }

    /// Returns whether it is a member of a type.
    pub fn in_type(&self) -> bool {
        self.owner.is_some_and(is_type)
    }
}

/// Returns whether functions in a definition of that kind are methods.
pub(crate) fn is_type(kind: DefinitionKind) -> bool {
    use DefinitionKind as K;
    matches!(kind, K::Class | K::Struct | K::Union | K::Enum | K::Interface | K::Trait | K::Implementation | K::Object)
}

/// Returns whether variables in a definition of that kind are local to it.
pub(crate) fn is_callable(kind: DefinitionKind) -> bool {
    use DefinitionKind as K;
    matches!(kind, K::Function | K::Method | K::Constructor | K::Macro)
}

/// A rule: the name is in the field `name`.
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

/// As [`named`], outside of functions only.
pub(crate) fn named_member(found: &mut Found<'_>) -> Verdict {
    if found.local { Verdict::Nothing } else { named(found) }
}
