//! How long the daemon is busy with the removal of the largest sweep. Nothing else is written meanwhile.

use super::generate::LARGE;
use super::process::Daemon;
use std::path::Path;
use std::time::{Duration, Instant};

pub fn measure(home: &Path) {
    let daemon = Daemon::start(home);
    let started = Instant::now();
    ureq::delete(format!("{}/api/v1/sweeps/{LARGE}", daemon.address.url))
        .header("Authorization", format!("Bearer {}", daemon.address.token))
        .config()
        .timeout_global(Some(Duration::from_secs(1800)))
        .build()
        .call()
        .unwrap();
    println!("rm {LARGE}: {:.1} s, {:.0} MB", started.elapsed().as_secs_f64(), daemon.peak_mb());
}
