//! A source of your own: the files of a tar archive, which is not unpacked.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill::pipeline::merkle::{Leaf, Stat, Tree};
use gristmill::pipeline::source::{LastScan, Object, Origin, Scan, ScanMeasures, ScanOptions, Source, SourceError};
use gristmill::pipeline::{Hash, RelPath, RowId};
use gristmill::{Pipeline, sinks::LanceConfig};

struct Tar {
    path: PathBuf,
    files: HashMap<RelPath, Arc<File>>,
}

struct File(Vec<u8>);

impl Object for File {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

impl Tar {
    /// A file is a header of 512 bytes (name at 0, octal size at 124) and its bytes, padded to 512.
    fn open(path: &Path) -> io::Result<Self> {
        let (archive, mut files) = (std::fs::read(path)?, HashMap::new());
        let mut rest = archive.as_slice();
        while let Some((header, after)) = rest.split_at_checked(512).filter(|(header, _)| header[0] != 0) {
            let field = |from: usize, to| String::from_utf8_lossy(&header[from..to]).replace('\0', "");
            let size = usize::from_str_radix(field(124, 136).trim(), 8).map_err(io::Error::other)?;
            let content = after.get(..size).ok_or(ErrorKind::UnexpectedEof)?;
            files.insert(RelPath::new(field(0, 100)), Arc::new(File(content.to_vec())));
            rest = after.get(size.next_multiple_of(512)..).unwrap_or_default();
        }
        Ok(Self { path: path.to_owned(), files })
    }
}

impl Source for Tar {
    fn scan(&self, _last: Option<&LastScan<'_>>, _options: &ScanOptions) -> Result<Scan, SourceError> {
        let leaf = |file: &File| {
            let stat = Stat { bytes: file.0.len() as u64, ..Stat::default() };
            Leaf { content_hash: Hash::of(&file.0), stat, note: None }
        };
        let leaves = self.files.iter().map(|(path, file)| (path.clone(), leaf(file))).collect();
        let measures = ScanMeasures { files: self.files.len() as u64, ..ScanMeasures::default() };
        Ok(Scan {
            tree: Tree::build(leaves, 0),
            revision: None,
            refs: Vec::new(),
            selection: None,
            notices: Vec::new(),
            measures,
        })
    }

    fn origin(&self, file: &RowId) -> Origin {
        let found = self.files.get(&file.path).cloned();
        Origin::Object(found.unwrap_or_else(|| Arc::new(File(Vec::new()))))
    }

    fn place(&self) -> &Path {
        &self.path
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("project.tar");
    let member = |name, text: &str| format!("{name:\0<124}{:011o}{:\0<377}{text:\0<512}", text.len(), "");
    for version in ["def f(): return 1\n", "def f(): return 2\n"] {
        std::fs::write(&path, member("app/main.py", version) + &member("README.md", "# Project\n"))?;
        let pipeline = Pipeline::builder()
            .source(Tar::open(&path)?)
            .default_stages()
            .sink("lance", LanceConfig::default())
            .index(folder.path().join("index"))
            .build()?;
        let changes = pipeline.run()?.changes;
        println!("{} added, {} modified", changes.added, changes.modified);
    }
    Ok(())
}
