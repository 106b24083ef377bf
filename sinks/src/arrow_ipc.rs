//! Arrow IPC files: a tap that writes what each epoch added, one file per epoch.
//!
//! The rows are those of the port that the sink is attached to: `files` with the text for
//! contents, `symbols` for syntax, `chunks` for chunks and vectors. The files are for
//! reading elsewhere: rows that a later epoch removes stay in the file of the epoch that
//! added them. The text of a content that was recalled from a store rather than read is put
//! together from its chunks, and blank where these do not cover it.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use arrow::ipc::writer::FileWriter;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, EpochWriter, Fingerprint, Hash, Published, Record, RowId, Sink, SinkConfig, SinkContext,
    SinkError, StagedEpoch, StagedRows, Token,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::durable;
use crate::sink_error::{WrapErr as _, sink_error};
use crate::tables::{self, RowError, Rows, SCHEMA_VERSION, Table, TableSchema};

/// How Arrow IPC files are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArrowConfig {
    /// Rows of a record batch at most.
    pub batch_rows: usize,
    /// Bytes that are gathered into a record batch.
    pub batch_bytes: usize,
    /// Whether a file is flushed to the disk when it is staged.
    pub sync: bool,
}

impl Default for ArrowConfig {
    fn default() -> Self {
        Self { batch_rows: 4096, batch_bytes: 8 << 20, sync: true }
    }
}

/// A tap between epochs.
struct ArrowSink {
    name: Box<str>,
    folder: PathBuf,
    config: ArrowConfig,
    schema: TableSchema,
}

/// A tap within an epoch, whose file is being written.
struct ArrowWriter {
    sink: ArrowSink,
    epoch: Epoch,
    rows: Rows,
    file: FileWriter<BufWriter<File>>,
    added: u64,
}

/// A tap whose file is complete, and bears no epoch's name yet.
struct ArrowStaged {
    sink: ArrowSink,
    epoch: Epoch,
    added: u64,
}

impl ArrowSink {
    fn new(config: &ArrowConfig, context: SinkContext) -> Result<Self, SinkError> {
        let SinkContext { name, folder, inputs, dimension, columns, .. } = context;
        let fail = |cause: &str| sink_error(&name, "cannot be built", cause);
        let [port] = inputs[..] else {
            return Err(fail("it takes one input; add a sink for each port that is to be tapped"));
        };
        let schema = match port {
            Port::Files | Port::Contents => TableSchema::new(Table::Files, None).with_text(),
            Port::Syntax => TableSchema::new(Table::Symbols, None),
            Port::Chunks => TableSchema::new(Table::Chunks, None),
            Port::Vectors if dimension.is_none() => return Err(fail("its input gives no dimension")),
            Port::Vectors => TableSchema::new(Table::Chunks, dimension),
        };
        let schema = schema.with_extras(&columns).wrap_err(&name, "cannot be built")?;
        Ok(Self { name, folder, config: config.clone(), schema })
    }

    fn draft_path(&self, epoch: Epoch) -> PathBuf {
        self.folder.join(format!("{epoch}.draft"))
    }

    /// Removes the file of an epoch that is not published.
    fn remove_draft(&self, epoch: Epoch) -> Result<(), SinkError> {
        durable::remove(&self.draft_path(epoch)).wrap_err(&self.name, "cannot remove the file of an aborted epoch")
    }

    /// Removes all files of epochs after this one, and all that are not complete.
    fn roll_back(&self, newest: Epoch) -> Result<(), SinkError> {
        let action = "cannot open its folder";
        fs::create_dir_all(&self.folder).wrap_err(&self.name, action)?;
        for entry in fs::read_dir(&self.folder).wrap_err(&self.name, action)? {
            let path = entry.wrap_err(&self.name, action)?.path();
            let is_draft = path.extension().is_some_and(|extension| extension == "draft");
            if is_draft || epoch_of(&path).is_some_and(|epoch| epoch > newest) {
                durable::remove(&path).wrap_err(&self.name, action)?;
            }
        }
        Ok(())
    }

    /// Opens the file of an epoch and the buffer of its rows.
    fn begin_file(&self, epoch: Epoch) -> Result<(FileWriter<BufWriter<File>>, Rows), RowError> {
        let file = File::create(self.draft_path(epoch)).map_err(arrow::error::ArrowError::from)?;
        let file = FileWriter::try_new(BufWriter::new(file), &self.schema.arrow)?;
        Ok((file, Rows::new(&self.schema)?))
    }
}

fn file_name(epoch: Epoch) -> String {
    format!("{epoch}.arrow")
}

/// The epoch whose file, complete or not, has this name.
fn epoch_of(name: &Path) -> Option<Epoch> {
    let extension = name.extension()?;
    (extension == "arrow" || extension == "draft").then(|| name.file_stem()?.to_str()?.parse().ok())?
}

