//! Whatever the page's size and wherever one begins, the pages together are the rest of the record.

use super::*;
use crate::domain::{AttemptId, AttemptState, Change, Event, StepReport};
use crate::store::store_test::{Home, SWEEP, hand_out, insert_trial};

fn event(seq: i64, trial: i64, kind: EventKind) -> Change {
    let trial = Some(TrialId(trial));
    Change::Recorded(Event {
        seq,
        at_ms: Millis(seq),
        sweep: SWEEP,
        trial,
        attempt: None,
        kind,
        reason: None,
    })
}

fn report(seq: i64, trial: i64, step: u64) -> Change {
    Change::Reported(Box::new(StepReport {
        trial: TrialId(trial),
        fold: 0,
        step,
        attempt: AttemptId(trial),
        seq,
        at: Millis(seq),
        metrics: Metrics::default().with("rmse", seq as f64),
    }))
}

/// Three trials that report in turn. Every third input also says something for the record, twice; the last trial is
/// still being worked on, the others have ended.
async fn record() -> (Home, Vec<(i64, bool)>) {
    let mut home = Home::new().await;
    let mut expected = Vec::new();
    for trial in 1..=3 {
        let begin = [vec![insert_trial(trial, [("x".into(), crate::domain::Value::Int(trial))].into())]];
        home.apply(&begin.concat()).unwrap();
        home.apply(&hand_out(trial)).unwrap();
    }
    // The sweep and the trials took seven inputs.
    for seq in 8..=37 {
        let trial = 1 + seq % 3;
        let step = u64::try_from(1 + (seq - 8) / 3).unwrap();
        let mut changes = vec![report(seq, trial, step)];
        expected.push((seq, false));
        if seq % 3 == 0 {
            changes
                .extend([EventKind::TrialPassed, EventKind::TrialPassed].map(|kind| event(seq, trial, kind)));
            expected.extend([(seq, true); 2]);
        }
        home.apply(&changes).unwrap();
    }
    for (seq, trial) in [(38, 1), (39, 2)] {
        let attempt = AttemptId(trial);
        let closed = Change::AttemptClosed {
            attempt,
            state: AttemptState::Completed,
            reason: None,
            tell: None,
            at: Millis(9),
        };
        home.apply(&[closed, event(seq, trial, EventKind::TrialCompleted)]).unwrap();
        expected.push((seq, true));
    }
    (home, expected)
}

fn seen(page: &[News]) -> Vec<(i64, bool)> {
    page.iter().map(|news| (news.place.seq, matches!(news.what, What::Event { .. }))).collect()
}

#[tokio::test]
async fn pages_of_any_size_make_up_the_record_from_anywhere() {
    let (home, expected) = record().await;
    let reader = home.reader().await;
    let whole = reader.news_after(Place::default(), 1000).await.unwrap();
    assert_eq!(seen(&whole.news), expected);
    assert!(!whole.more && whole.until == reader.news_end().await.unwrap());
    assert!(whole.news.is_sorted_by(|a, b| a.place < b.place), "no two have one place");
    for most in [1, 2, 3, 7, 50] {
        for begin in 0..=whole.news.len() {
            let mut place = begin.checked_sub(1).map_or(Place::default(), |at| whole.news[at].place);
            let mut rest = Vec::new();
            loop {
                let page = reader.news_after(place, most).await.unwrap();
                assert!(page.news.len() <= most && page.until >= place);
                place = page.until;
                rest.extend(page.news);
                if !page.more {
                    break;
                }
            }
            assert_eq!(rest, whole.news[begin..], "{most} at a time, after {begin}");
            assert_eq!(place, whole.until);
        }
    }
}

#[tokio::test]
async fn what_went_with_its_sweep_is_passed_over() {
    let (mut home, _) = record().await;
    home.apply(&[Change::SweepRemoved { sweep: SWEEP }]).unwrap();
    let reader = home.reader().await;
    let page = reader.news_after(Place { seq: 20, event: 3 }, 10).await.unwrap();
    assert!(page.news.is_empty() && !page.more, "{page:?}");
    assert_eq!(page.until, reader.news_end().await.unwrap());
    assert!(page.until.event >= 22, "ids of events are not given again");
}
