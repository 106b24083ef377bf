//! What uses of names mean, found by a plain search.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use gristmill_views::Evidence;

use super::{declared, import_names, local_names, module_names, module_places, unit};
use crate::operator::{Declared, ModuleName, NamedPlace};
use crate::port::{Anchor, Definition, DefinitionKind, Import, LeadKind, NamePath, Reference};
use crate::sink::Record;

const MAX_LEFT: usize = 8;
const MAX_STEPS: u8 = 24;
const MAX_ANSWERS: usize = 8;

/// A definition that a use means.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub path: &'a str,
    pub definition: &'a Definition,
    pub evidence: Evidence,
    pub candidates: u32,
}

/// A place, and names below it.
type Key = Vec<String>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Alias,
    Import,
    All,
    Type,
    Base,
}

/// Cost, evidence, steps, and the names that were left at the last base: the least is best.
type Trail = (u8, Evidence, u8, usize);

/// The continuations and definitions of a set of rows.
pub(super) struct Search<'a> {
    continuations: BTreeMap<Key, Vec<(Key, Vec<String>, Step)>>,
    definitions: BTreeMap<Key, Vec<(&'a str, &'a Definition)>>,
}

fn roots(record: &Record, anchor: Anchor) -> Vec<Key> {
    let of = unit(&record.path);
    let (file, unit) = (format!("file {}", record.path), format!("unit {}", of.unit));
    match anchor {
        Anchor::File => vec![vec![file]],
        Anchor::Unit => vec![vec![unit]],
        Anchor::Package => vec![vec![format!("package {}", of.package)]],
        Anchor::Free => vec![vec![unit], vec![file]],
    }
}

/// Where a path begins, and the names that are left there.
fn starts(record: &Record, path: &NamePath) -> Vec<(Key, Vec<String>)> {
    let Some(anchor) = path.anchor() else { return Vec::new() };
    if let Some((before, separator, names)) = path.seen() {
        let names: Vec<String> = names.names().map(Into::into).collect();
        let mut found = vec![(outside(record), names.clone())];
        if separator == NamePath::EXTENDED {
            let members = starts(record, &before).into_iter();
            found.extend(members.map(|(key, left)| (key, [left, names.clone()].concat())));
            return found;
        }
        let around = if anchor == Anchor::Unit { usize::MAX } else { 1 };
        for class in before.ancestors().take(around) {
            let class: Vec<String> = class.names().map(Into::into).collect();
            let roots = roots(record, anchor).into_iter();
            found.extend(roots.map(|root| ([root, class.clone()].concat(), names.clone())));
        }
        return found;
    }
    let names: Vec<String> = path.names().map(Into::into).collect();
    let (head, tail) = names.split_at(usize::from(anchor != Anchor::Free));
    let parts = |name: &String| name.split("::").map(Into::into).collect::<Vec<String>>();
    let head = if anchor == Anchor::File { head.iter().flat_map(parts).collect() } else { head.to_vec() };
    roots(record, anchor).into_iter().map(|root| ([root, head.clone()].concat(), tail.to_vec())).collect()
}

/// Files by what imports may mean them by.
pub(super) struct Modules<'a> {
    /// By their own names, and those that manifests give them.
    names: BTreeMap<String, BTreeSet<&'a str>>,
    /// By their places.
    places: BTreeMap<String, BTreeSet<&'a str>>,
    named: Vec<NamedPlace>,
    /// The folders of which a manifest says whether names of places that outer ones give count.
    boundaries: Vec<(String, bool)>,
}

