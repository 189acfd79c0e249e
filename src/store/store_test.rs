//! The store's promises, each with a database of its own.

use super::direct::all;
use super::rows::{METRIC_COLUMNS, from_json, split_metrics};
use super::{Durability, Reader, StoreError, Writer};
use crate::domain::metric::{RMSE, SECONDS, TRAIN_LOSS};
use crate::domain::sweep::{Order, SamplerSpec};
use crate::domain::{
    AttemptId, AttemptState, Change, DecidedLeg, Direction, Event, EventKind, Leg, LegEnd, LegId, LegOutcome,
    Metrics, Millis, NewAttempt, NewTrial, Objective, ObjectiveKind, Origin, Parameter, ParameterKind,
    Params, Reason, Search, StepReport, Sweep, SweepId, SweepRow, SweepState, TrialId, TrialState, Value,
};
use std::collections::BTreeMap;
use tempfile::TempDir;

pub(super) const SWEEP: SweepId = SweepId(1);

/// A database in a folder of its own, with one sweep.
pub(super) struct Home {
    folder: TempDir,
    pub writer: Writer,
    seq: i64,
}

impl Home {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path()).await.unwrap();
        let mut home = Self { folder, writer, seq: 0 };
        home.apply(&[insert_sweep(SWEEP)]).unwrap();
        home
    }

    pub fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.seq += 1;
        self.writer.apply(changes, self.seq, Durability::Batched)
    }

    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub async fn reader(&self) -> Reader {
        Reader::open(self.folder.path(), 1).await.unwrap()
    }
}

pub(super) fn spec() -> Sweep {
    let kind = ParameterKind::Int { low: 0, high: 1000, log: false, step: None };
    Sweep {
        name: "a".into(),
        seed: 1,
        priority: 0,
        objective: Objective {
            kind: ObjectiveKind::External,
            dataset: None,
            validation: 0.2,
            folds: None,
            metric: RMSE.into(),
            direction: Direction::Minimize,
            further: Vec::new(),
            command: None,
            timeout_s: None,
            workdir: None,
            out_of_memory: crate::domain::OutOfMemory::Fail,
        },
        search: Search {
            sampler: SamplerSpec::Random,
            trials: Some(10),
            parallel: None,
            fuse: 1,
            stopper: None,
            race: None,
            order: Order::Arrival,
            time_limit_s: None,
            duplicates: Default::default(),
            warm_start: Vec::new(),
            constraints: Vec::new(),
            deadline: None,
        },
        space: ["x", "y", "z"]
            .map(|name| (name.to_owned(), Parameter { kind: kind.clone(), when: None, default: None }))
            .into(),
        gone: BTreeMap::new(),
        enqueue: Vec::new(),
    }
}

pub(super) fn insert_sweep(id: SweepId) -> Change {
    Change::SweepInserted(Box::new(SweepRow {
        id,
        uid: format!("u{id}"),
        state: SweepState::Active,
        spec: spec(),
        origin: Origin::default(),
        created: Millis(1),
    }))
}

pub(super) fn insert_trial(id: i64, params: Params) -> Change {
    Change::TrialInserted(Box::new(NewTrial {
        id: TrialId(id),
        sweep: SWEEP,
        number: u64::try_from(id).unwrap() - 1,
        params,
        suggested: Reason::ByUser,
        parameter_count: None,
        budget_steps: Some(3),
        created: Millis(2),
    }))
}

pub(super) fn moved(id: i64, from: TrialState, to: TrialState) -> Change {
    Change::TrialMoved { trial: TrialId(id), from, to, reason: None, at: Millis(3) }
}

/// The trial's leg is cut and handed out; both have the trial's id.
pub(super) fn hand_out(id: i64) -> [Change; 3] {
    let number = u64::try_from(id).unwrap() - 1;
    let leg = Leg {
        id: LegId(id),
        sweep: SWEEP,
        number,
        trial: TrialId(id),
        fold: 0,
        from_step: 0,
        until_step: None,
    };
    let decided = DecidedLeg { id: leg.id, sweep: SWEEP, number, leg: Some(leg), seq: 1 };
    [
        Change::LegDecided(decided),
        Change::AttemptOpened(Box::new(NewAttempt {
            id: AttemptId(id),
            leg: leg.id,
            trial: leg.trial,
            worker: "w".into(),
            slot: "cpu:0".into(),
            request_id: format!("r{id}"),
            environment: BTreeMap::from([("host".into(), "here".into())]),
            lease_ms: Some(1000),
            started: Millis(3),
        })),
        moved(id, TrialState::Queued, TrialState::Running),
    ]
}

