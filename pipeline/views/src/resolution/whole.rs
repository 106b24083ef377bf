//! Imports of all names, and what they lead to through each other.
//!
//! `import *`, `#include`, `require`, and a unit that sees its package bring a place, a file or
//! what several files share, all names of another. A name may then come from any place that such
//! imports lead to, one after the other. Where those are few, a search goes to each. Where they
//! are many, as with headers, nearly all of them would be searched in vain: there the search asks
//! which places have the name, and then which of them are imported.

use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use gristmill_plane::{ChainKey, NameChain, distinct};

use super::position::{Continuation, MAX_STEPS, Way};
use super::source::Source;
use crate::collections::Facts;
use crate::iterate::iterate;

/// Places that a search goes to one by one.
const FEW: isize = 8;

/// A place, and one that it imports whole.
type Pair = (ChainKey, ChainKey);

/// What searches need to know of imports of all names.
pub(super) struct Whole<'scope> {
    /// How searches go on, other than by what is in `sources`.
    pub continuations: Facts<'scope, (ChainKey, Continuation)>,
    /// Through how many imports a place that imports many leads to each.
    pub pairs: Facts<'scope, (Pair, u8)>,
    /// Places by the names that lead to something there, whether names may follow or not.
    pub named: Facts<'scope, ((NameChain, bool), ChainKey)>,
}

/// Takes from `sources` the imports of all names.
pub(super) fn whole<'scope>(
    sources: Facts<'scope, Source>,
    definitions: Facts<'scope, (ChainKey, NameChain)>,
) -> Whole<'scope> {
    let imports = sources.clone().flat_map(|source| source.imports_all().map(|to| (source.at, to)));
    let imports = imports.threshold_total(distinct);
    let reached = closure(imports.clone());
    let crowds = reached.clone().map(|((from, _), _)| from).count_total();
    let crowds = crowds.flat_map(|(from, places)| (places > FEW).then_some(from));
    let few = imports.antijoin(crowds.clone()).map(|(from, to)| (from, Way::Through(1).to(to)));
    let many = reached.map(|((from, to), hops)| (from, (to, hops))).semijoin(crowds.clone());

    // A place may also lead on as it is, without a name below it.
    let onward = sources.clone().filter(|source| source.names.is_empty() && source.imports_all().is_none());
    let onward = onward.map(|source| source.at).threshold_total(distinct);
    let passed = many.clone().map(|(from, (to, hops))| (to, (from, hops))).semijoin(onward);
    let through = passed.map(|(to, (from, hops))| (from, Way::Through(hops).to(to)));
    let anywhere = crowds.map(|from| (from, Way::Anywhere.to(from)));

    let goes_on = sources.filter(|source| source.is_found && !source.names.is_empty());
    let goes_on = goes_on.flat_map(|source| [true, false].map(|more| ((source.names, more), source.at)));
    let ends = definitions.map(|(at, names)| ((names, false), at));
    Whole {
        continuations: few.concat(through).concat(anywhere),
        pairs: many.map(|(from, (to, hops))| ((from, to), hops)),
        named: goes_on.concat(ends).threshold_total(distinct),
    }
}

impl Way {
    const fn to(self, to: ChainKey) -> Continuation {
        Continuation { to, then: [0; gristmill_plane::MAX_THEN], way: self }
    }
}

/// Which places lead to which through imports, and through how many.
fn closure(imports: Facts<'_, Pair>) -> Facts<'_, (Pair, u8)> {
    let direct = imports.clone().map(|pair| (pair, 1));
    iterate(direct.clone(), |scope, reached| {
        let (direct, imports) = (direct.enter(scope), imports.enter(scope));
        reached
            .flat_map(|((from, to), hops)| (hops < MAX_STEPS).then_some((to, (from, hops))))
            .join_map(imports, |_, (from, hops), to| ((*from, *to), hops + 1))
            .filter(|((from, to), _)| from != to)
            .concat(direct)
            .reduce_named("shortest way", |_, ways, shortest| {
                shortest.extend(ways.first().map(|(hops, _)| (**hops, 1)));
            })
    })
}
