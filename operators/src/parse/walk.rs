//! The one walk over a syntax tree that finds definitions, blocks, and names in use.
//!
//! It visits nodes in preorder with a stack of its own, so that deep trees cannot overflow the
//! thread's stack. Small nodes without definitions, such as the expressions in a one-line
//! statement, are only skimmed for names, and nodes deeper than [`MAX_DEPTH`] are skipped.

mod blocks;
mod define;
mod embedded;
mod skim;

use std::collections::HashSet;
use std::ops::Range;

use gristmill_pipeline::port::{Block, Definition, Import, NO_DEFINITION, Reference};
use serde::{Deserialize, Serialize};
use tree_sitter::{Node, Tree, TreeCursor};

use self::blocks::Blocks;
use super::embedded::EmbeddedTrees;
use super::keys::{KeyHint, name_definitions};
use super::kinds::{Kinds, Role};
use super::references::references;
use crate::bind::bind;
use crate::spec::{Grammar, Rank, Uses, byte};

/// Limit on the levels of the tree that are visited.
const MAX_DEPTH: usize = 512;
/// Minimum size of a block that is not a definition: about a third of a usual chunk, so that
/// cuts between blocks are fine enough.
const BLOCK_BYTES: usize = 200;
/// Minimum size of a node on one line whose children are visited.
const ENTER_BYTES: usize = 512;
/// Column from which a node may begin a block within a line, as in minified text.
const LONG_LINE: usize = 1000;

/// Comments and attributes that lie right above the next sibling.
#[derive(Clone, Copy, Default)]
struct Lead {
    start: u32,
    /// Row of its last byte.
    end_row: u32,
    any: bool,
    /// Whether there are attributes in it.
    attributes: bool,
}

/// A node that belongs to the definition inside it.
#[derive(Clone, Copy)]
struct Wrap<'t> {
    node: Node<'t>,
    start: u32,
}

/// A node whose children are being visited.
struct Frame<'t> {
    node: Node<'t>,
    lead: Lead,
    wrap: Option<Wrap<'t>>,
    /// Whether a pending lead at its end is passed on to its next sibling.
    transparent: bool,
    definition: Option<u32>,
    local: bool,
    /// The id of a child that is not a definition of its own.
    absorbed: Option<usize>,
    /// The definition last found among its children, and its block.
    last: Option<(u32, Option<u32>)>,
    /// Where its children's comments begin in [`Walk::comments`].
    comments: usize,
    /// How many blocks were open before it.
    blocks: usize,
    /// How many open-ended definitions there were before it.
    open: usize,
}

/// A definition that ends where the next of its rank begins.
struct OpenEnded {
    rank: Rank,
    definition: u32,
    outer: Option<u32>,
    /// Number of open blocks before its own.
    blocks: usize,
}

/// What a walk finds.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outline {
    /// Number of lines; a last line without a line feed counts.
    pub lines: u32,
    pub definitions: Vec<Definition>,
    pub references: Vec<Reference>,
    pub imports: Vec<Import>,
    pub blocks: Vec<Block>,
}

/// How the walk continues from a node.
enum Visit<'t> {
    /// Into its children, which may be definitions.
    Enter(Frame<'t>),
    /// Into its children, which use names and are nothing else.
    Skim,
    /// Past it.
    Pass,
}

impl<'t> From<Option<Frame<'t>>> for Visit<'t> {
    fn from(frame: Option<Frame<'t>>) -> Self {
        frame.map_or(Self::Skim, Self::Enter)
    }
}

struct Walk<'t> {
    grammar: &'static Grammar,
    kinds: &'t Kinds,
    text: &'t str,
    out: Outline,
    uses: Uses<'t>,
    frames: Vec<Frame<'t>>,
    comments: Vec<Range<u32>>,
    blocks: Blocks,
    open_ended: Vec<OpenEnded>,
    /// What the key of each definition is made of.
    hints: Vec<KeyHint>,
    embedded: &'t EmbeddedTrees,
}