pub(super) fn reported(id: i64, step: u64, metrics: Metrics) -> Change {
    Change::Reported(Box::new(StepReport {
        trial: TrialId(id),
        fold: 0,
        step,
        attempt: AttemptId(id),
        seq: 1,
        at: Millis(4),
        metrics,
    }))
}

fn x(value: i64) -> Params {
    Params::from([("x".into(), Value::Int(value))])
}

#[tokio::test]
async fn ids_are_never_used_twice_even_after_a_deletion() {
    let mut home = Home::new().await;
    home.apply(&[insert_trial(1, x(1))]).unwrap();
    home.apply(&hand_out(1)).unwrap();
    let ids =
        |r: &crate::domain::recovery::Recovery| (r.last_sweep, r.last_trial, r.last_leg, r.last_attempt);
    assert_eq!(ids(&home.writer.recover().unwrap()), (1, 1, 1, 1));
    home.apply(&[Change::SweepRemoved { sweep: SWEEP }]).unwrap();
    let after = home.writer.recover().unwrap();
    assert!(after.sweeps.is_empty());
    assert_eq!(ids(&after), (1, 1, 1, 1), "a deletion gave ids back");
}

#[tokio::test]
async fn the_next_event_has_a_larger_id_than_any_before_even_after_a_deletion() {
    let mut home = Home::new().await;
    let event = |sweep| {
        Change::Recorded(Event {
            seq: 1,
            at_ms: Millis(1),
            sweep,
            trial: None,
            attempt: None,
            kind: EventKind::SweepPaused,
            reason: None,
        })
    };
    let other = SweepId(2);
    home.apply(&[insert_sweep(other), event(SWEEP), event(other), event(other)]).unwrap();
    home.apply(&[Change::SweepRemoved { sweep: other }, event(SWEEP)]).unwrap();
    home.apply(&[Change::SweepRemoved { sweep: SWEEP }, insert_sweep(SweepId(3)), event(SweepId(3))])
        .unwrap();
    let sql = "select event_id from event order by event_id";
    let ids: Vec<i64> = all(&home.writer.connection, sql, [], |row| Ok(row.get(0)?)).unwrap();
    assert_eq!(ids, [5], "an id came back");
}

#[tokio::test]
async fn closing_folds_the_log_though_readers_are_open() {
    let mut home = Home::new().await;
    let reader = home.reader().await;
    home.apply(&[insert_trial(1, x(1))]).unwrap();
    let wal = home.path().join("sweepd.db-wal");
    assert!(std::fs::metadata(&wal).unwrap().len() > 0);
    let Home { folder, writer, .. } = home;
    writer.close().unwrap();
    let left = std::fs::metadata(&wal).map_or(0, |file| file.len());
    assert_eq!(left, 0, "the log was not folded");
    assert!(reader.trial(TrialId(1)).await.unwrap().is_some());
    reader.close().await;
    drop(folder);
}

