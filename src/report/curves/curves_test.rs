use super::axis::{Axis, even};
use super::line::{pieces, thinned};
use super::*;
use crate::report::report_test::{sweep, trial};
use proptest::prelude::*;

/// A trial that comes down from `first` to `floor`, in so many epochs.
fn drawn(number: u64, first: f64, floor: f64, epochs: u64) -> Drawn {
    let value = |epoch: u64| floor + (first - floor) * 0.5f64.powi(epoch as i32 - 1);
    let mut trial = trial(number, Some(value(epochs)), TrialState::Completed, None);
    trial.params.insert("learning_rate".into(), (0.001 * (number + 1) as f64).into());
    (trial, (1..=epochs).map(|epoch| (epoch, value(epoch))).collect())
}

/// A sweep with a mean face of 4.998 and these trials.
fn source(name: &str, chosen: Vec<Drawn>, others: Vec<Drawn>) -> PlotSource {
    let mut sweep = sweep();
    (sweep.name, sweep.id) = (name.to_owned(), format!("id-{name}"));
    sweep.trials.completed = chosen.len() as u64;
    PlotSource { sweep, chosen, others, unfinished: false }
}

fn plot(sources: &[PlotSource]) -> Plot {
    Plot::new(sources, RMSE, &[], None).unwrap()
}

/// What is written in a picture, from the top downwards as it was drawn.
fn texts(svg: &str) -> Vec<&str> {
    let lines = svg.lines().collect::<Vec<_>>();
    lines.windows(2).filter(|pair| pair[0].starts_with("<text")).map(|pair| pair[1]).collect()
}

/// The points of all lines in the picture but the axes, the mesh and the samples in the legend, in pixels.
fn points(svg: &str) -> Vec<(f64, f64)> {
    let is_other =
        |line: &&str| ["4", "8"].iter().any(|width| line.contains(&format!("stroke-width=\"{width}\"")));
    let lines = svg.lines().filter(|line| line.starts_with("<polyline") && !is_other(line));
    let lists = lines.filter_map(|line| line.split("points=\"").nth(1)?.split('"').next());
    let number = |text: &str| text.parse::<f64>().unwrap() / 4.0;
    let point = |pair: &str| pair.split_once(',').map(|(x, y)| (number(x), number(y))).unwrap();
    lists.flat_map(|list| list.split_whitespace().map(point).collect::<Vec<_>>()).collect()
}

/// Within the axes.
fn is_in_range((x, y): (f64, f64)) -> bool {
    (74.0..=880.0).contains(&x) && (58.0..=458.0).contains(&y)
}

