//! An operator that adds a column: the number of `TODO` comments in each file, in the table `files`.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use gristmill::pipeline::port::Content;
use gristmill::pipeline::{Batch, Emitter, ExtraColumn, ExtraOwner, ExtraType, Fingerprint, Hash};
use gristmill::pipeline::{Operator, OperatorError};
use gristmill::query::Snapshot;
use gristmill::sinks::LanceConfig;
use gristmill::sinks::tables::Table;
use gristmill::{Directory, Pipeline};

struct CountTodos;

impl Operator for CountTodos {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "count_todos"
    }

    /// Also covers the name and type of the column.
    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"count_todos 1: todos, integer")
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![ExtraColumn {
            owner: ExtraOwner::Files,
            name: "todos".into(),
            kind: ExtraType::Integer,
            description: "How many TODO comments the file has.".into(),
        }]
    }

    fn process(&self, batch: Batch<Arc<Content>>, out: &mut Emitter<Arc<Content>>) -> Result<(), OperatorError> {
        for content in batch {
            let todos = content.text.matches("TODO").count() as i64;
            out.emit(Arc::new(content.with_extra("todos", todos)));
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (source, index) = (folder.path().join("src"), folder.path().join("index"));
    fs::create_dir(&source)?;
    fs::write(source.join("done.py"), "def f():\n    return 1\n")?;
    fs::write(source.join("open.py"), "# TODO: name it\ndef g():\n    pass  # TODO\n")?;

    Pipeline::builder()
        .source(Directory::new(&source))
        .stage("todos", CountTodos)
        .default_stages()
        .sink("lance", LanceConfig::default())
        .index(&index)
        .build()?
        .run()?;

    let tables = Snapshot::open(&index, None)?.lance("lance")?;
    for batch in tables.scan(&Table::Files, &["path", "todos"])? {
        let todos = batch.column(1).as_primitive::<Int64Type>();
        for (path, todos) in batch.column(0).as_string::<i32>().iter().zip(todos) {
            println!("{}: {} todos", path.unwrap_or_default(), todos.unwrap_or_default());
        }
    }
    Ok(())
}
