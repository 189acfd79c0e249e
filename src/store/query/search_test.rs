//! Whatever plan is chosen, the answer is what a look at every trial gives.

use super::*;
use crate::domain::{Change, Params, TrialId, TrialState};
use crate::store::query::TrialNames;
use crate::store::store_test::{Home, SWEEP, insert_trial, moved, spec};
use std::cmp::Ordering;

const TRIALS: i64 = 3000;

/// A trial as the test knows it.
struct Known {
    id: i64,
    state: TrialState,
    value: Option<f64>,
    params: Params,
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
        Self { id, state, value, params }
    }

    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "number" => Some(Value::Int(self.id - 1)),
            "state" => Some(Value::Text(self.state.as_str().into())),
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
        let best = self.value.map(|value| Change::BestMoved { trial: TrialId(self.id), step: 1, value });
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
    let known: Vec<Known> = (1..=TRIALS).map(Known::new).collect();
    let changes: Vec<Change> = known.iter().flat_map(Known::changes).collect();
    home.apply(&changes).await.unwrap();
    let (reader, names) = (home.reader().await, TrialNames::of(&spec()));
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
        "number >= 2990 or x = 7",
        "number > 2900",
        "x * y < 10",
        "not (x < 98)",
        "z is null and y > 1900",
    ];
    for filter in filters {
        for sort in ["", "rmse", "-rmse", "number", "-number", "x", "-z", "y * x", "-state"] {
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
        }
    }
}