#[test]
fn a_picture_says_all_it_shows() {
    let chosen = vec![drawn(3, 40.0, 1.75, 9), drawn(8, 5.0, 1.5, 9)];
    let plot = plot(&[source("<faces> & \"more\"", chosen, vec![drawn(1, 6.0, 3.0, 4)])]);
    let svg = plot.svg(false).unwrap();
    insta::assert_snapshot!(texts(&svg).join("\n"), @"
    rmse by epoch: &lt;faces&gt; &amp; &quot;more&quot;
    the best 2 of 2 completed trials; in grey 1 more
    not on the axis: 1 above it, up to 40.0000
    rmse (px)
    epoch
    5
    10
    15
    20
    1
    2
    3
    4
    5
    6
    7
    8
    9
    mean face 4.9980
    TRIAL
    LAST RMSE
    BEST RMSE
    8
    1.5137
    1.5137
    learning_rate=0.009
    3
    1.8994
    1.8994
    learning_rate=0.004
    ");
    assert!(points(&svg).len() > 20 && points(&svg).into_iter().all(is_in_range), "{svg}");
    assert!(svg.starts_with("<svg width=\"900\" height=\""), "{}", &svg[..90]);
}

#[test]
fn what_few_steps_have_does_not_take_the_room_of_the_rest() {
    let early =
        |first: f64| plot(&[source("a", vec![drawn(0, first, 1.0, 40), drawn(1, 2.0, 1.0, 10)], vec![])]);
    let axis = Axis::of(&early(1000.0), false).unwrap();
    assert!(axis.high < 70.0, "{axis:?}");
    let hidden = axis.hidden(&early(1000.0).curves);
    assert_eq!((hidden.above, hidden.below.0), ((4, 1000.0), 0));
    // Nothing is hidden where that would gain nothing.
    let mut even = early(2.0);
    even.curves[0].points.iter_mut().for_each(|(epoch, value)| *value = 50.0 - *epoch as f64);
    assert_eq!(Axis::of(&even, false).unwrap().hidden(&even.curves), axis::Hidden::default());
    // The same upside down.
    let mut down = early(1000.0);
    down.direction = Some(Direction::Maximize);
    for (_, value) in down.curves.iter_mut().flat_map(|curve| &mut curve.points) {
        *value = -*value;
    }
    down.sweeps[0].baseline = None;
    let axis = Axis::of(&down, false).unwrap();
    assert!(axis.low > -70.0 && axis.hidden(&down.curves).below == (4, -1000.0), "{axis:?}");
}

#[test]
fn a_mean_face_far_away_is_told() {
    let near = plot(&[source("a", vec![drawn(0, 9.0, 1.0, 9)], vec![])]).svg(false).unwrap();
    assert!(texts(&near).contains(&"mean face 4.9980"), "{near}");
    let far = plot(&[source("a", vec![drawn(0, 1.2, 1.0, 9)], vec![])]).svg(false).unwrap();
    assert!(texts(&far)[2].ends_with("; the mean face at 4.9980"), "{far}");
    let other = Plot::new(&[source("a", vec![drawn(0, 5.0, 1.0, 9)], vec![])], "loss", &[], None).unwrap();
    assert!(!other.svg(false).unwrap().contains("mean face"));
}

#[test]
fn labels_are_what_differs_and_what_is_asked_for() {
    let mut trials = vec![drawn(0, 5.0, 1.0, 3), drawn(1, 5.0, 2.0, 3), drawn(2, 5.0, 3.0, 3)];
    trials[2].0.params.insert("activation".into(), "elu".into());
    trials[1].0.params.remove("family");
    let sources = [source("a", trials, vec![])];
    let plot = plot(&sources);
    let labels: Vec<String> = plot.curves.iter().map(label::text).collect();
    assert_eq!(
        labels,
        ["learning_rate=0.001", "family=-, learning_rate=0.002", "activation=elu, learning_rate=0.003"]
    );
    let common =
        BTreeMap::from([("activation".into(), Some("relu".into())), ("family".into(), Some("cnn".into()))]);
    assert_eq!(plot.common, common, "the rates have nothing in common");
    let params: Vec<&Params> = plot.curves.iter().map(|curve| &curve.params).collect();
    let found = label::differing(&params, 30);
    assert_eq!(found.shown, ["activation", "family"]);
    assert_eq!((found.common, found.left_out), (common, vec!["learning_rate".to_owned()]));

    let asked = Plot::new(&sources, RMSE, &["activation".into()], None).unwrap();
    assert_eq!(label::text(&asked.curves[2]), "activation=elu");
    assert_eq!(label::text(&asked.curves[0]), "activation=relu", "what is asked for is always named");
    let colours: Vec<_> = style::all(&asked).iter().map(|style| style.colour).collect();
    assert!(colours[0] == colours[1] && colours[1] != colours[2], "{colours:?}");
    let error = Plot::new(&sources, RMSE, &["activatoin".into()], None).unwrap_err().to_string();
    assert_eq!(
        error,
        "--label: no parameter is called activatoin; there are activation, epochs, family, learning_rate"
    );
}

/// Fifteen parameters, each of them not zero in one trial alone, and a trial that has zeros only.
#[test]
fn labels_name_what_is_unlike_most() {
    let name = |at: u64| format!("strength_of_augmentation_{at:02}");
    let trial = |number: u64| {
        let mut drawn = drawn(number, 5.0, 1.0 + number as f64 / 100.0, 3);
        drawn.0.params.insert("learning_rate".into(), 0.001.into());
        for at in 1..=15 {
            let value = if at == number { 0.5 } else { 0.0 };
            drawn.0.params.insert(name(at), value.into());
        }
        drawn
    };
    let plot = plot(&[source("a", (0..16).map(trial).collect(), vec![])]);
    let labels: Vec<String> = plot.curves.iter().map(label::text).collect();
    let expected = (1..=15).map(|at| format!("{}=0.5", name(at)));
    assert_eq!(labels, std::iter::once("base".to_owned()).chain(expected).collect::<Vec<_>>());
    assert!(plot.left_out.is_empty() && plot.curves[0].label.is_empty(), "{plot:?}");
    assert_eq!(plot.curves[3].label, BTreeMap::from([(name(3), Some(0.5.into()))]));
    // What that is stands below, all of it.
    let svg = plot.svg(false).unwrap();
    let below: Vec<&str> =
        texts(&svg).into_iter().skip_while(|text| !text.starts_with("otherwise ")).collect();
    let zeros: Vec<String> = (1..=15).map(|at| format!("{}=0", name(at))).collect();
    assert_eq!(below.join(" "), format!("otherwise {}", zeros.join(", ")));
    assert!(!svg.contains('…'), "{svg}");
}

#[test]
fn several_sweeps_differ_in_their_dashes_and_many_trials_in_both() {
    let trials = |n: u64| (0..n).map(|n| drawn(n, 5.0, 1.0 + n as f64 / 10.0, 3)).collect::<Vec<_>>();
    let two = plot(&[source("a", trials(2), vec![]), source("b", trials(2), vec![])]);
    let names: Vec<&str> = two.curves.iter().map(|curve| curve.name.as_str()).collect();
    assert_eq!(names, ["a/0", "b/0", "a/1", "b/1"]);
    let styles = style::all(&two);
    assert!(styles[0].dash == styles[2].dash && styles[0].dash != styles[1].dash);
    assert!(styles[0].colour == styles[1].colour && styles[0].colour != styles[2].colour);
    let same = plot(&[source("a", trials(1), vec![]), PlotSource { ..source("a", trials(1), vec![]) }]);
    assert_eq!(same.curves[0].name, "id-a/0", "two sweeps of one name are told apart by their ids");

    let many = plot(&[source("a", trials(28), vec![])]);
    let mut seen: Vec<String> = style::all(&many).iter().map(|style| format!("{style:?}")).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 28);
}

