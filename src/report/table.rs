//! Tables of text: headings, a line, rows; columns that do not fit are left out and named.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// Nothing but a line under the headings.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Spaces that the table puts around a cell.
const PADDING: usize = 2;

/// A table being built.
#[derive(Debug, Default)]
pub struct TextTable {
    columns: Vec<Column>,
    rows: usize,
}

#[derive(Debug)]
struct Column {
    heading: String,
    /// Numbers stand to the right.
    right: bool,
    /// May be left out where the table is too wide.
    optional: bool,
    cells: Vec<String>,
}

impl TextTable {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column of words.
    #[must_use]
    pub fn words(self, heading: impl Into<String>) -> Self {
        self.column(heading, false, false)
    }

    /// Adds a column of numbers, which stand to the right.
    #[must_use]
    pub fn numbers(self, heading: impl Into<String>) -> Self {
        self.column(heading, true, false)
    }

    /// Adds a column that may be left out where the table would be too wide.
    #[must_use]
    pub fn optional(self, heading: impl Into<String>, right: bool) -> Self {
        self.column(heading, right, true)
    }

    fn column(mut self, heading: impl Into<String>, right: bool, optional: bool) -> Self {
        self.columns.push(Column { heading: heading.into(), right, optional, cells: Vec::new() });
        self
    }

    /// Adds a row; cells that are missing at its end are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            column.cells.push(cells.next().unwrap_or_default());
        }
        self.rows += 1;
    }

    /// The table as text, and the headings of the columns that were left out to keep it within `width`
    /// characters (`None` for any width).
    #[must_use]
    pub fn render(&self, width: Option<usize>) -> (String, Vec<String>) {
        let shown = self.shown(width.unwrap_or(usize::MAX));
        let mut table = Table::new();
        table.load_style(STYLE).set_header(shown.iter().map(|at| &self.columns[*at].heading));
        for row in 0..self.rows {
            table.add_row(shown.iter().map(|at| &self.columns[*at].cells[row]));
        }
        for (place, at) in shown.iter().enumerate() {
            if let Some(column) = table.column_mut(place).filter(|_| self.columns[*at].right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let left_out = (0..self.columns.len()).filter(|at| !shown.contains(at));
        (table.trim_fmt(), left_out.map(|at| self.columns[at].heading.clone()).collect())
    }

    /// The columns that fit: all that must be shown, and of the others the first that fit beside them.
    fn shown(&self, width: usize) -> Vec<usize> {
        let wide = |column: &Column| {
            let cells = column.cells.iter().chain([&column.heading]).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0) + PADDING + 1
        };
        let mut taken: usize = self.columns.iter().filter(|c| !c.optional).map(wide).sum();
        let mut full = false;
        let mut shown = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            if column.optional {
                full = full || taken + wide(column) > width;
                if full {
                    continue;
                }
                taken += wide(column);
            }
            shown.push(at);
        }
        shown
    }
}
