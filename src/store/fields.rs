//! The fields of a row, whichever of the two libraries read it: the writer's, which steps through rows where they
//! are, or the readers', which gets them from another thread.

use super::StoreError;
use super::direct::Named;
use super::rows::unsigned;

/// A row whose fields are asked for by `column` or `table.column`: the table only says where what is damaged lies.
pub(super) trait Fields {
    /// A number or a flag; `None` where it is null.
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError>;
    /// A number that need not be whole; `None` where it is null.
    fn maybe_real(&self, column: &str) -> Result<Option<f64>, StoreError>;
    /// A text; `None` where it is null.
    fn maybe_text(&self, column: &str) -> Result<Option<&str>, StoreError>;

    /// A number or a flag.
    fn int(&self, column: &str) -> Result<i64, StoreError> {
        given(column, self.maybe_int(column)?)
    }

    /// A text.
    fn text(&self, column: &str) -> Result<&str, StoreError> {
        given(column, self.maybe_text(column)?)
    }

    /// A number that cannot be negative; `None` where it is null.
    fn maybe_count(&self, column: &str) -> Result<Option<u64>, StoreError> {
        self.maybe_int(column)?.map(|n| unsigned(column, n)).transpose()
    }

    /// A number that cannot be negative.
    fn count(&self, column: &str) -> Result<u64, StoreError> {
        unsigned(column, self.int(column)?)
    }

    /// The same where no more than 32 bits are needed.
    fn small(&self, column: &str) -> Result<u32, StoreError> {
        let n = self.int(column)?;
        u32::try_from(n).map_err(|_| StoreError::damaged(column, n))
    }
}

fn given<T>(column: &str, field: Option<T>) -> Result<T, StoreError> {
    field.ok_or_else(|| StoreError::damaged(column, "null"))
}

fn own(column: &str) -> &str {
    column.rsplit_once('.').map_or(column, |(_, own)| own)
}

impl Fields for Named<'_> {
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        Ok(self.get(self.place(own(column))?)?)
    }

    fn maybe_real(&self, column: &str) -> Result<Option<f64>, StoreError> {
        Ok(self.get(self.place(own(column))?)?)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<&str>, StoreError> {
        Ok(self.get_ref(self.place(own(column))?)?.as_str_or_null().map_err(rusqlite::Error::from)?)
    }
}

impl Fields for sqlx::sqlite::SqliteRow {
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::Row::try_get(self, own(column))?)
    }

    fn maybe_real(&self, column: &str) -> Result<Option<f64>, StoreError> {
        Ok(sqlx::Row::try_get(self, own(column))?)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<&str>, StoreError> {
        Ok(sqlx::Row::try_get(self, own(column))?)
    }
}