#[test]
fn sweeps_that_rank_by_different_metrics_are_plotted_by_one_that_is_named() {
    let mut other = sweep();
    other.spec.objective.metric = "loss".into();
    let error = plotted_metric(&[sweep(), other.clone()], None).unwrap_err().to_string();
    assert_eq!(error, "these sweeps have different metrics (loss, rmse): say which with --metric NAME");
    assert_eq!(plotted_metric(&[sweep(), other], Some("train_loss")).unwrap(), "train_loss");
    assert_eq!(plotted_metric(&[sweep(), sweep()], None).unwrap(), RMSE);
}

#[test]
fn what_cannot_stand_on_an_axis_is_no_picture() {
    let with = |values: &[f64]| {
        let mut drawn = drawn(0, 5.0, 1.0, 3);
        drawn.1 = (1..).zip(values.iter().copied()).collect();
        plot(&[source("a", vec![drawn], vec![])])
    };
    let error = with(&[-1.0, 0.0, f64::NAN]).svg(true).unwrap_err();
    assert_eq!(error, PlotError::NonePositive(RMSE.into()));
    assert_eq!(with(&[f64::NAN]).svg(false).unwrap_err(), PlotError::NoneFinite(RMSE.into()));
    let some = with(&[-1.0, 2.0, f64::NAN, 3.0]);
    assert!(texts(&some.svg(true).unwrap()).iter().any(|text| text.contains("1 not positive")));
    assert_eq!(some.svg(false).unwrap().matches("<circle").count(), 1, "3 stands alone");
    assert_eq!(serde_json::to_value(&some).unwrap()["curves"][0]["points"][2], serde_json::json!([3, null]));
}

