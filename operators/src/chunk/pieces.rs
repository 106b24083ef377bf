//! Where to cut: along blocks as far as they go, then between lines.

use std::ops::Range;

use gristmill_pipeline::port::{Block, DefinitionKind, Syntax};

use super::atoms::Atoms;

/// Levels of blocks that are followed; what nests deeper is cut by lines.
const MAX_DEPTH: usize = 64;

/// A stretch that becomes a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First atom.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// The blocks that lie in it whole, siblings with all they contain.
    pub blocks: Range<u32>,
    /// The innermost definition that it is a part of.
    pub owner: Option<u32>,
    /// Whether it holds the head of that definition.
    pub head: bool,
}

/// A block with what belongs to it, or what lies between blocks.
struct Unit {
    from: usize,
    to: usize,
    blocks: Range<u32>,
}

/// Cuts a text into pieces of at most `max` tokens that cover its atoms in order.
pub(crate) fn cut(syntax: &Syntax, atoms: &Atoms, max: u32, min: u32) -> Vec<Piece> {
    let mut cutter = Cutter { syntax, text: &syntax.content.text, atoms, max, min, pieces: Vec::new() };
    let blocks = 0..u32::try_from(syntax.blocks.len()).unwrap_or(u32::MAX);
    if atoms.len() > 0 {
        cutter.level(Unit { from: 0, to: atoms.len(), blocks }, None, 0);
    }
    cutter.pieces
}

struct Cutter<'a> {
    syntax: &'a Syntax,
    text: &'a str,
    atoms: &'a Atoms,
    max: u32,
    min: u32,
    pieces: Vec<Piece>,
}

