//! How long a suggestion takes after a long history.

use crate::session::{Loss, Session};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::time::Instant;
use sweepd::sampler::Suggestion;

/// Measures `asks` suggestions after `history` random trials, each told before the next is asked for. The
/// first stands apart: caches are empty then.
pub(crate) fn measure(session: &mut Session, history: u64, asks: u64) -> Value {
    session.clear();
    let mut rng = ChaCha8Rng::seed_from_u64(history);
    let mut uniform = || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    for _ in 0..history {
        let point: Vec<f64> = (0..session.space.len()).map(|_| uniform()).collect();
        let params = session.space.decode(&point);
        let number = session.begin(&params);
        end(session, number, 0.1 * uniform());
    }
    let mut seconds = Vec::new();
    for _ in 0..=asks {
        let started = Instant::now();
        let suggestion = session.suggest();
        seconds.push(started.elapsed().as_secs_f64());
        let Suggestion::Trial { params, .. } = suggestion else { break };
        let number = session.begin(&params);
        end(session, number, 0.1 * uniform());
    }
    let first = seconds.remove(0);
    json!({ "first": first, "seconds": seconds })
}

/// A bowl around a point off the centre, with some noise.
fn end(session: &mut Session, trial: u64, noise: f64) {
    let point = session.history.point(trial);
    let bowl: f64 = point.iter().filter(|x| !x.is_nan()).map(|x| (x - 0.3).powi(2)).sum();
    let losses = (0..session.history.objectives()).map(|i| bowl * (1.0 + i as f64) + noise).collect();
    session.tell(trial, Some(Loss::Several(losses)));
}
