//! An operator of your own: blanks licence headers, so that they are neither embedded nor found.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::sync::Arc;

use gristmill::pipeline::port::Content;
use gristmill::pipeline::{Batch, Emitter, Fingerprint, Hash, Operator, OperatorError};
use gristmill::query::{CallContext, DEFAULT_DEADLINE, QueriedIndex, RequestOptions};
use gristmill::sinks::{LanceConfig, TantivyConfig};
use gristmill::tools::{Search, SearchMode};
use gristmill::{Directory, Pipeline};

/// Takes and gives contents, so it fits between `hash` and `parse`.
#[derive(Default)]
struct StripLicences;

impl Operator for StripLicences {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "strip_licences"
    }

    /// Covers all that changes a result: the version of the code, and parameters if there were any.
    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"strip_licences 1")
    }

    fn process(&self, batch: Batch<Arc<Content>>, out: &mut Emitter<Arc<Content>>) -> Result<(), OperatorError> {
        for content in batch {
            let lines = content.text.split_inclusive('\n');
            let header: Vec<&str> = lines.take_while(|line| line.starts_with("//")).collect();
            let rest = content.text.get(header.iter().map(|line| line.len()).sum()..).unwrap_or_default();
            if header.iter().any(|line| line.contains("Copyright")) {
                // Blank lines: what is below keeps its line numbers.
                out.emit(Arc::new(content.with_text("\n".repeat(header.len()) + rest)));
            } else {
                out.emit(content);
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("src");
    fs::create_dir(&source)?;
    fs::write(source.join("lib.rs"), "// Copyright Example Inc.\n// Redistribute freely.\n\npub fn parse() {}\n")?;

    let pipeline = Pipeline::builder()
        .source(Directory::new(&source))
        .stage("licences", StripLicences)
        .default_stages()
        .sink("lance", LanceConfig::default())
        .sink("tantivy", TantivyConfig::default())
        .index(folder.path().join("index"))
        .build()?;
    let stages: Vec<&str> = pipeline.job().graph.stages().iter().map(|stage| &*stage.name).collect();
    println!("stages: {}", stages.join(", "));
    println!("added: {} file", pipeline.run()?.changes.added);

    let index = QueriedIndex::new("example", Arc::new(pipeline.into_job()));
    for words in ["redistribute", "parse"] {
        let search = Search { mode: SearchMode::Text, ..Search::new(words) };
        let call = CallContext::new("example", DEFAULT_DEADLINE);
        let hits = index.answer(&RequestOptions::default(), &call, search)?.answer.hits;
        println!("{words}: {} hits", hits.len());
    }
    Ok(())
}
