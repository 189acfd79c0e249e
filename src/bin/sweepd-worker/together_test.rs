//! Several trainings in one step: each is as if it were alone, within rounding.

use super::*;
use crate::gradient::gradients;
use crate::together::{Member, round};
use crate::train::Run;

/// Members by number, with what they saw.
struct Numbered(usize, Watcher);

impl Observer for Numbered {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision> {
        self.1.epoch(step, metrics)
    }

    fn progress(&mut self, epoch: u64, batch: u64, batches: u64) -> Decision {
        self.1.progress(epoch, batch, batches)
    }

    fn checkpoint_due(&mut self, epochs_done: u64) -> bool {
        self.1.checkpoint_due(epochs_done)
    }

    fn checkpoint(&mut self, epochs_done: u64, bytes: Vec<u8>) {
        self.1.checkpoint(epochs_done, bytes);
    }
}

fn member(number: usize, plan: &Plan, resume: Option<&[u8]>, watcher: Watcher) -> Member<'static, Numbered> {
    let run = Run::new(&job(plan, resume, None)).unwrap();
    Member { run, observer: Numbered(number, watcher) }
}

type Ends = Vec<Option<(Result<Trained, TrainError>, Watcher)>>;

/// Takes all to their ends, which are in the order of the members' numbers.
fn to_the_end(mut members: Vec<Member<'_, Numbered>>, ends: &mut Ends) {
    while !members.is_empty() {
        members = one_round(members, ends);
    }
}

fn one_round<'d>(members: Vec<Member<'d, Numbered>>, ends: &mut Ends) -> Vec<Member<'d, Numbered>> {
    round(members, &mut |Numbered(number, watcher), end| {
        if ends.len() <= number {
            ends.resize_with(number + 1, || None);
        }
        ends[number] = Some((end, watcher));
    })
}

fn trained(ends: Ends) -> Vec<(Trained, Watcher)> {
    ends.into_iter().map(Option::unwrap).map(|(end, watcher)| (end.unwrap(), watcher)).collect()
}

/// Small batches and many batch norms make much of a rounding.
fn near(one: &Metrics, other: &Metrics, what: &str) {
    for name in [metric::TRAIN_LOSS, metric::RMSE] {
        let [a, b] = [one, other].map(|metrics| metrics.get(name).unwrap());
        assert!((a - b).abs() < 1e-2 * b.abs(), "{what}: {name} is {a} in one step with others, {b} alone");
    }
}

/// Small networks of all kinds of layers.
const NETWORKS: [&str; 9] = [
    r#""dense": [6, 5]"#,
    r#""family": "dense", "dense": [7], "batch_norm": false"#,
    r#""family": "residual", "depth": [1, 2], "bottleneck": 2, "stem_halvings": 2, "neck": "mean", "ema": 0.5"#,
    r#""head": "heatmap", "heatmap_side": 24, "heatmap_filters": 4, "sources": "heads", "test_flip": true"#,
    r#""sources": "heads", "loss": "smooth_l1""#,
    r#""sources": "offset", "trim": 0.1, "augment_flip": 0.5"#,
    r#""extra_inputs": ["statistics", "gradients"]"#,
    r#""extra_columns": ["age", "yaw"], "extra_inputs": "statistics""#,
    r#""family": "googlenet", "head": "heatmap", "heatmap_side": 12, "heatmap_filters": 4"#,
];

