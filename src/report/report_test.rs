//! What people see, as a whole: tables of a small sweep.

use super::*;
use crate::domain::sweep::{Order, SamplerSpec};
use crate::domain::{
    Direction, Metrics, Millis, Objective, ObjectiveKind, Parameter, ParameterKind, Params, Reason, Search,
    SweepId, SweepState, Target, TooLarge, TrialId, TrialState,
};
use crate::store::query::{
    Counts, CurrentWork, DeviceSummary, Front, FrontMember, FrontShape, KnownFrom, Leaderboard, Ranked,
    StepRow, SweepSummary, TrialSummary, WorkerState, WorkerSummary, Workers,
};
use std::collections::BTreeMap;

pub(super) fn spec() -> Sweep {
    let parameter = |kind| Parameter { kind, when: None, default: None };
    Sweep {
        name: "small".into(),
        seed: 7,
        priority: 0,
        objective: Objective {
            kind: ObjectiveKind::Keypoints,
            dataset: Some("faces".into()),
            validation: 0.2,
            folds: None,
            metric: "rmse".into(),
            direction: Direction::Minimize,
            further: Vec::new(),
            command: None,
            timeout_s: None,
            workdir: None,
            out_of_memory: crate::domain::OutOfMemory::Fail,
        },
        search: Search {
            sampler: SamplerSpec::Random,
            trials: Some(3),
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
        space: BTreeMap::from([
            (
                "activation".into(),
                parameter(ParameterKind::Choice { values: vec!["relu".into(), "elu".into()] }),
            ),
            ("epochs".into(), parameter(ParameterKind::Int { low: 1, high: 9, log: false, step: None })),
            ("family".into(), parameter(ParameterKind::Fixed { value: "cnn".into() })),
            (
                "learning_rate".into(),
                parameter(ParameterKind::Float { low: 1e-4, high: 1e-2, log: true, step: None }),
            ),
        ]),
        gone: BTreeMap::new(),
        enqueue: Vec::new(),
    }
}

pub(super) fn sweep() -> SweepSummary {
    SweepSummary {
        sweep: SweepId(1),
        id: "abcdefgh".into(),
        name: "small".into(),
        state: SweepState::Active,
        priority: 0,
        edits: 0,
        warm_start: Vec::new(),
        planned: Some(3),
        trials: Counts { completed: 1, failed: 1, running: 1, ..Counts::default() },
        best_trial: Some(0),
        best: Some(1.5),
        baseline: Some(4.998),
        note: None,
        tags: Vec::new(),
        dataset_hash: Some("0123456789abcdef".into()),
        git_commit: None,
        created_ms: Millis(0),
        finished_ms: None,
        spec: spec(),
    }
}

pub(super) fn trial(
    number: u64,
    value: Option<f64>,
    state: TrialState,
    ended: Option<Reason>,
) -> TrialSummary {
    TrialSummary {
        parent: None,
        parent_step: None,
        trial_id: TrialId(number as i64 + 1),
        number,
        state,
        value,
        further: Vec::new(),
        best_step: value.map(|_| 3),
        spread: None,
        folds: Vec::new(),
        steps: 4,
        budget_steps: Some(5),
        parameter_count: Some(1_234_567),
        device_memory_bytes: None,
        resident_bytes: None,
        accumulate: 1,
        inexact: false,
        params: Params::from([
            ("activation".into(), "relu".into()),
            ("epochs".into(), 5i64.into()),
            ("family".into(), "cnn".into()),
            ("learning_rate".into(), 0.00123.into()),
        ]),
        suggested: Reason::Suggested { sampler: "random".into(), refused: 0, refusal: None },
        ended,
        note: Some("the one to keep".into()),
        tags: vec!["keep".into(), "paper".into()],
        weights: None,
        created_ms: Millis(0),
        started_ms: Some(Millis(0)),
        finished_ms: Some(Millis(12_000)),
    }
}

#[test]
fn a_leaderboard_ends_with_the_mean_face() {
    let ranked = trial(0, Some(1.5), TrialState::Completed, Some(Reason::BudgetSpent));
    let board = Leaderboard { sweep: sweep(), ranked: vec![Ranked { rank: 1, trial: ranked }] };
    insta::assert_snapshot!(leaderboard(&board, None), @"
     RANK       TRIAL     RMSE   EPOCHS   TIME   PARAMETERS   activation   learning_rate
    ─────────────────────────────────────────────────────────────────────────────────────
        1           0   1.5000        4   12 s    1,234,567   relu               0.00123
            mean face   4.9980
    ");
    let narrow = leaderboard(&board, Some(60));
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(narrow.ends_with("not shown: activation, learning_rate (--wide shows them)"), "{narrow}");
}

#[test]
fn an_inexact_trial_is_marked_in_every_list() {
    let mut inexact = trial(3, Some(1.5), TrialState::Completed, Some(Reason::BudgetSpent));
    inexact.inexact = true;
    let list = trial_list(std::slice::from_ref(&inexact), &sweep().spec, None);
    let board = Leaderboard { sweep: sweep(), ranked: vec![Ranked { rank: 1, trial: inexact }] };
    for text in [list, leaderboard(&board, None)] {
        assert!(text.contains(" 3~ ") && text.ends_with("(`sweepd trial` says how)"), "{text}");
    }
}

/// A sweep with two objectives, and its front of two trials.
fn front() -> Front {
    let mut sweep = sweep();
    let name = "parameters".to_owned();
    sweep.spec.objective.further = vec![Target { name, direction: Direction::Minimize }];
    let objectives = sweep.spec.objective.targets();
    let objectives =
        objectives.map(|(name, direction)| Target { name: name.to_owned(), direction }).collect();
    let member = |number, values: [f64; 2]| FrontMember {
        trial: TrialSummary {
            further: vec![Some(values[1])],
            ..trial(number, Some(values[0]), TrialState::Completed, Some(Reason::BudgetSpent))
        },
        values: values.to_vec(),
    };
    let shape = FrontShape {
        objectives,
        completed: 9,
        size: 3,
        reference: vec![4.0, 2_000_000.0],
        hypervolume: Some(2_345_678.9),
    };
    Front { sweep, shape, members: vec![member(4, [1.5, 1_234_567.0]), member(1, [2.25, 12_345.0])] }
}

#[test]
fn a_front_has_a_column_per_objective_and_says_what_it_covers() {
    insta::assert_snapshot!(front_table(&front(), None), @"
     TRIAL     RMSE   PARAMETERS   EPOCHS   TIME   activation   learning_rate
    ──────────────────────────────────────────────────────────────────────────
         4   1.5000    1,234,567        4   12 s   relu               0.00123
         1   2.2500       12,345        4   12 s   relu               0.00123
    front: 3 of 9 completed trials, hypervolume 2,345,679 up to RMSE 4.0000, PARAMETERS 2,000,000
    not shown: 1 more of the front (-n shows more)
    ");
    let narrow = front_table(&front(), Some(60));
    assert!(narrow.ends_with("not shown: learning_rate (--wide shows them)"), "{narrow}");
    let Front { mut shape, members, sweep } = front();
    shape.hypervolume = None;
    assert_eq!(front_line(&shape).unwrap(), "3 of 9 completed trials");
    let trials: Vec<TrialSummary> = members.into_iter().map(|member| member.trial).collect();
    insta::assert_snapshot!(trial_list(&trials, &sweep.spec, None), @"
     TRIAL   STATE         RMSE   PARAMETERS   EPOCHS   TIME   activation   learning_rate
    ──────────────────────────────────────────────────────────────────────────────────────
         4   completed   1.5000    1,234,567      4/5   12 s   relu               0.00123
         1   completed   2.2500       12,345      4/5   12 s   relu               0.00123
    ");
    let step = StepRow { fold: 0, step: 4, at_ms: Millis(9), metrics: Metrics::default().with("rmse", 1.75) };
    let line = trial_line(&trials[0], Some(&step), &sweep.spec.objective);
    insta::assert_snapshot!(line, @"trial 4    epoch   4/5    RMSE   1.7500  best   1.5000  PARAMETERS 1,234,567");
    shape = FrontShape { completed: 0, size: 0, reference: Vec::new(), ..shape };
    assert!(front_table(&Front { shape, members: Vec::new(), sweep }, None).ends_with("has completed yet"));
}

#[test]
fn trials_that_ended_badly_say_why() {
    let lost = Reason::WorkerLost { how: "signal 9".into() };
    let trials = [
        trial(0, Some(1.5), TrialState::Completed, Some(Reason::BudgetSpent)),
        trial(1, None, TrialState::Failed, Some(lost)),
    ];
    insta::assert_snapshot!(trial_list(&trials, &spec(), None), @"
     TRIAL   STATE         RMSE   EPOCHS   TIME   activation   learning_rate   WHY
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────
         0   completed   1.5000      4/5   12 s   relu               0.00123
         1   failed           -      4/5   12 s   relu               0.00123   the worker was lost: signal 9
    ");
}

#[test]
fn a_sweep_is_told_in_full() {
    let too_large = TooLarge { above_bytes: 5 << 29, trials: vec![3, 9] };
    let text = sweep_detail(&sweep(), None, Some(&too_large), Millis(65_000));
    let memory =
        "memory      what needs more than about 2.5 GiB is not tried: trials 3, 9 ran out of memory\n";
    assert!(text.contains(memory), "{text}");
    insta::assert_snapshot!(sweep_detail(&sweep(), None, None, Millis(65_000)), @"
    name        small
    id          abcdefgh
    state       active
    submitted   1970-01-01 00:00:00 UTC (1 min ago)
    trials      2/3 ended, 1 running, 1 completed, 1 failed
    metric      RMSE (less is better)
    best        1.5000 by trial 0
    mean face   4.9980
    sampler     random, seed 7
    priority    0
    dataset     faces, hash 0123456789ab

     PARAMETER       VALUES                       EXISTS WHEN
    ──────────────────────────────────────────────────────────
     activation      relu | elu
     epochs          1 to 9
     family          cnn (fixed)
     learning_rate   0.0001 to 0.01, by factors
    ");
    insta::assert_snapshot!(sweep_list(&[sweep()], Millis(65_000)), @"
     ID         NAME    STATE    DONE   RUNNING   FAILED     BEST   MEAN FACE   PRIORITY   SUBMITTED
    ─────────────────────────────────────────────────────────────────────────────────────────────────
     abcdefgh   small   active    2/3         1        1   1.5000      4.9980          0   1 min ago
    ");
}

#[test]
fn workers_and_their_devices_are_told() {
    let work = CurrentWork {
        sweep: "abcdefgh".into(),
        sweep_name: "small".into(),
        trial_id: TrialId(5),
        trial: 4,
        attempt: crate::domain::AttemptId(9),
        steps: 2,
        budget_steps: Some(10),
        since_ms: Millis(0),
    };
    let mut busy = WorkerSummary::named("local-cuda-0-0".into(), "cuda:0/0".into());
    busy.state = WorkerState::Working;
    (busy.pid, busy.work) = (Some(4711), Some(work));
    (busy.heard_ms, busy.lease_until_ms) = (Some(Millis(50_000)), Some(Millis(110_000)));
    (busy.resident_bytes, busy.device_memory_bytes) = (Some(700 << 20), Some(5 << 30));
    let idle = WorkerSummary::named("elsewhere".into(), "cuda:0".into());
    let reading = crate::domain::DeviceReading {
        device: "cuda:0".into(),
        name: "a GPU".into(),
        total_bytes: 80 << 30,
        free_bytes: 2 << 30,
        utilisation: None,
        processes: BTreeMap::new(),
    };
    let all = Workers {
        known_from: KnownFrom::Daemon,
        at_ms: Millis(65_000),
        workers: vec![busy, idle],
        history: Vec::new(),
        devices: vec![DeviceSummary { reading, short_of_memory: true }],
    };
    let text = worker_list(&all);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        [lines[0], lines[2], lines[3], lines[5], lines[7]],
        [
            " SLOT       WORKER            PID   STATE     TRIAL     EPOCH   HEARD      LEASE    MEMORY   ON DEVICE",
            " cuda:0/0   local-cuda-0-0   4711   working   small/4    2/10   15 s ago    45 s   700 MiB     5.0 GiB",
            " cuda:0     elsewhere               idle",
            " DEVICE   NAME       FREE     MEMORY",
            " cuda:0   a GPU   2.0 GiB   80.0 GiB   short of memory: nothing more starts here",
        ]
    );
}

#[test]
fn progress_says_how_long_it_will_take() {
    let mut now = sweep();
    let eta = Eta::begin(&now, Millis(0));
    assert_eq!(eta.left_ms(&now, Millis(1000)), None);
    now.trials.completed += 1;
    now.planned = Some(5);
    assert_eq!(eta.left_ms(&now, Millis(10_000)), Some(20_000));
    insta::assert_snapshot!(sweep_line(&now, &eta, Millis(10_000)), @"small  3/5 trials, 1 failed  best RMSE 1.5000 (trial 0)  mean face 4.9980  20 s left");
}
