//! Whether the database is sound, and which files beside it it counts on.

use crate::store::{Reader, StoreError};

impl Reader {
    /// What SQLite's own checks find wrong; empty where all is well.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut found: Vec<String> =
            sqlx::query_scalar("pragma integrity_check(20)").fetch_all(&self.pool).await?;
        found.retain(|line| line != "ok");
        let dangling: Vec<String> = sqlx::query_scalar("select \"table\" from pragma_foreign_key_check()")
            .fetch_all(&self.pool)
            .await?;
        found
            .extend(dangling.into_iter().map(|table| format!("a row of {table} refers to one that is gone")));
        Ok(found)
    }

    /// The weights that trials refer to, each once.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn weights(&self) -> Result<Vec<String>, StoreError> {
        let sql = "select distinct weights from trial where weights is not null";
        Ok(sqlx::query_scalar(sql).fetch_all(&self.pool).await?)
    }
}
