//! Annotation sets.

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
    /// The name in the set.
    pub name: String,
    /// The main language.
    pub language: String,
    /// The commit.
    pub revision: String,
    /// The folder to index; all folders if absent.
    #[serde(default)]
    pub benchmark_root: Option<String>,
}

/// A query with its relevant locations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotatedQuery {
    /// The query.
    pub text: String,
    /// The category, such as `symbol`.
    pub category: String,
    /// The relevant locations, with equal gains.
    pub targets: Vec<Target>,
}

/// Why an annotation set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}; an annotation set has `repos.json` and `annotations/<name>.json`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: std::io::Error,
    },
    /// A file is malformed.
    #[error("{path} is not a valid file of an annotation set: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause.
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
    /// If a file is missing or malformed.
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
    fn files_and_lines_are_targets_whether_relevant_or_secondary() {
        let text = r#"[{"query": "q", "category": "symbol", "relevant": ["a.go"],
            "secondary": [{"path": "b.go", "start_line": 3, "end_line": 5}], "seed": {"path": "a.go"}}]"#;
        let set = set(REPOS, text).unwrap();
        let [(repository, queries)] = &set.repositories[..] else { panic!("has one") };
        assert_eq!((repository.name.as_str(), &repository.benchmark_root), ("gin", &None));
        let expected = [("a.go", None), ("b.go", Some((3, 5)))];
        assert_eq!(queries[0].targets, expected.map(|(path, lines)| Target { path: path.into(), lines }));
    }

    #[test]
    fn missing_and_malformed_files_are_named() {
        let error = set(REPOS, "[{}]").unwrap_err().to_string();
        assert!(error.contains("gin.json") && error.contains("query"), "{error}");
        let error = set(&REPOS.replace("gin", "gone"), "[]").unwrap_err().to_string();
        assert!(error.contains("gone.json"), "{error}");
    }
}