#[tokio::test]
async fn a_database_whose_creation_was_broken_off_says_so_until_it_is_completed() {
    // A page of a database that holds nothing; a log of a change to take back, of which only the first byte is
    // looked at before it is asked who may do so.
    let page = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.db");
        let empty = rusqlite::Connection::open(&path).unwrap();
        empty.execute_batch("vacuum").unwrap();
        empty.close().unwrap();
        std::fs::read(path).unwrap()
    };
    let mut journal = vec![0; 512];
    journal[..8].copy_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    let left: [&[(&str, &[u8])]; 4] = [
        &[("sweepd.db", b"")],
        &[("sweepd.db", b""), ("sweepd.db-journal", &journal)],
        &[("sweepd.db", &page)],
        &[("sweepd.db", &page), ("sweepd.db-journal", &journal)],
    ];
    for files in left {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let lengths: Vec<usize> = files.iter().map(|(_, bytes)| bytes.len()).collect();
        let opened = Reader::open(folder.path(), 1).await;
        assert!(matches!(opened, Err(StoreError::Unfinished { .. })), "{lengths:?}: {opened:?}");
        Writer::open(folder.path()).await.unwrap().close().unwrap();
        Reader::open(folder.path(), 1).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_that_does_not_fit_is_refused_with_its_whole_group() {
    let mut home = Home::new().await;
    home.apply(&[insert_trial(1, x(1))]).unwrap();
    home.apply(&hand_out(1)).unwrap();
    let closed = |attempt| Change::AttemptClosed {
        attempt: AttemptId(attempt),
        state: AttemptState::Completed,
        reason: None,
        tell: None,
        at: Millis(5),
    };
    let ended = |leg| Change::LegEnded {
        leg: LegId(leg),
        end: LegEnd {
            outcome: LegOutcome::Completed,
            value: None,
            further: Vec::new(),
            out_of_memory: false,
            seq: 9,
        },
    };
    let misfits = [
        moved(1, TrialState::Queued, TrialState::Running),
        moved(7, TrialState::Queued, TrialState::Running),
        closed(7),
        ended(7),
        Change::SweepMoved { sweep: SWEEP, from: SweepState::Paused, to: SweepState::Active, at: Millis(5) },
        Change::BestMoved { trial: TrialId(7), best: Some((1, 1.0)) },
        Change::TrialHeld { trial: TrialId(7), ready: None, alone: false, accumulate: 1 },
        reported(7, 1, Metrics::default()),
    ];
    let before = home.writer.recover().unwrap();
    for misfit in misfits {
        let group = [
            insert_trial(2, x(2)),
            reported(1, 1, Metrics::default().with(RMSE, 1.0)),
            closed(1),
            misfit.clone(),
        ];
        assert!(home.apply(&group).is_err(), "{misfit:?} was taken");
        assert_eq!(home.writer.recover().unwrap(), before, "{misfit:?} left something behind");
    }
    home.apply(&[closed(1), ended(1)]).unwrap();
    for again in [closed(1), ended(1)] {
        let refused = home.apply(std::slice::from_ref(&again));
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{again:?}: {refused:?}");
    }
}

#[tokio::test]
async fn every_number_comes_back_with_its_bits() {
    let mut home = Home::new().await;
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, f64::MIN_POSITIVE / 2.0, f64::MAX, 0.1];
    home.apply(&[insert_trial(1, x(1))]).unwrap();
    home.apply(&hand_out(1)).unwrap();
    let mut sent = Vec::new();
    for (step, value) in (1..).zip(odd) {
        // One NaN is as good as another.
        let opposite = if value.is_nan() { value } else { -value };
        let metrics = Metrics::default().with(RMSE, value).with(TRAIN_LOSS, opposite).with("f1", value);
        home.apply(&[reported(1, step, metrics.clone())]).unwrap();
        sent.push(metrics);
    }
    let stored = home.writer.recover().unwrap();
    let read = &stored.sweeps[0].open[0].folds[0].reports;
    assert_eq!(read.len(), sent.len());
    let detail = home.reader().await.trial(TrialId(1)).await.unwrap().unwrap();
    for ((sent, read), shown) in sent.iter().zip(read).zip(&detail.steps) {
        assert!(read.metrics.same(sent), "{sent:?} became {:?}", read.metrics);
        assert!(shown.metrics.same(sent), "{sent:?} is shown as {:?}", shown.metrics);
    }
}

#[tokio::test]
async fn a_report_moves_its_trial_with_it() {
    let mut home = Home::new().await;
    home.apply(&[insert_trial(1, x(1))]).unwrap();
    home.apply(&hand_out(1)).unwrap();
    let better = |step, value| Change::BestMoved { trial: TrialId(1), best: Some((step, value)) };
    let one = |step, value| reported(1, step, Metrics::default().with(RMSE, value));
    let group = [one(1, 3.0), better(1, 3.0), one(2, 4.0), one(3, 2.0), better(3, 2.0), one(4, 5.0)];
    home.apply(&group).unwrap();
    let detail = home.reader().await.trial(TrialId(1)).await.unwrap().unwrap();
    let trial = &detail.trial;
    assert_eq!((trial.steps, trial.best_step, trial.value), (4, Some(3), Some(2.0)));
    assert_eq!(detail.steps.len(), 4);
    assert!(home.apply(&[one(4, 5.0)]).is_err(), "a step was stored twice");
}

