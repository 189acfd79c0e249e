//! What pictures and importances are made of is what the rows say, whichever state most trials are in.

use crate::domain::{Change, Params, TrialId, TrialState};
use crate::store::store_test::{Home, SWEEP, insert_trial, moved};

/// Six trials: three of them have completed, worth their ids; one has failed, two wait.
async fn home() -> Home {
    let mut home = Home::new().await;
    let mut changes: Vec<Change> = (1..=6).map(|id| insert_trial(id, Params::new())).collect();
    for (id, end) in [
        (1, TrialState::Completed),
        (2, TrialState::Completed),
        (3, TrialState::Failed),
        (5, TrialState::Completed),
    ] {
        changes.push(moved(id, TrialState::Queued, TrialState::Running));
        changes.push(moved(id, TrialState::Running, end));
        if end == TrialState::Completed {
            changes.push(Change::BestMoved { trial: TrialId(id), best: Some((1, id as f64)) });
        }
    }
    home.apply(&changes).unwrap();
    home
}

#[tokio::test]
async fn points_have_the_state_and_the_value_of_their_trial() {
    let mut home = home().await;
    let points = home.reader().await.points(SWEEP).await.unwrap();
    let states: Vec<&str> = points.iter().map(|point| point.state.as_str()).collect();
    assert_eq!(states, ["completed", "completed", "failed", "queued", "completed", "queued"]);
    let values: Vec<Option<f64>> = points.iter().map(|point| point.value).collect();
    assert_eq!(values, [Some(1.0), Some(2.0), None, None, Some(5.0), None]);
    // Now most of them are in another state.
    let failed = |id| {
        [
            moved(id, TrialState::Queued, TrialState::Running),
            moved(id, TrialState::Running, TrialState::Failed),
        ]
    };
    let more: Vec<Change> = (7..=9).map(|id| insert_trial(id, Params::new())).collect();
    home.apply(&more).unwrap();
    home.apply(&(7..=9).flat_map(failed).collect::<Vec<Change>>()).unwrap();
    let points = home.reader().await.points(SWEEP).await.unwrap();
    let states: Vec<&str> = points.iter().map(|point| point.state.as_str()).collect();
    let failed = ["failed"; 3];
    assert_eq!(states[..6], ["completed", "completed", "failed", "queued", "completed", "queued"]);
    assert_eq!(states[6..], failed);
}

#[tokio::test]
async fn of_many_completed_trials_some_stand_for_all() {
    let home = home().await;
    let reader = home.reader().await;
    let all = reader.completed(SWEEP, 10).await.unwrap();
    let values = |some: &[(Params, f64)]| some.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
    assert_eq!((all.trials, values(&all.some)), (3, vec![1.0, 2.0, 5.0]));
    let some = reader.completed(SWEEP, 2).await.unwrap();
    assert_eq!((some.trials, values(&some.some)), (3, vec![1.0, 2.0]));
    assert_eq!(reader.completed(SWEEP, 0).await.unwrap().some, []);
}
