//! What the keys of definitions say of other files: how bodies and declarations of the same name
//! find each other, and what scopes see of what is around them.

use std::collections::HashSet;

use gristmill_plane::{LeadFact, LeadKind, NameChain, Root, short_names};

use super::{root, start};
use crate::port::{Anchor, Linkage, NamePath};

/// The names of a definition. Those of a declaration lie two links behind its path, so that a
/// definition in another file, which lies one link behind, is found first.
pub(super) fn names(path: &NamePath, linkage: Option<Linkage>) -> NameChain {
    let declared = [Linkage::Declaration.as_str(); 2];
    let more = if linkage == Some(Linkage::Declaration) { 2 } else { 0 };
    NameChain::of(path.names().chain(declared.into_iter().take(more)))
}

/// A path that goes on at another.
pub(super) fn lead(kind: LeadKind, from: &NamePath, to: &NamePath) -> Option<LeadFact> {
    let (to_root, to, then) = start(to)?;
    let (from_root, from) = (root(from), NameChain::of(from.names()));
    Some(LeadFact { from, to, then, from_root, to_root, kind })
}

/// A path that goes on at a known place, whatever the number of its names.
fn link(kind: LeadKind, from: &NamePath, to: &NamePath) -> LeadFact {
    let (from_root, to_root) = (root(from), root(to));
    let (from, to) = (NameChain::of(from.names()), NameChain::of(to.names()));
    LeadFact { from, to, then: Default::default(), from_root, to_root, kind }
}

/// Adds the leads of a definition with that path and linkage.
pub(super) fn leads(path: &NamePath, linkage: Option<Linkage>, leads: &mut HashSet<LeadFact>) {
    let package = NamePath::new(Anchor::Package, path.names());
    match linkage {
        Some(Linkage::Body) => {
            leads.insert(link(LeadKind::Link, path, &package));
            leads.insert(link(LeadKind::Alias, &package, path));
            // A body outside of its class sees what the class does.
            let names: Vec<&str> = path.names().collect();
            if let (Some(anchor), [scope @ .., _]) = (path.anchor(), &*names) {
                scope_leads(anchor, scope, leads);
            }
        }
        Some(Linkage::Declaration) => {
            let declared = path.with([Linkage::Declaration.as_str()]);
            leads.insert(link(LeadKind::Link, path, &package));
            leads.insert(link(LeadKind::Link, path, &declared));
            leads.insert(link(LeadKind::Link, &declared, &declared.with([Linkage::Declaration.as_str()])));
        }
        Some(Linkage::Scope) => {
            let names: Vec<&str> = path.names().collect();
            if let Some(anchor) = path.anchor() {
                scope_leads(anchor, &names, leads);
            }
        }
        None => {}
    }
}

/// Adds the leads of the scope with these names, and of those around it: from what it sees to what
/// it holds, to what the scope around it sees, and to what scopes of its name hold in other files.
fn scope_leads(anchor: Anchor, names: &[&str], leads: &mut HashSet<LeadFact>) {
    let Some(first) = names.first() else { return };
    let path = |names: &[&str]| NamePath::new(anchor, names.iter().copied());
    let seen = |names: &[&str]| path(names).with([Linkage::Scope.as_str()]);
    for end in 1..=names.len() {
        let Some(own) = names.get(..end) else { return };
        let outer = own.split_last().map_or(&[][..], |(_, outer)| outer);
        let mut held = link(LeadKind::All, &seen(own), &path(own));
        // By way of the first name, because other files may hold more of that.
        if let (Some(then), Some(known)) =
            (own.get(1..).and_then(|then| short_names(then.iter().copied())), own.get(..1))
        {
            held.to = NameChain::of(known.iter().copied());
            held.then = then;
        }
        leads.insert(held);
        let mut around = link(LeadKind::All, &seen(own), &seen(outer));
        if outer.is_empty() {
            (around.to, around.to_root) = (NameChain::default(), Root::Free);
        }
        leads.insert(around);
    }
    let from = path(&[first]);
    leads.extend(lead(LeadKind::All, &from, &NamePath::new(Anchor::Free, [*first])));
}
