//! What the uses in a sample mean, by a plain search within the one file.

use std::collections::BTreeMap;

use gristmill_pipeline::port::{Definition, LeadKind, Linkage, NamePath, Syntax};

use super::{parse, sample};
use crate::spec::Language;

type Names = Vec<String>;

/// Checks the sample `scopes` of a language. A line that ends in `@@ name=target …` says what each
/// use of the name in it means: the qualified name of a definition, `local`, or `none`.
/// `at_least` is the number of uses that must be labelled.
pub(crate) fn check_targets(language: &Language, at_least: usize) {
    let path = sample(language, "scopes");
    let text = std::fs::read_to_string(&path).expect("a sample");
    let file = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let syntax = parse(file, &text);
    let search = Search::new(&syntax);
    let (mut labels, mut wrong) = (0, Vec::new());
    for (line, labelled) in (1..).zip(text.lines()) {
        let Some((_, labelled)) = labelled.split_once("@@ ") else { continue };
        for label in labelled.split_whitespace().filter(|label| label.contains('=')) {
            labels += 1;
            let (name, expected) = label.split_once('=').expect("a label");
            let mut used = syntax.references.iter().filter(|used| used.line == line && *used.name == *name);
            let found: Vec<String> = used.by_ref().map(|used| search.meaning(&used.target)).collect();
            if found.is_empty() && !matches!(expected, "none" | "local") || found.iter().any(|found| found != expected)
            {
                let targets = syntax.references.iter().filter(|used| used.line == line && *used.name == *name);
                let targets: Vec<&str> = targets.map(|used| used.target.as_str()).collect();
                wrong.push(format!("{file}:{line} {name}: expected {expected}, got {found:?} by {targets:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(labels >= at_least, "{labels} labels");
}

struct Search<'a> {
    definitions: BTreeMap<Names, &'a Definition>,
    leads: Vec<(Names, Names, u32, bool)>,
}

fn names(path: &NamePath) -> Names {
    let names: Names = path.as_str().split(' ').map(Into::into).collect();
    match names.split_first() {
        Some((first, rest)) if first == "free" => [&["unit".to_owned()], rest].concat(),
        _ => names,
    }
}

impl<'a> Search<'a> {
    fn new(syntax: &'a Syntax) -> Self {
        let (mut definitions, mut leads) = (BTreeMap::new(), Vec::new());
        for (before, definition) in
            std::iter::once(None).chain(syntax.definitions.iter().map(Some)).zip(&syntax.definitions)
        {
            if let Some(before) = before.filter(|before| before.span == definition.span) {
                leads.push((names(&definition.key.linked().0), names(&before.key.linked().0), 0, false));
            }
            let (path, linkage) = definition.key.linked();
            let path = names(&path);
            let scope = match linkage {
                Some(Linkage::Scope) => Some(path.clone()),
                Some(Linkage::Body) => path.split_last().map(|(_, scope)| scope.to_vec()),
                _ => None,
            };
            for end in (2..=scope.as_ref().map_or(0, Vec::len)).rev() {
                let scope = scope.as_ref().and_then(|scope| scope.get(..end)).expect("names");
                let seen = |names: &[String]| [names, &["^".to_owned()]].concat();
                let outer = scope.get(..end - 1).expect("names");
                leads.push((seen(scope), scope.to_vec(), 1, false));
                leads.push((seen(scope), if end == 2 { outer.to_vec() } else { seen(outer) }, 1, false));
            }
            if path.first().is_some_and(|anchor| anchor == "package") {
                leads.push((path.clone(), [&["unit".to_owned()], path.get(1..).expect("names")].concat(), 1, false));
                leads.push(([&["unit".to_owned()], path.get(1..).expect("names")].concat(), path.clone(), 0, false));
            }
            let declared = if linkage == Some(Linkage::Declaration) { vec![";".to_owned()] } else { Vec::new() };
            if linkage == Some(Linkage::Declaration) {
                leads.push((path.clone(), [path.clone(), declared.clone()].concat(), 1, true));
            }
            if definition.kind.as_str() != "implementation" {
                definitions.entry([path, declared].concat()).or_insert(definition);
            }
        }
        for reference in &syntax.references {
            if let Some(lead) = &reference.lead {
                let then = lead.then.split(' ').filter(|name| !name.is_empty());
                let to = names(&reference.target.with(then));
                let cost = u32::from(lead.kind == LeadKind::Base);
                leads.push((names(&lead.from), to, cost, lead.kind == LeadKind::Alias));
            }
        }
        Self { definitions, leads }
    }

    /// The definition that a path leads to.
    fn meaning(&self, target: &NamePath) -> String {
        if *target == NamePath::LOCAL {
            return "local".to_owned();
        }
        let (mut known, mut best) = (BTreeMap::<Names, u32>::new(), None);
        let mut todo = vec![(names(target), 0)];
        while let Some((path, cost)) = todo.pop() {
            if path.len() > 12 || cost > 8 || known.get(&path).is_some_and(|known| *known <= cost) {
                continue;
            }
            known.insert(path.clone(), cost);
            if let Some(definition) = self.definitions.get(&path) {
                best = best.filter(|(known, _)| *known <= cost).or(Some((cost, *definition)));
            }
            for (from, to, more, at_end) in &self.leads {
                if let Some(rest) = path.strip_prefix(&**from).filter(|rest| *at_end || !rest.is_empty()) {
                    todo.push(([&**to, rest].concat(), cost + more));
                }
            }
            if let Some(at) = path.iter().position(|name| name == "()") {
                let mut path = path.clone();
                path.remove(at);
                todo.push((path, cost + 1));
            }
        }
        best.map_or("none".to_owned(), |(_, definition)| definition.qualified_name.to_string())
    }
}
