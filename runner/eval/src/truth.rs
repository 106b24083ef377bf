//! Compares the reference graph with what a compiler says: an index in the SCIP format.
//!
//! SCIP indexers exist for many languages (`scip-python`, `scip-typescript`, `rust-analyzer scip`, ...).
//! Format: <https://github.com/sourcegraph/scip/blob/main/scip.proto>.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use gristmill_display::{TextCell, TextTable};
use prost::Message;
use serde::Serialize;

/// The parts of a SCIP index that are read.
mod scip {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Index {
        #[prost(message, repeated, tag = "2")]
        pub documents: Vec<Document>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Document {
        #[prost(string, tag = "1")]
        pub relative_path: String,
        #[prost(message, repeated, tag = "2")]
        pub occurrences: Vec<Occurrence>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Occurrence {
        /// `[line, start, end]`, or `[line, start, end line, end]`, counted from 0.
        #[prost(int32, repeated, tag = "1")]
        pub range: Vec<i32>,
        #[prost(string, tag = "2")]
        pub symbol: String,
        /// Bit 0: it is a definition.
        #[prost(int32, tag = "3")]
        pub symbol_roles: i32,
    }
}

/// Why a truth cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The file is no SCIP index.
    #[error("{path} is no SCIP index: {error}")]
    Decode {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: prost::DecodeError,
    },
    /// None of the files that it speaks of is there.
    #[error(
        "none of the {documents} files that {path} speaks of is in {source_folder}; pass the folder that was indexed"
    )]
    OtherSource {
        /// The truth.
        path: PathBuf,
        /// The number of files in the truth.
        documents: usize,
        /// The folder that was searched.
        source_folder: PathBuf,
    },
}

/// A place: a file, and a line counted from 1.
type Place = (String, u64);

/// How a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// It is called.
    Call,
    /// It is the name of a type.
    Type,
    /// It is used otherwise, such as a function that is passed as a value.
    Mention,
}

impl Site {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Type => "type",
            Self::Mention => "mention",
        }
    }
}

/// A use of a name, as a compiler sees it.
#[derive(Clone, Debug)]
pub struct TrueUse {
    /// Its file.
    pub path: String,
    /// Its line, counted from 1.
    pub line: u64,
    /// The name.
    pub name: String,
    /// How it is used; `None` for local names, fields and modules, which recall does not count.
    pub site: Option<Site>,
    /// Where the name is defined in the source; none if it is defined elsewhere.
    pub targets: Vec<Place>,
}

/// What a compiler says of a source.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// The uses of names.
    pub uses: Vec<TrueUse>,
}

impl Truth {
    /// Reads a SCIP index of the files below `source`.
    ///
    /// # Errors
    /// If the file cannot be read or is no SCIP index, or the files that it speaks of are not there.
    pub fn read(path: &Path, source: &Path) -> Result<Self, TruthError> {
        let bytes = std::fs::read(path).map_err(|error| TruthError::Read { path: path.into(), error })?;
        let decoded = scip::Index::decode(&*bytes);
        let index = decoded.map_err(|error| TruthError::Decode { path: path.into(), error })?;
        let texts: Vec<(&scip::Document, Vec<String>)> = index
            .documents
            .iter()
            .filter_map(|document| {
                let text = std::fs::read(source.join(&document.relative_path)).ok()?;
                let lines = String::from_utf8_lossy(&text).split('\n').map(ToOwned::to_owned).collect();
                Some((document, lines))
            })
            .collect();
        if texts.is_empty() {
            let (documents, source_folder) = (index.documents.len(), source.to_owned());
            return Err(TruthError::OtherSource { path: path.into(), documents, source_folder });
        }
        Ok(Self::of(&texts))
    }

