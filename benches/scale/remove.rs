//! How long it takes to remove the largest sweep, and how long other writes wait meanwhile.

use super::generate::LARGE;
use super::process::{Daemon, sweepd};
use std::path::Path;

pub fn measure(home: &Path) {
    let daemon = Daemon::start(home);
    let took = sweepd(home, &["rm", LARGE]);
    println!("rm {LARGE}: {:.1} s, {:.0} MB", took.wall.as_secs_f64(), daemon.peak_mb());
}
