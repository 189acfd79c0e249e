//! Questions that read much: on a connection of their own, away from the async threads.

use super::team::Team;
use crate::store::{Reader, StoreError};
use rusqlite::Connection;
use std::sync::Arc;

impl Reader {
    /// Asks on a connection that sees one moment.
    pub(in crate::store) async fn look<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.look_with(move |team| {
            let connection = team.first().ok_or_else(|| StoreError::from(sqlx::Error::PoolClosed))?;
            ask(connection)
        })
        .await
    }

    /// The same with the team that the connection is all of.
    pub(super) async fn look_with<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Team) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let bench = Arc::clone(&self.bench);
        match tokio::task::spawn_blocking(move || ask(&mut bench.alone()?)).await {
            Ok(answer) => answer,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime shuts down: nobody waits for the answer.
                Err(_) => Err(sqlx::Error::PoolClosed.into()),
            },
        }
    }
}
