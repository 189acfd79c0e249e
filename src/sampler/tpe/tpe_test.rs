use super::*;
use crate::domain::stream::uniform;
use crate::domain::{Parameter, ParameterKind, Params, When};
use crate::sampler::propose::Proposing;
use crate::sampler::{Level, News, Sampler, Suggestion};
use crate::space::Space;
use std::collections::BTreeMap;

/// A choice, a number that exists under one of its values, and two that always do.
fn space() -> Space {
    let float = |low, high, log| ParameterKind::Float { low, high, log, step: None };
    let always = |kind| Parameter { kind, when: None, default: None };
    let family = ParameterKind::Choice { values: ["cnn", "dense", "other"].map(Into::into).to_vec() };
    let when = Some(When { param: "family".into(), values: vec!["cnn".into()] });
    Space::new(&BTreeMap::from([
        ("family".into(), always(family)),
        (
            "kernel".into(),
            Parameter {
                kind: ParameterKind::Int { low: 1, high: 9, log: false, step: Some(2) },
                when,
                default: None,
            },
        ),
        ("rate".into(), always(float(1e-5, 1.0, true))),
        ("dropout".into(), always(float(0.0, 1.0, false))),
        ("fixed".into(), always(ParameterKind::Fixed { value: 7.into() })),
    ]))
    .unwrap()
}

/// Small at a cnn with a kernel of 5, a rate of 0.01 and a dropout of 0.3.
fn loss(params: &Params) -> f64 {
    let of = |name: &str| params[name].as_f64().unwrap();
    let family = match params["family"].as_str().unwrap() {
        "cnn" => (of("kernel") - 5.0).abs() / 4.0,
        "dense" => 1.5,
        _ => 2.0,
    };
    family + (of("rate").log10() + 2.0).powi(2) / 4.0 + (of("dropout") - 0.3).powi(2) * 4.0
}

struct Search {
    space: Space,
    history: History,
    sampler: Box<dyn Sampler>,
    seed: u64,
}

impl Search {
    fn new(sampler: impl Propose + 'static, seed: u64) -> Self {
        let space = space();
        Self { history: History::new(&space, 1), sampler: Box::new(Proposing(sampler)), space, seed }
    }

    fn suggest(&mut self) -> Params {
        let suggestion = self.sampler.suggest(&Ask {
            space: &self.space,
            seed: self.seed,
            number: self.history.trials(),
            trials: None,
            history: &self.history,
            duplicates: false,
            feasible: &|_| Ok(()),
        });
        let Suggestion::Trial { params, .. } = suggestion else { panic!("{suggestion:?}") };
        self.space.contains(&params).unwrap();
        self.history.suggested(&self.space, &params);
        self.history.began(self.history.trials() - 1);
        params
    }

    fn tell(&mut self, trial: u64, loss: f64) {
        self.history.ended(&News { trial, level: Level::Full, losses: vec![loss] });
    }

    /// The smallest loss of so many trials.
    fn best_of(&mut self, trials: u64) -> f64 {
        let mut best = f64::INFINITY;
        for trial in 0..trials {
            let found = loss(&self.suggest());
            self.tell(trial, found);
            best = best.min(found);
        }
        best
    }
}

#[test]
fn it_finds_what_random_draws_do_not() {
    let mut learned: Vec<f64> = (0..11).map(|seed| Search::new(Tpe::new(10, 24), seed).best_of(60)).collect();
    let mut drawn: Vec<f64> = (0..11).map(|seed| Search::new(Random, seed).best_of(60)).collect();
    learned.sort_by(f64::total_cmp);
    drawn.sort_by(f64::total_cmp);
    assert!(learned[5] < drawn[5] / 3.0, "{} against {}", learned[5], drawn[5]);
}

