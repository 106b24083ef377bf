//! The `symbol_ranks` view: how much a symbol matters to others.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::iterate::Variable;
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use differential_dataflow::trace::implementations::{KeyBuilder, KeySpine, ValBuilder, ValSpine};
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{Cell, Difference, FactRow, Tick, distinct};
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Filter;
use timely::order::Product;

use super::fingerprint;
use crate::iterate::RoundNumber;
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

/// A symbol: a qualified name and the file that has it.
type Symbol = (NameKey, PathKey);

/// What the multiplicity of a symbol tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Measure {
    /// Its rank.
    Rank,
    /// How many symbols it uses.
    Degree,
}

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
            facts.resolved().map(|edge| ((edge.reference.within, edge.from), (edge.definition.qualified, edge.to)));
        let ranks = ranks(uses.filter(|(from, to)| from != to), self.rounds);
        ranks.count_total().map(|((symbol, path), rank)| {
            FactRow::new([path.into(), symbol.into(), Cell::Number(rank.unsigned_abs() as u64)])
        })
    }
}

/// The rank of each symbol, as its multiplicity. A symbol that uses another more than once counts
/// as if it did so once.
fn ranks<'scope>(
    uses: VecCollection<'scope, Tick, (Symbol, Symbol), Difference>,
    rounds: u32,
) -> VecCollection<'scope, Tick, Symbol, Difference> {
    let outer = uses.scope();
    let uses = uses
        .reduce_abelian::<_, ValBuilder<_, _, _, _>, ValSpine<_, _, _, _>>("what a symbol uses", |_, used, once| {
            once.extend(used.iter().map(|(to, _)| (**to, 1)))
        });
    let users = uses.clone().as_collection(|from, _| *from);
    let symbols = uses.clone().flat_map_ref(|from, to| [*from, *to]).threshold_total(distinct);
    outer.iterative::<RoundNumber, _, _>(|inner| {
        let (uses, users, symbols) = (uses.enter(inner), users.enter(inner), symbols.enter(inner));
        let begin = symbols.clone().explode(|symbol| Some((symbol, BEGIN)));
        let share = symbols.explode(|symbol| Some((symbol, SHARE)));
        let (bind, ranks) = Variable::new_from(begin, Product::new(Tick::default(), 1));
        let ranks = ranks.map(|symbol| (symbol, Measure::Rank));
        let known = ranks.concat(users.map(|from| (from, Measure::Degree))).arrange_by_key_named("ranks and degrees");
        // Each symbol gives five sixths of its rank in equal parts to those that it uses.
        let given = known.clone().reduce_abelian::<_, KeyBuilder<_, _, _>, KeySpine<Symbol, _, _>, _, _>(
            "rank given to each",
            |_, measures: &[(&Measure, Difference)], given: &mut Vec<((), Difference)>| {
                if let [(Measure::Rank, rank), (Measure::Degree, degree)] = measures {
                    given.push(((), (5 * rank) / (6 * degree)));
                }
            },
            |updates, from, given| {
                updates.clear();
                updates.extend(given.drain(..).map(|((), time, difference)| ((*from, ()), time, difference)));
            },
        );
        let next = uses.join_core(given, |_, to, ()| Some(*to)).concat(share).inner;
        let rounds = rounds as RoundNumber;
        bind.set(VecCollection::new(Filter::filter(next, move |(_, time, _)| time.inner < rounds)));
        known.flat_map_ref(|symbol, measure| (*measure == Measure::Rank).then_some(*symbol)).leave(outer)
    })
}
