//! Whatever plan is chosen, the answer is what a look at every trial gives.

use super::*;
use crate::domain::{
    Change, NewTrial, Parameter, ParameterKind, Params, Remark, Subject, TrialId, TrialState,
};
use crate::store::query::TrialNames;
use crate::store::store_test::{Home, SWEEP, insert_sweep, insert_trial, moved, spec};
use std::cmp::Ordering;

/// Between the ids there are others, of a second sweep.
const TRIALS: i64 = 3000;
const OTHER: SweepId = SweepId(2);

/// A trial as the test knows it.
struct Known {
    id: i64,
    state: TrialState,
    value: Option<f64>,
    params: Params,
    tags: Vec<Value>,
}

impl Known {
    fn new(id: i64) -> Self {
        // Numbers that look random, some twice, some missing.
        let draw = |salt: i64, below: i64| (id * 7919 + salt * 104_729) % 10_007 % below;
        let mut params =
            Params::from([("x".into(), Value::Int(draw(1, 100))), ("y".into(), Value::Int(draw(2, 2000)))]);
        if draw(3, 10) > 2 {
            params.insert(
                "z".into(),
                if draw(4, 50) == 0 { Value::Text("odd".into()) } else { Value::Int(draw(5, 7)) },
            );
        }
        let state = if draw(6, 100) < 2 { TrialState::Failed } else { TrialState::Completed };
        let value = (state == TrialState::Completed).then(|| draw(7, 500) as f64 / 8.0);
        let tags = [("keep", 40), ("paper", 60)].into_iter().filter(|(_, one_in)| draw(8, *one_in) == 0);
        Self { id, state, value, params, tags: tags.map(|(tag, _)| tag.into()).collect() }
    }

    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "steps" => Some(Value::Int(0)),
            "number" => Some(Value::Int(self.id - 1)),
            "state" => Some(Value::Text(self.state.as_str().into())),
            "tag" => (!self.tags.is_empty()).then(|| Value::List(self.tags.clone())),
            "rmse" | "value" => self.value.map(Value::Float),
            other => self.params.get(other).cloned(),
        }
    }

    fn changes(&self) -> Vec<Change> {
        let mut changes = vec![
            insert_trial(self.id, self.params.clone()),
            moved(self.id, TrialState::Queued, TrialState::Running),
            moved(self.id, TrialState::Running, self.state),
        ];
        let other = match insert_trial(self.id + 1, self.params.clone()) {
            Change::TrialInserted(trial) => {
                Change::TrialInserted(Box::new(NewTrial { sweep: OTHER, ..*trial }))
            }
            other => other,
        };
        changes.push(other);
        let best =
            self.value.map(|value| Change::BestMoved { trial: TrialId(self.id), best: Some((1, value)) });
        changes.extend(best);
        changes
    }
}

/// As SQLite orders: nothing last, numbers before texts.
fn order(a: Option<&Value>, b: Option<&Value>, descending: bool) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_none().cmp(&b.is_none()) };
    let order = a.order(b).unwrap_or_else(|| a.as_str().is_some().cmp(&b.as_str().is_some()));
    if descending { order.reverse() } else { order }
}

