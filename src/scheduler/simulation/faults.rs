//! What goes wrong, how often, and the dice that decide it: a life is a function of its seed.

use crate::domain::stream::{Key, stream, uniform};
use rand_chacha::ChaCha8Rng;

/// Random numbers for one purpose of one seed.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(stream(seed, purpose, &[Key::Name("simulation")]))
    }

    /// A number in `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        (uniform(&mut self.0) * n as f64) as usize
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        uniform(&mut self.0) < probability
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap()) as i64
    }

    pub fn among<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// How a group of inputs fares in the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Committed and answered.
    Fine,
    /// The daemon ends before the commit.
    CrashBeforeCommit,
    /// It ends between commit and answer.
    CrashAfterCommit,
    /// It ends after the answers.
    CrashAfterAnswer,
    /// The commit fails, the daemon lives.
    DiskFull,
}

/// The probability of each fault, drawn once per seed: some are absent, some rare, some frequent.
#[derive(Debug, Clone)]
pub struct Faults {
    pub crash: f64,
    pub disk_full: f64,
    /// A worker process ends, and its supervisor notices.
    pub kill: f64,
    /// A worker falls silent for a while, and then goes on as if nothing had been.
    pub silence: f64,
    /// A message is lost.
    pub lose: f64,
    /// A message that waits for its answer is sent once more although nothing was lost.
    pub duplicate: f64,
    /// A message is held up on its way, long enough to come after its successors.
    pub late: f64,
    /// Messages overtake each other.
    pub reorder: bool,
    pub out_of_memory: f64,
    /// A worker is asked to end and hands its trial back.
    pub hand_back: f64,
    /// A checkpoint cannot be read again.
    pub damaged: f64,
    /// The clock jumps, forwards or backwards.
    pub jump: f64,
    /// A device's memory is looked at, and is short or free again.
    pub pressure: f64,
    /// The user does something.
    pub user: f64,
}

impl Faults {
    pub fn draw(dice: &mut Dice) -> Self {
        let crash = dice.among(&[0.0, 0.0, 0.01, 0.08, 0.4]);
        let mut often = |rare: f64, frequent: f64| dice.among(&[0.0, 0.0, rare, frequent]);
        Self {
            crash,
            disk_full: often(0.01, 0.05),
            kill: often(0.005, 0.03),
            silence: often(0.005, 0.02),
            lose: often(0.02, 0.15),
            duplicate: often(0.05, 0.4),
            late: often(0.05, 0.3),
            reorder: often(1.0, 1.0) > 0.0,
            out_of_memory: often(0.01, 0.05),
            hand_back: often(0.02, 0.1),
            damaged: often(0.1, 0.5),
            jump: often(0.002, 0.02),
            user: often(0.1, 0.7),
            pressure: often(0.01, 0.05),
        }
    }

    pub fn none() -> Self {
        Self {
            crash: 0.0,
            disk_full: 0.0,
            kill: 0.0,
            silence: 0.0,
            lose: 0.0,
            duplicate: 0.0,
            late: 0.0,
            reorder: false,
            out_of_memory: 0.0,
            hand_back: 0.0,
            damaged: 0.0,
            jump: 0.0,
            user: 0.0,
            pressure: 0.0,
        }
    }

    /// How the next group fares.
    pub fn fate(&self, dice: &mut Dice) -> Fate {
        if dice.chance(self.crash) {
            return dice.among(&[Fate::CrashBeforeCommit, Fate::CrashAfterCommit, Fate::CrashAfterAnswer]);
        }
        if dice.chance(self.disk_full) { Fate::DiskFull } else { Fate::Fine }
    }
}
