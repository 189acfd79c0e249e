//! Random moments and choices for tests that disturb things: from a seed that is printed, so that a failure can
//! be looked at again (though never at the very same nanosecond).

use std::time::Duration;

/// How many disturbances the long versions of such tests make; `None` for the short ones.
fn long() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "which version of a test runs is asked of the environment")]
    let given = std::env::var("SWEEPD_KILLS").ok()?;
    Some(given.parse().expect("SWEEPD_KILLS is a number"))
}

/// `short`, or what `SWEEPD_KILLS` says times `factor`.
pub fn rounds(what: &str, short: u64, factor: f64) -> u64 {
    match long() {
        Some(kills) => ((kills as f64 * factor) as u64).max(short),
        None => {
            eprintln!("{what}: {short} times. SKIPPED: the long version (SWEEPD_KILLS=200)");
            short
        }
    }
}

/// A small generator (splitmix64): statistical beauty does not matter here.
pub struct Dice(u64);

impl Dice {
    /// Seeded by `SWEEPD_SEED`, or by the clock; the seed is printed.
    pub fn new() -> Self {
        #[allow(clippy::disallowed_methods, reason = "a test's seed comes from the environment or the clock")]
        let seed = match std::env::var("SWEEPD_SEED") {
            Ok(given) => given.parse().expect("SWEEPD_SEED is a number"),
            Err(_) => std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos() as u64),
        };
        eprintln!("SWEEPD_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Waits for up to so many milliseconds: any time is as likely as any other, or, every other time, any order
    /// of magnitude, so that what happens first is met too.
    pub fn wait_up_to_ms(&mut self, most: u64) {
        let (share, most) = ((self.next() >> 11) as f64 / (1u64 << 53) as f64, most as f64 * 1000.0);
        let micros = if self.one_in(2) { most.powf(share) } else { most * share };
        std::thread::sleep(Duration::from_micros(micros as u64));
    }
}
