//! A view of your own: a table of how many definitions each file has, kept up to date by differences.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::sync::Arc;

use gristmill::pipeline::plane::{Cell, Difference, FactRow, Tick, VecCollection};
use gristmill::pipeline::views::FactCollections;
use gristmill::pipeline::{Hash, View, ViewColumn, ViewSchema};
use gristmill::sinks::LanceConfig;
use gristmill::{Directory, Pipeline};

struct DefinitionCounts;

impl View for DefinitionCounts {
    fn schema(&self) -> Arc<ViewSchema> {
        Arc::new(ViewSchema {
            name: "definition_counts".into(),
            description: "How many definitions each file has.".into(),
            columns: vec![
                ViewColumn::text("path", "The file."),
                ViewColumn::number("definitions", "How many definitions it has."),
            ],
            fingerprint: Hash::of(b"definition_counts 1"),
        })
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let paths = facts.definitions().map(|(place, _)| place.path);
        paths.count().map(|(path, count)| FactRow::new([Cell::from(path), Cell::Number(count.unsigned_abs() as u64)]))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("src");
    fs::create_dir(&source)?;
    fs::write(source.join("a.py"), "def f(): pass\ndef g(): pass\n")?;
    fs::write(source.join("b.py"), "def h(): pass\n")?;

    let pipeline = Pipeline::builder()
        .source(Directory::new(&source))
        .default_stages()
        .sink("lance", LanceConfig::default())
        .view(DefinitionCounts)
        .index(folder.path().join("index"))
        .build()?;
    for edit in ["def f(): pass\ndef g(): pass\n", "def f(): pass\n"] {
        fs::write(source.join("a.py"), edit)?;
        for (table, rows) in pipeline.run()?.views {
            println!("{table}: {} rows added, {} deleted", rows.added, rows.deleted);
        }
    }
    Ok(())
}
