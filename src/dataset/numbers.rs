//! Further columns of a table of faces: numbers that networks may take beside the image.

use super::columns::names;
use super::error::DatasetError;
use super::kaggle::IMAGE;
use super::table::{Row, Table};

/// Most columns.
pub const MOST_COLUMNS: usize = 1000;

/// Named numbers, so many for each image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    names: Vec<String>,
    values: Vec<f32>,
}

impl Numbers {
    /// No rows yet of these columns.
    ///
    /// # Errors
    /// `Request` where a name is empty, there already, or taken by a label or the image.
    pub fn of_columns(names: Vec<String>) -> Result<Self, DatasetError> {
        let fail = |problem: String| Err(DatasetError::Request(problem));
        if names.len() > MOST_COLUMNS {
            return fail(format!("a dataset has at most {MOST_COLUMNS} columns of numbers"));
        }
        let labels = self::names();
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() || name.len() > 64 {
                return fail(format!("`{name}` cannot name a column of numbers: 1 to 64 bytes"));
            }
            if name == IMAGE || name == "ImageId" || labels.contains(name) {
                return fail(format!("`{name}` is no further column: it has a meaning already"));
            }
            if names[..place].contains(name) {
                return fail(format!("the column `{name}` is named more than once"));
            }
        }
        Ok(Self { names, values: Vec::new() })
    }

    /// As a cache file holds them; `values` are `[rows, names]`.
    pub(super) fn stored(names: Vec<String>, values: Vec<f32>) -> Self {
        Self { names, values }
    }

    /// Numbers that another program has read; `values` are `[rows, names]`.
    ///
    /// # Errors
    /// As [`Numbers::of_columns`]; or where they are no whole rows.
    pub fn of_values(names: Vec<String>, values: Vec<f32>) -> Result<Self, DatasetError> {
        let numbers = Self { values, ..Self::of_columns(names)? };
        let are_whole = match numbers.names.len() {
            0 => numbers.values.is_empty(),
            columns => numbers.values.len().is_multiple_of(columns),
        };
        if !are_whole {
            return Err(DatasetError::Request("the numbers are no whole rows of these columns".to_owned()));
        }
        Ok(numbers)
    }

    /// Adds the cells of a table's row; an empty one is NaN.
    pub(super) fn read(&mut self, row: &Row<'_>, cells: &[usize]) -> Result<(), DatasetError> {
        for cell in cells {
            self.values.push(row.number(*cell)?);
        }
        Ok(())
    }

    /// Where a table has these columns.
    pub(super) fn places(&self, table: &Table<'_>) -> Result<Vec<usize>, DatasetError> {
        let wanted: Vec<&str> = self.names.iter().map(String::as_str).collect();
        table.columns(&wanted, true)
    }

    /// What the columns are called, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All numbers, f32 `[rows, names]`, NaN where missing.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// A row's numbers, f32 `[names]`.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.names.len()..(row + 1) * self.names.len()]
    }

    /// Those of some rows, in that order.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn of_rows(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let values = rows.into_iter().flat_map(|row| self.row(row)).copied().collect();
        Self { names: self.names.clone(), values }
    }

    /// Some columns of all rows, f32 `[rows, wanted]`.
    ///
    /// # Errors
    /// `Request` naming the one that is not there, and those that are.
    pub fn columns(&self, wanted: &[String]) -> Result<Vec<f32>, DatasetError> {
        let places = self.places_of(wanted)?;
        let of_row = |row: &[f32]| places.iter().map(|place| row[*place]).collect::<Vec<f32>>();
        Ok(self.values.chunks(self.names.len().max(1)).flat_map(of_row).collect())
    }

    /// Where some columns are among the names.
    ///
    /// # Errors
    /// As [`Numbers::columns`].
    pub fn places_of(&self, wanted: &[String]) -> Result<Vec<usize>, DatasetError> {
        let place = |name: &String| {
            self.names.iter().position(|known| known == name).ok_or_else(|| self.no_such(name))
        };
        wanted.iter().map(place).collect()
    }

    fn no_such(&self, name: &str) -> DatasetError {
        let known = match self.names.as_slice() {
            [] => {
                "there are none beside the image; `--numbers` of `sweepd data import` takes some".to_owned()
            }
            names => format!("known: {}", names.join(", ")),
        };
        DatasetError::Request(format!("there is no column `{name}` of numbers; {known}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_had_by_name() {
        let names = ["age", "yaw"].map(str::to_owned).to_vec();
        let numbers = Numbers::stored(names, vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(numbers.columns(&["yaw".to_owned()]).unwrap(), [2.0, 4.0]);
        assert_eq!(numbers.columns(&[]).unwrap(), [0f32; 0]);
        assert_eq!(numbers.of_rows([1, 0]).values(), [3.0, 4.0, 1.0, 2.0]);
        let error = numbers.columns(&["pose".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `pose` of numbers; known: age, yaw");
    }

    #[test]
    fn a_name_means_one_thing() {
        for (names, problem) in [
            (vec!["age", "age"], "the column `age` is named more than once"),
            (vec!["Image"], "`Image` is no further column: it has a meaning already"),
            (vec!["nose_tip_x"], "`nose_tip_x` is no further column: it has a meaning already"),
            (vec![""], "`` cannot name a column of numbers: 1 to 64 bytes"),
        ] {
            let error = Numbers::of_columns(names.into_iter().map(str::to_owned).collect()).unwrap_err();
            assert_eq!(error.to_string(), problem);
        }
    }
}
