//! Arrow IPC files: a tap that writes what each epoch added, one file an epoch.
//!
//! The rows are those of the port that the sink is attached to: `files` with the text for
//! contents, `symbols` for syntax, `chunks` for chunks and vectors. The files are for
//! reading elsewhere; nothing is removed from one when a later epoch removes its rows.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use arrow::ipc::writer::FileWriter;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, Fingerprint, Hash, Record, RowId, Sink, SinkContext, SinkError, StagedRows, Token,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::durable;
use crate::failure::{While as _, failure};
use crate::tables::{self, RowError, Rows, SCHEMA_VERSION, Table, TableSchema, column};

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

/// Writes what an epoch adds into a file of its own.
pub struct ArrowSink {
    name: Box<str>,
    folder: PathBuf,
    config: ArrowConfig,
    schema: TableSchema,
    draft: Option<Draft>,
}

/// The file of the epoch being written.
struct Draft {
    epoch: Epoch,
    rows: Rows,
    /// `None` once the file is complete.
    file: Option<FileWriter<BufWriter<File>>>,
    added: u64,
    staged: bool,
}

impl ArrowSink {
    /// Prepares the sink; nothing is read or written before [`Sink::open`].
    ///
    /// # Errors
    /// If it has more or less than one input, or one of vectors without a dimension.
    pub fn new(config: &ArrowConfig, context: &SinkContext) -> Result<Self, SinkError> {
        let fail = |cause| failure(&context.name, "cannot be built", cause);
        let [port] = context.inputs[..] else {
            return Err(fail("it takes one input; add a sink for each port that is to be tapped"));
        };
        let schema = match port {
            Port::Files | Port::Contents => TableSchema::new(Table::Files, None).with_column(column(
                "text",
                DataType::Utf8,
                "The whole decoded text.",
            )),
            Port::Syntax => TableSchema::new(Table::Symbols, None),
            Port::Chunks => TableSchema::new(Table::Chunks, None),
            Port::Vectors if context.dimension.is_none() => return Err(fail("its input gives no dimension")),
            Port::Vectors => TableSchema::new(Table::Chunks, context.dimension),
        };
        let (name, folder, config) = (context.name.clone(), context.folder.clone(), config.clone());
        Ok(Self { name, folder, config, schema, draft: None })
    }

    fn draft_path(&self, epoch: Epoch) -> PathBuf {
        self.folder.join(format!("{epoch}.draft"))
    }
}

impl Draft {
    fn append(&mut self, record: &Record, schema: &TableSchema, config: &ArrowConfig) -> Result<(), RowError> {
        self.added += tables::append(record, self.epoch, schema, &mut self.rows)? as u64;
        if self.rows.len() >= config.batch_rows || self.rows.bytes() >= config.batch_bytes {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), RowError> {
        if let Some(file) = self.file.as_mut().filter(|_| self.rows.len() > 0) {
            file.write(&self.rows.take()?)?;
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    fn finish(&mut self) -> Result<(), RowError> {
        self.flush()?;
        if let Some(mut file) = self.file.take() {
            file.finish()?;
        }
        Ok(())
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

impl Sink for ArrowSink {
    fn fingerprint(&self) -> Fingerprint {
        let shape = json!(["arrow", SCHEMA_VERSION, self.schema.table.as_str(), self.schema.dimension]);
        Hash::of(shape.to_string().as_bytes())
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        self.draft = None;
        let action = "cannot open its folder";
        let newest = match base {
            None => {
                durable::remove_folder(&self.folder).during(&self.name, action)?;
                0
            }
            Some(token) => {
                let name = token.get("file").and_then(Token::as_str);
                name.and_then(|name| epoch_of(Path::new(name)))
                    .ok_or_else(|| failure(&self.name, action, "the commit names no file of it; rebuild the index"))?
            }
        };
        if base.is_some() && !self.folder.join(file_name(newest)).exists() {
            let cause = format!("{} is not there; rebuild the index", file_name(newest));
            return Err(failure(&self.name, action, cause));
        }
        fs::create_dir_all(&self.folder).during(&self.name, action)?;
        for entry in fs::read_dir(&self.folder).during(&self.name, action)? {
            let path = entry.during(&self.name, action)?.path();
            let draft = path.extension().is_some_and(|extension| extension == "draft");
            if draft || epoch_of(&path).is_some_and(|epoch| epoch > newest) {
                durable::remove_file(&path).during(&self.name, action)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, epoch: Epoch, _: bool) -> Result<(), SinkError> {
        self.abandon()?;
        let action = "cannot begin a file";
        let file = File::create(self.draft_path(epoch)).during(&self.name, action)?;
        let file = FileWriter::try_new(BufWriter::new(file), &self.schema.arrow).during(&self.name, action)?;
        let rows = Rows::new(&self.schema).during(&self.name, action)?;
        self.draft = Some(Draft { epoch, rows, file: Some(file), added: 0, staged: false });
        Ok(())
    }

    fn remove(&mut self, _: &[RowId]) -> Result<(), SinkError> {
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let action = "cannot write rows";
        let draft = self.draft.as_mut().ok_or_else(|| failure(&self.name, action, "no epoch was begun"))?;
        records
            .iter()
            .try_for_each(|record| draft.append(record, &self.schema, &self.config))
            .during(&self.name, action)
    }

    fn stage(&mut self, _: &EpochMeta) -> Result<StagedRows, SinkError> {
        let action = "cannot complete its file";
        let draft = self.draft.as_mut().ok_or_else(|| failure(&self.name, action, "no epoch was begun"))?;
        draft.finish().during(&self.name, action)?;
        draft.staged = true;
        let (epoch, added) = (draft.epoch, draft.added);
        if self.config.sync {
            durable::sync_all(&[self.draft_path(epoch)], false).during(&self.name, action)?;
        }
        Ok(StagedRows { added, deleted: 0 })
    }

    fn publish(&mut self) -> Result<Token, SinkError> {
        let action = "cannot publish its file";
        let draft = self.draft.take().filter(|draft| draft.staged);
        let draft = draft.ok_or_else(|| failure(&self.name, action, "nothing was staged"))?;
        let name = file_name(draft.epoch);
        durable::rename(&self.draft_path(draft.epoch), &self.folder.join(&name)).during(&self.name, action)?;
        Ok(json!({ "file": name, "rows": draft.added }))
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        match self.draft.take() {
            Some(draft) => durable::remove_file(&self.draft_path(draft.epoch))
                .during(&self.name, "cannot remove the file of an abandoned epoch"),
            None => Ok(()),
        }
    }
}