impl Cutter<'_> {
    /// Cuts a stretch along the blocks of one level.
    fn level(&mut self, whole: Unit, owner: Option<u32>, depth: usize) {
        if whole.blocks.is_empty() || depth >= MAX_DEPTH {
            return self.lines(whole.from, whole.to, owner, owner.is_some());
        }
        let first_piece = self.pieces.len();
        let start = whole.from;
        let head = move |from: usize| owner.is_some() && from == start;
        let mut group: Option<Unit> = None;
        for unit in self.units(whole) {
            let tokens = self.tokens(&unit);
            let definition = self.definition(&unit);
            let module = definition.is_some_and(|kind| kind == DefinitionKind::Module);
            let slight = group.as_ref().is_some_and(|group| self.slight(group));
            if tokens > self.max || module && tokens >= self.min {
                let mut unit = unit;
                if slight && let Some(group) = group.take() {
                    unit.from = group.from;
                }
                self.flush(group.take(), owner, &head, first_piece);
                self.inside(unit, owner, &head, depth);
            } else if definition.is_some() && tokens >= self.min {
                // It stands alone, but for a line or two right before it.
                let joined = match group.take() {
                    Some(group) if slight && self.tokens(&group) + tokens <= self.max => join(group, unit),
                    group => {
                        self.flush(group, owner, &head, first_piece);
                        unit
                    }
                };
                self.emit(joined, owner, &head);
            } else {
                group = Some(match group.take() {
                    Some(group) if self.tokens(&group) + tokens <= self.max => join(group, unit),
                    group => {
                        self.flush(group, owner, &head, first_piece);
                        unit
                    }
                });
            }
        }
        self.flush(group, owner, &head, first_piece);
    }

    /// Splits a level into its blocks and what lies between them.
    fn units(&self, whole: Unit) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut at = whole.from;
        let mut next = whole.blocks.start;
        while next < whole.blocks.end {
            let Some(block) = self.block(next) else { break };
            let blocks = next..block.next.max(next + 1);
            next = blocks.end;
            let from = self.atoms.at(block.start).max(at);
            let to = (self.atoms.at(block.end.saturating_sub(1)) + 1).clamp(from, whole.to);
            if from >= to {
                // It shares its only line with the block before it.
                if let Some(last) = units.last_mut() {
                    last.blocks.end = blocks.end;
                }
                continue;
            }
            let from = self.gap(&mut units, at, from, blocks.start);
            units.push(Unit { from, to, blocks });
            at = to;
        }
        let rest = self.gap(&mut units, at, whole.to, next);
        if rest < whole.to {
            units.push(Unit { from: rest, to: whole.to, blocks: next..next });
        }
        units
    }

    /// Adds what lies between two blocks: blank lines to the unit before, the rest as a
    /// unit. Gives the first atom of the unit that follows.
    fn gap(&self, units: &mut Vec<Unit>, mut from: usize, to: usize, block: u32) -> usize {
        if let Some(last) = units.last_mut() {
            while from < to && self.blank(from) {
                from += 1;
            }
            last.to = from;
        }
        if (from..to).all(|atom| self.blank(atom)) {
            return from;
        }
        units.push(Unit { from, to, blocks: block..block });
        to
    }

    /// Cuts what does not fit, or is no unit of its own.
    fn inside(&mut self, unit: Unit, owner: Option<u32>, head: &dyn Fn(usize) -> bool, depth: usize) {
        let Some(block) = (!unit.blocks.is_empty()).then(|| self.block(unit.blocks.start)).flatten() else {
            return self.lines(unit.from, unit.to, owner, head(unit.from));
        };
        // Several blocks in one unit share a line: they are cut as siblings.
        if block.next < unit.blocks.end {
            return self.lines(unit.from, unit.to, owner, head(unit.from));
        }
        let owner = if self.syntax.definitions.get(block.definition as usize).is_some() {
            Some(block.definition)
        } else {
            owner
        };
        let blocks = unit.blocks.start + 1..unit.blocks.end;
        self.level(Unit { blocks, ..unit }, owner, depth + 1);
    }

    /// Cuts a stretch between lines, best at blank ones, into parts of about equal size.
    fn lines(&mut self, from: usize, to: usize, owner: Option<u32>, head: bool) {
        let mut at = from;
        let mut head = head;
        while at < to {
            let rest = self.atoms.tokens(at, to);
            let cut = if rest <= self.max { to } else { self.best_cut(at, to, rest) };
            self.pieces.push(Piece { from: at, to: cut, blocks: 0..0, owner, head });
            head = false;
            at = cut;
        }
    }

    /// The best atom to begin the next piece with, where `rest` tokens are left.
    fn best_cut(&self, at: usize, to: usize, rest: u32) -> usize {
        let target = rest / rest.div_ceil(self.max).max(1);
        let mut best = (i64::MIN, at + 1);
        for cut in self.atoms.after_tokens(at, to, target / 2).max(at + 1)..to {
            let tokens = self.atoms.tokens(at, cut);
            if tokens > self.max {
                break;
            }
            let strength = if self.blank(cut) {
                0
            } else if self.blank(cut - 1) {
                3
            } else if self.atoms.line(cut) == self.atoms.line(cut - 1) {
                0
            } else {
                1 + i64::from(!self.indented(cut))
            };
            let distance = i64::from(tokens.abs_diff(target)) * 1000 / i64::from(target.max(1));
            best = best.max((strength * 1000 - distance, cut));
        }
        best.1
    }

    fn flush(&mut self, group: Option<Unit>, owner: Option<u32>, head: &dyn Fn(usize) -> bool, first_piece: usize) {
        let Some(group) = group else { return };
        // A closing bracket is no chunk if it can help it.
        if self.slight(&group)
            && self.pieces.len() > first_piece
            && let Some(last) = self.pieces.last_mut()
            && last.to == group.from
            && self.atoms.tokens(last.from, group.to) <= self.max
        {
            last.to = group.to;
            return;
        }
        self.emit(group, owner, head);
    }

    fn emit(&mut self, unit: Unit, owner: Option<u32>, head: &dyn Fn(usize) -> bool) {
        let head = head(unit.from);
        self.pieces.push(Piece { from: unit.from, to: unit.to, blocks: unit.blocks, owner, head });
    }

    fn block(&self, index: u32) -> Option<&Block> {
        self.syntax.blocks.get(index as usize)
    }

    /// What a unit defines, if it is a definition.
    fn definition(&self, unit: &Unit) -> Option<DefinitionKind> {
        let block = (!unit.blocks.is_empty()).then(|| self.block(unit.blocks.start)).flatten()?;
        Some(self.syntax.definitions.get(block.definition as usize)?.kind)
    }

    /// Whether a unit is little and defines nothing.
    fn slight(&self, unit: &Unit) -> bool {
        unit.blocks.is_empty() && self.tokens(unit) < self.min
    }

    fn tokens(&self, unit: &Unit) -> u32 {
        self.atoms.tokens(unit.from, unit.to)
    }

    fn bytes(&self, atom: usize) -> &[u8] {
        let range = self.atoms.start(atom) as usize..self.atoms.start(atom + 1) as usize;
        self.text.as_bytes().get(range).unwrap_or_default()
    }

    fn blank(&self, atom: usize) -> bool {
        self.bytes(atom).iter().all(u8::is_ascii_whitespace)
    }

    fn indented(&self, atom: usize) -> bool {
        self.bytes(atom).first().is_some_and(u8::is_ascii_whitespace)
    }
}

fn join(a: Unit, b: Unit) -> Unit {
    let blocks = match (a.blocks.is_empty(), b.blocks.is_empty()) {
        (true, _) => b.blocks,
        (_, true) => a.blocks,
        _ => a.blocks.start..b.blocks.end,
    };
    Unit { from: a.from, to: b.to, blocks }
}
