//! Two clients at once for one trial, many times.

#[path = "../../tests/it/races.rs"]
mod shared;

use std::time::Instant;

pub async fn run(races: u64) {
    let started = Instant::now();
    let outcome = shared::race(races).await;
    println!(
        "{races} races in {:.0} s: each trial handed out once; the first client got it {} times, the second {}",
        started.elapsed().as_secs_f64(),
        outcome.first,
        outcome.second
    );
}