    fn of(texts: &[(&scip::Document, Vec<String>)]) -> Self {
        // Symbols that begin with `local` are names within a file. Where modules lie in a folder `src`,
        // scip-python has it in the symbols of definitions, and not in those of what other folders import.
        let symbol_of = |path: &str, symbol: &str| match symbol.starts_with("local ") {
            true => format!("{path} {symbol}"),
            false => symbol.replace(" `src.", " `"),
        };
        let mut defined: HashMap<String, Vec<Place>> = HashMap::new();
        for (document, lines) in texts {
            for found in document.occurrences.iter().filter(|found| found.symbol_roles & 1 == 1) {
                if let Some((line, ..)) = name_at(lines, &found.range) {
                    let place = (document.relative_path.clone(), line);
                    defined.entry(symbol_of(&document.relative_path, &found.symbol)).or_default().push(place);
                }
            }
        }
        let mut uses = Vec::new();
        for (document, lines) in texts {
            let path = &document.relative_path;
            for found in document.occurrences.iter().filter(|found| found.symbol_roles & 1 == 0) {
                let Some((line, name, after)) = name_at(lines, &found.range) else { continue };
                let targets = defined.get(&symbol_of(path, &found.symbol)).cloned().unwrap_or_default();
                // The compiler knows too little of it to contradict an edge.
                if targets.is_empty() && is_vague(&found.symbol) {
                    continue;
                }
                let site = site_of(&found.symbol, after).filter(|_| !targets.is_empty());
                uses.push(TrueUse { path: path.clone(), line, name: name.to_owned(), site, targets });
            }
        }
        Self { uses }
    }
}

/// Returns the line, counted from 1, the name at a range, and what follows it; `None` for what is no
/// name.
fn name_at<'l>(lines: &'l [String], range: &[i32]) -> Option<(u64, &'l str, &'l str)> {
    let number = |value: Option<&i32>| usize::try_from(*value?).ok();
    let (line, start) = (number(range.first())?, number(range.get(1))?);
    let end = number(if range.len() == 3 { range.get(2) } else { range.get(3) })?;
    let text = lines.get(line)?;
    let at = |column: usize| text.char_indices().nth(column).map_or(text.len(), |(at, _)| at);
    let name = text.get(at(start)..at(end))?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then_some((line as u64 + 1, name, text.get(at(end)..).unwrap_or_default()))
}

/// Whether a symbol that the source does not define is of a module, or local to something: an indexer
/// writes such a symbol where it does not know what a name means.
fn is_vague(symbol: &str) -> bool {
    let Some(descriptor) = symbol.split(' ').nth(4) else { return true };
    let owner = descriptor.trim_end_matches(['.', '#', ':', '!']).rsplit_once(['/', '#', '.', ':']);
    symbol.starts_with("local ")
        || descriptor.ends_with(['/', ')', ']'])
        || descriptor.ends_with("__init__:")
        || owner.is_some_and(|(owner, _)| owner.ends_with(')'))
}

/// Returns how a use of a symbol is counted, by the descriptor that the symbol ends in and what
/// follows the name.
fn site_of(symbol: &str, after: &str) -> Option<Site> {
    let descriptor = symbol.split(' ').nth(4)?;
    let is_callable = descriptor.ends_with(").") || descriptor.ends_with('!');
    let is_type = descriptor.ends_with('#');
    let owner = descriptor.trim_end_matches('.').rsplit_once(['/', '#', '.', '`']).map_or("", |(owner, _)| owner);
    let is_variable =
        descriptor.ends_with('.') && descriptor.get(owner.len()..).is_some_and(|own| own.starts_with('/'));
    if !(is_callable || is_type || is_variable) || descriptor.ends_with("__init__:") {
        return None;
    }
    let after = after.trim_start();
    Some(match after.starts_with('(') || after.starts_with('!') && !after.starts_with("!=") {
        true => Site::Call,
        false if is_type => Site::Type,
        false => Site::Mention,
    })
}

/// An edge of an index.
#[derive(Clone, Debug)]
pub struct FoundEdge {
    /// The file of the use.
    pub from_path: String,
    /// The line of the use, counted from 1.
    pub from_line: u64,
    /// The name as used.
    pub name: String,
    /// The file of the definition.
    pub to_path: String,
    /// The first line of the definition, counted from 1.
    pub to_line: u64,
    /// How it was found.
    pub evidence: String,
}

