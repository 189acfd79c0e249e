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

    /// Writes a whole and consistent copy of the database to a new file, while others read and write.
    ///
    /// # Errors
    /// What SQLite says, also where the file exists.
    pub async fn copy_to(&self, file: &str) -> Result<(), StoreError> {
        sqlx::query("vacuum into ?").bind(file).execute(&self.pool).await?;
        Ok(())
    }

    /// The blobs that trials refer to, each once: weights and checkpoints.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn blobs(&self) -> Result<Vec<String>, StoreError> {
        let sql = "select weights from trial where weights is not null union select hash from checkpoint \
                   union select hash from heirloom";
        Ok(sqlx::query_scalar(sql).fetch_all(&self.pool).await?)
    }
}
