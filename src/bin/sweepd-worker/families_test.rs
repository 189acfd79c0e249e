//! Every family of networks learns, and goes on where it was.

use super::*;

/// Networks small enough for a test, which still learn.
const LEARNERS: [&str; 4] = [
    r#""family": "residual", "filters": [8, 16, 32], "stem_halvings": 2, "dense": [64]"#,
    r#""family": "residual", "filters": [8, 16, 32], "stem_halvings": 1, "head": "heatmap", "heatmap_filters": 16"#,
    r#""filters": [8, 16, 32, 32], "head": "heatmap", "heatmap_filters": 16"#,
    r#""filters": [8, 16, 32, 32], "dense": [64], "extra_inputs": ["statistics", "histogram", "gradients"]"#,
];

/// The larger ones: what they learn in a minute is a batch by heart.
#[test]
fn known_networks_learn() {
    let _alone = alone();
    let (dataset, split) = faces();
    for family in ["vgg", "resnet", "googlenet"] {
        let plan =
            plan(&format!(r#""family": "{family}", "neck": "flatten", "dense": [32], "dropout": 0.0"#));
        let settings = plan.training();
        let training =
            TrainingSet::new(dataset, &split.train, settings, plan.architecture().top.columns(), Device::Cpu)
                .unwrap();
        let network = Network::initial(plan.layers(), 11, Device::Cpu, Kind::Float).unwrap();
        let objective = Objective::new(settings);
        let epoch = training.epoch(11, 1).unwrap();
        let restraint = Restraint { weight_decay: 0.0, clip_norm: None };
        let trunk = Trunk::default();
        let mut optimizer =
            Optimizer::new(settings.optimizer, restraint, trunk, &trainable(&network)).unwrap();
        let losses: Vec<f64> = (0..12)
            .map(|_| {
                let step = gradient(&network, &epoch, &objective, &(0..6), 1).unwrap();
                optimizer.update(&trainable(&network), &step.gradients, 1e-3).unwrap();
                step.sums.double_value(&[0])
            })
            .collect();
        assert!(losses[11] < 0.5 * losses[0], "{family}: {losses:?}");
    }
}

#[test]
fn every_family_beats_the_mean_face() {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let request = synth::Request {
        home: home.path(),
        name: "more",
        rows: 400,
        seed: 3,
        poses: synth::Poses::Free,
        threads: 1,
    };
    let written = synth::write(&request, IfExists::Refuse, &mut |_| {}).unwrap();
    let dataset = Dataset::open(written.dataset().path()).unwrap();
    let split = Split::fraction(&dataset, 0.25, 0).unwrap();
    let mean_face = sweepd::dataset::mean_face_rmse(&dataset, std::slice::from_ref(&split));
    for more in LEARNERS {
        let plan = plan(&format!(
            r#""dropout": 0.0, "batch_size": 16, "epochs": 12, "schedule": "one_cycle", "learning_rate": 0.005, {more}"#
        ));
        let mut watcher = Watcher::default();
        let job = Job { dataset: &dataset, split: &split, ..job(&plan, None, None) };
        let best = train(&job, &mut watcher).unwrap().best.unwrap();
        let rmse = best.metrics.get(metric::RMSE).unwrap();
        assert!(rmse < 0.9 * mean_face, "{more}: {rmse} is hardly better than {mean_face}");
    }
}

#[test]
fn known_networks_go_on_where_they_were() {
    let _alone = alone();
    for more in [
        r#""family": "vgg", "layers": 11, "dense": [8]"#,
        r#""family": "resnet", "layers": 18"#,
        r#""family": "googlenet", "head": "heatmap", "heatmap_side": 12, "heatmap_filters": 4"#,
    ] {
        let plan = plan(&format!(r#""epochs": 2, "optimizer": "adamw", "learning_rate": 0.001, {more}"#));
        let (whole, _) = straight(&plan);
        let mut first = Watcher { pause_at: Some((2, 2)), ..Watcher::default() };
        assert_eq!(train(&job(&plan, None, None), &mut first).unwrap().state, TellState::Paused);
        let (_, bytes) = first.checkpoints.pop().unwrap();
        let mut second = Watcher::default();
        let trained = train(&job(&plan, Some(&bytes), None), &mut second).unwrap();
        assert!(story(trained, [first.seen, second.seen].concat()) == whole, "{more}");
    }
}