impl<'a> Modules<'a> {
    pub fn of(records: &[&'a Record]) -> Self {
        let mut modules =
            Self { names: BTreeMap::new(), places: BTreeMap::new(), named: Vec::new(), boundaries: Vec::new() };
        for record in records {
            for name in module_names(&record.path) {
                modules.names.entry(name).or_default().insert(record.path.as_str());
            }
            for place in module_places(&record.path) {
                modules.places.entry(place.path).or_default().insert(record.path.as_str());
            }
        }
        let mut found: Vec<(String, &str)> = Vec::new();
        for record in records {
            for import in &record.analysis.imports {
                match declared(&record.path, import) {
                    Some(Declared::Module(name)) => {
                        let meant = import_names(&record.path, import);
                        let meant = meant.into_iter().find_map(|module| modules.names.get(&module.name));
                        found.extend(meant.into_iter().flatten().map(|to| (name.clone(), *to)));
                    }
                    Some(Declared::Place(place)) => modules.named.push(place),
                    Some(Declared::Boundary { scope, is_passed, .. }) => modules.boundaries.push((scope, is_passed)),
                    None => {}
                }
            }
        }
        for (name, to) in found {
            modules.names.entry(name).or_default().insert(to);
        }
        modules
    }

    /// What an import of a file means, and the name by which it does.
    pub fn meant(&self, record: &Record, import: &Import) -> Option<(ModuleName, BTreeSet<&'a str>)> {
        if matches!(declared(&record.path, import), Some(Declared::Place(_) | Declared::Boundary { .. })) {
            return None;
        }
        let folder = record.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_around = |scope: &str| scope.is_empty() || format!("{folder}/").starts_with(&format!("{scope}/"));
        let depth = |scope: &str| scope.split('/').filter(|part| !part.is_empty()).count();
        let passes = |at: &String| self.boundaries.contains(&(at.clone(), true));
        let boundaries = self.boundaries.iter().filter(|(at, is_passed)| !is_passed && !passes(at) && is_around(at));
        let boundary = boundaries.map(|(at, _)| depth(at)).max();
        // How many folders deep, or `None` for outside.
        let known = |named: &NamedPlace| {
            let scope = &*named.scope;
            match is_around(scope) && Some(depth(scope)) >= boundary {
                true => Some(Some(depth(scope))),
                false => named.is_public.then_some(None),
            }
        };
        import_names(&record.path, import).into_iter().find_map(|module| {
            let found = match &module.below {
                None => self.names.get(&module.name).cloned(),
                Some(below) => {
                    let named = self.named.iter().filter(|named| named.name == module.name);
                    let found = named.filter_map(|named| {
                        let files = self.places.get(&format!("{}/{below}", named.place.path))?;
                        Some(((known(named)?, Reverse(named.order)), files))
                    });
                    let found: Vec<_> = found.collect();
                    let nearest = found.iter().map(|(near, _)| *near).max()?;
                    let found = found.into_iter().filter(|(near, _)| *near == nearest);
                    Some(found.flat_map(|(_, files)| files.iter().copied()).collect())
                }
            };
            found.map(|found| (module, found))
        })
    }
}

/// What leads to all that is free in a file.
fn outside(record: &Record) -> Key {
    vec![format!("outside {}", record.path)]
}

impl<'a> Search<'a> {
    pub(super) fn new(records: &[&'a Record]) -> Self {
        let mut search = Self { continuations: BTreeMap::new(), definitions: BTreeMap::new() };
        let modules = Modules::of(records);
        let unit_key = |path: &str| vec![format!("unit {}", unit(&path.into()).unit)];
        for record in records {
            for free in roots(record, Anchor::Free) {
                search.add(outside(record), free, vec![], Step::All);
            }
            for (above, name) in unit(&record.path).member_of {
                search.add(vec![format!("unit {above}"), name], unit_key(record.path.as_str()), vec![], Step::Alias);
            }
            for import in &record.analysis.imports {
                let mut local: Vec<String> = local_names(import).into_iter().map(Into::into).collect();
                let all = local.is_empty() || local.pop_if(|name| name == "*").is_some();
                let from = [vec![format!("file {}", record.path)], local.clone()].concat();
                let meant = modules.meant(record, import);
                for (module, to) in meant.iter().flat_map(|(module, files)| files.iter().map(move |to| (module, *to))) {
                    let then = module.then.iter().map(ToString::to_string).collect();
                    let step = if all { Step::All } else { Step::Import };
                    search.add(from.clone(), unit_key(to), then, step);
                }
            }
            for definition in &record.analysis.definitions {
                let names: Vec<String> = definition.key.names().map(Into::into).collect();
                for root in definition.key.anchor().into_iter().flat_map(|anchor| roots(record, anchor)) {
                    let key = [root, names.clone()].concat();
                    search.definitions.entry(key.clone()).or_default().push((record.path.as_str(), definition));
                    let package = [roots(record, Anchor::Package).concat(), vec![definition.name.to_string()]].concat();
                    if definition.kind == DefinitionKind::Macro {
                        search.add(package, key, vec![], Step::Alias);
                    } else {
                        search.add(key, package, vec![], Step::Type);
                    }
                }
            }
            if !unit(&record.path).package.is_empty() {
                for (unit, package) in roots(record, Anchor::Unit).into_iter().zip(roots(record, Anchor::Package)) {
                    search.add(unit, package, vec![], Step::All);
                }
            }
            for reference in &record.analysis.references {
                let Some(lead) = &reference.lead else { continue };
                let step = match lead.kind {
                    LeadKind::Alias => Step::Alias,
                    LeadKind::Type => Step::Type,
                    LeadKind::Base => Step::Base,
                };
                let names: Vec<String> = lead.from.names().map(Into::into).collect();
                for root in lead.from.anchor().into_iter().flat_map(|anchor| roots(record, anchor)) {
                    for (to, then) in starts(record, &reference.target) {
                        search.add([root.clone(), names.clone()].concat(), to, then, step);
                    }
                }
            }
        }
        search
    }

    fn add(&mut self, from: Key, to: Key, then: Vec<String>, step: Step) {
        let known = self.continuations.entry(from).or_default();
        if !known.contains(&(to.clone(), then.clone(), step)) {
            known.push((to, then, step));
        }
    }

    /// The definitions that a use means.
    pub(super) fn answers(&self, record: &Record, reference: &Reference) -> Vec<Answer<'a>> {
        let sure = !matches!(reference.target.anchor(), Some(Anchor::Free | Anchor::Package));
        let sure = sure || reference.target.seen().is_some();
        let first = if sure { Evidence::Scope } else { Evidence::Package };
        let mut trails: BTreeMap<(Key, Vec<String>), Trail> = BTreeMap::new();
        let mut todo: Vec<((Key, Vec<String>), Trail)> =
            starts(record, &reference.target).into_iter().map(|start| (start, (0, first, 0, usize::MAX))).collect();
        while let Some((position, trail)) = todo.pop() {
            if trails.get(&position).is_some_and(|known| *known <= trail) {
                continue;
            }
            trails.insert(position.clone(), trail);
            if trail.2 < MAX_STEPS {
                todo.extend(self.next(&position, trail));
            }
        }
        let mut found: Vec<(u8, Evidence, &str, &Definition)> = Vec::new();
        for ((key, left), (cost, evidence, ..)) in &trails {
            for (path, definition) in self.definitions.get(key).into_iter().flatten().filter(|_| left.is_empty()) {
                found.push((*cost, *evidence, path, definition));
            }
        }
        let cost = found.iter().map(|(cost, ..)| *cost).min();
        found.retain(|(of, ..)| Some(*of) == cost);
        found.sort_by_key(|(_, evidence, ..)| *evidence);
        let mut firsts: BTreeMap<_, (Evidence, &str, &Definition)> = BTreeMap::new();
        for (_, evidence, path, definition) in found {
            let first = firsts.entry(crate::RelPath::from(path).key()).or_insert((evidence, path, definition));
            if definition.span.start_byte < first.2.span.start_byte {
                first.2 = definition;
            }
        }
        let candidates = firsts.len() as u32;
        let answers = firsts.into_values().take(MAX_ANSWERS);
        answers.map(|(evidence, path, definition)| Answer { path, definition, evidence, candidates }).collect()
    }

