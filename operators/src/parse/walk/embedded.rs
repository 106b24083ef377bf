//! Walks over the trees of what a node leaves unparsed, in place of its tokens.

use gristmill_pipeline::port::{Definition, DefinitionKind};
use tree_sitter::{Node, Tree};

use super::Walk;

impl<'t> Walk<'t> {
    /// Visits trees as if they were the children of `node`.
    pub(super) fn visit_trees(&mut self, node: Node<'t>, trees: &'t [Tree]) {
        let outer = self.plain(node, false).unwrap_or_else(|| self.frame(node));
        let first = self.out.definitions.len();
        self.frames.push(outer);
        for tree in trees {
            let mut cursor = tree.walk();
            let frame = self.frame(tree.root_node());
            if cursor.goto_first_child() {
                let frames = self.frames.len();
                self.frames.push(frame);
                self.run(&mut cursor, frames);
            }
        }
        if let Some(outer) = self.frames.pop() {
            self.leave(&outer);
        }
        let (before, found) = self.out.definitions.split_at_mut(first);
        name_kinds(before.len(), found);
    }
}

/// Gives the kinds that the text names to definitions that were parsed as others: the struct of
/// constants in `bitflags!` is parsed as an enum.
fn name_kinds(first: usize, found: &mut [Definition]) {
    for at in 0..found.len() {
        let is_struct = |definition: &Definition| {
            definition.kind == DefinitionKind::Enum
                && definition.signature.split_whitespace().any(|word| word == "struct")
        };
        if found.get(at).is_some_and(is_struct) {
            found[at].kind = DefinitionKind::Struct;
            let parent = u32::try_from(first + at).ok();
            for member in found.iter_mut().filter(|member| member.parent == parent) {
                if member.kind == DefinitionKind::Variant {
                    member.kind = DefinitionKind::Constant;
                }
            }
        }
    }
}