#[test]
fn metrics_split_into_columns_and_the_rest() {
    let metrics =
        Metrics::default().with(RMSE, 1.5).with(SECONDS, f64::NAN).with(TRAIN_LOSS, -0.0).with("f1", 0.25);
    let (columns, rest) = split_metrics(&metrics).unwrap();
    let held: Vec<_> =
        METRIC_COLUMNS.into_iter().zip(columns).filter_map(|(name, v)| Some((name, v?))).collect();
    assert_eq!(held, [(RMSE, 1.5)]);
    let rest: Metrics = from_json("extra", &rest.unwrap()).unwrap();
    assert!(rest.same(&Metrics::default().with(SECONDS, f64::NAN).with(TRAIN_LOSS, -0.0).with("f1", 0.25)));
    let (_, none) = split_metrics(&Metrics::default().with(RMSE, 1.5)).unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn counts_follow_every_move() {
    let mut home = Home::new().await;
    for id in 1..=3 {
        home.apply(&[insert_trial(id, x(id))]).unwrap();
        home.apply(&hand_out(id)).unwrap();
    }
    home.apply(&[moved(1, TrialState::Running, TrialState::Completed)]).unwrap();
    home.apply(&[moved(2, TrialState::Running, TrialState::Failed)]).unwrap();
    home.apply(&[moved(2, TrialState::Failed, TrialState::Queued)]).unwrap();
    let counts = home.reader().await.sweep(SWEEP).await.unwrap().unwrap().trials;
    assert_eq!((counts.queued, counts.running, counts.completed, counts.failed), (1, 1, 1, 0));
    assert_eq!(counts.created(), 3);
    home.apply(&[Change::SweepRemoved { sweep: SWEEP }, insert_sweep(SweepId(2))]).unwrap();
    let counts = home.reader().await.sweep(SweepId(2)).await.unwrap().unwrap().trials;
    assert_eq!(counts.created(), 0);
}

#[tokio::test]
async fn what_is_open_is_read_with_all_that_belongs_to_it() {
    let mut home = Home::new().await;
    let lost = |reason| Change::AttemptClosed {
        attempt: AttemptId(2),
        state: AttemptState::Lost,
        reason: Some(reason),
        tell: None,
        at: Millis(5),
    };
    for id in 1..=3 {
        home.apply(&[insert_trial(id, x(id))]).unwrap();
        home.apply(&hand_out(id)).unwrap();
    }
    home.apply(&[reported(2, 1, Metrics::default().with(RMSE, 2.0))]).unwrap();
    let why = Reason::WorkerLost { how: "signal 9".into() };
    home.apply(&[lost(why.clone()), moved(2, TrialState::Running, TrialState::Queued)]).unwrap();
    home.apply(&[moved(3, TrialState::Running, TrialState::Completed)]).unwrap();
    let recovered = home.writer.recover().unwrap();
    let open = &recovered.sweeps[0].open;
    assert_eq!(open.iter().map(|trial| trial.row.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(open[0].folds[0].attempt.as_ref().map(|attempt| attempt.id), Some(AttemptId(1)));
    assert_eq!((open[1].folds[0].attempt.is_some(), open[1].folds[0].reports.len()), (false, 1));
    assert_eq!(
        (open[1].folds[0].leg.map(|leg| leg.id), &open[1].folds[0].setbacks),
        (Some(LegId(2)), &vec![why])
    );
    assert_eq!(open[1].folds[0].environment.as_ref().map(|e| e["host"].as_str()), Some("here"));
    let one = home.writer.stored_trial(TrialId(2)).unwrap().unwrap();
    assert_eq!(one.open[0], open[1]);
    assert_eq!(home.writer.stored_trial(TrialId(9)).unwrap(), None);
}
