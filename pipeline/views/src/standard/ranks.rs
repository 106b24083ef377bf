//! The `symbol_ranks` view: how much a symbol matters to others.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::iterate::Variable;
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{Cell, Difference, FactRow, Tick};
use timely::order::Product;

use super::fingerprint;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, View};

/// What every symbol begins with, in millionths.
const BEGIN: Difference = 6_000_000;

/// What every symbol gets in each round whatever leads to it: a sixth.
const SHARE: Difference = 1_000_000;

/// PageRank in whole numbers over the uses of symbols by symbols, with a bounded number
/// of rounds (S. Brin and L. Page, "The Anatomy of a Large-Scale Hypertextual Web Search
/// Engine", 1998; damping 5/6). Whole numbers make the result exact, whatever order
/// changes came in.
#[derive(Clone, Copy, Debug)]
pub struct SymbolRanks {
    rounds: u32,
}

impl SymbolRanks {
    /// With this many rounds. A change ripples as many edges far.
    #[must_use]
    pub const fn new(rounds: u32) -> Self {
        Self { rounds }
    }
}

impl Default for SymbolRanks {
    fn default() -> Self {
        Self::new(6)
    }
}

/// A symbol: a file and a qualified name in it.
type Symbol = (PathKey, NameKey);

impl View for SymbolRanks {
    fn schema(&self) -> Arc<ViewSchema> {
        Arc::new(ViewSchema {
            name: "symbol_ranks".into(),
            description: "PageRank of every symbol that is used or uses others.".into(),
            columns: vec![
                ViewColumn::text("path", "The file that defines the symbol."),
                ViewColumn::text("symbol", "Its qualified name; empty for what lies in no definition."),
                ViewColumn::number("rank", "Its rank in millionths."),
            ],
            fingerprint: fingerprint("symbol_ranks", 1, &[&self.rounds.to_string()]),
        })
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let uses =
            facts.resolved().map(|edge| ((edge.from, edge.reference.within), (edge.to, edge.definition.qualified)));
        let ranks = ranks(uses.filter(|(from, to)| from != to).distinct(), self.rounds);
        ranks.count().map(|((path, symbol), rank)| {
            FactRow::new([path.into(), symbol.into(), Cell::Number(rank.unsigned_abs() as u64)])
        })
    }
}

/// The rank of each symbol, as its multiplicity.
fn ranks<'scope>(
    uses: VecCollection<'scope, Tick, (Symbol, Symbol), Difference>,
    rounds: u32,
) -> VecCollection<'scope, Tick, Symbol, Difference> {
    let symbols = uses.clone().flat_map(|(from, to)| [from, to]).distinct();
    let degrees = uses.clone().map(|(from, _)| from).count();
    let outer = uses.scope();
    outer.iterative::<u32, _, _>(|inner| {
        let (uses, symbols, degrees) = (uses.enter(inner), symbols.enter(inner), degrees.enter(inner));
        let begin = symbols.clone().explode(|symbol| Some((symbol, BEGIN)));
        let share = symbols.explode(|symbol| Some((symbol, SHARE)));
        let (bind, ranks) = Variable::new_from(begin, Product::new(Tick::default(), 1));
        // Each symbol gives five sixths of its rank in equal parts to those that it uses.
        let given =
            degrees.semijoin(ranks).threshold(|(_, degree), rank| (5 * rank) / (6 * degree)).map(|(symbol, _)| symbol);
        let mut next = uses.semijoin(given).map(|(_, to)| to).concat(share).consolidate();
        next = VecCollection::new(timely::dataflow::operators::vec::Filter::filter(next.inner, move |(_, time, _)| {
            time.inner < rounds
        }));
        bind.set(next.clone());
        next.leave(outer)
    })
}
