//! The schemas of the tables, stable and documented in field metadata.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use gristmill_pipeline::{ExtraColumn, ViewSchema, ViewType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Table;

/// Version of the schemas. A store of another version is rebuilt.
pub const SCHEMA_VERSION: u32 = 3;

/// How the components of vectors are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VectorForm {
    /// As the embedder returns them: 32 bits.
    #[default]
    F32,
    /// Rounded to 16 bits, about three decimal digits: half the space.
    F16,
}

impl VectorForm {
    const fn data_type(self) -> DataType {
        match self {
            Self::F32 => DataType::Float32,
            Self::F16 => DataType::Float16,
        }
    }
}

/// An operator's extra column has the name of another column of its table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table {table} already has a column `{column}`; rename the operator's extra column")]
pub struct ColumnClash {
    /// The table.
    pub table: Table,
    /// The name.
    pub column: Box<str>,
}

/// A table, with the columns that it has in one store.
#[derive(Clone, Debug)]
pub struct TableSchema {
    /// Which table.
    pub table: Table,
    /// The dimension of the vectors, if the table has any.
    pub dimension: Option<usize>,
    /// The view, if it is the table of one.
    pub view: Option<Arc<ViewSchema>>,
    /// The extra columns, in their order; they follow all others.
    pub extras: Vec<ExtraColumn>,
    /// Whether a column `text` with the whole text follows `epoch`.
    pub(super) has_text: bool,
    /// The columns. Each field's metadata has a `description`.
    pub arrow: SchemaRef,
}

impl TableSchema {
    /// The schema of a table of records; `dimension` gives `chunks` a column of vectors.
    /// A view's table has only the column that every table has; see [`of_view`](Self::of_view).
    #[must_use]
    pub fn new(table: Table, dimension: Option<usize>) -> Self {
        let dimension = dimension.filter(|_| table == Table::Chunks);
        let fields = match table {
            Table::Files => files(),
            Table::Chunks => chunks(dimension),
            Table::Symbols => symbols(),
            Table::References => references(),
            Table::Imports => imports(),
            Table::Diagnostics => diagnostics(),
            Table::View(_) => Vec::new(),
        };
        Self { dimension, ..Self::with_fields(table, fields, None) }
    }

    /// The same table, with its vectors stored in that form.
    #[must_use]
    pub fn with_vectors(mut self, form: VectorForm) -> Self {
        let fields = self.arrow.fields().iter().map(|field| match field.data_type() {
            DataType::FixedSizeList(item, dimension) => {
                let item = item.as_ref().clone().with_data_type(form.data_type());
                let vectors = DataType::FixedSizeList(Arc::new(item), *dimension);
                Arc::new(field.as_ref().clone().with_data_type(vectors))
            }
            _ => Arc::clone(field),
        });
        let fields: Vec<_> = fields.collect();
        self.arrow = Arc::new(Schema::new_with_metadata(fields, self.arrow.metadata().clone()));
        self
    }

    /// The schema of a view's table.
    #[must_use]
    pub fn of_view(view: &Arc<ViewSchema>) -> Self {
        let fields = view.columns.iter().map(|view| {
            let data_type = match view.kind {
                ViewType::Text => DataType::Utf8,
                ViewType::Number => DataType::UInt64,
                ViewType::Hash => HASH,
            };
            column(&view.name, data_type, &view.description)
        });
        let table = Table::View(view.name.as_ref().into());
        Self { view: Some(Arc::clone(view)), ..Self::with_fields(table, fields.collect(), Some(&view.description)) }
    }

    fn with_fields(table: Table, mut fields: Vec<Field>, description: Option<&str>) -> Self {
        fields.push(column("epoch", DataType::UInt64, "The epoch that wrote this row."));
        let mut metadata = HashMap::from([
            ("gristmill.table".to_owned(), table.as_str().to_owned()),
            ("gristmill.schema_version".to_owned(), SCHEMA_VERSION.to_string()),
        ]);
        metadata.extend(description.map(|text| ("description".to_owned(), text.to_owned())));
        let arrow = Arc::new(Schema::new_with_metadata(fields, metadata));
        Self { table, dimension: None, view: None, extras: Vec::new(), has_text: false, arrow }
    }

    /// The table `files` with the whole text of each file.
    #[must_use]
    pub fn with_text(mut self) -> Self {
        self.push(column("text", DataType::Utf8, "The whole decoded text."));
        self.has_text = true;
        self
    }

    /// Appends a column.
    pub(super) fn push(&mut self, field: Field) {
        let mut fields: Vec<_> = self.arrow.fields().iter().cloned().collect();
        fields.push(Arc::new(field));
        self.arrow = Arc::new(Schema::new_with_metadata(fields, self.arrow.metadata().clone()));
    }
}

/// A column without nulls.
pub(crate) fn column(name: &str, data_type: DataType, description: &str) -> Field {
    Field::new(name, data_type, false)
        .with_metadata(HashMap::from([("description".to_owned(), description.to_owned())]))
}

const HASH: DataType = DataType::FixedSizeBinary(32);

fn path() -> Field {
    column("path", DataType::Utf8, "The file's path relative to the source's root, parts separated by `/`.")
}

fn language() -> Field {
    column("language", DataType::Utf8, "The language's name in lower case; `text` if unknown, `binary` if no text.")
}

