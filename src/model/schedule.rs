//! The learning rate at each step of a trial.
//!
//! A step here is one batch. The horizon is always the trial's own number of epochs, wherever a leg of it
//! pauses: the rate is a function of (batch, batches per epoch, epochs) and of nothing remembered.

use super::choices::words;
use super::read::Reader;
use serde::Serialize;
use std::f64::consts::PI;

words!(
    /// How the learning rate moves after the warm-up.
    ScheduleKind {
        /// It stays.
        Constant = "constant",
        /// Half a cosine wave down to the end (Loshchilov, Hutter 2016, without restarts).
        Cosine = "cosine",
        /// A long rise, then a cosine down (Smith 2018).
        OneCycle = "one_cycle",
        /// It falls by a factor at even intervals.
        Step = "step",
    }
);

/// How the learning rate moves over a trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Schedule {
    /// Its form.
    pub kind: ScheduleKind,
    /// Share of the trial's batches over which the rate rises first.
    pub warmup: f64,
    /// First rate of the warm-up, as a share of the highest.
    pub start_factor: f64,
    /// Last rate of cosine and one_cycle, as a share of the highest. The rate would reach it at the batch
    /// after the last, so that with 0 no batch is trained in vain.
    pub end_factor: f64,
    /// Epochs between falls of the step schedule, from the trial's beginning.
    pub step_every: u64,
    /// Factor of each fall.
    pub step_factor: f64,
}

impl Schedule {
    pub(crate) fn read(reader: &Reader<'_>, epochs: u64) -> Self {
        let kind = reader.word("schedule", ScheduleKind::Constant);
        let warmup = reader.number("warmup", if kind == ScheduleKind::OneCycle { 0.3 } else { 0.0 });
        let falls = kind == ScheduleKind::Step;
        let ends = matches!(kind, ScheduleKind::Cosine | ScheduleKind::OneCycle);
        let third = i64::try_from(epochs.div_ceil(3)).unwrap_or(i64::MAX);
        Self {
            kind,
            warmup,
            start_factor: if warmup > 0.0 { reader.number("start_factor", 0.04) } else { 1.0 },
            end_factor: if ends { reader.number("end_factor", 0.0) } else { 1.0 },
            step_every: if falls { reader.whole("step_every", third).unsigned_abs() } else { 1 },
            step_factor: if falls { reader.number("step_factor", 0.1) } else { 1.0 },
        }
    }

    /// The rate as a share of the highest at a batch, counted from 0 over the whole trial of
    /// `batches_per_epoch * epochs` batches.
    #[must_use]
    pub fn factor(&self, batch: u64, batches_per_epoch: u64, epochs: u64) -> f64 {
        let total = (batches_per_epoch * epochs).max(1) as f64;
        let rise = self.warmup * total;
        let at = batch as f64;
        if at < rise {
            let part = at / rise;
            let part = if self.kind == ScheduleKind::OneCycle { wave(part) } else { part };
            return self.start_factor + (1.0 - self.start_factor) * part;
        }
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Cosine | ScheduleKind::OneCycle => {
                let part = ((at - rise) / (total - rise)).min(1.0);
                1.0 - (1.0 - self.end_factor) * wave(part)
            }
            ScheduleKind::Step => {
                let falls = batch / (batches_per_epoch.max(1) * self.step_every.max(1));
                self.step_factor.powi(i32::try_from(falls).unwrap_or(i32::MAX))
            }
        }
    }
}

/// Half a cosine wave from 0 to 1 while `part` goes from 0 to 1.
fn wave(part: f64) -> f64 {
    (1.0 - (PI * part).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: ScheduleKind, warmup: f64) -> Schedule {
        Schedule { kind, warmup, start_factor: 0.1, end_factor: 0.0, step_every: 2, step_factor: 0.5 }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn constant_stays_and_warms_up() {
        let plain = schedule(ScheduleKind::Constant, 0.0);
        assert!((0..100).all(|batch| plain.factor(batch, 10, 10) == 1.0));
        let warm = schedule(ScheduleKind::Constant, 0.5);
        assert!(near(warm.factor(0, 10, 10), 0.1));
        assert!(near(warm.factor(25, 10, 10), 0.55));
        assert_eq!(warm.factor(50, 10, 10), 1.0);
    }

    #[test]
    fn cosine_goes_from_one_to_almost_the_end() {
        let s = schedule(ScheduleKind::Cosine, 0.0);
        assert_eq!(s.factor(0, 10, 10), 1.0);
        assert!(near(s.factor(50, 10, 10), 0.5));
        let last = s.factor(99, 10, 10);
        assert!(last > 0.0 && last < 0.001, "{last}");
    }

    #[test]
    fn one_cycle_rises_then_falls() {
        let s = schedule(ScheduleKind::OneCycle, 0.3);
        let rates: Vec<f64> = (0..100).map(|batch| s.factor(batch, 10, 10)).collect();
        assert!(near(rates[0], 0.1) && near(rates[30], 1.0));
        assert!(rates[..31].is_sorted() && rates[30..].iter().rev().is_sorted());
    }

    #[test]
    fn steps_fall_at_whole_epochs() {
        let s = schedule(ScheduleKind::Step, 0.0);
        assert_eq!(s.factor(19, 10, 10), 1.0);
        assert_eq!(s.factor(20, 10, 10), 0.5);
        assert_eq!(s.factor(99, 10, 10), 0.5f64.powi(4));
    }
}
