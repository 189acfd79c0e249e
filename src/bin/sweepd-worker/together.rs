//! From epoch to epoch: one training, or several whose steps are those of one wider network.
//!
//! Members see batches of their own in an order of their own, and each has its optimiser, schedule, losses, checkpoints and
//! end; what they share are the passes through layers (grouped convolutions, products of many matrices). A member's
//! numbers are then parts of the whole's tensors. So it can join or leave before any batch. With one member there is
//! no whole, and a training is the same bits as ever.

use crate::error::TrainError;
use crate::evaluate::ValidationSet;
use crate::gradient::{Gradient, gradients};
use crate::network::Network;
use crate::samples::{Batch, Epoch};
use crate::train::{Ended, Observer, Pass, Run, Trained};
use std::ops::Range;
use sweepd::domain::Metrics;
use tch::TchError;

/// A training and who watches it.
pub struct Member<'d, O> {
    /// The training.
    pub run: Run<'d>,
    /// Who watches.
    pub observer: O,
}

impl<T: Observer + ?Sized> Observer for &mut T {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<sweepd::domain::Decision> {
        (**self).epoch(step, metrics)
    }

    fn progress(&mut self, epoch: u64, batch: u64, batches: u64) -> sweepd::domain::Decision {
        (**self).progress(epoch, batch, batches)
    }

    fn checkpoint_due(&mut self, epochs_done: u64) -> bool {
        (**self).checkpoint_due(epochs_done)
    }

    fn checkpoint(&mut self, epochs_done: u64, bytes: Vec<u8>) {
        (**self).checkpoint(epochs_done, bytes);
    }
}

/// What is told of a member's end.
pub type Leaves<'f, O> = &'f mut dyn FnMut(O, Result<Trained, TrainError>);

/// Brings every member to the end of the epoch that it stands in, and returns those that go on; `leaves` hears of the
/// others. Who stands in the middle of an epoch finishes it with those that stand there too.
pub fn round<'d, O: Observer>(members: Vec<Member<'d, O>>, leaves: Leaves<'_, O>) -> Vec<Member<'d, O>> {
    let mut waiting = Vec::new();
    for mut member in members {
        match member.run.end_before_epoch(&mut member.observer) {
            Ok(None) => waiting.push(member),
            end => leave(member, end, leaves),
        }
    }
    let mut done = Vec::new();
    while let Some(batch) = waiting.iter().map(|member| member.run.batch()).min() {
        let (now, later) = waiting.into_iter().partition(|member| member.run.batch() == batch);
        done.extend(epoch(now, batch, leaves));
        waiting = later;
    }
    done
}

/// Hands a member's end on.
fn leave<O>(member: Member<'_, O>, end: Result<Option<Ended>, TrainError>, leaves: Leaves<'_, O>) {
    let Member { run, observer } = member;
    match end {
        Ok(Some(end)) => leaves(observer, run.close(end)),
        Ok(None) => {}
        Err(error) => leaves(observer, Err(error)),
    }
}

/// A member in the midst of an epoch.
struct Lane<'d, 't, O> {
    member: Member<'d, O>,
    pass: Pass,
    samples: Epoch<'t>,
}

/// One epoch of members that stand before the same batch of theirs, and its validation.
fn epoch<'d, O: Observer>(
    members: Vec<Member<'d, O>>,
    first: u64,
    leaves: Leaves<'_, O>,
) -> Vec<Member<'d, O>> {
    let sets: Vec<_> = members.iter().map(|member| member.run.training()).collect();
    let cuts = members.first().map(|member| member.run.batches()).unwrap_or_default();
    let mut lanes = Vec::new();
    for (mut member, set) in members.into_iter().zip(&sets) {
        let begun = member.run.samples(set).map_err(TrainError::from).and_then(|samples| {
            let pass = member.run.begin(&samples)?;
            Ok((pass, samples))
        });
        match begun {
            Ok((pass, samples)) => lanes.push(Lane { member, pass, samples }),
            Err(error) => leave(member, Err(error), leaves),
        }
    }
    let mut whole = None;
    for (batch, range) in cuts.iter().enumerate().skip(first as usize) {
        let before = lanes.len();
        lanes = sift(lanes, leaves, |lane| {
            let Member { run, observer } = &mut lane.member;
            run.before_batch(&lane.pass, batch as u64, observer)
        });
        if lanes.is_empty() {
            break;
        }
        if whole.is_none() || lanes.len() != before {
            whole = match joined(&mut lanes) {
                Ok(whole) => Some(whole),
                Err(error) => return all_leave(lanes, &error.into(), leaves),
            };
        }
        let steps =
            whole.as_ref().map_or(Ok(Vec::new()), |whole| steps(whole.as_ref(), &lanes, batch, range));
        let steps = match steps {
            Ok(steps) => steps,
            Err(error) => return all_leave(lanes, &error.into(), leaves),
        };
        let mut steps = steps.into_iter();
        lanes = sift(lanes, leaves, |lane| {
            let Some(step) = steps.next() else { return Ok(None) };
            lane.member.run.step(&mut lane.pass, batch as u64, &step).map(|()| None)
        });
    }
    validated(lanes, leaves)
}

