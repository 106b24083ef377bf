//! Text tables with aligned columns.

use crate::units::thousands;

/// A cell; its kind decides the alignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextCell {
    /// Aligned left.
    Text(String),
    /// Aligned right.
    Number(String),
}

impl From<&str> for TextCell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for TextCell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for TextCell {
    /// Groups the digits by thousands.
    fn from(number: u64) -> Self {
        Self::Number(thousands(number))
    }
}

impl From<usize> for TextCell {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl TextCell {
    /// Creates a right-aligned cell from formatted text, such as a number with a unit.
    pub fn number(text: impl Into<String>) -> Self {
        Self::Number(text.into())
    }

    /// Returns the text of the cell.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

/// A table with column headings.
#[derive(Clone, Debug, Default)]
pub struct TextTable {
    headings: Vec<String>,
    rows: Vec<Vec<TextCell>>,
}

impl TextTable {
    /// Creates a table without rows.
    pub fn new<H: Into<String>>(headings: impl IntoIterator<Item = H>) -> Self {
        Self { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row; excess cells are ignored.
    pub fn row(&mut self, cells: impl IntoIterator<Item = TextCell>) -> &mut Self {
        self.rows.push(cells.into_iter().collect());
        self
    }

    /// Renders the table, with two spaces between columns and no trailing blanks. A column is aligned
    /// right if any of its cells is a number.
    #[must_use]
    pub fn render(&self) -> String {
        let cell =
            |row: &'_ [TextCell], column: usize| row.get(column).map(|cell| cell.text().to_owned()).unwrap_or_default();
        let columns: Vec<(usize, bool)> = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| {
                let widths = self.rows.iter().map(|row| cell(row, column).chars().count());
                let right = self.rows.iter().any(|row| matches!(row.get(column), Some(TextCell::Number(_))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align() {
        let mut table = TextTable::new(["stage", "items", "time"]);
        table.row(["read".into(), 1_234_567_u64.into(), TextCell::number("1.5 s")]);
        table.row(["größer".into(), 8_u64.into()]);
        assert_eq!(table.render(), "stage       items   time\nread    1,234,567  1.5 s\ngrößer          8\n");
    }
}
