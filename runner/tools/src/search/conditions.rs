//! Conditions on extra columns, such as `licence=MIT` or `commits>=10`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use gristmill_pipeline::{ExtraColumn, ExtraOwner, ExtraType, ExtraValue, RowKey, nearest};
use gristmill_query::{ExtraValues, Tables, ToolContext, ToolError, all, quote, row_at};
use gristmill_sinks::lance::Resident;

/// The files and chunks that satisfy the conditions of a query.
pub(super) struct Matches {
    /// The keys of the visible files. With conditions on chunks: those with a matching chunk.
    pub(super) files: Arc<HashSet<RowKey>>,
    /// The addresses of the chunks; `None` for all chunks of the files.
    pub(super) chunks: Option<HashSet<u64>>,
}

/// Finds the files and chunks that satisfy all conditions; `None` without conditions. A condition on
/// a column of files applies to all chunks of a file.
pub(super) fn matches(context: &ToolContext<'_>, conditions: &[String]) -> Result<Option<Matches>, ToolError> {
    if conditions.is_empty() {
        return Ok(None);
    }
    let tables = context.epoch.tables()?;
    let bound = conditions.iter().map(|condition| Bound::new(tables, condition)).collect::<Result<Vec<_>, _>>()?;
    let (of_files, of_chunks): (Vec<_>, Vec<_>) =
        bound.into_iter().partition(|bound| bound.column.owner == ExtraOwner::Files);
    let satisfies = |conditions: &[Bound<'_>], address: Option<u64>| {
        address.is_some_and(|address| conditions.iter().all(|condition| condition.is_satisfied(address)))
    };
    let mut files = HashSet::new();
    if !of_files.is_empty() {
        for (nth, file) in all(tables.files()?).enumerate() {
            context.check_row(nth)?;
            if context.visible.shows(file.key()) && satisfies(&of_files, file.address()) {
                files.insert(file.key());
            }
        }
    }
    if of_chunks.is_empty() {
        return Ok(Some(Matches { files: Arc::new(files), chunks: None }));
    }
    let is_allowed = |file: RowKey| context.visible.shows(file) && (of_files.is_empty() || files.contains(&file));
    let (mut with_chunks, mut chunks) = (HashSet::new(), HashSet::new());
    for (nth, chunk) in all(tables.chunks()?).enumerate() {
        context.check_row(nth)?;
        if is_allowed(chunk.key()) && satisfies(&of_chunks, chunk.address()) {
            with_chunks.insert(chunk.key());
            chunks.extend(chunk.address());
        }
    }
    Ok(Some(Matches { files: Arc::new(with_chunks), chunks: Some(chunks) }))
}

/// A condition, with the values of its column.
struct Bound<'a> {
    column: &'a ExtraColumn,
    values: &'a Resident<ExtraValues>,
    comparison: Comparison,
    value: ExtraValue,
}

impl<'a> Bound<'a> {
    /// Parses a condition and loads its column.
    fn new(tables: &'a Tables, condition: &str) -> Result<Self, ToolError> {
        let Condition { column, comparison, value } = Condition::parse(condition)?;
        // The value of a chunk is closer to it than that of its file.
        let named = || tables.extra_columns().filter(|extra| *extra.name == *column);
        let found = named().find(|extra| extra.owner == ExtraOwner::Chunks).or_else(|| named().next());
        let found = found.ok_or_else(|| unknown_column(column, &tables.extra_columns().collect::<Vec<_>>()))?;
        let value = typed(found, comparison, value)?;
        Ok(Self { column: found, values: tables.extra(found)?, comparison, value })
    }

    /// Returns whether the row at an address satisfies the condition.
    fn is_satisfied(&self, address: u64) -> bool {
        let row = row_at(self.values, address);
        let compared = row.and_then(|row| row.table().compare(row.row, &self.value));
        compared.is_some_and(|ordering| self.comparison.accepts(ordering))
    }
}

/// A condition as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Condition<'a> {
    column: &'a str,
    comparison: Comparison,
    value: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The operators. One that begins with another comes before it.
const OPERATORS: [(&str, Comparison); 7] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl<'a> Condition<'a> {
    /// Parses `COLUMN=VALUE`. White space around the column and the value is ignored.
    fn parse(text: &'a str) -> Result<Self, ToolError> {
        let parse = || {
            let at = text.find(['=', '!', '<', '>'])?;
            let (column, rest) = text.split_at_checked(at)?;
            let (comparison, value) = OPERATORS
                .iter()
                .find_map(|(operator, comparison)| Some((*comparison, rest.strip_prefix(operator)?)))?;
            Some(Self { column: column.trim(), comparison, value: value.trim() })
        };
        parse().filter(|condition| !condition.column.is_empty()).ok_or_else(|| {
            let help = "write `COLUMN=VALUE`; the operators are `=`, `!=`, `<`, `<=`, `>` and `>=`";
            ToolError::bad_input(format!("invalid condition {} in `where`", quote(text))).help(help)
        })
    }
}

