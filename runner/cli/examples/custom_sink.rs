//! A sink of your own: a log of what each epoch changed, one file of JSON lines per epoch.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use gristmill::pipeline::port::Port;
use gristmill::pipeline::{
    Epoch, EpochMeta, EpochWriter, Fingerprint, Hash, Published, Record, RowId, Sink, SinkConfig,
};
use gristmill::pipeline::{SinkContext, SinkError, StagedEpoch, StagedRows, Token};
use gristmill::{Directory, Pipeline, sinks::LanceConfig};
use serde_json::json;

struct ChangeLog;

/// The log at every step of an epoch: open, being written, and staged.
#[derive(Default)]
struct Log {
    folder: PathBuf,
    epoch: Epoch,
    lines: String,
    rows: StagedRows,
}

fn failed(error: io::Error) -> SinkError {
    SinkError { sink: "changes".into(), action: "cannot write".into(), message: error.to_string().into() }
}

impl SinkConfig for ChangeLog {
    fn kind(&self) -> &str {
        "change_log"
    }
    fn accepts(&self) -> &[Port] {
        &[Port::Syntax]
    }
    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"change_log 1")
    }
    /// There is nothing to roll back: a file whose epoch was not committed is replaced by the next.
    fn open(&self, context: SinkContext, _base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        fs::create_dir_all(&context.folder).map_err(failed)?;
        Ok(Box::new(Log { folder: context.folder, ..Log::default() }))
    }
}

impl Sink for Log {
    fn begin(self: Box<Self>, epoch: Epoch, _replace: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
        Ok(Box::new(Self { folder: self.folder, epoch, ..Self::default() }))
    }
}

impl EpochWriter for Log {
    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        self.rows.deleted += rows.len() as u64;
        self.lines.extend(rows.iter().map(|row| format!("{}\n", json!({ "removed": row.path }))));
        Ok(())
    }
    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.rows.added += records.len() as u64;
        self.lines.extend(records.iter().map(|record| format!("{}\n", json!({ "added": record.path }))));
        Ok(())
    }
    /// Durable, under a name that nobody reads.
    fn stage(self: Box<Self>, _meta: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
        let mut draft = File::create(self.folder.join("draft")).map_err(failed)?;
        draft.write_all(self.lines.as_bytes()).and_then(|()| draft.sync_all()).map_err(failed)?;
        Ok(self)
    }
    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl StagedEpoch for Log {
    fn rows(&self) -> StagedRows {
        self.rows
    }
    /// Visible, at once.
    fn publish(self: Box<Self>) -> Result<Published, SinkError> {
        let file = format!("{}.jsonl", self.epoch);
        fs::rename(self.folder.join("draft"), self.folder.join(&file)).map_err(failed)?;
        Ok(Published { files: vec![file.clone().into()], ..Published::new(json!({ "file": file }), self) })
    }
    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        fs::remove_file(self.folder.join("draft")).map_err(failed)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (source, index) = (folder.path().join("src"), folder.path().join("index"));
    fs::create_dir(&source)?;
    let pipeline = Pipeline::builder()
        .source(Directory::new(&source))
        .default_stages()
        .sink("lance", LanceConfig::default())
        .sink("changes", ChangeLog)
        .index(&index)
        .build()?;
    for text in ["def first(): pass\n", "def second(): pass\n"] {
        fs::write(source.join("a.py"), text)?;
        let epoch = pipeline.run()?.epoch;
        print!("epoch {epoch}\n{}", fs::read_to_string(index.join(format!("changes/{epoch}.jsonl")))?);
    }
    Ok(())
}
