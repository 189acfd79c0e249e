//! Two clients at once for one trial, many times.

#[path = "../../tests/it/races.rs"]
mod shared;

use std::time::Instant;

pub async fn run(races: u64) {
    for loser in [shared::Loser::GetsNothing, shared::Loser::GetsTheNext] {
        let started = Instant::now();
        let outcome = shared::race(races, loser).await;
        println!(
            "{races} races in {:.0} s, whoever is second {loser:?}: no trial was handed out twice; \
             the first client won {} of them, the second {}",
            started.elapsed().as_secs_f64(),
            outcome.first,
            outcome.second
        );
    }
}
