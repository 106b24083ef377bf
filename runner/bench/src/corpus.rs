//! What is indexed in experiments: public repositories by revision and content hash, and generated trees.

mod generate;

pub use generate::{Generator, LanguageShare};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::BenchError;

/// The public repositories that come along.
const KNOWN: &str = include_str!("../corpora.toml");

/// A list of public repositories.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusList {
    /// The repositories.
    #[serde(rename = "corpus")]
    pub corpora: Vec<PinnedCorpus>,
}

/// A repository at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedCorpus {
    /// Its name here.
    pub name: String,
    /// Where it is fetched from.
    pub url: String,
    /// The full id of the commit.
    pub revision: String,
    /// The hash of its files; see [`content_hash`].
    pub content_hash: String,
    /// Files.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// The size of a folder and the hash of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderContent {
    /// In hexadecimal digits.
    pub hash: String,
    /// Files.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

impl CorpusList {
    /// The repositories that come along.
    ///
    /// # Errors
    /// Never: the list is a part of the program.
    pub fn known() -> Result<Self, BenchError> {
        Self::parse(KNOWN, Path::new("corpora.toml"))
    }

    /// Reads a list from a TOML file with a table `[[corpus]]` for each repository.
    ///
    /// # Errors
    /// If the file cannot be read, or is no such list.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        Self::parse(&fs::read_to_string(path).map_err(BenchError::file("read", path))?, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, BenchError> {
        toml::from_str(text).map_err(|error| BenchError::Invalid { path: path.into(), reason: error.to_string() })
    }

    /// The repository of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, name: &str) -> Result<&PinnedCorpus, BenchError> {
        self.corpora.iter().find(|corpus| corpus.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.corpora.iter().map(|corpus| corpus.name.as_str()).collect();
            BenchError::Plan(format!("unknown corpus `{name}`; expected one of {}", known.join(", ")))
        })
    }
}

impl PinnedCorpus {
    /// Fetches the revision, and nothing before it, into a new folder by the program `git`, and checks its
    /// content.
    ///
    /// # Errors
    /// If the folder is not empty, git fails, or the content is not what the list says.
    pub fn fetch(&self, folder: &Path) -> Result<FolderContent, BenchError> {
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(BenchError::Plan(format!("{} is not empty; fetch into a new folder", folder.display())));
        }
        fs::create_dir_all(folder).map_err(BenchError::file("create", folder))?;
        let fetched = self.fetch_into(folder);
        if fetched.is_err() {
            // So that it can be tried again. What cannot be removed is told by the next try.
            let _ = fs::remove_dir_all(folder);
        }
        fetched
    }

    fn fetch_into(&self, folder: &Path) -> Result<FolderContent, BenchError> {
        git(folder, &["init", "--quiet"])?;
        git(folder, &["fetch", "--quiet", "--depth", "1", "--", &self.url, &self.revision])?;
        git(folder, &["-c", "core.autocrlf=false", "checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
        self.check(folder)
    }

    /// Checks that a folder holds what the list says.
    ///
    /// # Errors
    /// If it cannot be read, or holds something else.
    pub fn check(&self, folder: &Path) -> Result<FolderContent, BenchError> {
        let found = content_hash(folder)?;
        if found.hash == self.content_hash {
            return Ok(found);
        }
        let (found, expected) = (found.hash, &self.content_hash);
        let reason = format!("its content hash is {found}, and `{}` has {expected}", self.name);
        Err(BenchError::Invalid { path: folder.into(), reason })
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), BenchError> {
    let program = PathBuf::from("git");
    let output = Command::new(&program).arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|source| BenchError::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(BenchError::Git { arguments: arguments.join(" "), said })
}

/// Returns the BLAKE3 hash of all files below a folder but those of `.git`: of their paths in ascending
/// order, each with the hash of its bytes, or of its target if it is a symbolic link.
///
/// # Errors
/// If a file cannot be read.
pub fn content_hash(folder: &Path) -> Result<FolderContent, BenchError> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    for path in &files {
        let relative = path.strip_prefix(folder).unwrap_or(path);
        let read = if path.is_symlink() {
            fs::read_link(path).map(|target| target.as_os_str().as_encoded_bytes().to_vec())
        } else {
            fs::read(path)
        };
        let content = read.map_err(BenchError::file("read", path))?;
        bytes += content.len() as u64;
        hasher.update(relative.as_os_str().as_encoded_bytes());
        // No path holds a zero byte.
        hasher.update(&[0]);
        hasher.update(blake3::hash(&content).as_bytes());
    }
    Ok(FolderContent { hash: hasher.finalize().to_hex().to_string(), files: files.len() as u64, bytes })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), BenchError> {
    for entry in fs::read_dir(folder).map_err(BenchError::file("read", folder))? {
        let entry = entry.map_err(BenchError::file("read", folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(BenchError::file("read", &path))?;
        if !kind.is_dir() {
            files.push(path);
        } else if entry.file_name() != ".git" {
            list(&path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_that_comes_along_is_valid() {
        let list = CorpusList::known().expect("valid");
        for corpus in &list.corpora {
            assert!(corpus.revision.len() == 40 && corpus.content_hash.len() == 64, "{}", corpus.name);
        }
        assert!(list.get("no-such").is_err());
    }

    #[test]
    fn a_corpus_is_fetched_and_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = folder.path().join("origin");
        fs::create_dir(&origin).expect("a folder");
        fs::write(origin.join("a.rs"), "fn a() {}\n").expect("writes");
        let run = |arguments: &[&str]| git(&origin, arguments).expect("git works");
        run(&["init", "--quiet"]);
        run(&["add", "a.rs"]);
        run(&["-c", "user.name=n", "-c", "user.email=e@localhost", "commit", "--quiet", "-m", "m"]);
        let output =
            Command::new("git").arg("-C").arg(&origin).args(["rev-parse", "HEAD"]).output().expect("git works");
        let revision = String::from_utf8(output.stdout).expect("text").trim().to_owned();
        let url = format!("file://{}", origin.display());
        let content_hash = content_hash(&origin).expect("reads").hash;
        let corpus = PinnedCorpus { name: "a".into(), url, revision, content_hash, files: 1, bytes: 10 };
        let fetched = folder.path().join("fetched");
        assert_eq!(corpus.fetch(&fetched).expect("fetches").files, 1);
        assert!(corpus.fetch(&fetched).is_err(), "not empty");
        fs::write(fetched.join("a.rs"), "fn b() {}\n").expect("writes");
        assert!(corpus.check(&fetched).is_err(), "another content");
    }
}
