//! The views of a set of rows, computed from nothing with plain maps: what the plane's
//! views must equal at every epoch.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_views::{Evidence, ViewRow, ViewValue};

use super::Views;
use super::search::{Answer, Modules, Search};
use crate::port::Reference;
use crate::sink::Record;

const BEGIN: i64 = 6_000_000;
const SHARE: i64 = 1_000_000;

/// Computes views of records.
pub struct Oracle<'a> {
    records: Vec<&'a Record>,
    roots: &'a str,
    rounds: usize,
}

fn text(text: &str) -> ViewValue {
    ViewValue::Text(text.into())
}

fn number(number: impl TryInto<u64>) -> ViewValue {
    ViewValue::Number(number.try_into().unwrap_or(u64::MAX))
}

/// A path, and a qualified name in it.
type Symbol<'a> = (&'a str, &'a str);

/// A use in a file, and the answer to what it means.
type Edge<'a> = (&'a str, &'a Reference, Answer<'a>);

impl<'a> Oracle<'a> {
    /// An oracle over these rows, with `reachable` from the paths that contain `roots`, and
    /// this many rounds of `symbol_ranks`.
    pub fn new(records: impl IntoIterator<Item = &'a Record>, roots: &'a str, rounds: usize) -> Self {
        Self { records: records.into_iter().collect(), roots, rounds }
    }

    /// Every view that comes with the plane.
    pub fn views(&self) -> Views {
        [
            ("edges", self.edges()),
            ("unresolved", self.unresolved()),
            ("import_cycles", self.cycles()),
            ("reachable", self.reachable()),
            ("symbol_ranks", self.ranks()),
            ("rollups", self.rollups()),
        ]
        .map(|(name, rows)| (name.into(), rows.into_iter().map(|values| ViewRow { values }).collect()))
        .into()
    }

    /// `(from, line, written, to)`
    fn imports(&self) -> BTreeSet<(&'a str, u32, &'a str, &'a str)> {
        let modules = Modules::of(&self.records);
        let mut imports = BTreeSet::new();
        for record in &self.records {
            for import in &record.analysis.imports {
                let found = modules.meant(record, import).into_iter().flat_map(|(_, files)| files);
                for to in found.filter(|to| *to != record.path.as_str()) {
                    imports.insert((record.path.as_str(), import.line, &*import.module, to));
                }
            }
        }
        imports
    }

    fn imported(&self) -> BTreeSet<(&'a str, &'a str)> {
        self.imports().into_iter().map(|(from, _, _, to)| (from, to)).collect()
    }

    /// Names are those of one language.
    fn definers(&self) -> BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>> {
        let mut definers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for record in &self.records {
            for definition in &record.analysis.definitions {
                let name = (&*record.analysis.language, &*definition.name);
                definers.entry(name).or_default().insert(record.path.as_str());
            }
        }
        definers
    }

