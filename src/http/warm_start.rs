//! What a submitted sweep begins with of the earlier ones that it names.

use super::App;
use super::error::ApiError;
use super::sweeps::refused_sweep;
use crate::domain::prior::Source;
use crate::domain::{Origin, Sweep};
use crate::intake::{self, IntakeError};

/// What of each earlier sweep is taken, as it is now: later results of theirs change nothing.
pub(super) async fn taken(app: &App, sweep: &Sweep, origin: &Origin) -> Result<Vec<Source>, ApiError> {
    let mut sources: Vec<Source> = Vec::new();
    for word in &sweep.search.warm_start {
        let refused = |why: String| refused_sweep(IntakeError::WarmStart { word: word.clone(), why });
        let id = match app.reader.sweeps_called(word).await?.as_slice() {
            [] => return Err(refused("there is no such sweep: `sweepd ls` lists them".into())),
            [one] => *one,
            several => {
                let why = format!("{} sweeps have an id that starts with it: give more of it", several.len());
                return Err(refused(why));
            }
        };
        let Some(earlier) = app.reader.sweep(id).await? else {
            return Err(refused("it has just been removed".into()));
        };
        if sources.iter().any(|source| source.id == earlier.id) {
            return Err(refused("it is named twice".into()));
        }
        let results = app.reader.results(id).await?;
        let earlier = intake::Earlier {
            past: app.reader.past_terms(id).await?,
            id: earlier.id,
            spec: earlier.spec,
            dataset_hash: earlier.dataset_hash,
            results,
        };
        let (sweep, hash) = (sweep.clone(), origin.dataset_hash.clone());
        // There may be many results.
        let taken = tokio::task::spawn_blocking(move || intake::taken(&sweep, hash.as_deref(), earlier));
        sources.push(taken.await.map_err(|e| ApiError::internal(&e))?.map_err(refused)?);
    }
    Ok(sources)
}
