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
//! Every position is kept with its cheapest [`Trail`]; a definition that is reached with no name
//! left answers. So a member of a class is found before that of its base, and a name that is
//! imported by name before one that comes with `*`. The search adds and compares only, and takes
//! nothing back, which makes it one monotone fixed point of a differential program. The idea of
//! following names file by file, each of which is analysed alone, is that of scope and stack graphs
//! (D. A. Creager, H. van Antwerpen, "Stack graphs: Name resolution at scale", 2023).

use std::collections::BTreeMap;

use differential_dataflow::operators::ThresholdTotal;
use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{
    ChainKey, DefinitionFact, LeadFact, LeadKind, MAX_THEN, Place, Root, ShortName, distinct, short_name,
};
use serde::{Deserialize, Serialize};

use crate::FactCollections;
use crate::collections::Facts;
use crate::iterate::iterate;

/// Limit on the names that are left at a position.
const MAX_LEFT: usize = 8;

/// Limit on the steps of a search.
const MAX_STEPS: u8 = 24;

/// Files with a definition that one use may mean; beyond this many, the first ones stand for all.
const MAX_ANSWERS: usize = 8;

/// What an answer costs that came through `*`, from a base, or from another file of the package.
const DETOUR: u8 = 1;

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

/// Where a path of names goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Continuation {
    /// The key of where it goes on.
    pub to: ChainKey,
    /// Names to look up there before those that are left.
    pub then: [ShortName; MAX_THEN],
    /// What kind of step it is.
    pub kind: LeadKind,
}

/// Names that are left; 0 ends them.
type Left = [ShortName; MAX_LEFT];

/// What was reached, and the names that are left.
type Position = (ChainKey, Left);

/// How a position was reached: the least is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Trail {
    cost: u8,
    evidence: Evidence,
    steps: u8,
}

impl Trail {
    const START: Self = Self { cost: 0, evidence: Evidence::Scope, steps: 0 };