#[tokio::test]
async fn every_plan_gives_the_same_answer() {
    let mut home = Home::new().await;
    let known: Vec<Known> = (0..TRIALS).map(|i| Known::new(2 * i + 1)).collect();
    let changes: Vec<Change> = known.iter().flat_map(Known::changes).collect();
    home.apply(&[insert_sweep(OTHER)]).unwrap();
    home.apply(&changes).unwrap();
    for trial in known.iter().filter(|trial| !trial.tags.is_empty()) {
        let tags = trial.tags.iter().filter_map(Value::as_str).map(str::to_owned);
        let remark = Remark::tags(Subject::Trial(TrialId(trial.id)), tags).unwrap();
        assert!(home.writer.remark(&remark).unwrap());
    }
    let mut spec = spec();
    // Numbers and a text.
    let kind = ParameterKind::Choice { values: vec![Value::Int(1), Value::Text("odd".into())] };
    spec.space.insert("z".into(), Parameter { kind, when: None, default: None });
    let (reader, names) = (home.reader().await, TrialNames::of(&spec));
    let filters = [
        "",
        "x < 50",
        "x < 1",
        "x = 3 and y < 100",
        "x in [1, 2] and z = 3",
        "z > 5",
        "z < 1",
        "z = 9",
        "state = failed",
        "state = completed and rmse < 1",
        "rmse > 62",
        "number >= 5980 or x = 7",
        "number > 5900",
        "x >= 20 and x < 60 and z > 2",
        "z in [1, odd] and y + x > 300",
        "z != 3 and state != failed and y / 2 < 700",
        "state in [failed, running]",
        "steps = 0 and rmse is null",
        "z >= 'odd'",
        "z < 'p' and x > 3",
        "x * y < 10",
        "not (x < 98)",
        "z is null and y > 1900",
        "tag = keep",
        "tag = keep and tag = paper",
        "tag in [paper, other] and x < 90",
        "tag is not null and tag != keep",
        "not tag = keep and rmse < 5",
        "tag = other or x < 2",
    ];
    for filter in filters {
        for sort in
            ["", "rmse", "-rmse", "number", "-number", "x", "-z", "y * x", "-z * 1", "x < 50", "-state"]
        {
            let condition = (!filter.is_empty()).then(|| names.condition(filter).unwrap());
            let (key, descending) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
            let order_by = (!key.is_empty()).then(|| Sort { by: names.value(key).unwrap(), descending });
            let mut expected: Vec<&Known> = known
                .iter()
                .filter(|trial| {
                    condition.as_ref().is_none_or(|c| c.holds(&|name| trial.get(name)) == Some(true))
                })
                .collect();
            if let Some(Sort { by, descending }) = &order_by {
                let value = |trial: &Known| by.value(&|name| trial.get(name));
                expected.sort_by(|a, b| order(value(a).as_ref(), value(b).as_ref(), *descending));
            }
            for limit in [3, 100, 5000] {
                let found = reader.trials(SWEEP, condition.as_ref(), order_by.as_ref(), limit).await.unwrap();
                let found: Vec<i64> = found.iter().map(|trial| trial.trial_id.0).collect();
                let wanted: Vec<i64> = expected.iter().take(limit as usize).map(|trial| trial.id).collect();
                assert_eq!(found, wanted, "--where {filter:?} --sort {sort:?} -n {limit}");
            }
            let wanted: Vec<i64> = expected.iter().map(|trial| trial.id).collect();
            let ids = reader.trial_ids(SWEEP, condition.clone(), order_by.clone()).await.unwrap();
            assert_eq!(ids.iter().map(|id| id.0).collect::<Vec<_>>(), wanted, "{filter:?} {sort:?}");
            let Some(order_by) = order_by else { continue };
            // Few pages of each list, from its beginning, its middle and its end.
            for from in [0, 97, wanted.len() / 2, wanted.len().saturating_sub(150)] {
                let mut after = match from.checked_sub(1).and_then(|last| wanted.get(last)) {
                    None => None,
                    Some(last) => {
                        Some(reader.mark(SWEEP, order_by.by.clone(), TrialId(*last)).await.unwrap())
                    }
                };
                let from = if after.is_some() { from } else { 0 };
                for page in 0..2 {
                    let condition = condition.as_ref();
                    let found =
                        reader.trial_page(SWEEP, condition, &order_by, after.as_ref(), 97).await.unwrap();
                    let begin = (from + page * 97).min(wanted.len());
                    let end = (begin + 97).min(wanted.len());
                    let ids: Vec<i64> = found.trials.iter().map(|trial| trial.trial_id.0).collect();
                    assert_eq!(ids, wanted[begin..end], "{filter:?} {sort:?}, a page from {begin} on");
                    assert_eq!(found.next.is_none(), end == wanted.len(), "{filter:?} {sort:?}, after {end}");
                    after = found.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_team_sees_the_moment_that_it_is_asked_for_or_there_is_none() {
    let mut home = Home::new().await;
    let bench = Bench::new(&home.path().join(crate::store::DATABASE_FILE));
    let count = |team: &Team| team.number("select count(*) from trial", &[]).unwrap();
    let change = |id| [insert_trial(id, Params::new())];
    home.apply(&change(1)).unwrap();
    let first = bench.team(2, 3).unwrap().unwrap();
    home.apply(&change(2)).unwrap();
    assert!(bench.team(2, 3).unwrap().is_none(), "that moment has passed");
    let second = bench.team(3, 3).unwrap().unwrap();
    assert_eq!((count(&first), count(&second)), (1, 2));
    drop((first, second));
    home.apply(&change(3)).unwrap();
    assert_eq!(count(&bench.team(4, 3).unwrap().unwrap()), 3, "a connection came back with its old moment");
}

#[tokio::test]
async fn a_team_does_every_task_once_and_says_what_went_wrong() {
    let home = Home::new().await;
    let bench = Bench::new(&home.path().join(crate::store::DATABASE_FILE));
    let mut team = bench.team(1, 4).unwrap().unwrap();
    assert_eq!(team.share(100, |_, task| Ok(task)).unwrap(), (0..100).collect::<Vec<_>>());
    assert_eq!(team.share(0, |_, task| Ok(task)).unwrap(), [0; 0]);
    let failed =
        team.share(100, |_, task| if task == 50 { Err(StoreError::damaged("x", 1)) } else { Ok(()) });
    assert!(failed.is_err());
    assert_eq!(team.share(1, |connection, _| Ok(connection.is_autocommit())).unwrap(), [false]);
}
