//! The loop that views iterate in.

use differential_dataflow::operators::iterate::Variable;
use differential_dataflow::{Data, VecCollection};
use gristmill_plane::{Difference, Tick};
use timely::dataflow::scope::Iterative;
use timely::order::Product;

use crate::collections::Facts;

/// Counts the rounds of a loop, as the loops of `differential_dataflow::algorithms` do. With one
/// type for all loops, what they have in common is compiled once.
pub(crate) type RoundNumber = usize;

/// The clock inside of a loop.
pub(crate) type Round = Product<Tick, RoundNumber>;

/// A collection inside of a loop.
pub(crate) type Inner<'scope, D> = VecCollection<'scope, Round, D, Difference>;

/// Applies `logic` to `source` until nothing changes: `Iterate::iterate`, which counts rounds in u64.
pub(crate) fn iterate<'scope, D, F>(source: Facts<'scope, D>, logic: F) -> Facts<'scope, D>
where
    D: Data,
    for<'inner> F: FnOnce(Iterative<'inner, Tick, RoundNumber>, Inner<'inner, D>) -> Inner<'inner, D>,
{
    let outer = source.scope();
    outer.iterative::<RoundNumber, _, _>(|scope| {
        let (bind, reached) = Variable::new_from(source.enter(scope), Product::new(Tick::default(), 1));
        let next = logic(scope, reached);
        bind.set(next.clone());
        next.leave(outer)
    })
}
