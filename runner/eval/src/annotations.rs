//! Reading an annotation set.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::metric::Target;

/// A set of queries over repositories.
#[derive(Clone, Debug)]
pub struct AnnotationSet {
    /// The repositories, each with its queries.
    pub repositories: Vec<(Repository, Vec<AnnotatedQuery>)>,
}

/// A repository at a pinned revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Its name in the set.
    pub name: String,
    /// Its main language.
    pub language: String,
    /// The commit.
    pub revision: String,
    /// The folder to index; all if absent.
    #[serde(default)]
    pub benchmark_root: Option<String>,
}

/// A query with the places that answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotatedQuery {
    /// What is asked.
    pub text: String,
    /// What kind of query it is, such as `symbol`.
    pub category: String,
    /// Where the answer is. Every place counts alike.
    pub targets: Vec<Target>,
}

/// An annotation set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// A file of it cannot be read.
    #[error("cannot read {path}: {reason}; an annotation set has `repos.json` and `annotations/<name>.json`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A file has another form.
    #[error("{path} is no part of an annotation set: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Annotation {
    query: String,
    category: String,
    relevant: Vec<TargetForm>,
    #[serde(default)]
    secondary: Vec<TargetForm>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TargetForm {
    File(String),
    Lines { path: String, start_line: u32, end_line: u32 },
}

impl From<TargetForm> for Target {
    fn from(form: TargetForm) -> Self {
        match form {
            TargetForm::File(path) => Self { path, lines: None },
            TargetForm::Lines { path, start_line, end_line } => Self { path, lines: Some((start_line, end_line)) },
        }
    }
}

impl AnnotationSet {
    /// Reads the set in a folder.
    ///
    /// # Errors
    /// If a file is missing or of another form.
    pub fn read(folder: &Path) -> Result<Self, SetError> {
        let repositories: Vec<Repository> = read(&folder.join("repos.json"))?;
        let queries = |repository: Repository| {
            let path = folder.join("annotations").join(format!("{}.json", repository.name));
            let annotations: Vec<Annotation> = read(&path)?;
            let query = |annotation: Annotation| AnnotatedQuery {
                text: annotation.query,
                category: annotation.category,
                targets: annotation.relevant.into_iter().chain(annotation.secondary).map(Target::from).collect(),
            };
            Ok((repository, annotations.into_iter().map(query).collect()))
        };
        Ok(Self { repositories: repositories.into_iter().map(queries).collect::<Result<_, _>>()? })
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, SetError> {
    let text = std::fs::read(path).map_err(|reason| SetError::Unreadable { path: path.to_owned(), reason })?;
    serde_json::from_slice(&text).map_err(|reason| SetError::Malformed { path: path.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(repos: &str, annotations: &str) -> Result<AnnotationSet, SetError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("annotations")).unwrap();
        std::fs::write(folder.path().join("repos.json"), repos).unwrap();
        std::fs::write(folder.path().join("annotations/gin.json"), annotations).unwrap();
        AnnotationSet::read(folder.path())
    }

    const REPOS: &str = r#"[{"name": "gin", "language": "go", "url": "x", "revision": "d3f", "benchmark_root": null}]"#;

    #[test]
    fn both_kinds_of_targets_and_both_degrees_count() {
        let text = r#"[{"query": "q", "category": "symbol", "relevant": ["a.go"],
            "secondary": [{"path": "b.go", "start_line": 3, "end_line": 5}], "seed": {"path": "a.go"}}]"#;
        let set = set(REPOS, text).unwrap();
        let [(repository, queries)] = &set.repositories[..] else { panic!("has one") };
        assert_eq!((repository.name.as_str(), &repository.benchmark_root), ("gin", &None));
        let expected = [("a.go", None), ("b.go", Some((3, 5)))];
        assert_eq!(queries[0].targets, expected.map(|(path, lines)| Target { path: path.into(), lines }));
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let error = set(REPOS, "[{}]").unwrap_err().to_string();
        assert!(error.contains("gin.json") && error.contains("query"), "{error}");
        let error = set(&REPOS.replace("gin", "gone"), "[]").unwrap_err().to_string();
        assert!(error.contains("gone.json"), "{error}");
    }
}
