//! Trees of what a tree leaves unparsed: items in calls of macros.

use std::collections::HashMap;

use tree_sitter::{Node, Tree};

use crate::spec::{Embedded, Piece, children};

/// How deep such nodes may lie in the pieces of others.
const MAX_NESTING: usize = 6;

/// The trees of the pieces of nodes, by what identifies a node of any tree: its range.
#[derive(Default)]
pub(crate) struct EmbeddedTrees {
    trees: HashMap<(usize, usize), Vec<Tree>>,
    node: &'static str,
    statement: &'static str,
}

impl EmbeddedTrees {
    /// Finds the nodes of a tree that leave code unparsed, and parses it.
    pub fn parse(embedded: &Embedded, text: &str, tree: &Tree, mut parse: impl FnMut(&Piece) -> Option<Tree>) -> Self {
        let mut found = Self { trees: HashMap::new(), node: embedded.node, statement: embedded.statement };
        let mut level = found.parse_pieces(embedded, text, tree, &mut parse);
        for _ in 1..MAX_NESTING {
            let mut next = Vec::new();
            for (range, tree) in level {
                next.extend(found.parse_pieces(embedded, text, &tree, &mut parse));
                found.trees.entry(range).or_default().push(tree);
            }
            level = next;
        }
        for (range, tree) in level {
            found.trees.entry(range).or_default().push(tree);
        }
        found
    }

    /// Parses the pieces of the nodes of one tree. Returns each tree with the range of its node.
    fn parse_pieces(
        &self,
        embedded: &Embedded,
        text: &str,
        tree: &Tree,
        parse: &mut impl FnMut(&Piece) -> Option<Tree>,
    ) -> Vec<((usize, usize), Tree)> {
        let mut found = Vec::new();
        let mut nodes = vec![tree.root_node()];
        while let Some(node) = nodes.pop() {
            for child in children(node) {
                if child.kind() == self.node {
                    let pieces = (embedded.pieces)(text, child);
                    found.extend(pieces.iter().filter_map(|piece| Some((key(child), parse(piece)?))));
                } else if embedded.within.contains(&child.kind()) {
                    nodes.push(child);
                }
            }
        }
        found
    }

    /// The node that leaves code unparsed, if it is this one or all of this statement, and its trees.
    pub fn of<'t>(&self, node: Node<'t>) -> Option<(Node<'t>, &[Tree])> {
        if self.trees.is_empty() {
            return None;
        }
        let node = if node.kind() == self.statement { node.named_child(0)? } else { node };
        let trees = if node.kind() == self.node { self.trees.get(&key(node)) } else { None };
        trees.map(|trees| (node, trees.as_slice()))
    }
}

fn key(node: Node<'_>) -> (usize, usize) {
    (node.start_byte(), node.end_byte())
}