#[test]
fn a_suggestion_follows_from_what_is_known_and_nothing_else() {
    let mut one = Search::new(Tpe::new(5, 24), 3);
    let mut first = Vec::new();
    for trial in 0..30 {
        let params = one.suggest();
        // Every third fails, some results are no numbers, and the last ones are late.
        match trial % 3 {
            0 => one.tell(trial, f64::INFINITY),
            1 => one.tell(trial, if trial == 10 { f64::NAN } else { loss(&params) }),
            _ => {}
        }
        first.push(params);
    }
    let mut two = Search::new(Tpe::new(5, 24), 3);
    for (trial, params) in (0..).zip(&first[..29]) {
        two.history.suggested(&two.space, params);
        two.history.began(trial);
        match trial % 3 {
            0 => two.tell(trial, f64::INFINITY),
            1 => two.tell(trial, if trial == 10 { f64::NAN } else { loss(params) }),
            _ => {}
        }
    }
    assert_eq!(two.suggest(), first[29]);
}

#[test]
fn where_everything_fails_it_does_not_go_again() {
    let mut search = Search::new(Tpe::new(10, 24), 1);
    let (mut failed, mut late) = (0, 0);
    for trial in 0..60 {
        let params = search.suggest();
        let fails = params["family"].as_str() == Some("cnn");
        failed += u32::from(fails);
        late += u32::from(fails && trial >= 30);
        search.tell(trial, if fails { f64::INFINITY } else { loss(&params) });
    }
    assert!(failed > 0 && late <= 3, "{failed} failed, {late} of them among the last 30");
}

#[test]
fn two_losses_have_a_front() {
    use crate::domain::pareto::hypervolume;
    let covered = |learns: bool, seed| {
        let mut search = match learns {
            true => Search::new(Tpe::new(10, 24), seed),
            false => Search::new(Random, seed),
        };
        search.history = History::new(&search.space, 2);
        let mut losses = Vec::new();
        for trial in 0..80 {
            let params = search.suggest();
            // What is small in one is large in the other; the rest should be as for one loss.
            let dropout = params["dropout"].as_f64().unwrap();
            let rest = loss(&params) - (dropout - 0.3).powi(2) * 4.0;
            losses.push([dropout + rest, (1.0 - dropout) + rest]);
            let news = News { trial, level: Level::Full, losses: losses[losses.len() - 1].to_vec() };
            search.history.ended(&news);
        }
        hypervolume(&losses.iter().map(|pair| &pair[..]).collect::<Vec<_>>(), &[2.0, 2.0])
    };
    let better = (0..9).filter(|seed| covered(true, *seed) > covered(false, *seed)).count();
    assert!(better >= 8, "{better} of 9");
}

#[test]
fn nothing_known_all_failed_and_all_equal_are_no_trouble() {
    for told in [f64::INFINITY, 1.0] {
        let mut search = Search::new(Tpe::new(1, 1), 9);
        for trial in 0..40 {
            search.suggest();
            search.tell(trial, told);
        }
    }
}

#[test]
fn eight_at_once_do_not_crowd_one_place() {
    let mut search = Search::new(Tpe::new(10, 24), 5);
    search.best_of(40);
    let rates: Vec<f64> = (0..8).map(|_| search.suggest()["rate"].as_f64().unwrap().log10()).collect();
    let mean = rates.iter().sum::<f64>() / 8.0;
    let spread = (rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / 8.0).sqrt();
    assert!(spread > 0.02, "{rates:?}");
}

#[test]
fn a_hundred_thousand_trials_are_no_trouble() {
    let mut search = Search::new(Random, 4);
    let mut rng = stream(1, "test", &[]);
    for trial in 0..100_000 {
        let point: Vec<f64> = (0..5).map(|_| uniform(&mut rng)).collect();
        let params = search.space.decode(&point);
        search.history.suggested(&search.space, &params);
        search.tell(trial, loss(&params));
    }
    search.sampler = Box::new(Proposing(Tpe::new(10, 24)));
    let best: f64 = (0..20).map(|_| loss(&search.suggest())).fold(f64::INFINITY, f64::min);
    assert!(best < 0.1, "{best}");
}