#[test]
fn each_gradient_is_that_of_its_own_batch() {
    let _alone = alone();
    let (dataset, split) = faces();
    for more in NETWORKS {
        let plans = [1, 2, 3].map(|seed| plan(&format!(r#""dropout": 0.0, {more}, "seed": {seed}"#)));
        let alone: Vec<Network> = plans
            .iter()
            .zip(1..)
            .map(|(plan, seed)| Network::initial(plan.layers(), seed, Device::Cpu, Kind::Float).unwrap())
            .collect();
        let (settings, columns) = (plans[0].training(), plans[0].architecture().top.columns());
        let training = TrainingSet::new(dataset, &split.train, settings, columns, Device::Cpu).unwrap();
        let objective = Objective::new(settings);
        let epochs = [1, 2, 3].map(|seed| training.epoch(seed, 1).unwrap());
        let whole = Network::side_by_side(&alone.iter().collect::<Vec<_>>()).unwrap();
        let batches: Vec<_> = epochs.iter().map(|epoch| epoch.batch(&(0..8)).unwrap()).collect();
        let together = gradients(&whole, &batches, &[&objective; 3]).unwrap();
        for ((network, epoch), part) in alone.iter().zip(&epochs).zip(together) {
            let own = gradient(network, epoch, &objective, &(0..8), 1).unwrap();
            let far = |a: &Tensor, b: &Tensor| {
                let scale = b.abs().max().double_value(&[]).max(1e-3);
                (a - b).abs().max().double_value(&[]) / scale
            };
            assert!(far(&part.sums, &own.sums) < 1e-4, "{more}");
            let (mut error, mut length) = (0.0, 0.0);
            for ((named, a), b) in network.learning().zip(&part.gradients).zip(&own.gradients) {
                // A unit that stands at its kink goes either way, and moves the few numbers before it.
                assert!(far(a, b) < 0.3, "{more}: {} is off by {}", named.name, far(a, b));
                error += (a - b).square().sum(Kind::Double).double_value(&[]);
                length += b.square().sum(Kind::Double).double_value(&[]);
            }
            // Dozens of batch norms over few numbers make much of a rounding.
            let most = if more.contains("googlenet") { 1e-3 } else { 1e-6 };
            assert!(error < most * length, "{more}: {error} of {length}");
        }
    }
}

#[test]
fn each_learns_what_it_would_learn_alone() {
    let _alone = alone();
    for more in NETWORKS {
        let own = [
            r#""learning_rate": 0.001, "seed": 5, "augment_noise": 0.2"#,
            r#""learning_rate": 0.004, "weight_decay": 0.2, "epochs": 3"#,
            r#""learning_rate": 0.002, "optimizer": "sgd", "clip_norm": 0.1, "augment_rotation": 20"#,
        ];
        let plans = own.map(|own| plan(&format!(r#""epochs": 2, "dropout": 0.0, {more}, {own}"#)));
        let members = plans.iter().enumerate().map(|(n, plan)| member(n, plan, None, Watcher::default()));
        let mut ends = Ends::new();
        to_the_end(members.collect(), &mut ends);
        for ((plan, own), (end, watcher)) in plans.iter().zip(own).zip(trained(ends)) {
            let mut alone = Watcher::default();
            train(&job(plan, None, None), &mut alone).unwrap();
            assert_eq!((end.state, watcher.seen.len()), (TellState::Completed, alone.seen.len()));
            near(&watcher.seen[0].1, &alone.seen[0].1, &format!("{more}, {own}"));
        }
    }
}

#[test]
fn each_drops_its_own_share() {
    let _alone = alone();
    let (dataset, split) = faces();
    let plans = ["1e-6", "0.5"].map(|share| plan(&format!(r#""dense": [64], "dropout": {share}"#)));
    let networks = plans
        .iter()
        .map(|plan| Network::initial(plan.layers(), 1, Device::Cpu, Kind::Float).unwrap())
        .collect::<Vec<_>>();
    let whole = Network::side_by_side(&networks.iter().collect::<Vec<_>>()).unwrap();
    let training = TrainingSet::new(
        dataset,
        &split.train,
        plans[0].training(),
        plans[0].architecture().top.columns(),
        Device::Cpu,
    )
    .unwrap();
    let mut input = training.epoch(1, 1).unwrap().batch(&(0..8)).unwrap().input;
    input.images = whole.images_for_each(&input.images).unwrap();
    let seen = [1, 2].map(|seed| {
        tch::manual_seed(seed);
        whole.forward(&input, true).unwrap().chunk(2, 1)
    });
    let differs = |member: usize| (&seen[0][member] - &seen[1][member]).abs().max().double_value(&[]);
    assert!(differs(0) < 1e-6, "the first drops hardly anything, and changes by {}", differs(0));
    assert!(differs(1) > 1e-4, "the second drops half, and changes by {}", differs(1));
    let calm = whole.forward(&input, false).unwrap().chunk(2, 1);
    assert_eq!((&calm[0] - &calm[1]).abs().max().double_value(&[]), 0.0, "nothing is dropped when it counts");
}

#[test]
fn one_leaves_and_another_joins_and_nobody_minds() {
    let _alone = alone();
    let calm = |seed: u64| {
        plan(&format!(r#""learning_rate": 0.001, "dropout": 0.0, "epochs": 3, "seed": {seed}, "ema": 0.5"#))
    };
    let plans = [1, 2, 3].map(calm);
    let mut ends = Ends::new();
    let leaver = Watcher { pause_at: Some((2, 2)), ..Watcher::default() };
    let members = vec![member(0, &plans[0], None, Watcher::default()), member(1, &plans[1], None, leaver)];
    let mut members = one_round(members, &mut ends);
    members.push(member(2, &plans[2], None, Watcher::default()));
    to_the_end(members, &mut ends);
    let mut ends = trained(ends);
    for (number, (end, watcher)) in ends.iter().enumerate() {
        let mut alone = Watcher::default();
        train(&job(&plans[number], None, None), &mut alone).unwrap();
        let (state, epochs) = if number == 1 { (TellState::Paused, 1) } else { (TellState::Completed, 3) };
        assert_eq!((end.state, watcher.seen.len()), (state, epochs), "{number}");
        for (one, other) in watcher.seen.iter().zip(&alone.seen) {
            near(&one.1, &other.1, &format!("{number} in epoch {}", one.0));
        }
    }
    // Who left goes on by itself.
    let (_, bytes) = ends[1].1.checkpoints.pop().unwrap();
    let mut rest = Watcher::default();
    let end = train(&job(&plans[1], Some(&bytes), None), &mut rest).unwrap();
    assert_eq!((end.state, rest.seen.len()), (TellState::Completed, 2));
}

#[test]
fn those_that_paused_together_go_on_together_with_the_same_bits() {
    let _alone = alone();
    let plans = [1, 2].map(|seed| {
        plan(&format!(
            r#""epochs": 3, "seed": {seed}, "dropout": 0.{seed}, "ema": 0.9, "optimizer": "adamw", "augment_noise": 0.1"#
        ))
    });
    let all = |resume: [Option<&[u8]>; 2], pause_at: Option<(u64, u64)>| {
        let watcher = || Watcher { pause_at, ..Watcher::default() };
        let members = plans.iter().zip(resume).enumerate();
        let mut ends = Ends::new();
        to_the_end(members.map(|(n, (plan, bytes))| member(n, plan, bytes, watcher())).collect(), &mut ends);
        trained(ends)
    };
    let whole = all([None, None], None);
    let paused = all([None, None], Some((2, 2)));
    let bytes = paused.iter().map(|(_, watcher)| watcher.checkpoints.last().unwrap().1.as_slice());
    let bytes: Vec<_> = bytes.collect();
    let rest = all([Some(bytes[0]), Some(bytes[1])], None);
    for ((whole, paused), rest) in whole.into_iter().zip(&paused).zip(rest) {
        let seen = [paused.1.seen.clone(), rest.1.seen].concat();
        assert!(story(rest.0, seen) == story(whole.0, whole.1.seen));
    }
}

#[test]
fn one_that_diverges_leaves_the_others_alone() {
    let _alone = alone();
    let calm = plan(r#""learning_rate": 0.001, "epochs": 2, "dropout": 0.0"#);
    let wild = plan(r#""learning_rate": 1e30, "epochs": 2, "optimizer": "sgd", "dropout": 0.0"#);
    let mut ends = Ends::new();
    let members =
        vec![member(0, &wild, None, Watcher::default()), member(1, &calm, None, Watcher::default())];
    to_the_end(members, &mut ends);
    let mut ends = ends.into_iter().map(|end| end.unwrap().0);
    assert!(matches!(ends.next(), Some(Err(TrainError::Diverged { .. }))));
    assert_eq!(ends.next().unwrap().unwrap().state, TellState::Completed);
}
