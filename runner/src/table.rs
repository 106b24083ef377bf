//! Tables of aligned columns for summaries, and what stands in them.

/// What a cell holds, which decides where it is aligned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Aligned left.
    Text(String),
    /// Aligned right.
    Number(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    /// Groups the digits by thousands.
    fn from(number: u64) -> Self {
        Self::Number(thousands(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl Cell {
    /// A number with a unit or decimals, written already.
    pub fn number(text: impl Into<String>) -> Self {
        Self::Number(text.into())
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

/// A table with a heading for each column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings and no rows.
    pub fn new<H: Into<String>>(headings: impl IntoIterator<Item = H>) -> Self {
        Self { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row; cells beyond the headings are not shown.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.rows.push(cells.into_iter().collect());
        self
    }

    /// Writes the table, two spaces between columns, no trailing blanks. A column is
    /// aligned right if any of its cells is a number.
    #[must_use]
    pub fn render(&self) -> String {
        let cell =
            |row: &'_ [Cell], column: usize| row.get(column).map(|cell| cell.text().to_owned()).unwrap_or_default();
        let columns: Vec<(usize, bool)> = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| {
                let widths = self.rows.iter().map(|row| cell(row, column).chars().count());
                let right = self.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Number(_))));
                (widths.chain([heading.chars().count()]).max().unwrap_or(0), right)
            })
            .collect();
        let mut out = String::new();
        let mut line = |texts: Vec<String>| {
            let padded = texts.iter().zip(&columns).map(|(text, &(width, right))| {
                if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
            });
            out.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
            out.push('\n');
        };
        line(self.headings.clone());
        for row in &self.rows {
            line((0..columns.len()).map(|column| cell(row, column)).collect());
        }
        out
    }
}

/// A whole number with its digits grouped by thousands.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as people read them: three digits or so, in binary units.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, "B");
    for next in UNITS.iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let digits = usize::from(unit != "B" && value < 10.0);
    format!("{value:.digits$} {unit}")
}

/// A time in milliseconds since 1970 as `2026-11-21 14:05:09`.
#[must_use]
pub fn utc(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(chrono::DateTime::from_timestamp_millis);
    time.map_or_else(|| "-".into(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_269_909_123), "2026-11-21 14:05:09");
        assert_eq!(utc(4_107_542_399_000), "2100-02-28 23:59:59");
    }

    #[test]
    fn columns_align() {
        let mut table = Table::new(["stage", "items", "time"]);
        table.row(["read".into(), 1_234_567_u64.into(), Cell::number("1.5 s")]);
        table.row(["größer".into(), 8_u64.into()]);
        assert_eq!(table.render(), "stage       items   time\nread    1,234,567  1.5 s\ngrößer          8\n");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_000_000].map(thousands), ["0", "999", "1,000", "1,000,000"]);
        assert_eq!([0, 1023, 1024, 10 << 20, 3 << 40].map(bytes), ["0 B", "1023 B", "1.0 KiB", "10 MiB", "3.0 TiB"]);
    }
}