    fn resolved(&self) -> Vec<Edge<'a>> {
        let search = Search::new(&self.records);
        let mut edges = Vec::new();
        for record in &self.records {
            for reference in &record.analysis.references {
                let answers = search.answers(record, reference);
                edges.extend(answers.into_iter().map(|answer| (record.path.as_str(), reference, answer)));
            }
        }
        edges
    }

    fn record(&self, path: &str) -> &'a Record {
        self.records.iter().find(|record| record.path.as_str() == path).expect("is there")
    }

    fn within(&self, path: &str, reference: &Reference) -> &'a str {
        let within = reference.within.and_then(|nth| self.record(path).analysis.definitions.get(nth as usize));
        within.map_or("", |definition| &definition.qualified_name)
    }

    fn edges(&self) -> Vec<Vec<ViewValue>> {
        let uses = self.resolved().into_iter().map(|(from, reference, answer)| {
            let Answer { path, definition, evidence, candidates } = answer;
            vec![
                text(from),
                number(reference.line),
                text(self.within(from, reference)),
                text(&reference.name),
                text("call"),
                text(path),
                number(definition.span.start_line),
                text(&definition.qualified_name),
                text(evidence.as_str()),
                number(evidence.confidence(candidates)),
                number(candidates),
            ]
        });
        let named = self.resolved().into_iter().filter(|(from, _, answer)| {
            matches!(answer.evidence, Evidence::Import | Evidence::ReExport) && *from != answer.path
        });
        let named = named.flat_map(|(from, reference, answer)| {
            let written = self.record(from).analysis.imports.iter().filter(|import| import.line == reference.line);
            written.map(move |import| (from, import.line, &*import.module, answer.path, answer.evidence))
        });
        let imports =
            self.imports().into_iter().map(|(from, line, written, to)| (from, line, written, to, Evidence::Import));
        let imports: BTreeSet<(&str, u32, &str, &str, Evidence)> = imports.chain(named).collect();
        let imports = imports.into_iter().map(|(from, line, written, to, evidence)| {
            let (empty, none) = (text(""), number(0_u64));
            vec![
                text(from),
                number(line),
                empty.clone(),
                text(written),
                text("import"),
                text(to),
                none,
                empty,
                text(evidence.as_str()),
                number(evidence.confidence(1)),
                number(1_u64),
            ]
        });
        uses.chain(imports).collect()
    }

    fn unresolved(&self) -> Vec<Vec<ViewValue>> {
        let definers = self.definers();
        let resolved = self.resolved();
        let is_resolved = |path: &str, reference: &Reference| {
            resolved.iter().any(|(from, used, _)| *from == path && std::ptr::eq(*used, reference))
        };
        let mut uses: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        for record in &self.records {
            for reference in &record.analysis.references {
                if !is_resolved(record.path.as_str(), reference) {
                    let name = (record.path.as_str(), &*record.analysis.language, &*reference.name);
                    *uses.entry(name).or_default() += 1;
                }
            }
        }
        uses.into_iter()
            .map(|((path, language, name), uses)| {
                let files = definers.get(&(language, name)).map_or(0, BTreeSet::len);
                vec![text(path), text(name), number(uses), number(files as u64)]
            })
            .collect()
    }

    /// What can be reached over one edge or more.
    fn reach(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let edges = self.imported();
        let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in &edges {
            reach.entry(from).or_default().insert(to);
        }
        loop {
            let before: usize = reach.values().map(BTreeSet::len).sum();
            for (from, to) in &edges {
                let further = reach.get(to).cloned().unwrap_or_default();
                reach.entry(from).or_default().extend(further);
            }
            if before == reach.values().map(BTreeSet::len).sum::<usize>() {
                return reach;
            }
        }
    }

    fn cycles(&self) -> Vec<Vec<ViewValue>> {
        let reach = self.reach();
        let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|reached| reached.contains(to));
        let mut rows = Vec::new();
        for path in reach.keys().filter(|path| reaches(path, path)) {
            let members = reach.keys().filter(|other| reaches(path, other) && reaches(other, path));
            // The plane knows hashes, and takes the least of them.
            let least = members.min_by_key(|member| crate::RelPath::from(**member).key());
            rows.push(vec![text(least.expect("is one itself")), text(path)]);
        }
        rows
    }

    fn reachable(&self) -> Vec<Vec<ViewValue>> {
        let reach = self.reach();
        let roots = self.records.iter().map(|record| record.path.as_str()).filter(|path| path.contains(self.roots));
        let rows = roots.flat_map(|root| {
            let reached = reach.get(root).into_iter().flatten().copied().chain([root]).collect::<BTreeSet<_>>();
            reached.into_iter().map(move |path| vec![text(root), text(path)])
        });
        rows.collect()
    }

    fn ranks(&self) -> Vec<Vec<ViewValue>> {
        let mut uses: BTreeSet<(Symbol<'_>, Symbol<'_>)> = BTreeSet::new();
        for (from, reference, Answer { path, definition, .. }) in self.resolved() {
            uses.insert(((from, self.within(from, reference)), (path, &*definition.qualified_name)));
        }
        uses.retain(|(from, to)| from != to);
        let symbols: BTreeSet<_> = uses.iter().flat_map(|(from, to)| [*from, *to]).collect();
        let mut ranks: BTreeMap<_, i64> = symbols.iter().map(|symbol| (*symbol, BEGIN)).collect();
        for _ in 0..self.rounds {
            let mut next: BTreeMap<_, i64> = symbols.iter().map(|symbol| (*symbol, SHARE)).collect();
            for (from, to) in &uses {
                let degree = uses.iter().filter(|(other, _)| other == from).count() as i64;
                *next.get_mut(to).expect("is a symbol") += (5 * ranks[from]) / (6 * degree);
            }
            ranks = next;
        }
        ranks.into_iter().map(|((path, symbol), rank)| vec![text(path), text(symbol), number(rank)]).collect()
    }

    fn rollups(&self) -> Vec<Vec<ViewValue>> {
        let mut sums: BTreeMap<(&str, &str), [u64; 5]> = BTreeMap::new();
        for record in &self.records {
            let (path, analysis) = (record.path.as_str(), &record.analysis);
            let above = path.match_indices('/').map(|(end, _)| &path[..end]).chain([""]);
            for folder in above {
                let sizes = sums.entry((folder, &analysis.language)).or_default();
                let chunks = record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len());
                let own = [1, analysis.bytes, analysis.lines.into(), chunks as u64, analysis.definitions.len() as u64];
                sizes.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
        }
        let row = |((folder, language), sizes): ((&str, &str), [u64; 5])| {
            [text(folder), text(language)].into_iter().chain(sizes.map(number)).collect()
        };
        sums.into_iter().map(row).collect()
    }
}

/// Differences between what is stored and what should be, for people.
pub fn differences(found: &Views, expected: &Views) -> String {
    let mut out = String::new();
    for (name, rows) in expected {
        let none = BTreeSet::new();
        let found = found.get(name).unwrap_or(&none);
        for row in rows.difference(found) {
            out += &format!("{name} lacks {:?}\n", row.values);
        }
        for row in found.difference(rows) {
            out += &format!("{name} has {:?}\n", row.values);
        }
    }
    out
}