/// Finds the definitions and blocks of a tree, and the names it uses.
///
/// `kinds` are those of the grammar; `text` is what the tree was parsed from, at most
/// `u32::MAX` bytes; `embedded` are the trees of what the tree leaves unparsed.
pub(crate) fn outline(
    grammar: &'static Grammar,
    kinds: &Kinds,
    text: &str,
    tree: &Tree,
    embedded: &EmbeddedTrees,
) -> Outline {
    let mut walk = Walk {
        grammar,
        kinds,
        text,
        out: Outline::default(),
        uses: Uses::new(text, &kinds.steps, grammar.dotted_names),
        frames: Vec::new(),
        comments: Vec::new(),
        blocks: Blocks::new(byte(text.len())),
        open_ended: Vec::new(),
        hints: Vec::new(),
        embedded,
    };
    let mut cursor = tree.walk();
    let root = cursor.node();
    let more = cursor.goto_first_child();
    walk.frames.push(Frame {
        node: root,
        lead: Lead::default(),
        wrap: None,
        transparent: false,
        definition: None,
        local: false,
        absorbed: None,
        last: None,
        comments: 0,
        blocks: 1,
        open: 0,
    });
    if more {
        walk.run(&mut cursor, 0);
    }
    walk.finish(root)
}

impl<'t> Walk<'t> {
    /// Visits the node of the cursor and what follows it, until only `outer` frames are left.
    fn run(&mut self, cursor: &mut TreeCursor<'t>, outer: usize) {
        loop {
            let node = cursor.node();
            match self.visit(node, cursor) {
                Visit::Enter(frame) => {
                    if self.frames.len() < MAX_DEPTH && cursor.goto_first_child() {
                        self.frames.push(frame);
                        continue;
                    }
                    self.leave(&frame);
                }
                Visit::Skim => self.skim(cursor),
                Visit::Pass => {}
            }
            while !cursor.goto_next_sibling() {
                let Some(frame) = self.frames.pop() else { return };
                self.leave(&frame);
                if frame.transparent
                    && frame.lead.any
                    && let Some(outer) = self.frames.last_mut()
                {
                    outer.lead = frame.lead;
                }
                if self.frames.len() <= outer || !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Closes the blocks that were opened at or inside a frame's node.
    fn leave(&mut self, frame: &Frame<'t>) {
        self.blocks.close(frame.blocks);
        self.open_ended.truncate(frame.open);
    }

    /// Ends the open-ended definitions among the current siblings that one of `rank`,
    /// which begins at `until`, ends.
    fn close_open_ended(&mut self, rank: Rank, until: u32) {
        let until = byte(self.trimmed_end(until as usize));
        let Some(first) = self.frames.last().map(|frame| frame.open) else { return };
        while self.open_ended.len() > first && self.open_ended.last().is_some_and(|open| open.rank >= rank) {
            let Some(open) = self.open_ended.pop() else { return };
            self.blocks.end_at(open.blocks, until);
            if let Some(definition) = self.out.definitions.get_mut(open.definition as usize) {
                definition.span.end_byte = until;
            }
            if let Some(top) = self.frames.last_mut() {
                top.definition = open.outer;
            }
        }
    }

    /// Fills in lines and references, and returns what was found.
    fn finish(mut self, root: Node<'t>) -> Outline {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| byte(at + 1)));
        let line = |at: u32| byte(starts.partition_point(|start| *start <= at));
        for definition in &mut self.out.definitions {
            let span = &mut definition.span;
            span.start_line = line(span.start_byte);
            span.end_line = line(span.end_byte.saturating_sub(1).max(span.start_byte));
        }
        let (marks, defined, mut imports, mut heads) = self.uses.into_parts();
        // What extends a type is found by its own name.
        let hints = if self.grammar.extensions { &[][..] } else { &self.hints };
        name_definitions(&mut self.out.definitions, hints, self.grammar.transparent);
        let definitions = &self.out.definitions;
        if let Some(scopes) = self.grammar.scopes.filter(|_| !heads.is_empty()) {
            let bound: HashSet<&str> =
                imports.iter().filter_map(|import| (scopes.local)(import).first().copied()).collect();
            heads.retain(|head| {
                let own = |of: &Definition| of.parent.is_none() && of.name == head.module;
                !bound.contains(&*head.module) && !definitions.iter().any(own)
            });
            imports.append(&mut heads);
        }
        self.out.imports = imports;
        let bound = self
            .grammar
            .scopes
            .map(|scopes| bind(scopes.rules, root, self.text, definitions, &self.out.imports, scopes.local));
        let uses = bound.as_ref().map(|bound| &*bound.uses);
        self.out.references = references(self.text, marks, defined, definitions, &starts, uses);
        for (index, key) in bound.into_iter().flat_map(|bound| bound.keys) {
            if let Some(definition) = self.out.definitions.get_mut(index) {
                definition.key = key;
            }
        }
        let ends_in_feed = starts.last().is_some_and(|start| *start as usize == self.text.len());
        self.out.blocks = self.blocks.finish();
        self.out.lines = byte(starts.len() - usize::from(ends_in_feed));
        self.out
    }

    /// Visits the node on which the cursor stands.
    fn visit(&mut self, node: Node<'t>, cursor: &TreeCursor<'t>) -> Visit<'t> {
        let kind = self.kinds.of(node);
        if let Some((node, trees)) = self.embedded.of(node) {
            self.kinds.record(self.kinds.of(node).used, node, cursor, &mut self.uses);
            self.visit_trees(node, trees);
            return Visit::Pass;
        }
        self.kinds.record(kind.used, node, cursor, &mut self.uses);
        match kind.role {
            Role::Token => {
                if let Some(frame) = self.frames.last_mut().filter(|frame| frame.wrap.is_none()) {
                    frame.lead.any = false;
                }
                Visit::Pass
            }
            Role::Comment => {
                self.comment(node);
                Visit::Pass
            }
            Role::Attribute => {
                self.lead(node, true);
                Visit::Skim
            }
            Role::Modifiers | Role::Plain => self.plain(node, false).into(),
            Role::Closure => self.plain(node, true).into(),
            Role::Wrap => Visit::Enter(self.wrap(node)),
            Role::Group if node.named_child_count() == 1 => Visit::Enter(self.wrap(node)),
            Role::Group | Role::Through => Visit::Enter(self.through(node)),
            Role::Rule(index) => self.candidate(node, usize::from(index)).into(),
        }
    }

    fn frame(&self, node: Node<'t>) -> Frame<'t> {
        let (definition, local) = self.frames.last().map_or((None, false), |f| (f.definition, f.local));
        Frame {
            node,
            lead: Lead::default(),
            wrap: None,
            transparent: false,
            definition,
            local,
            absorbed: None,
            last: None,
            comments: self.comments.len(),
            blocks: self.blocks.depth(),
            open: self.open_ended.len(),
        }
    }

    fn comment(&mut self, node: Node<'t>) {
        let text = self.text.get(node.byte_range()).unwrap_or_default();
        let inner = text.starts_with("#!") || self.grammar.inner_docs.iter().any(|mark| text.starts_with(mark));
        // A comment behind something on its line is about that.
        if inner || !self.begins_line(node) {
            if let Some(frame) = self.frames.last_mut() {
                frame.lead.any = false;
            }
            return;
        }
        self.lead(node, false);
        self.comments.push(byte(node.start_byte())..byte(node.end_byte()));
    }

    /// Adds a comment or attribute to the lead of what follows.
    fn lead(&mut self, node: Node<'t>, attribute: bool) {
        let end_row = last_row(node);
        let Some(frame) = self.frames.last_mut() else { return };
        let adjacent = frame.lead.any && row(node.start_position().row) <= frame.lead.end_row + 1;
        if !adjacent {
            frame.lead = Lead { start: byte(node.start_byte()), end_row, any: true, attributes: false };
            self.comments.truncate(frame.comments);
        }
        frame.lead.end_row = end_row;
        frame.lead.attributes |= attribute;
    }

    /// Takes the pending lead, if it ends right above `row`. `None` takes any lead: inside a
    /// wrap, which has checked that already.
    fn take_lead(&mut self, row: Option<u32>) -> Lead {
        let Some(frame) = self.frames.last_mut() else { return Lead::default() };
        let mut lead = std::mem::take(&mut frame.lead);
        lead.any &= row.is_none_or(|row| lead.end_row + 1 >= row);
        if !lead.any {
            self.comments.truncate(frame.comments);
        }
        lead
    }

    fn wrap(&mut self, node: Node<'t>) -> Frame<'t> {
        let outer = self.frames.last_mut().and_then(|frame| frame.wrap.take());
        let lead = self.take_lead(outer.is_none().then(|| row(node.start_position().row)));
        let mut frame = self.frame(node);
        frame.comments = self.frames.last().map_or(0, |outer| outer.comments);
        frame.lead = lead;
        frame.wrap = Some(outer.unwrap_or(Wrap { node, start: byte(node.start_byte()) }));
        frame
    }

    /// Visits what only holds definitions: a lead may pass into it and out of it.
    fn through(&mut self, node: Node<'t>) -> Frame<'t> {
        let wrapped = self.frames.last().is_some_and(|frame| frame.wrap.is_some());
        let lead = self.take_lead((!wrapped).then(|| row(node.start_position().row)));
        let mut frame = self.frame(node);
        frame.comments = self.frames.last().map_or(0, |outer| outer.comments);
        frame.lead = lead;
        frame.transparent = true;
        if let Some(outer) = self.frames.last_mut() {
            frame.absorbed = outer.absorbed;
            frame.wrap = outer.wrap.take();
            outer.last = None;
        }
        frame
    }

    fn plain(&mut self, node: Node<'t>, local: bool) -> Option<Frame<'t>> {
        let top = self.frames.last_mut()?;
        if top.wrap.is_none() {
            top.lead.any = false;
        }
        top.last = None;
        let bytes = node.byte_range();
        // Too short to hold anything: most nodes end here.
        if bytes.len() < 24 {
            return None;
        }
        let rows = node.end_position().row > node.start_position().row;
        if !rows && bytes.len() < ENTER_BYTES {
            return None;
        }
        let mut frame = self.frame(node);
        frame.local |= local;
        if bytes.len() >= BLOCK_BYTES && self.begins_line(node) {
            let (start, end) = (byte(bytes.start), byte(self.trimmed_end(bytes.end)));
            if !self.blocks.fills(start, end) {
                self.blocks.open(start, end, NO_DEFINITION);
            }
        }
        Some(frame)
    }

    /// Returns the end of the text up to `end` without trailing white space.
    fn trimmed_end(&self, end: usize) -> usize {
        self.text.get(..end).map_or(end, |text| text.trim_end().len())
    }

    /// Returns whether only blanks precede the node on its line, or the line is long already.
    fn begins_line(&self, node: Node<'t>) -> bool {
        let (start, column) = (node.start_byte(), node.start_position().column);
        if column > LONG_LINE {
            return true;
        }
        let before = self.text.as_bytes().get(start.saturating_sub(column)..start).unwrap_or_default();
        before.iter().rev().all(|b| matches!(b, b' ' | b'\t' | b'\r'))
    }
}

/// Returns the row of a node's last byte: some comments include their line feed.
fn last_row(node: Node<'_>) -> u32 {
    let end = node.end_position();
    row(end.row - usize::from(end.column == 0 && end.row > node.start_position().row))
}

fn row(row: usize) -> u32 {
    byte(row)
}
