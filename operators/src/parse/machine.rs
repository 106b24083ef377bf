//! Parsers, which each thread keeps and reuses.

use std::cell::RefCell;
use std::ops::{ControlFlow, Range};

use serde::{Deserialize, Serialize};
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Point, Tree};

use super::embedded::EmbeddedTrees;
use super::kinds::Kinds;
use super::walk::{self, Outline};
use crate::spec::{Grammar, Piece};

/// Limit on the steps, of 100 parser operations, that parsing may take: one for each [`BYTES_PER_STEP`]
/// bytes beside [`LEAST_STEPS`]. Real code takes a fourteenth of it. Unlike a timeout, the count
/// depends on the text alone, so every run stops at the same place; it is reached before the budget
/// of time is, unless operations take unusually long.
const BYTES_PER_STEP: usize = 4;
const LEAST_STEPS: usize = 5_000;

/// Limit on the children of a node with an error that are searched for its line.
const ERROR_CHILDREN: usize = 10_000;

/// A parser with the grammar it is set to.
struct Machine {
    grammar: &'static Grammar,
    parser: Parser,
    kinds: Kinds,
}

thread_local! {
    static MACHINES: RefCell<Vec<Machine>> = const { RefCell::new(Vec::new()) };
}

/// A text that was parsed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parsed {
    pub outline: Outline,
    /// The 1-based line of the first syntax error.
    pub error_line: Option<u32>,
}

/// Why a text was not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// It took too many steps.
    Steps,
    /// The linked grammar is of a version that the library does not read.
    Grammar,
    /// The grammar's code crashed.
    Crash,
    /// It took more CPU time than its size allows.
    Time,
    /// It took more memory than its size allows.
    Memory,
}

impl Failure {
    /// The code of its diagnostic.
    pub fn code(self) -> &'static str {
        match self {
            Self::Steps | Self::Grammar => "grammar",
            Self::Crash => "parser_crashed",
            Self::Time => "parse_timeout",
            Self::Memory => "parse_memory",
        }
    }

    /// The message of its diagnostic, for a text in that grammar.
    pub fn message(self, grammar: &Grammar) -> String {
        let why = match self {
            Self::Steps => "the grammar took too many steps".to_owned(),
            Self::Grammar => format!("{} does not load", grammar.version),
            Self::Crash => format!("{} crashed on it", grammar.version),
            Self::Time => format!("{} took too much time for it", grammar.version),
            Self::Memory => format!("{} took too much memory for it", grammar.version),
        };
        format!("not parsed: {why}; it is indexed by lines")
    }
}

/// Parses a text of at most `u32::MAX` bytes and walks the tree.
pub(crate) fn parse(grammar: &'static Grammar, text: &str) -> Result<Parsed, Failure> {
    MACHINES.with_borrow_mut(|machines| {
        let at = match machines.iter().position(|machine| std::ptr::eq(machine.grammar, grammar)) {
            Some(at) => at,
            None => {
                machines.push(Machine::new(grammar)?);
                machines.len() - 1
            }
        };
        let machine = machines.get_mut(at).ok_or(Failure::Grammar)?;
        let prepared = grammar.prepare.and_then(|prepare| prepare(text));
        let tree = machine.tree(prepared.as_deref().unwrap_or(text).as_bytes(), 0)?;
        let error_line = error_line(tree.root_node());
        let embedded = grammar.embedded.as_ref().map_or_else(EmbeddedTrees::default, |embedded| {
            EmbeddedTrees::parse(embedded, text, &tree, |piece| machine.piece(piece))
        });
        Ok(Parsed { outline: walk::outline(grammar, &machine.kinds, text, &tree, &embedded), error_line })
    })
}

impl Machine {
    fn new(grammar: &'static Grammar) -> Result<Self, Failure> {
        let language = (grammar.language)();
        let mut parser = Parser::new();
        parser.set_language(&language).map_err(|_| Failure::Grammar)?;
        Ok(Self { grammar, parser, kinds: Kinds::new(grammar, &language) })
    }

    /// Parses the bytes, which begin at `offset` of their text.
    fn tree(&mut self, bytes: &[u8], offset: usize) -> Result<Tree, Failure> {
        let budget = LEAST_STEPS + bytes.len() / BYTES_PER_STEP;
        let mut steps = 0;
        let mut progress = |_: &ParseState| {
            steps += 1;
            if steps > budget { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut rest = |from: usize, _| from.checked_sub(offset).and_then(|from| bytes.get(from..)).unwrap_or_default();
        let tree = self.parser.parse_with_options(&mut rest, None, Some(options));
        tree.ok_or_else(|| {
            // A parser that was stopped would otherwise resume with the next text.
            self.parser.reset();
            Failure::Steps
        })
    }

    /// Parses a piece of a text. Returns nothing where it is not all of the language: it is then in
    /// a syntax of its own.
    fn piece(&mut self, piece: &Piece) -> Option<Tree> {
        let bytes = std::str::from_utf8(&piece.text).ok()?;
        let last_line = bytes.rsplit_once('\n').map(|(_, line)| line);
        let end_point = Point {
            row: piece.start.row + bytes.matches('\n').count(),
            column: last_line.map_or(piece.start.column + bytes.len(), str::len),
        };
        let Range { start: start_byte, end: end_byte } = piece.range;
        let range = tree_sitter::Range { start_byte, end_byte, start_point: piece.start, end_point };
        self.parser.set_included_ranges(&[range]).ok()?;
        let tree = self.tree(bytes.as_bytes(), start_byte);
        self.parser.set_included_ranges(&[]).ok()?;
        tree.ok().filter(|tree| !tree.root_node().has_error())
    }
}

/// Returns the line of the first error, which it follows down from the root.
fn error_line(root: Node<'_>) -> Option<u32> {
    if !root.has_error() {
        return None;
    }
    let mut cursor = root.walk();
    let mut node = root;
    'down: while !(node.is_missing() || node.is_error() && node.id() != root.id()) && cursor.goto_first_child() {
        for _ in 0..ERROR_CHILDREN {
            if cursor.node().has_error() {
                node = cursor.node();
                continue 'down;
            }
            if !cursor.goto_next_sibling() {
                break;
            }
        }
        break;
    }
    u32::try_from(node.start_position().row + 1).ok()
}