/// A definition of an index: its file, its name, its first line and its last.
pub type FoundDefinition = (String, String, u64, u64);

/// What uses of one kind got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// The uses.
    pub uses: usize,
    /// Those with an edge to the definition.
    pub found: usize,
    /// Those with no other edge beside.
    pub alone: usize,
    /// Those with other edges only.
    pub wrong: usize,
}

/// How right edges of one evidence are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Precision {
    /// Edges that the truth confirms.
    pub right: usize,
    /// Edges that the truth contradicts.
    pub wrong: usize,
    /// Edges from names that the truth says nothing of.
    pub unjudged: usize,
}

/// How an index compares with a truth.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Accuracy {
    /// By kind of use.
    pub recall: BTreeMap<Site, Recall>,
    /// By evidence.
    pub precision: BTreeMap<String, Precision>,
}

/// Limit on the lines between where a definition begins, with its decorators, and its name.
const HEAD_LINES: u64 = 15;

impl Accuracy {
    /// Compares edges and definitions of an index with a truth.
    #[must_use]
    pub fn of(truth: &Truth, edges: &[FoundEdge], definitions: &[FoundDefinition]) -> Self {
        let mut starts: HashMap<(&str, &str), Vec<(u64, u64)>> = HashMap::new();
        for (path, name, start, end) in definitions {
            starts.entry((path, name)).or_default().push((*start, *end));
        }
        // A definition of the index is the truth's if the truth's name lies in its head.
        let same_place = |name: &str, (path, line): &Place| {
            let known = starts.get(&(path.as_str(), name)).into_iter().flatten();
            let heads = known.filter(|(start, end)| *start <= *line && *line <= (*end).min(start + HEAD_LINES));
            (path.clone(), heads.map(|(start, _)| *start).max().unwrap_or(*line))
        };
        let mut at: HashMap<(&str, u64, &str), Vec<&FoundEdge>> = HashMap::new();
        for edge in edges {
            at.entry((&edge.from_path, edge.from_line, &edge.name)).or_default().push(edge);
        }
        let mut accuracy = Self::default();
        let mut judged: HashMap<(&str, u64, &str), HashSet<Place>> = HashMap::new();
        for used in &truth.uses {
            let key = (used.path.as_str(), used.line, used.name.as_str());
            let right = judged.entry(key).or_default();
            right.extend(used.targets.iter().flat_map(|target| [same_place(&used.name, target), target.clone()]));
        }
        for used in &truth.uses {
            let Some(site) = used.site else { continue };
            let right: HashSet<Place> =
                used.targets.iter().flat_map(|target| [same_place(&used.name, target), target.clone()]).collect();
            let key = (used.path.as_str(), used.line, used.name.as_str());
            let found: Vec<Place> =
                at.get(&key).into_iter().flatten().map(|edge| (edge.to_path.clone(), edge.to_line)).collect();
            let is_found = found.iter().any(|place| right.contains(place));
            let others = found.iter().any(|place| judged.get(&key).is_none_or(|judged| !judged.contains(place)));
            let recall = accuracy.recall.entry(site).or_default();
            recall.uses += 1;
            recall.found += usize::from(is_found);
            recall.alone += usize::from(is_found && !others);
            recall.wrong += usize::from(!is_found && !found.is_empty());
        }
        for edge in edges {
            let precision = accuracy.precision.entry(edge.evidence.clone()).or_default();
            match judged.get(&(edge.from_path.as_str(), edge.from_line, edge.name.as_str())) {
                None => precision.unjudged += 1,
                Some(right) if right.contains(&(edge.to_path.clone(), edge.to_line)) => precision.right += 1,
                Some(_) => precision.wrong += 1,
            }
        }
        accuracy
    }

