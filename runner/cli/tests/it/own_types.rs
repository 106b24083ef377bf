//! A program with a sink, a source and a view of its own: job files name them.

use std::path::Path;
use std::sync::Arc;

use gristmill::pipeline::plane::{Cell, Difference, FactRow, Tick, VecCollection};
use gristmill::pipeline::port::Port;
use gristmill::pipeline::source::{DirectorySource, Source, SourceError};
use gristmill::pipeline::views::FactCollections;
use gristmill::pipeline::{
    Fingerprint, Hash, Sink, SinkConfig, SinkContext, SinkError, Token, View, ViewColumn, ViewSchema,
};
use gristmill::query::Snapshot;
use gristmill::sinks::ArrowConfig;
use gristmill::sinks::tables::Table;
use gristmill::{Exit, Program, SourceFactory, ViewFactory};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::World;

/// The Arrow sink under another name.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Tap {
    /// Rows of a batch.
    rows: usize,
}

impl SinkConfig for Tap {
    fn kind(&self) -> &str {
        "tap"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Syntax]
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"tap")
    }

    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        ArrowConfig { batch_rows: self.rows.max(1), ..ArrowConfig::default() }.open(context, base)
    }
}

/// A folder of which only files with one ending are indexed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct OneLanguage {
    /// The ending.
    ending: String,
}

impl SourceFactory for OneLanguage {
    const KIND: &'static str = "one_language";

    fn open(&self, path: &Path) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(DirectorySource {
            root: path.to_owned(),
            include: vec![format!("*.{}", self.ending)],
            exclude: Vec::new(),
            hidden: false,
            follow_links: false,
            linked_worktrees: false,
            generated: true,
            max_file_bytes: 1 << 20,
            skip: Vec::new(),
        }))
    }
}

/// How many definitions each file has, in files with enough of them.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct DefinitionCounts {
    /// The minimum.
    min: u32,
}

impl ViewFactory for DefinitionCounts {
    const NAME: &'static str = "definition_counts";

    fn build(&self) -> Result<Arc<dyn View>, String> {
        if self.min > 100 { Err("`min` must be at most 100".into()) } else { Ok(Arc::new(self.clone())) }
    }
}

impl View for DefinitionCounts {
    fn schema(&self) -> Arc<ViewSchema> {
        Arc::new(ViewSchema {
            name: Self::NAME.into(),
            description: "How many definitions each file has.".into(),
            columns: vec![ViewColumn::text("path", "The file."), ViewColumn::number("definitions", "How many.")],
            fingerprint: Hash::of_parts([Self::NAME.as_bytes(), &self.min.to_le_bytes()]),
        })
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let min = self.min as Difference;
        let counts = facts.definitions().map(|(place, _)| place.path).count().filter(move |(_, count)| *count >= min);
        counts.map(|(path, count)| FactRow::new([Cell::from(path), Cell::Number(count.unsigned_abs() as u64)]))
    }
}

fn program() -> Program {
    Program::standard()
        .sink::<Tap>("Writes definitions to Arrow IPC files.")
        .source::<OneLanguage>()
        .view::<DefinitionCounts>()
}

/// Writes a job that uses all three, and runs a command on it.
fn run(world: &World, command: &[&str], min: u32) -> Exit {
    let file = world.folder.path().join("job.toml");
    let own = "[[stage]]\nsink = \"tap\"\ninput = \"parse\"\nrows = 10\n";
    let sections = format!(
        "[source]\nkind = \"one_language\"\npath = \"src\"\nending = \"py\"\n[index]\npath = \"index\"\n\
         [views]\ndefinition_counts = {{ min = {min} }}\n"
    );
    std::fs::write(&file, format!("{sections}{}{own}", gristmill_config::DEFAULT_GRAPH)).unwrap();
    let args = ["gristmill"].iter().chain(command).map(ToString::to_string);
    program().run(args.chain([file.display().to_string()]))
}

#[test]
fn a_job_names_sinks_sources_and_views_of_the_program() {
    let world = World::sample();
    assert_eq!(run(&world, &["check"], 101), Exit::BadConfig);
    assert_eq!(run(&world, &["check"], 1), Exit::Done);
    assert_eq!(run(&world, &["plan"], 1), Exit::Done);
    assert_eq!(run(&world, &["run", "--quiet"], 1), Exit::Done);

    let snapshot = Snapshot::open(&world.index(), None).unwrap();
    assert_eq!(snapshot.record.files, 2, "only the files in Python");
    assert!(world.index().join("tap/1.arrow").exists());
    let rows = snapshot.lance("lance").unwrap().scan(&Table::View("definition_counts".into()), &["path"]).unwrap();
    assert_eq!(rows.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 2);
}

#[test]
fn the_schema_describes_them() {
    let schema = gristmill_config::schema(program().registry()).to_string();
    for part in ["tap", "Rows of a batch.", "one_language", "The ending.", "definition_counts", "The minimum."] {
        assert!(schema.contains(part), "{part}");
    }
}

#[test]
fn a_later_type_replaces_an_earlier_one_of_its_name() {
    let program = program().sink::<Tap>("Once more.").view::<DefinitionCounts>();
    assert_eq!(program.registry().entries().iter().filter(|entry| entry.name() == "tap").count(), 1);
}