    const fn further(self, cost: u8, evidence: Evidence) -> Option<Self> {
        if self.steps >= MAX_STEPS {
            return None;
        }
        Some(Self { cost: self.cost.saturating_add(cost), evidence, steps: self.steps + 1 })
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

/// The key of where paths with that root begin in a file; `None` where there is more than one
/// such place, or none.
pub(crate) fn root_key(place: Place, root: Root) -> Option<ChainKey> {
    match root {
        Root::File => Some(ChainKey::of(place.path.into())),
        Root::Unit => Some(ChainKey::of(place.unit)),
        Root::Package => (place.package != NameKey::NONE).then(|| ChainKey::of(place.package)),
        // No path of names begins with a space, so that no name of the file has this key.
        Root::Target => Some(ChainKey::of(place.path.into()).below(short_name(" "))),
        Root::None | Root::Free => None,
    }
}

/// The key of a use: of all that are bound to the same in one file.
pub(crate) fn target_key(path: PathKey, target: NameKey) -> ChainKey {
    ChainKey::of(path.into()).below(short_name(" ")).below((target.to_bits() as u64).max(1))
}

/// The continuations that a lead stands for in a file.
pub(crate) fn continuations_of(place: Place, lead: LeadFact) -> Vec<(ChainKey, Continuation)> {
    let Some(from) = root_key(place, lead.from_root).map(|root| root.join(lead.from)) else { return Vec::new() };
    destinations(place, &lead).map(|to| (from, Continuation { to, then: lead.then, kind: lead.kind })).collect()
}

/// The keys that a lead goes to.
fn destinations(place: Place, lead: &LeadFact) -> impl Iterator<Item = ChainKey> + use<> {
    let (file, unit) = (ChainKey::of(place.path.into()), ChainKey::of(place.unit));
    let (first, second) = match lead.to_root {
        Root::Free => (Some(unit), Some(file).filter(|file| *file != unit)),
        root => (root_key(place, root), None),
    };
    let names = lead.to;
    first.into_iter().chain(second).map(move |root| root.join(names))
}

/// What each path of names that a use is bound to leads to, by the key of the use.
pub(crate) fn answers<'scope>(facts: &FactCollections<'scope>) -> Facts<'scope, (ChainKey, Answer)> {
    let uses = facts.references().filter(|(_, reference)| reference.target != NameKey::NONE);
    let starts = uses
        .map(|(place, reference)| target_key(place.path, reference.target))
        .threshold_total(distinct)
        .map(|use_key| ((use_key, (use_key, Left::default())), Trail::START));
    let continuations = facts.continuations();
    let call = short_name("()");
    let reached = iterate(starts.clone(), |scope, reached| {
        let (starts, continuations) = (starts.enter(scope), continuations.enter(scope));
        let along = reached
            .clone()
            .map(|((from, (key, left)), trail)| (key, (from, left, trail)))
            .join_map(continuations, |_, (from, left, trail), continuation| {
                follow(*left, *trail, continuation).map(|(position, trail)| ((*from, position), trail))
            })
            .flat_map(|next| next);
        let below = reached.flat_map(move |((from, position), trail)| {
            descend(position, trail, call).map(move |(position, trail)| ((from, position), trail))
        });
        starts.concat(along).concat(below).reduce_named("cheapest trail", |_, trails, cheapest| {
            cheapest.extend(trails.first().map(|(trail, _)| (**trail, 1)));
        })
    });
    reached
        .flat_map(|((from, (key, left)), trail)| (left == Left::default()).then_some((key, (from, trail))))
        .join_map(facts.defined(), |_, (from, trail), (path, definition)| {
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

/// The names of `then` before those of `left`; `None` if they are too many.
fn left_of(then: &[ShortName], left: &[ShortName]) -> Option<Left> {
    let mut joined = Left::default();
    let mut slots = joined.iter_mut();
    for name in then.iter().chain(left).filter(|name| **name != 0) {
        *slots.next()? = *name;
    }
    Some(joined)
}

/// The position that a continuation leads to.
fn follow(left: Left, trail: Trail, continuation: &Continuation) -> Option<(Position, Trail)> {
    let at_end = left == Left::default();
    let (cost, evidence) = match (continuation.kind, trail.evidence) {
        // A use of a variable means the variable, not its type.
        (LeadKind::Type | LeadKind::Base | LeadKind::All, _) if at_end => return None,
        (LeadKind::Alias, evidence) => (0, evidence),
        (LeadKind::Free, evidence) => (0, evidence.max(Evidence::Package)),
        (LeadKind::Import, Evidence::Import) => (0, Evidence::ReExport),
        (LeadKind::Import, evidence) => (0, evidence.max(Evidence::Import)),
        (LeadKind::All, evidence) => (DETOUR, evidence.max(Evidence::Package)),
        (LeadKind::Type, evidence) => (0, evidence.max(Evidence::Receiver)),
        (LeadKind::Base, evidence) => (DETOUR, evidence.max(Evidence::Inherited)),
        (LeadKind::Link, evidence) => (DETOUR, evidence.max(Evidence::Package)),
    };
    Some(((continuation.to, left_of(&continuation.then, &left)?), trail.further(cost, evidence)?))
}

/// The positions below one: that of the first name that is left, and for a call that of what is
/// called, because a call of a class gives a value of it.
fn descend((key, left): Position, trail: Trail, call: ShortName) -> impl Iterator<Item = (Position, Trail)> {
    let (name, rest) = match left {
        [name, rest @ ..] if name != 0 => (Some(name), left_of(&rest, &[])),
        _ => (None, None),
    };
    let evidence = trail.evidence.max(Evidence::Qualifier);
    let below = name.zip(rest).and_then(|(name, rest)| Some(((key.below(name), rest), trail.further(0, evidence)?)));
    let same = name
        .filter(|name| *name == call)
        .and_then(|_| Some(((key, rest?), trail.further(DETOUR, trail.evidence.max(Evidence::Receiver))?)));
    below.into_iter().chain(same)
}