impl Comparison {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// Returns whether the comparison needs an order, as numbers have it.
    fn needs_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// Parses a value by the type of its column.
fn typed(column: &ExtraColumn, comparison: Comparison, value: &str) -> Result<ExtraValue, ToolError> {
    let is_number = matches!(column.kind, ExtraType::Integer | ExtraType::Float);
    if comparison.needs_order() && !is_number {
        let message = format!("column `{}` has type {}, which has no order", column.name, column.kind.as_str());
        return Err(ToolError::bad_input(message).help("compare it with `=` or `!=`"));
    }
    let parsed = match column.kind {
        ExtraType::Text => Some(value.into()),
        ExtraType::Integer => value.parse::<i64>().ok().map(Into::into),
        ExtraType::Float => value.parse::<f64>().ok().map(Into::into),
        ExtraType::Boolean => value.parse::<bool>().ok().map(Into::into),
    };
    parsed.ok_or_else(|| {
        let expected = match column.kind {
            ExtraType::Text => "a text",
            ExtraType::Integer => "an integer",
            ExtraType::Float => "a number",
            ExtraType::Boolean => "`true` or `false`",
        };
        let kind = column.kind.as_str();
        let message = format!("column `{}` has type {kind}: expected {expected}, got {}", column.name, quote(value));
        ToolError::bad_input(message)
    })
}

/// The error of a column that the index does not have.
fn unknown_column(name: &str, columns: &[&ExtraColumn]) -> ToolError {
    let near = nearest(name, columns.iter().map(|column| &*column.name));
    let available: Vec<String> = columns
        .iter()
        .map(|column| {
            let owner = match column.owner {
                ExtraOwner::Files => "files",
                ExtraOwner::Chunks => "chunks",
            };
            format!("`{}` ({} of {owner})", column.name, column.kind.as_str())
        })
        .collect();
    let available = match available.as_slice() {
        [] => "the index has no extra columns".to_owned(),
        available => format!("available extra columns: {}", available.join(", ")),
    };
    let help = near.map_or_else(|| available.clone(), |near| format!("did you mean `{near}`? {available}"));
    ToolError::bad_input(format!("unknown extra column {}", quote(name))).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ExtraType) -> ExtraColumn {
        ExtraColumn { owner: ExtraOwner::Files, name: name.into(), kind, description: "".into() }
    }

    #[test]
    fn conditions_are_parsed() {
        let parsed = |text| Condition::parse(text).map(|parsed| (parsed.column, parsed.comparison, parsed.value));
        assert_eq!(parsed("licence=MIT"), Ok(("licence", Comparison::Equal, "MIT")));
        assert_eq!(parsed("licence == MIT "), Ok(("licence", Comparison::Equal, "MIT")));
        assert_eq!(parsed("licence!=GPL>=2"), Ok(("licence", Comparison::NotEqual, "GPL>=2")));
        assert_eq!(parsed("commits<=-3"), Ok(("commits", Comparison::LessOrEqual, "-3")));
        assert_eq!(parsed("commits>1"), Ok(("commits", Comparison::Greater, "1")));
        assert_eq!(parsed("licence="), Ok(("licence", Comparison::Equal, "")));
        for text in ["", "licence", "=MIT", "licence!MIT"] {
            let error = parsed(text).expect_err(text);
            assert!(error.help.is_some_and(|help| help.contains("COLUMN=VALUE")), "{text}");
        }
    }

    #[test]
    fn a_value_must_have_the_type_of_the_column() {
        let value = |kind, text| typed(&column("c", kind), Comparison::Equal, text);
        assert_eq!(value(ExtraType::Text, "3"), Ok("3".into()));
        assert_eq!(value(ExtraType::Integer, "-3"), Ok((-3_i64).into()));
        assert_eq!(value(ExtraType::Float, "3"), Ok(3.0.into()));
        assert_eq!(value(ExtraType::Boolean, "true"), Ok(true.into()));
        let error = value(ExtraType::Integer, "many").expect_err("a text");
        assert_eq!(error.message, "column `c` has type integer: expected an integer, got `many`");
        assert!(value(ExtraType::Boolean, "yes").is_err_and(|error| error.message.contains("`true` or `false`")));
        assert!(typed(&column("c", ExtraType::Text), Comparison::Less, "b").is_err());
        assert!(typed(&column("c", ExtraType::Float), Comparison::Less, "2.5").is_ok());
    }

    #[test]
    fn an_unknown_column_names_the_available_ones() {
        let (licence, commits) = (column("licence", ExtraType::Text), column("commits", ExtraType::Integer));
        let error = unknown_column("license", &[&licence, &commits]);
        assert_eq!(error.message, "unknown extra column `license`");
        let expected =
            "did you mean `licence`? available extra columns: `licence` (text of files), `commits` (integer of files)";
        assert_eq!(error.help.as_deref(), Some(expected));
        let error = unknown_column("license", &[]);
        assert_eq!(error.help.as_deref(), Some("the index has no extra columns"));
    }
}
