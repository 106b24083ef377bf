//! Items of a record, read out of the columns of their tables.

use arrow::array::{Array as _, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::UInt32Type;
use gristmill_pipeline::port::{Definition, DefinitionKind, Import, Lead, Reference, Span};

use crate::tables::{ColumnError, Columns, reference_kind};

/// Why a record cannot be read back from stored rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecallError {
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error("unknown {1} `{0}`; rebuild the index")]
    Unknown(Box<str>, &'static str),
}

type Numbers = PrimitiveArray<UInt32Type>;

/// Items that lie in the rows of one table.
pub(super) trait Items<'a>: Sized {
    type Item;

    /// Finds the columns. Those that facts do not need may be missing.
    fn of(batch: &'a RecordBatch) -> Result<Self, ColumnError>;

    fn get(&self, row: usize) -> Result<Self::Item, RecallError>;
}

/// Where something lies.
pub(super) struct Spans<'a> {
    start_byte: &'a Numbers,
    end_byte: &'a Numbers,
    start_line: &'a Numbers,
    end_line: &'a Numbers,
}

impl<'a> Spans<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Self, ColumnError> {
        let number = |name| Columns(batch).numbers::<UInt32Type>(name);
        Ok(Self {
            start_byte: number("start_byte")?,
            end_byte: number("end_byte")?,
            start_line: number("start_line")?,
            end_line: number("end_line")?,
        })
    }

    pub fn get(&self, row: usize) -> Span {
        Span {
            start_byte: self.start_byte.value(row),
            end_byte: self.end_byte.value(row),
            start_line: self.start_line.value(row),
            end_line: self.end_line.value(row),
        }
    }
}

fn optional(numbers: &Numbers, row: usize) -> Option<u32> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

/// Rows of `symbols`.
pub(super) struct Definitions<'a> {
    name: &'a StringArray,
    qualified_name: &'a StringArray,
    kind: &'a StringArray,
    signature: Option<&'a StringArray>,
    doc: Option<&'a StringArray>,
    span: Spans<'a>,
    extent_start: &'a Numbers,
    parent: &'a Numbers,
    key: &'a StringArray,
}

impl<'a> Items<'a> for Definitions<'a> {
    type Item = Definition;

    fn of(batch: &'a RecordBatch) -> Result<Self, ColumnError> {
        let columns = Columns(batch);
        Ok(Self {
            name: columns.text("name")?,
            qualified_name: columns.text("qualified_name")?,
            kind: columns.text("kind")?,
            signature: columns.text("signature").ok(),
            doc: columns.text("doc").ok(),
            span: Spans::of(batch)?,
            extent_start: columns.numbers("extent_start")?,
            parent: columns.numbers("parent")?,
            key: columns.text("key")?,
        })
    }

    fn get(&self, row: usize) -> Result<Definition, RecallError> {
        let kind = self.kind.value(row);
        let unknown = |_| RecallError::Unknown(kind.into(), "kind of definition");
        Ok(Definition {
            name: self.name.value(row).into(),
            qualified_name: self.qualified_name.value(row).into(),
            kind: kind.parse::<DefinitionKind>().map_err(unknown)?,
            signature: self.signature.map_or("", |signature| signature.value(row)).into(),
            doc: self.doc.map_or("", |doc| doc.value(row)).into(),
            span: self.span.get(row),
            extent_start: self.extent_start.value(row),
            parent: optional(self.parent, row),
            key: self.key.value(row).into(),
        })
    }
}

/// Rows of `references`.
pub(super) struct References<'a> {
    name: &'a StringArray,
    qualifier: &'a StringArray,
    kind: &'a StringArray,
    line: &'a Numbers,
    start_byte: &'a Numbers,
    within: &'a Numbers,
    target: &'a StringArray,
    lead: &'a StringArray,
}

impl<'a> Items<'a> for References<'a> {
    type Item = Reference;

    fn of(batch: &'a RecordBatch) -> Result<Self, ColumnError> {
        let columns = Columns(batch);
        Ok(Self {
            name: columns.text("name")?,
            qualifier: columns.text("qualifier")?,
            kind: columns.text("kind")?,
            line: columns.numbers("line")?,
            start_byte: columns.numbers("start_byte")?,
            within: columns.numbers("within")?,
            target: columns.text("target")?,
            lead: columns.text("lead")?,
        })
    }

    fn get(&self, row: usize) -> Result<Reference, RecallError> {
        let kind = self.kind.value(row);
        let unknown = || RecallError::Unknown(kind.into(), "kind of reference");
        Ok(Reference {
            name: self.name.value(row).into(),
            qualifier: self.qualifier.value(row).into(),
            kind: reference_kind(kind).ok_or_else(unknown)?,
            start_byte: self.start_byte.value(row),
            line: self.line.value(row),
            within: optional(self.within, row),
            target: self.target.value(row).into(),
            lead: self.lead(row)?,
        })
    }
}

impl References<'_> {
    fn lead(&self, row: usize) -> Result<Option<Lead>, RecallError> {
        match self.lead.value(row) {
            "" => Ok(None),
            written => written.parse().map(Some).map_err(|_| RecallError::Unknown(written.into(), "lead")),
        }
    }
}

/// Rows of `imports`.
pub(super) struct Imports<'a> {
    module: &'a StringArray,
    name: &'a StringArray,
    alias: &'a StringArray,
    line: &'a Numbers,
}

impl<'a> Items<'a> for Imports<'a> {
    type Item = Import;

    fn of(batch: &'a RecordBatch) -> Result<Self, ColumnError> {
        let columns = Columns(batch);
        Ok(Self {
            module: columns.text("module")?,
            name: columns.text("name")?,
            alias: columns.text("alias")?,
            line: columns.numbers("line")?,
        })
    }

    fn get(&self, row: usize) -> Result<Import, RecallError> {
        Ok(Import {
            module: self.module.value(row).into(),
            name: self.name.value(row).into(),
            alias: self.alias.value(row).into(),
            line: self.line.value(row),
        })
    }
}