fn content_hash() -> Field {
    column("content_hash", HASH, "BLAKE3 of the file's bytes.")
}

fn span() -> [Field; 4] {
    [
        column("start_line", DataType::UInt32, "Line of the first byte, counted from 1."),
        column("end_line", DataType::UInt32, "Line of the last byte, counted from 1."),
        column("start_byte", DataType::UInt32, "First byte in the decoded text, counted from 0."),
        column("end_byte", DataType::UInt32, "One past the last byte."),
    ]
}

fn files() -> Vec<Field> {
    vec![
        path(),
        language(),
        column("bytes", DataType::UInt64, "The file's size in bytes."),
        column("lines", DataType::UInt32, "Its lines; a last line without a line feed counts."),
        content_hash(),
        column("chunks", DataType::UInt32, "How many chunks it has."),
        column("symbols", DataType::UInt32, "How many definitions it has."),
        column("quarantined", DataType::Boolean, "Whether nothing of its content is indexed; see the diagnostics."),
    ]
}

fn chunks(dimension: Option<usize>) -> Vec<Field> {
    let mut fields = vec![
        column(
            "chunk_id",
            DataType::Utf8,
            "32 hex digits: 128 bits of BLAKE3 over path, chunk_hash and the chunk's place among equal ones of the path.",
        ),
        path(),
        language(),
        column("kind", DataType::Utf8, "The kind of the definition that the chunk holds; `code` or `text` otherwise."),
        column("symbol", DataType::Utf8, "The name of the definition that it holds or belongs to; empty if none."),
        column("scope", DataType::Utf8, "The qualified name of what surrounds it; empty at the top of a file."),
    ];
    fields.extend(span());
    fields.extend([
        ordinal("chunks"),
        column("tokens", DataType::UInt32, "About how many tokens of a model it has."),
        content_hash(),
        column("body_hash", HASH, "BLAKE3 of scope, symbol and text."),
        column("chunk_hash", HASH, "BLAKE3 of all that an embedder sees of it."),
        column("text", DataType::Utf8, "The text. The chunks of a file cover it in order."),
    ]);
    if let Some(dimension) = dimension {
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        // A dimension beyond i32 is rejected when vectors are appended.
        let dimension = i32::try_from(dimension).unwrap_or(i32::MAX);
        fields.push(column("vector", DataType::FixedSizeList(item, dimension), "Its embedding."));
    }
    fields
}

fn symbols() -> Vec<Field> {
    let mut fields = vec![
        path(),
        language(),
        column("name", DataType::Utf8, "The name as written."),
        column("qualified_name", DataType::Utf8, "The name with those of the definitions that contain it."),
        column("kind", DataType::Utf8, "What it is, by a name that is the same across languages."),
        column("signature", DataType::Utf8, "Its head on one line."),
        column("doc", DataType::Utf8, "Its documentation without comment marks; empty if it has none."),
    ];
    fields.extend(span());
    fields.extend([
        column("extent_start", DataType::UInt32, "Where its doc comment, attributes or decorators begin."),
        column("parent", DataType::UInt32, "The ordinal of the definition that contains it.").with_nullable(true),
        column("key", DataType::Utf8, "The path of names that leads to it from its file, such as `unit Mill grind`."),
        ordinal("definitions"),
        content_hash(),
    ]);
    fields
}

fn ordinal(of: &str) -> Field {
    column("ordinal", DataType::UInt32, &format!("Its place among the {of} of the file, counted from 0."))
}

fn references() -> Vec<Field> {
    vec![
        path(),
        language(),
        column("name", DataType::Utf8, "The name that is used: the last part where several are joined."),
        column("qualifier", DataType::Utf8, "What stands before it as written; empty if nothing or no plain path."),
        column("kind", DataType::Utf8, "How it is used: `call`, `implements` or `mention`."),
        column("line", DataType::UInt32, "Its line, counted from 1."),
        column("start_byte", DataType::UInt32, "Its first byte in the decoded text, counted from 0."),
        column("within", DataType::UInt32, "The ordinal of the definition that it lies in.").with_nullable(true),
        column(
            "target",
            DataType::Utf8,
            "The path of names that it is bound to, such as `unit Mill grind`; `local` if that is no definition, empty if unknown.",
        ),
        column(
            "lead",
            DataType::Utf8,
            "What it says of another path, such as `type unit Mill stone`; empty if nothing.",
        ),
        ordinal("references"),
        content_hash(),
    ]
}

fn imports() -> Vec<Field> {
    vec![
        path(),
        language(),
        column("module", DataType::Utf8, "What is named, as written and without quotes."),
        column("name", DataType::Utf8, "What is taken from it; empty if it comes in whole, `*` if all its names do."),
        column("alias", DataType::Utf8, "What it is called here, where that is another name; empty if not."),
        column("line", DataType::UInt32, "Its line, counted from 1."),
        ordinal("imports"),
        content_hash(),
    ]
}

fn diagnostics() -> Vec<Field> {
    vec![
        path(),
        column("severity", DataType::Utf8, "`note`, `warning` or `error`; an error quarantines the file."),
        column("stage", DataType::Utf8, "The stage that found it."),
        column("code", DataType::Utf8, "A stable word for the kind of finding."),
        column("line", DataType::UInt32, "The 1-based line, or 0 if it is about the whole file."),
        column("message", DataType::Utf8, "What, where, and what to do."),
        content_hash(),
    ]
}