    /// Renders the two tables.
    #[must_use]
    pub fn render(&self) -> String {
        let percent = |part: usize, of: usize| {
            TextCell::number(if of == 0 { "-".into() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) })
        };
        let mut recall = TextTable::new(["use", "uses", "recall", "only the right target", "wrong target"]);
        for (site, of) in &self.recall {
            recall.row([
                TextCell::from(site.as_str()),
                TextCell::from(of.uses),
                percent(of.found, of.uses),
                percent(of.alone, of.uses),
                percent(of.wrong, of.uses),
            ]);
        }
        let mut precision = TextTable::new(["evidence", "edges", "precision", "not judged"]);
        let mut total = Precision::default();
        for (evidence, of) in &self.precision {
            total = Precision {
                right: total.right + of.right,
                wrong: total.wrong + of.wrong,
                unjudged: total.unjudged + of.unjudged,
            };
            precision.row(precision_row(evidence, *of, percent));
        }
        precision.row(precision_row("all", total, percent));
        format!("{}\n{}", recall.render(), precision.render())
    }
}

fn precision_row(evidence: &str, of: Precision, percent: impl Fn(usize, usize) -> TextCell) -> [TextCell; 4] {
    let judged = of.right + of.wrong;
    [
        TextCell::from(evidence),
        TextCell::from(judged + of.unjudged),
        percent(of.right, judged),
        TextCell::from(of.unjudged),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence(range: [i32; 3], symbol: &str, symbol_roles: i32) -> scip::Occurrence {
        scip::Occurrence { range: range.into(), symbol: symbol.into(), symbol_roles }
    }

    #[test]
    fn edges_are_compared_with_what_a_compiler_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.py"), "def f(): pass\ndef g(x):\n    f()\n    return x, g\n").unwrap();
        let (f, g) = ("scip-python python p 1 a/f().", "scip-python python p 1 a/g().");
        let index = scip::Index {
            documents: vec![scip::Document {
                relative_path: "a.py".into(),
                occurrences: vec![
                    occurrence([0, 4, 5], f, 1),
                    occurrence([1, 4, 5], g, 1),
                    occurrence([1, 6, 7], "local 1", 1),
                    occurrence([2, 4, 5], f, 0),
                    occurrence([3, 11, 12], "local 1", 0),
                    occurrence([3, 14, 15], g, 0),
                ],
            }],
        };
        let path = folder.path().join("index.scip");
        std::fs::write(&path, index.encode_to_vec()).unwrap();
        let truth = Truth::read(&path, folder.path()).unwrap();
        let sites: Vec<_> = truth.uses.iter().map(|used| (used.name.as_str(), used.line, used.site)).collect();
        assert_eq!(sites, [("f", 3, Some(Site::Call)), ("x", 4, None), ("g", 4, Some(Site::Mention))]);

        let edge = |line, name: &str, to_line| FoundEdge {
            from_path: "a.py".into(),
            from_line: line,
            name: name.into(),
            to_path: "a.py".into(),
            to_line,
            evidence: "scope".into(),
        };
        let edges = [edge(3, "f", 1), edge(4, "x", 1), edge(4, "g", 1), edge(1, "f", 1)];
        let accuracy = Accuracy::of(&truth, &edges, &[("a.py".into(), "f".into(), 1, 1)]);
        assert_eq!(accuracy.recall[&Site::Call], Recall { uses: 1, found: 1, alone: 1, wrong: 0 });
        assert_eq!(accuracy.recall[&Site::Mention], Recall { uses: 1, found: 0, alone: 0, wrong: 1 });
        assert_eq!(accuracy.precision["scope"], Precision { right: 1, wrong: 2, unjudged: 1 });

        std::fs::write(&path, b"no index").unwrap();
        assert!(matches!(Truth::read(&path, folder.path()), Err(TruthError::Decode { .. })));
        let other = tempfile::tempdir().unwrap();
        std::fs::write(&path, index.encode_to_vec()).unwrap();
        assert!(matches!(Truth::read(&path, other.path()), Err(TruthError::OtherSource { documents: 1, .. })));
    }
}
