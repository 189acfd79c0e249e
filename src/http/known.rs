//! The sweep that a word of a path means. Clients that ask for trials name the same one all the time: its public id
//! is remembered, so that an ask costs no question to the database.

use super::App;
use super::error::ApiError;
use crate::domain::SweepId;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Beyond that, what is remembered is forgotten and begins anew.
const MOST: usize = 1024;

/// Public ids, and what they mean. One means the same for as long as its sweep is there; names and beginnings of
/// ids do not.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<String, SweepId>>);

impl Known {
    fn get(&self, uid: &str) -> Option<SweepId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).copied()
    }

    fn insert(&self, uid: &str, sweep: SweepId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(uid.to_owned(), sweep);
    }

    /// What was removed means nothing any more.
    pub(super) fn forget(&self, sweep: SweepId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| *known != sweep);
    }
}

/// The one sweep that a word means.
pub(super) async fn find(app: &App, word: &str) -> Result<SweepId, ApiError> {
    if let Some(sweep) = app.known.get(word) {
        return Ok(sweep);
    }
    if let Some(sweep) = app.reader.sweep_with_id(word).await? {
        app.known.insert(word, sweep);
        return Ok(sweep);
    }
    match app.reader.sweeps_called(word).await?.as_slice() {
        [] => Err(ApiError::not_found("sweep", word)),
        [one] => Ok(*one),
        several => {
            let message =
                format!("{} sweeps have an id that starts with {word}: give more of it", several.len());
            Err(ApiError::new(StatusCode::CONFLICT, "ambiguous", message))
        }
    }
}