#[test]
fn lines_end_where_the_axis_does() {
    let points = [(1.0, Some(9.0)), (2.0, Some(5.0)), (3.0, None), (4.0, Some(2.0)), (5.0, Some(0.0))];
    let pieces = pieces(points.into_iter(), 1.0, 7.0);
    assert_eq!(pieces, [vec![(1.5, 7.0), (2.0, 5.0)], vec![(4.0, 2.0), (4.5, 1.0)]]);
}

#[test]
fn numbers_beside_an_axis_are_round() {
    let text =
        |low, high, most| even(low, high, most, 0.0).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(text(1.0, 2.1, 6), ["1.0", "1.2", "1.4", "1.6", "1.8", "2.0"]);
    assert_eq!(text(-0.015, 0.02, 4), ["-0.01", "0.00", "0.01", "0.02"]);
    assert_eq!(text(0.0, 45_000.0, 5), ["0", "10,000", "20,000", "30,000", "40,000"]);
    let steps = even(1.0, 3.0, 10, 1.0).into_iter().map(|(step, _)| step).collect::<Vec<_>>();
    assert_eq!(steps, [1.0, 2.0, 3.0], "there is no half epoch");
}

proptest! {
    /// Whatever trials report, there is a picture with every point on it, or a reason.
    #[test]
    fn any_numbers_can_be_drawn(
        curves in prop::collection::vec(prop::collection::vec(prop_oneof![
            4 => -10.0..10.0f64,
            2 => any::<f64>(),
            1 => Just(0.0),
        ], 1..30), 1..10),
        log: bool,
        maximize: bool,
    ) {
        let drawn = |(number, values): (u64, &Vec<f64>)| {
            let mut drawn = drawn(number, 5.0, 1.0, 3);
            drawn.1 = (1..).zip(values.iter().copied()).collect();
            drawn
        };
        let mut plot = plot(&[source("a", (0..).zip(&curves).map(drawn).collect(), vec![])]);
        plot.direction = Some(if maximize { Direction::Maximize } else { Direction::Minimize });
        match plot.svg(log) {
            Ok(svg) => {
                let axis = Axis::of(&plot, log).unwrap();
                let ticks = axis.ticks();
                prop_assert!(!ticks.is_empty() && ticks.len() <= 20, "{axis:?} {ticks:?}");
                let outside: Vec<_> = points(&svg).into_iter().filter(|point| !is_in_range(*point)).collect();
                prop_assert!(outside.is_empty(), "{axis:?} {outside:?}");
            }
            Err(error) => {
                let usable = |x: &f64| x.is_finite() && (!log || *x > 0.0);
                prop_assert!(!curves.iter().flatten().any(usable), "{error}");
            }
        }
    }

    /// What is left of a long curve has its ends and its extremes, in order.
    #[test]
    fn thinning_keeps_what_is_seen(values in prop::collection::vec(-9.0..9.0f64, 1..200), most in 1..30usize) {
        let points: Vec<(u64, f64)> = (1..).zip(values.iter().copied()).collect();
        let kept = thinned(&points, most);
        prop_assert!(kept.len() <= 2 * most + 2 && kept.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        let range = |points: &[(u64, f64)]| {
            points.iter().fold((f64::MAX, f64::MIN), |(low, high), (_, x)| (low.min(*x), high.max(*x)))
        };
        prop_assert_eq!(range(&kept), range(&points));
    }
}
