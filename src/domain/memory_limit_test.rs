use super::*;
use proptest::prelude::*;

/// What trials have shown: estimates of those that fitted, and of those that failed with their numbers.
fn shown(fitted: &[u64], failed: &[(u64, u64)]) -> MemoryLimit {
    let mut limit = MemoryLimit::default();
    fitted.iter().for_each(|bytes| limit.fitted(*bytes));
    failed.iter().for_each(|(trial, bytes)| limit.failed(*trial, *bytes));
    limit
}

#[test]
fn nothing_is_refused_before_something_has_failed() {
    let limit = shown(&[100], &[]);
    assert!(!limit.refuses(u64::MAX) && !limit.is_settled());
    assert_eq!(limit.too_large(), None);
}

#[test]
fn what_needs_as_much_as_a_failure_or_well_more_is_refused() {
    let limit = shown(&[100], &[(3, 400), (9, 440)]);
    let refused: Vec<u64> = (0..600).filter(|bytes| limit.refuses(*bytes)).collect();
    let expected: Vec<u64> = [400, 440].into_iter().chain(501..600).collect();
    assert_eq!(refused, expected, "a quarter more than the smallest failure is still given a try");
    assert_eq!(limit.too_large(), Some(TooLarge { above_bytes: 500, trials: vec![3, 9] }));
}

#[test]
fn what_was_trained_belies_failures_of_the_same_size_or_smaller() {
    let mut limit = shown(&[], &[(0, 100), (1, 400)]);
    assert!(limit.refuses(100) && limit.refuses(130) && limit.refuses(400));
    limit.fitted(100);
    assert!(!limit.refuses(100) && !limit.refuses(300) && limit.refuses(400) && limit.refuses(501));
    assert_eq!(limit.too_large(), Some(TooLarge { above_bytes: 500, trials: vec![1] }));
    limit.fitted(450);
    assert!(!limit.refuses(u64::MAX));
    assert_eq!(limit.too_large(), None);
}

#[test]
fn three_trials_that_nothing_belies_settle_it() {
    assert!(!shown(&[], &[(0, 400), (1, 400), (1, 400)]).is_settled(), "these are two trials");
    assert!(shown(&[], &[(0, 400), (1, 400), (2, 500)]).is_settled());
    assert!(!shown(&[400], &[(0, 400), (1, 400), (2, 500)]).is_settled());
}

#[test]
fn estimates_of_any_size_can_be_told() {
    let limit = shown(&[u64::MAX - 1], &[(u64::MAX, u64::MAX)]);
    assert!(limit.refuses(u64::MAX) && !limit.refuses(u64::MAX - 1));
    assert!(!shown(&[u64::MAX], &[(0, u64::MAX)]).refuses(u64::MAX));
}

#[test]
fn it_is_said_in_a_line() {
    let said = |trials| TooLarge { above_bytes: 900 << 20, trials }.to_string();
    assert_eq!(said(vec![7]), "what needs more than about 900 MiB is not tried: trial 7 ran out of memory");
    assert_eq!(
        said(vec![3, 9]),
        "what needs more than about 900 MiB is not tried: trials 3, 9 ran out of memory"
    );
    assert_eq!(
        said((0..9).collect()),
        "what needs more than about 900 MiB is not tried: trials 0, 1, 2, 3, 4, 5 and 3 more ran out of memory"
    );
}

/// A trial's estimate, and whether it fitted.
fn news() -> impl Strategy<Value = Vec<(u64, bool)>> {
    prop::collection::vec((1..60u64, any::<bool>()), 0..12)
}

fn learned(news: impl Iterator<Item = (u64, (u64, bool))>) -> MemoryLimit {
    let mut limit = MemoryLimit::default();
    for (trial, (bytes, fitted)) in news {
        if fitted { limit.fitted(bytes) } else { limit.failed(trial, bytes) }
    }
    limit
}

proptest! {
    #[test]
    fn the_order_of_the_news_does_not_matter((news, at) in news().prop_flat_map(|news| {
        let places: Vec<usize> = (0..news.len()).collect();
        (Just(news), Just(places).prop_shuffle())
    })) {
        let shuffled = at.iter().map(|at| (*at as u64, news[*at]));
        prop_assert_eq!(learned(shuffled), learned((0..).zip(news.clone())));
    }

    #[test]
    fn only_what_is_above_all_that_fitted_and_some_failure_is_refused(news in news()) {
        let limit = learned((0..).zip(news.clone()));
        for bytes in 0..100 {
            let above = |fitted: bool| news.iter().filter(move |(_, fits)| *fits == fitted).map(|(bytes, _)| *bytes);
            let largest = above(true).max().unwrap_or(0);
            let fails = above(false).any(|failed| failed > largest && failed <= bytes);
            if limit.refuses(bytes) {
                prop_assert!(bytes > largest && fails, "{bytes}");
            }
            // And what is twice as large as a failure always is.
            if bytes > largest && above(false).any(|failed| failed > largest && 2 * failed <= bytes) {
                prop_assert!(limit.refuses(bytes), "{bytes}");
            }
            prop_assert!(!limit.refuses(bytes) || limit.too_large().is_some());
        }
    }

    #[test]
    fn what_fits_takes_refusals_back_and_adds_none(news in news(), more in 1..60u64) {
        let before = learned((0..).zip(news));
        let mut after = before.clone();
        after.fitted(more);
        for bytes in 0..100 {
            prop_assert!(before.refuses(bytes) || !after.refuses(bytes), "{bytes}");
        }
    }
}
