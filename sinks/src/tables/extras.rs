//! Extra columns: those that operators add to `files` and `chunks`.

use arrow::array::{Array as _, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use gristmill_pipeline::{ExtraColumn, ExtraOwner, ExtraType, ExtraValue, Extras};

use super::rows::Row;
use super::schema::column;
use super::{ColumnClash, ColumnError, Columns, RowError, Table, TableSchema};

/// Whether an extra column is one of this table's.
fn is_of(column: &ExtraColumn, table: &Table) -> bool {
    *table == table_of(column.owner)
}

impl TableSchema {
    /// The table with those of the extra columns that are its own, after all others.
    ///
    /// # Errors
    /// If the table already has a column of that name.
    pub fn with_extras(mut self, columns: &[ExtraColumn]) -> Result<Self, ColumnClash> {
        for extra in columns {
            if !is_of(extra, &self.table) {
                continue;
            }
            if self.arrow.column_with_name(&extra.name).is_some() {
                return Err(ColumnClash { table: self.table, column: extra.name.clone() });
            }
            self.push(field(extra));
            self.extras.push(extra.clone());
        }
        Ok(self)
    }
}

/// The column of a table that holds an extra column.
fn field(extra: &ExtraColumn) -> Field {
    let data_type = match extra.kind {
        ExtraType::Text => DataType::Utf8,
        ExtraType::Integer => DataType::Int64,
        ExtraType::Float => DataType::Float64,
        ExtraType::Boolean => DataType::Boolean,
    };
    column(&extra.name, data_type, &extra.description).with_nullable(true)
}

/// The extra columns in the schema of a table: those that are not the table's own.
pub(crate) fn of_schema(owner: ExtraOwner, schema: &Schema) -> Vec<ExtraColumn> {
    let own = TableSchema::new(table_of(owner), Some(1)).arrow;
    let of_field = |field: &Field| {
        let kind = match field.data_type() {
            DataType::Utf8 => ExtraType::Text,
            DataType::Int64 => ExtraType::Integer,
            DataType::Float64 => ExtraType::Float,
            DataType::Boolean => ExtraType::Boolean,
            _ => return None,
        };
        let description = field.metadata().get("description").map_or("", String::as_str);
        Some(ExtraColumn { owner, name: field.name().as_str().into(), kind, description: description.into() })
    };
    let extras = schema.fields().iter().filter(|field| own.column_with_name(field.name()).is_none());
    extras.filter_map(|field| of_field(field)).collect()
}

/// The table whose rows have the extra columns of an owner.
pub(crate) const fn table_of(owner: ExtraOwner) -> Table {
    match owner {
        ExtraOwner::Files => Table::Files,
        ExtraOwner::Chunks => Table::Chunks,
    }
}

/// Fails if a value has another type than its column.
pub(super) fn check(columns: &[ExtraColumn], values: &Extras, path: &str) -> Result<(), RowError> {
    columns.iter().try_for_each(|column| match values.get(&column.name) {
        Some(value) if value.kind() != column.kind => Err(RowError::ExtraType {
            path: path.into(),
            column: column.name.clone(),
            expected: column.kind,
            found: value.kind(),
        }),
        Some(_) | None => Ok(()),
    })
}

/// Appends the value of each extra column, which [`check`] accepted; null where there is none.
pub(super) fn append(columns: &[ExtraColumn], values: &Extras, mut row: Row<'_>) {
    for column in columns {
        row = row.extra(values.get(&column.name));
    }
}

/// The extra columns of a record batch.
pub(crate) struct ExtraReader<'a>(Vec<(&'a str, Values<'a>)>);

enum Values<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Float(&'a Float64Array),
    Boolean(&'a BooleanArray),
}

impl<'a> ExtraReader<'a> {
    /// Finds the extra columns in a batch.
    pub fn new(columns: &'a [ExtraColumn], batch: &'a RecordBatch) -> Result<Self, ColumnError> {
        let find = |column: &'a ExtraColumn| {
            let (name, batch) = (&*column.name, Columns(batch));
            let values = match column.kind {
                ExtraType::Text => Values::Text(batch.text(name)?),
                ExtraType::Integer => Values::Integer(batch.numbers::<Int64Type>(name)?),
                ExtraType::Float => Values::Float(batch.numbers::<Float64Type>(name)?),
                ExtraType::Boolean => Values::Boolean(batch.get(name, "Boolean", |array| array.as_boolean_opt())?),
            };
            Ok((name, values))
        };
        columns.iter().map(find).collect::<Result<_, _>>().map(Self)
    }

    /// The values of a row.
    pub fn row(&self, row: usize) -> Extras {
        let mut extras = Extras::default();
        for (name, values) in &self.0 {
            if let Some(value) = values.get(row) {
                extras.set(name, value);
            }
        }
        extras
    }
}

impl Values<'_> {
    fn get(&self, row: usize) -> Option<ExtraValue> {
        match self {
            Self::Text(values) => values.is_valid(row).then(|| values.value(row).into()),
            Self::Integer(values) => values.is_valid(row).then(|| values.value(row).into()),
            Self::Float(values) => values.is_valid(row).then(|| values.value(row).into()),
            Self::Boolean(values) => values.is_valid(row).then(|| values.value(row).into()),
        }
    }
}