    fn next(
        &self,
        (key, left): &(Key, Vec<String>),
        (cost, evidence, steps, trail_base): Trail,
    ) -> Vec<((Key, Vec<String>), Trail)> {
        let mut next = Vec::new();
        for (to, then, step) in self.continuations.get(key).into_iter().flatten() {
            let before_base = if *step == Step::Base { left.len() } else { trail_base };
            let (more, evidence) = match (step, evidence) {
                (Step::Type | Step::Base | Step::All, _) if left.is_empty() => continue,
                (Step::All, _) if left.first().is_some_and(|name| name == "()") => continue,
                (Step::Base, _) if left.len() > trail_base => continue,
                (Step::Alias, evidence) => (0, evidence),
                (Step::Import, Evidence::Import) => (0, Evidence::ReExport),
                (Step::Import, evidence) => (0, evidence.max(Evidence::Import)),
                (Step::All, evidence) => (1, evidence.max(Evidence::Package)),
                (Step::Type, evidence) => (0, evidence.max(Evidence::Receiver)),
                (Step::Base, evidence) => (1, evidence.max(Evidence::Inherited)),
            };
            let left = [then.clone(), left.clone()].concat();
            if left.len() <= MAX_LEFT {
                next.push(((to.clone(), left), (cost + more, evidence, steps + 1, before_base)));
            }
        }
        if let Some((name, rest)) = left.split_first() {
            let below = [key.clone(), vec![name.clone()]].concat();
            let qualified = evidence.max(Evidence::Qualifier);
            next.push(((below, rest.to_vec()), (cost, qualified, steps + 1, trail_base)));
            if name == "()" {
                let received = evidence.max(Evidence::Receiver);
                next.push(((key.clone(), rest.to_vec()), (cost + 1, received, steps + 1, trail_base)));
            }
        }
        next
    }
}
