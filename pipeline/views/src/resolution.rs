//! How a use of a name leads to definitions.
//!
//! A parse operator says of each use what it is bound to: a path of names (see
//! `gristmill_pipeline::port::NamePath`). Following a path is a search over *positions*: a key of
//! what was reached, and the names that are left. From a position the search goes on
//!
//! - to the first name that is left, below what was reached;
//! - along a [`Continuation`]: an import, another name, the type of a variable, the base of a
//!   class, each of which leads to another position.
//!
//! Positions at which nothing is defined and nothing goes on are left out. Every other is kept with
//! its cheapest [`Trail`]; a definition that is reached with no name left answers. So a member of a class is found before that of its base, and a name that is
//! imported by name before one that comes with `*`. The search adds and compares only, and takes
//! nothing back, which makes it one monotone fixed point of a differential program. The idea of
//! following names file by file, each of which is analysed alone, is that of scope and stack graphs
//! (D. A. Creager, H. van Antwerpen, "Stack graphs: Name resolution at scale", 2023).

mod position;
mod source;
mod whole;

use std::collections::BTreeMap;

use differential_dataflow::operators::ThresholdTotal;
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{ChainKey, DefinitionFact, NameChain, distinct, short_name};
use serde::{Deserialize, Serialize};

use self::position::{Call, Left, Next, Position, Trail};
pub(crate) use self::position::{Continuation, Way};
pub(crate) use self::source::{Source, UseKey, root_key, target_key};
use self::whole::Whole;
use crate::FactCollections;
use crate::collections::Facts;
use crate::iterate::{Inner, iterate};

/// Files with a definition that one use may mean; beyond this many, the first ones stand for all.
const MAX_ANSWERS: usize = 8;

/// How the definition that a use means was found; later ones are less sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Evidence {
    /// A scope around the use defines it.
    Scope,
    /// It is a member of what is named before it.
    Qualifier,
    /// It is imported.
    Import,
    /// It is imported from where it is imported.
    ReExport,
    /// Its unit or package defines it, or a module that is imported whole.
    Package,
    /// It is a member of the type of what stands before it.
    Receiver,
    /// It is a member of a base of that type.
    Inherited,
}

impl Evidence {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Scope, Self::Qualifier, Self::Import, Self::ReExport, Self::Package, Self::Receiver, Self::Inherited];

    /// The name stored in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Qualifier => "qualifier",
            Self::Import => "import",
            Self::ReExport => "re-export",
            Self::Package => "package",
            Self::Receiver => "receiver",
            Self::Inherited => "inherited",
        }
    }

    /// The share of such edges that are right, in percent, as measured against compilers' own
    /// indexes. Several definitions that are as likely share it.
    #[must_use]
    pub const fn confidence(self, candidates: u32) -> u64 {
        let percent = match self {
            Self::Scope => 98,
            Self::Qualifier | Self::Import => 97,
            Self::ReExport => 95,
            Self::Package => 94,
            Self::Receiver => 92,
            Self::Inherited => 88,
        };
        if candidates > 3 { percent / 2 } else { percent }
    }
}

/// A definition that a path of names leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The file that defines it.
    pub path: PathKey,
    /// The definition.
    pub definition: DefinitionFact,
    /// How it was found.
    pub evidence: Evidence,
    /// Among how many.
    pub candidates: u32,
}

/// A position that the search for a use has reached, and how.
type Reached = ((UseKey, Position), Trail);