impl SinkConfig for ArrowConfig {
    fn kind(&self) -> &str {
        "arrow"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Contents, Port::Syntax, Port::Chunks, Port::Vectors]
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"sink".as_slice(), b"arrow", &SCHEMA_VERSION.to_le_bytes()])
    }

    fn rows_of(&self, context: &SinkContext, record: &Record) -> u64 {
        let rows = match context.inputs[..] {
            [Port::Files | Port::Contents] => 1,
            [Port::Syntax] => record.analysis.definitions.len(),
            [Port::Chunks | Port::Vectors] => record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len()),
            // Rejected by `open`.
            _ => 0,
        };
        rows as u64
    }

    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        let sink = ArrowSink::new(self, context)?;
        let action = "cannot open its folder";
        let newest = match base {
            None => {
                durable::remove(&sink.folder).wrap_err(&sink.name, action)?;
                Epoch::NONE
            }
            Some(token) => {
                let name = token.get("file").and_then(Token::as_str);
                let newest = name.and_then(|name| epoch_of(Path::new(name))).ok_or_else(|| {
                    sink_error(&sink.name, action, "the commit names no file of it; rebuild the index")
                })?;
                if !sink.folder.join(file_name(newest)).exists() {
                    let cause = format!("{} does not exist; rebuild the index", file_name(newest));
                    return Err(sink_error(&sink.name, action, cause));
                }
                newest
            }
        };
        sink.roll_back(newest)?;
        Ok(Box::new(sink))
    }
}

impl Sink for ArrowSink {
    fn begin(self: Box<Self>, epoch: Epoch, _: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
        match self.begin_file(epoch).wrap_err(&self.name, "cannot begin a file") {
            Ok((file, rows)) => Ok(Box::new(ArrowWriter { sink: *self, epoch, rows, file, added: 0 })),
            Err(error) => {
                // The next open removes what cannot be removed now.
                let _ = self.remove_draft(epoch);
                Err(error)
            }
        }
    }
}

impl ArrowWriter {
    fn append(&mut self, record: &Record) -> Result<(), RowError> {
        let Self { sink, epoch, rows, added, .. } = self;
        *added += tables::append(record, *epoch, &sink.schema, rows)? as u64;
        if rows.len() >= sink.config.batch_rows || rows.bytes() >= sink.config.batch_bytes {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), RowError> {
        if self.rows.len() > 0 {
            self.file.write(&self.rows.take()?)?;
        }
        Ok(())
    }

    /// Writes the buffered rows and the footer.
    fn finish(&mut self) -> Result<(), RowError> {
        self.flush()?;
        Ok(self.file.finish()?)
    }
}

impl EpochWriter for ArrowWriter {
    fn remove(&mut self, _: &[RowId]) -> Result<(), SinkError> {
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let added = records.iter().try_for_each(|record| self.append(record));
        added.wrap_err(&self.sink.name, "cannot write rows")
    }

    fn stage(mut self: Box<Self>, _: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
        let finished = self.finish().wrap_err(&self.sink.name, "cannot complete its file");
        let Self { sink, epoch, added, file, .. } = *self;
        // Closed before it is flushed to the disk or removed.
        drop(file);
        let flushed = finished.and_then(|()| match sink.config.sync {
            true => durable::sync_all(&[sink.draft_path(epoch)], false)
                .wrap_err(&sink.name, "cannot flush its file to the disk"),
            false => Ok(()),
        });
        let staged = ArrowStaged { sink, epoch, added };
        match flushed {
            Ok(()) => Ok(Box::new(staged)),
            Err(error) => {
                // The next open removes what cannot be removed now.
                let _ = Box::new(staged).abort();
                Err(error)
            }
        }
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        let Self { sink, epoch, file, .. } = *self;
        drop(file);
        sink.remove_draft(epoch)
    }
}

impl StagedEpoch for ArrowStaged {
    fn rows(&self) -> StagedRows {
        StagedRows { added: self.added, deleted: 0 }
    }

    fn publish(self: Box<Self>) -> Result<Published, SinkError> {
        let Self { sink, epoch, added } = *self;
        let name = file_name(epoch);
        let published = sink.folder.join(&name);
        if let Err(error) = durable::rename(&sink.draft_path(epoch), &published) {
            // The next open removes what cannot be removed now.
            let _ = sink.remove_draft(epoch);
            let _ = durable::remove(&published);
            return Err(sink_error(&sink.name, "cannot publish its file", error));
        }
        let token = json!({ "file": name, "rows": added });
        Ok(Published { files: vec![name.into()], ..Published::new(token, Box::new(sink)) })
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        self.sink.remove_draft(self.epoch)
    }
}