/// Those that go on; the others leave with their end.
fn sift<'d, 't, O>(
    lanes: Vec<Lane<'d, 't, O>>,
    leaves: Leaves<'_, O>,
    mut end_of: impl FnMut(&mut Lane<'d, 't, O>) -> Result<Option<Ended>, TrainError>,
) -> Vec<Lane<'d, 't, O>> {
    let mut stay = Vec::with_capacity(lanes.len());
    for mut lane in lanes {
        match end_of(&mut lane) {
            Ok(None) => stay.push(lane),
            end => leave(lane.member, end, leaves),
        }
    }
    stay
}

/// What fails for all at once is each one's failure.
fn all_leave<'d, O>(
    lanes: Vec<Lane<'d, '_, O>>,
    error: &TrainError,
    leaves: Leaves<'_, O>,
) -> Vec<Member<'d, O>> {
    for lane in lanes {
        leave(lane.member, Err(error.again()), leaves);
    }
    Vec::new()
}

/// The network that the members' are parts of from now on; none for a single one.
fn joined<O>(lanes: &mut [Lane<'_, '_, O>]) -> Result<Option<Network>, TchError> {
    if lanes.len() < 2 {
        return Ok(None);
    }
    let networks: Vec<&Network> = lanes.iter().map(|lane| lane.member.run.network()).collect();
    let whole = Network::side_by_side(&networks)?;
    for (number, lane) in lanes.iter_mut().enumerate() {
        lane.member.run.network_mut().become_member(&whole, number)?;
    }
    Ok(Some(whole))
}

/// Each member's gradient of its batch.
fn steps<O>(
    whole: Option<&Network>,
    lanes: &[Lane<'_, '_, O>],
    batch: usize,
    range: &Range<usize>,
) -> Result<Vec<Gradient>, TchError> {
    let Some(whole) = whole else {
        return lanes
            .iter()
            .map(|lane| {
                lane.member.run.set_generator(&lane.pass, batch as u64);
                lane.member.run.gradient(&lane.samples, range)
            })
            .collect();
    };
    let drawn = |lane: &Lane<'_, '_, O>| {
        lane.member.run.set_generator(&lane.pass, batch as u64);
        lane.samples.batch(range)
    };
    let batches = lanes.iter().map(drawn).collect::<Result<Vec<Batch>, _>>()?;
    // What is dropped is drawn for all at once.
    if let Some(lead) = lanes.first() {
        lead.member.run.set_generator(&lead.pass, batch as u64);
    }
    let objectives: Vec<_> = lanes.iter().map(|lane| lane.member.run.objective()).collect();
    gradients(whole, &batches, &objectives)
}

/// Validates all members, and tells their observers.
fn validated<'d, O: Observer>(lanes: Vec<Lane<'d, '_, O>>, leaves: Leaves<'_, O>) -> Vec<Member<'d, O>> {
    let mut measured = Vec::new();
    for lane in lanes {
        match lane.member.run.end_of_pass(&lane.pass) {
            Ok(metrics) => measured.push((lane, metrics)),
            Err(error) => leave(lane.member, Err(error), leaves),
        }
    }
    let networks: Vec<&Network> = measured.iter().map(|(lane, _)| lane.member.run.validated()).collect();
    let scores =
        measured.first().map_or(Ok(Vec::new()), |(lead, _)| scores(lead.member.run.validation(), &networks));
    let scores = match scores {
        Ok(scores) => scores,
        Err(error) => {
            let lanes = measured.into_iter().map(|(lane, _)| lane).collect();
            return all_leave(lanes, &error.into(), leaves);
        }
    };
    let mut going_on = Vec::new();
    for ((mut lane, metrics), rmse) in measured.into_iter().zip(scores) {
        let Member { run, observer } = &mut lane.member;
        let end = run
            .end_of_epoch(&lane.pass, metrics, rmse, observer)
            .and_then(|decision| run.end_after_epoch(decision, observer));
        match end {
            Ok(None) => going_on.push(lane.member),
            end => leave(lane.member, end, leaves),
        }
    }
    going_on
}

/// The RMSE of each network, in pixels.
fn scores(validation: &ValidationSet<'_>, networks: &[&Network]) -> Result<Vec<f64>, TchError> {
    match networks {
        [one] => validation.rmse_px(one),
        several => validation.rmse_px(&Network::side_by_side(several)?),
    }
}