/// What each path of names that a use is bound to leads to, by the key of the use.
pub(crate) fn answers<'scope>(facts: &FactCollections<'scope>) -> Facts<'scope, (UseKey, Answer)> {
    let uses = facts.references().filter(|(_, reference)| reference.target != NameKey::NONE);
    let starts = uses
        .map(|(place, reference)| target_key(place.path, reference.target))
        .threshold_total(distinct)
        .map(|key| ((key.half(), (key, Left::default())), Trail::START));
    let (sources, defined) = (facts.sources(), facts.defined());
    let places = defined.clone().map(|(at, names, _)| (at, names));
    let Whole { continuations, pairs, named } = whole::whole(sources.clone(), places);
    let written = sources.filter(|source| source.imports_all().is_none());
    let continuations = written.map(|source| (source.key(), source.continuation)).concat(continuations);
    let continuations = continuations.threshold_total(distinct);
    let defined = defined.map(|(at, names, definition)| (at.join(names), definition));
    let live = defined.clone().map(|(key, _)| key).concat(continuations.clone().map(|(key, _)| key));
    let live = live.threshold_total(distinct);
    let call = Call(short_name("()"));
    let reached = iterate(starts.clone(), |scope, reached| {
        let (starts, continuations, live) = (starts.enter(scope), continuations.enter(scope), live.enter(scope));
        let (pairs, named) = (pairs.enter(scope), named.enter(scope));
        let next = reached
            .map(|((from, (key, left)), trail)| (key, (from, left, trail)))
            .join_map(continuations, move |key, (from, left, trail), continuation| {
                call.follow((*key, *left), *trail, continuation).map(|next| (*from, next))
            })
            .flat_map(|next| next);
        let anywhere = anywhere(next.clone(), named, pairs);
        let called = anywhere.clone().flat_map(move |((from, position), trail)| {
            call.called(position, trail).map(|(position, trail)| (from, Next::At(position, trail)))
        });
        let below = below(next.concat(called), live, call);
        starts.concat(anywhere).concat(below).reduce_named("cheapest trail", |_, trails, cheapest| {
            cheapest.extend(trails.first().map(|(trail, _)| (**trail, 1)));
        })
    });
    reached
        .flat_map(|((from, (key, left)), trail)| left.is_empty().then_some((key, (from, trail))))
        .join_map(defined, |_, (from, trail), (path, definition)| {
            (*from, (trail.cost, trail.evidence, *path, *definition))
        })
        .reduce_named("definitions that are meant", |_, found, meant| {
            let cost = found.first().map_or(0, |((cost, ..), _)| *cost);
            let cheapest = found.iter().map(|(found, _)| *found).take_while(|(found, ..)| *found == cost);
            // Of several definitions in one file, such as overloads or the two of a property, the
            // first stands for all.
            let mut firsts: BTreeMap<PathKey, (DefinitionFact, Evidence)> = BTreeMap::new();
            for (_, evidence, path, definition) in cheapest {
                let first = firsts.entry(*path).or_insert((*definition, *evidence));
                if definition.ordinal < first.0.ordinal {
                    first.0 = *definition;
                }
            }
            let candidates = firsts.len() as u32;
            let answers = firsts.into_iter().take(MAX_ANSWERS);
            meant.extend(
                answers.map(|(path, (definition, evidence))| (Answer { path, definition, evidence, candidates }, 1)),
            );
        })
}

/// The positions that searches for names in any of the places which a place imports whole lead to: those
/// of the names that some of them has.
fn anywhere<'scope>(
    next: Inner<'scope, (UseKey, Next)>,
    named: Inner<'scope, ((NameChain, bool), ChainKey)>,
    pairs: Inner<'scope, ((ChainKey, ChainKey), u8)>,
) -> Inner<'scope, Reached> {
    let heads = next.flat_map(|(from, next)| {
        let searched = match next {
            Next::Anywhere((key, left), trail) => Some((key, left, trail)),
            Next::At(..) => None,
        };
        searched.into_iter().flat_map(move |(key, left, trail)| {
            left.heads().zip(1..).filter_map(move |((head, left), names)| {
                Some(((head, !left.is_empty()), (key, from, left, trail.below(names)?)))
            })
        })
    });
    heads
        .join_map(named, |(head, _), (importer, from, left, trail), to| {
            ((*importer, *to), (*from, (to.join(*head), *left), *trail))
        })
        .join_map(pairs, |_, (from, position, trail), hops| {
            trail.through(*hops).map(|trail| ((*from, *position), trail))
        })
        .flat_map(|found| found)
}

/// The positions that continuations lead to, and those below them, as far as they are live.
fn below<'scope>(
    next: Inner<'scope, (UseKey, Next)>,
    live: Inner<'scope, ChainKey>,
    call: Call,
) -> Inner<'scope, Reached> {
    let positions = next.flat_map(move |(from, next)| {
        let at = match next {
            Next::At(position, trail) => Some((position, trail)),
            Next::Anywhere(..) => None,
        };
        at.into_iter().flat_map(move |(position, trail)| {
            call.descents(position, trail).map(move |((key, left), trail)| (key, (from, left, trail)))
        })
    });
    positions.semijoin(live).map(|(key, (from, left, trail))| ((from, (key, left)), trail))
}
