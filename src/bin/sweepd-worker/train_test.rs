//! A training that was interrupted, however often and wherever, ends exactly as one that was not.

use crate::error::TrainError;
use crate::gradient::gradient;
use crate::loss::Objective;
use crate::network::Network;
use crate::optimizer::{Optimizer, Restraint, Trunk};
use crate::samples::TrainingSet;
use crate::train::{Job, Observer, Trained, train, trainable};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use sweepd::dataset::builder::{IfExists, with_numbers};
use sweepd::dataset::{Dataset, Numbers, PIXELS, Split, synth};
use sweepd::domain::stream::{Key, stream, uniform};
use sweepd::domain::{Decision, Metrics, Params, Reason, TellState, metric};
use sweepd::model::{Plan, Precision};
use sweepd::worker::protocol::Parent;
use tch::{Device, Kind, Tensor};

const ROWS: u64 = 44;

/// libtorch has one generator for the whole process: one training at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rows to train and validate on, drawn once for all tests.
fn faces() -> &'static (Dataset, Split) {
    static FACES: OnceLock<(Dataset, Split)> = OnceLock::new();
    FACES.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let request = synth::Request {
            home: home.path(),
            name: "few",
            rows: ROWS,
            seed: 3,
            poses: synth::Poses::Free,
            threads: 1,
        };
        let written = synth::write(&request, IfExists::Refuse, &mut |_| {}).unwrap();
        // Two columns of numbers, some of them missing.
        let number = |i: u64| if i % 7 == 3 { f32::NAN } else { (i * 29 % 31) as f32 };
        let numbers = Numbers::of_values(
            ["age", "yaw"].map(str::to_owned).to_vec(),
            (0..2 * ROWS).map(number).collect(),
        );
        let written = with_numbers(written.dataset(), home.path(), "numbered", &numbers.unwrap()).unwrap();
        // Mapped: it outlives its file.
        let dataset = Dataset::open(written.dataset().path()).unwrap();
        let split = Split::fraction(&dataset, 0.25, 0).unwrap();
        (dataset, split)
    })
}

fn plan(more: &str) -> Plan {
    let text = format!(
        r#"{{ "family": "cnn", "filters": [2, 3], "pooling": "max", "dense": [6], "batch_norm": true,
             "dropout": 0.3, "batch_size": 8, "epochs": 5, "learning_rate": 0.02, {more} }}"#
    );
    let params: Params = serde_json::from_str(&text).unwrap();
    Plan::from_params(&params).unwrap()
}

/// Every optimiser, and between them every schedule's kind of memory.
fn plans() -> Vec<(&'static str, Plan)> {
    let all = [
        r#""optimizer": "adam", "schedule": "one_cycle", "weight_decay": 0.01"#,
        r#""optimizer": "adamw", "schedule": "cosine", "weight_decay": 0.1, "learning_rate": 0.3, "patience": 1"#,
        r#""optimizer": "sgd", "momentum": 0.9, "schedule": "one_cycle", "patience": 3"#,
        r#""optimizer": "sgd", "momentum": 0.8, "nesterov": true, "schedule": "step", "learning_rate": 0.001"#,
        r#""optimizer": "sgd", "momentum": 0.0, "batch_size": "all""#,
        // Everything at once.
        r#""optimizer": "adamw", "schedule": "one_cycle", "ema": 0.9, "clip_norm": 0.5, "loss": "wing", "trim": 0.1,
           "test_flip": true, "sources": "heads", "precision": "bf16", "augment_flip": 0.5, "augment_rotation": 20,
           "augment_zoom": 0.2, "augment_shift": 0.1, "augment_crop": 0.2, "augment_distortion": 2,
           "augment_brightness": 0.3, "augment_contrast": 0.3, "augment_noise": 0.1, "augment_poisson": 0.1,
           "augment_salt_pepper": 0.1, "augment_blur": 1, "augment_erase": 0.3, "augment_erase_p": 0.5"#,
        r#""optimizer": "adam", "ema": 0.8, "sources": "offset", "loss": "smooth_l1", "augment_quarter_turns": 0.3,
           "augment_copies": 3, "augment_fill": "mirror", "augment_noise": 0.1"#,
        r#""family": "dense", "dense": [7, 5], "batch_norm": false, "optimizer": "adam""#,
        r#""family": "residual", "depth": [1, 2], "bottleneck": 2, "stem_halvings": 2, "ema": 0.9, "neck": "mean""#,
        r#""family": "residual", "precision": "bf16", "head": "heatmap", "heatmap_side": 48, "heatmap_filters": 4,
           "sources": "heads", "optimizer": "adamw", "test_flip": true"#,
        r#""optimizer": "adam", "extra_inputs": ["histogram", "gradients"], "augment_brightness": 0.2"#,
        r#""optimizer": "adam", "extra_columns": ["yaw", "age"], "ema": 0.9, "test_flip": true, "missing": "drop""#,
    ];
    // A later key of the same name wins.
    all.into_iter().map(|more| (more, plan(more))).collect()
}

#[test]
fn numbers_stay_with_their_images() {
    let (dataset, split) = faces();
    let plan = plan(r#""extra_columns": "yaw", "missing": "drop", "input_scaling": "pixels""#);
    let columns = plan.architecture().top.columns();
    let set = TrainingSet::new(dataset, &split.train, plan.training(), columns, Device::Cpu).unwrap();
    assert!((1..split.train.len()).contains(&set.samples()), "some rows are dropped");
    let batch = set.epoch(5, 1).unwrap().batch(&(0..set.samples())).unwrap();
    let images = Vec::<f32>::try_from(batch.input.images.flatten(0, -1)).unwrap();
    let numbers = Vec::<f32>::try_from(batch.input.numbers.flatten(0, -1)).unwrap();
    for (image, number) in images.chunks(PIXELS).zip(numbers) {
        let is_it = |row: &usize| dataset.image(*row).iter().zip(image).all(|(a, b)| f32::from(*a) == *b);
        let row = (0..dataset.rows()).find(is_it).unwrap();
        assert_eq!(number.to_bits(), dataset.numbers().row(row)[1].to_bits(), "row {row}");
    }
}

/// What the plan asks for; f32 where it leaves that to the device.
fn settled(plan: &Plan) -> Precision {
    match plan.training().precision {
        Precision::Auto => Precision::F32,
        settled => settled,
    }
}

fn job<'j>(plan: &'j Plan, resume: Option<&'j [u8]>, until_step: Option<u64>) -> Job<'j, 'static> {
    let (dataset, split) = faces();
    Job {
        plan,
        dataset,
        split,
        seed: 11,
        device: Device::Cpu,
        threads: 1,
        precision: settled(plan),
        accumulate: 1,
        resume,
        parent: None,
        until_step,
    }
}

/// Pauses where it is told to, and notes what it sees.
#[derive(Default)]
struct Watcher {
    pause_at: Option<(u64, u64)>,
    /// Wants a checkpoint before every batch.
    always: bool,
    seen: Vec<(u64, Metrics)>,
    checkpoints: Vec<(u64, Vec<u8>)>,
    batches: u64,
}

impl Observer for Watcher {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision> {
        self.seen.push((step, timeless(metrics)));
        Ok(Decision::Continue)
    }

    fn progress(&mut self, epoch: u64, batch: u64, batches: u64) -> Decision {
        self.batches = batches;
        if self.pause_at == Some((epoch, batch)) { Decision::Pause } else { Decision::Continue }
    }

    fn checkpoint_due(&mut self, _epochs_done: u64) -> bool {
        self.always
    }

    fn checkpoint(&mut self, epochs_done: u64, bytes: Vec<u8>) {
        self.checkpoints.push((epochs_done, bytes));
    }
}

/// Without what the clock says.
fn timeless(metrics: &Metrics) -> Metrics {
    let mut metrics = metrics.clone();
    metrics.0.remove(metric::SECONDS);
    metrics.0.remove(metric::IMAGES_PER_SECOND);
    metrics
}

/// What must be the same: how it ended, every epoch's metrics, the best epoch and its weights.
#[derive(PartialEq)]
struct Story {
    state: TellState,
    reason: Option<Reason>,
    seen: Vec<(u64, Metrics)>,
    best: Option<(u64, Metrics, Vec<u8>)>,
}

fn story(trained: Trained, seen: Vec<(u64, Metrics)>) -> Story {
    let best = trained.best.map(|best| (best.step, timeless(&best.metrics), best.weights));
    Story { state: trained.state, reason: trained.reason, seen, best }
}

/// Trained straight through; also the batches of an epoch.
fn straight(plan: &Plan) -> (Story, u64) {
    let mut watcher = Watcher::default();
    let trained = train(&job(plan, None, None), &mut watcher).unwrap();
    assert!(watcher.checkpoints.is_empty(), "nobody asked for checkpoints");
    (story(trained, watcher.seen), watcher.batches)
}

#[test]
fn interrupted_anywhere_it_ends_the_same() {
    let _alone = alone();
    let mut reasons = Vec::new();
    for (name, plan) in plans() {
        let (whole, batches) = straight(&plan);
        let epochs = whole.seen.len() as u64;
        assert!(whole.best.is_some());
        reasons.extend(whole.reason.clone());
        for seed in 0..4 {
            let mut random = stream(seed, "interruptions", &[Key::Name(name)]);
            let times = 1 + seed as usize;
            let mut places: Vec<u64> =
                (0..times).map(|_| (uniform(&mut random) * (epochs * batches) as f64) as u64).collect();
            places.sort_unstable();
            let (mut seen, mut resume): (Vec<_>, Option<Vec<u8>>) = (Vec::new(), None);
            for place in &places {
                let pause_at = Some((place / batches + 1, place % batches));
                let mut watcher = Watcher { pause_at, ..Watcher::default() };
                let trained = train(&job(&plan, resume.as_deref(), None), &mut watcher).unwrap();
                assert_eq!(trained.state, TellState::Paused, "{name}: {places:?}");
                seen.append(&mut watcher.seen);
                if let Some((step, bytes)) = watcher.checkpoints.pop() {
                    assert_eq!(step, place / batches);
                    resume = Some(bytes);
                }
            }
            let mut watcher = Watcher::default();
            let trained = train(&job(&plan, resume.as_deref(), None), &mut watcher).unwrap();
            seen.append(&mut watcher.seen);
            assert!(story(trained, seen) == whole, "{name}: another end after {places:?}");
        }
    }
    assert!(reasons.contains(&Reason::NoImprovement { patience: 1 }), "{reasons:?}");
    assert!(reasons.contains(&Reason::BudgetSpent));
}

#[test]
fn legs_make_the_same_trial_as_one_go() {
    let _alone = alone();
    for (name, plan) in plans() {
        let (whole, _) = straight(&plan);
        let epochs = whole.seen.len() as u64;
        let (mut seen, mut resume): (Vec<_>, Option<Vec<u8>>) = (Vec::new(), None);
        for until in [1, 2, epochs - 1].into_iter().filter(|until| *until < epochs) {
            let mut watcher = Watcher::default();
            let trained = train(&job(&plan, resume.as_deref(), Some(until)), &mut watcher).unwrap();
            assert_eq!((trained.state, trained.reason), (TellState::Paused, None), "{name}");
            seen.append(&mut watcher.seen);
            if let Some((step, bytes)) = watcher.checkpoints.pop() {
                assert_eq!(step, until.max(seen.len() as u64));
                resume = Some(bytes);
            }
        }
        // A leg's end beyond the trial's is the trial's.
        let mut watcher = Watcher::default();
        let trained = train(&job(&plan, resume.as_deref(), Some(epochs)), &mut watcher).unwrap();
        seen.append(&mut watcher.seen);
        assert!(story(trained, seen) == whole, "{name}");
    }
}

#[test]
fn checkpoints_made_on_the_way_change_nothing_and_any_of_them_will_do() {
    let _alone = alone();
    let plan = plan(r#""optimizer": "adam", "schedule": "cosine""#);
    let (whole, batches) = straight(&plan);
    let mut watcher = Watcher { always: true, ..Watcher::default() };
    let trained = train(&job(&plan, None, None), &mut watcher).unwrap();
    let seen = watcher.seen;
    assert!(story(trained, seen.clone()) == whole);
    assert_eq!(watcher.checkpoints.len() as u64, 5 * batches - 1, "all but the beginning");
    for (step, bytes) in watcher.checkpoints.iter().step_by(3) {
        let mut rest = Watcher::default();
        let trained = train(&job(&plan, Some(bytes), None), &mut rest).unwrap();
        let seen = [&seen[..*step as usize], &rest.seen].concat();
        assert!(story(trained, seen) == whole);
    }
}

/// A checkpoint from the middle of the third epoch.
fn some_checkpoint(plan: &Plan) -> Vec<u8> {
    let mut watcher = Watcher { pause_at: Some((3, 1)), ..Watcher::default() };
    train(&job(plan, None, None), &mut watcher).unwrap();
    watcher.checkpoints.pop().unwrap().1
}

fn refusal(job: &Job<'_, '_>) -> String {
    match train(job, &mut Watcher::default()) {
        Err(error @ TrainError::Checkpoint(_)) => error.to_string(),
        Err(other) => panic!("failed otherwise: {other}"),
        Ok(_) => panic!("was accepted"),
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let _alone = alone();
    let plan = plan(r#""optimizer": "adam""#);
    let intact = some_checkpoint(&plan);
    for part in 0..50 {
        let cut = &intact[..intact.len() * part / 50];
        let why = refusal(&job(&plan, Some(cut), None));
        assert!(why.contains("damaged") || why.contains("too few"), "{part}: {why}");
    }
    let header = 8 + u64::from_le_bytes(intact[..8].try_into().unwrap()) as usize;
    let mut random = stream(1, "flips", &[]);
    for place in (0..8).chain((0..40).map(|_| (uniform(&mut random) * header as f64) as usize)) {
        let mut flipped = intact.clone();
        flipped[place] ^= 1 << (place % 8);
        let why = refusal(&job(&plan, Some(&flipped), None));
        assert!(why.contains("damaged"), "{why}");
    }
    let weights = straight(&plan).0.best.unwrap().2;
    assert!(refusal(&job(&plan, Some(&weights), None)).contains("no checkpoint"));
}

#[test]
fn foreign_bytes_with_a_fitting_checksum_are_refused() {
    let _alone = alone();
    let plan = plan(r#""optimizer": "adam""#);
    let sealed = |content: &[u8]| [content, blake3::hash(content).as_bytes()].concat();
    let intact = some_checkpoint(&plan);
    let content = &intact[..intact.len() - 32];
    let text = String::from_utf8_lossy(content);
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from) && from.len() == to.len());
        let place = content.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
        let mut changed = content.to_vec();
        changed[place..place + to.len()].copy_from_slice(to.as_bytes());
        refusal(&job(&plan, Some(&sealed(&changed)), None))
    };
    assert!(refusal(&job(&plan, Some(&sealed(b"")), None)).contains("safetensors"));
    assert!(refusal(&job(&plan, Some(&sealed(b"hello, world")), None)).contains("safetensors"));
    assert!(replaced(r#"\"format\":2"#, r#"\"format\":9"#).contains("format 9"));
    assert!(replaced(r#"\"batch\":1"#, r#"\"batch\":9"#).contains("batch 9"));
    assert!(replaced(r#"\"updates\""#, r#"\"uqdates\""#).contains("what it says of itself"));
    assert!(replaced("sweepd_checkpoint", "sweepd_chequepoin").contains("something else"));
    assert!(replaced("optimizer.0/", "optimizer.9/").contains("lacks `optimizer.0/"));
    assert!(replaced(r#""F64""#, r#""I64""#).contains("shape or type"));
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let _alone = alone();
    let first = plan(r#""optimizer": "adam""#);
    let bytes = some_checkpoint(&first);
    let same = job(&first, Some(&bytes), None);
    let other = plan(r#""optimizer": "adam", "dropout": 0.2"#);
    let why = refusal(&Job { plan: &other, ..same });
    assert!(why.contains("dropout is 0.3 there and 0.2 here"), "{why}");
    let why = refusal(&Job { seed: 12, ..job(&first, Some(&bytes), None) });
    assert!(why.contains("the seed is 11 there and 12 here"), "{why}");
    let why = refusal(&Job { threads: 2, ..job(&first, Some(&bytes), None) });
    assert!(why.contains("threads is 1 there and 2 here"), "{why}");
    let split = Split::fraction(&faces().0, 0.5, 0).unwrap();
    let why = refusal(&Job { split: &split, ..job(&first, Some(&bytes), None) });
    assert!(why.contains("training and validation rows"), "{why}");
}

/// A trunk of the small network above, trained for a while and written to a file.
fn trunk_file() -> &'static str {
    static FILE: OnceLock<(tempfile::TempDir, String)> = OnceLock::new();
    let (_, path) = FILE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunk.safetensors").to_str().unwrap().to_owned();
        std::fs::write(&path, straight(&plan(r#""optimizer": "adam""#)).0.best.unwrap().2).unwrap();
        (folder, path)
    });
    path
}

#[test]
fn a_trunk_from_a_file_goes_on_the_same_frozen_or_not() {
    let _alone = alone();
    let file = trunk_file();
    let mut stories = Vec::new();
    for more in [
        r#""trunk_learning_rate": 0"#,
        r#""trunk_learning_rate": 0.1, "frozen_epochs": 2, "ema": 0.9"#,
        r#""frozen_epochs": 5, "optimizer": "sgd""#,
        r#""trunk_learning_rate": 0.5"#,
    ] {
        let plan = plan(&format!(r#""pretrained": "{file}", {more}"#));
        let (whole, batches) = straight(&plan);
        for place in [1, batches + 1, 2 * batches, 3 * batches + 1] {
            let pause_at = Some((place / batches + 1, place % batches));
            let mut first = Watcher { pause_at, ..Watcher::default() };
            train(&job(&plan, None, None), &mut first).unwrap();
            let bytes = first.checkpoints.pop().unwrap().1;
            let mut rest = Watcher::default();
            let trained = train(&job(&plan, Some(&bytes), None), &mut rest).unwrap();
            assert!(
                story(trained, [first.seen, rest.seen].concat()) == whole,
                "{more}: another end after {place}"
            );
        }
        stories.push(whole);
    }
    // What was frozen from beginning to end is as it was.
    let trunk = |weights: &[u8]| {
        let file = safetensors::SafeTensors::deserialize(weights).unwrap();
        let names = ["block1.conv1.weight", "block1.norm1.running_var", "block2.norm1.weight"];
        names.map(|name| file.tensor(name).unwrap().data().to_vec())
    };
    let before = trunk(&std::fs::read(file).unwrap());
    let after = stories.iter().map(|story| trunk(&story.best.as_ref().unwrap().2) == before);
    assert_eq!(after.collect::<Vec<_>>(), [true, stories[1].best.as_ref().unwrap().0 <= 2, true, false]);
}

#[test]
fn a_trunk_from_another_file_is_another_training() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trunk.safetensors");
    std::fs::copy(trunk_file(), &path).unwrap();
    let plan = plan(&format!(r#""pretrained": "{}""#, path.display()));
    let bytes = some_checkpoint(&plan);
    let other = Plan::from_params(
        &serde_json::from_str(r#"{ "filters": [2, 3], "dense": [6], "epochs": 1 }"#).unwrap(),
    );
    let other = straight(&other.unwrap()).0.best.unwrap().2;
    std::fs::write(&path, other).unwrap();
    let why = refusal(&job(&plan, Some(&bytes), None));
    assert!(why.contains("pretrained weights"), "{why}");
}

/// A checkpoint at the end of the second epoch.
fn left_to_heirs(plan: &Plan) -> Vec<u8> {
    let mut watcher = Watcher::default();
    train(&job(plan, None, Some(2)), &mut watcher).unwrap();
    watcher.checkpoints.pop().unwrap().1
}

/// The heir of a trial that stood at its second epoch.
fn heir<'j>(plan: &'j Plan, resume: &'j [u8]) -> Job<'j, 'static> {
    Job { seed: 12, parent: Some(Parent { number: 3, step: 2 }), ..job(plan, Some(resume), None) }
}

#[test]
fn an_heir_begins_where_its_parent_stood_and_is_a_training_of_its_own() {
    let _alone = alone();
    let parent = plan(r#""optimizer": "sgd", "momentum": 0.0, "ema": 0.0, "batch_size": 16"#);
    let left = left_to_heirs(&parent);
    // What may be otherwise: the optimiser's settings, a mean over time that the parent has not, the batches.
    let plan =
        plan(r#""optimizer": "sgd", "momentum": 0.5, "ema": 0.9, "batch_size": 8, "learning_rate": 0.004"#);
    let mut watcher = Watcher::default();
    let trained = train(&heir(&plan, &left), &mut watcher).unwrap();
    let whole = story(trained, watcher.seen);
    let steps: Vec<u64> = whole.seen.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (3..=plan.epochs()).collect::<Vec<_>>());
    assert!(whole.best.as_ref().unwrap().0 > 2, "the best so far begins anew");
    // Wherever it is interrupted, it ends the same, from its own checkpoints or from its parent's.
    for pause_at in [(3, 0), (3, 1), (4, 0), (5, 2)] {
        let mut first = Watcher { pause_at: Some(pause_at), ..Watcher::default() };
        train(&heir(&plan, &left), &mut first).unwrap();
        let own = first.checkpoints.pop().map(|(_, bytes)| bytes);
        let mut rest = Watcher::default();
        let trained = train(&heir(&plan, own.as_deref().unwrap_or(&left)), &mut rest).unwrap();
        assert!(story(trained, [first.seen, rest.seen].concat()) == whole, "another end after {pause_at:?}");
    }
}

#[test]
fn an_heir_takes_over_weights_and_takes_its_own_learning_rate() {
    let _alone = alone();
    let with = |more: &str| plan(&format!(r#""optimizer": "adam", "batch_norm": false{more}"#));
    let parent = with("");
    let left = left_to_heirs(&parent);
    let last_rmse = |job: &Job<'_, '_>| {
        let mut watcher = Watcher::default();
        train(job, &mut watcher).unwrap();
        watcher.seen.last().unwrap().1.get(metric::RMSE).unwrap()
    };
    let third = |plan: &Plan| last_rmse(&Job { until_step: Some(3), ..heir(plan, &left) });
    // With steps that move nothing it is what its parent was.
    let (second, still) =
        (last_rmse(&job(&parent, None, Some(2))), third(&with(r#", "learning_rate": 1e-12"#)));
    assert!((still - second).abs() < 1e-4, "{still} is not {second}");
    let same = third(&parent);
    assert!((same - still).abs() > 1e-3, "it learns");
    assert!(same != last_rmse(&job(&parent, Some(&left), Some(3))), "its rows come in an order of its own");
    assert!(same != third(&with(r#", "learning_rate": 0.05"#)));
}

#[test]
fn an_heir_of_another_network_or_of_another_step_is_refused() {
    let _alone = alone();
    let parent = plan(r#""optimizer": "adam""#);
    let left = left_to_heirs(&parent);
    let why = refusal(&heir(&plan(r#""optimizer": "adam", "dense": [7]"#), &left));
    assert!(why.contains("dense is 6 there and 7 here") || why.contains("dense"), "{why}");
    let why = refusal(&heir(&plan(r#""optimizer": "sgd""#), &left));
    assert!(why.contains("optimizer is adam there and sgd here"), "{why}");
    let why = refusal(&heir(&parent, &some_checkpoint(&parent)));
    assert!(why.contains("another training"), "the middle of an epoch is nobody's heritage: {why}");
    let early = Job { parent: Some(Parent { number: 3, step: 1 }), ..heir(&parent, &left) };
    assert!(refusal(&early).contains("another training"));
}

/// A network without what looks at a batch as a whole, or draws at random.
fn plain() -> Plan {
    plan(r#""optimizer": "sgd", "momentum": 0.9, "batch_norm": false, "dropout": 0.0, "batch_size": 16"#)
}

/// The largest difference between two tensors, relative to the largest number of the first.
fn relative_difference(a: &Tensor, b: &Tensor) -> f64 {
    let largest = |t: &Tensor| t.abs().max().double_value(&[]);
    largest(&(a - b)) / largest(a).max(1e-12)
}

#[test]
fn the_gradients_of_parts_add_up_to_that_of_the_batch() {
    let (dataset, split) = faces();
    let plan = plain();
    let settings = plan.training();
    let training =
        TrainingSet::new(dataset, &split.train, settings, plan.architecture().top.columns(), Device::Cpu)
            .unwrap();
    let network = Network::initial(plan.layers(), 11, Device::Cpu, Kind::Float).unwrap();
    let objective = Objective::new(settings);
    let epoch = training.epoch(11, 1).unwrap();
    // An odd number of rows; labels are missing in some.
    let rows = 0..27;
    let whole = gradient(&network, &epoch, &objective, &rows, 1).unwrap();
    assert!(whole.gradients.iter().all(|g| g.abs().max().double_value(&[]) > 0.0));
    for parts in [2, 4, 8] {
        let split = gradient(&network, &epoch, &objective, &rows, parts).unwrap();
        assert_eq!(split.gradients.len(), whole.gradients.len());
        for (a, b) in whole.gradients.iter().zip(&split.gradients) {
            assert!(relative_difference(a, b) < 1e-5, "{parts} parts: {}", relative_difference(a, b));
        }
        assert!(relative_difference(&whole.sums, &split.sums) < 1e-5);
    }
}

#[test]
fn in_parts_a_training_without_batch_norm_is_the_same_within_rounding() {
    let _alone = alone();
    let plan = plain();
    let rmse = |accumulate| {
        let mut watcher = Watcher::default();
        train(&Job { accumulate, ..job(&plan, None, None) }, &mut watcher).unwrap();
        watcher.seen.iter().map(|(_, metrics)| metrics.get(metric::RMSE).unwrap()).collect::<Vec<_>>()
    };
    let whole = rmse(1);
    for parts in [2, 8] {
        for (a, b) in whole.iter().zip(rmse(parts)) {
            assert!((a - b).abs() < 1e-3 * a, "{parts} parts: {a} and {b}");
        }
    }
}

#[test]
fn in_parts_a_training_is_exact_in_itself_and_never_goes_on_in_fewer() {
    let _alone = alone();
    let plan = plan(r#""optimizer": "adam", "schedule": "cosine""#);
    let go_on = |accumulate, resume: Option<&[u8]>, pause_at| {
        let mut watcher = Watcher { pause_at, ..Watcher::default() };
        let ended = train(&Job { accumulate, ..job(&plan, resume, None) }, &mut watcher);
        ended.map(|trained| (trained, watcher))
    };
    let (trained, watcher) = go_on(4, None, None).unwrap();
    let whole = story(trained, watcher.seen);
    assert!(whole != straight(&plan).0, "batch norms saw parts");
    let (_, first) = go_on(4, None, Some((3, 1))).unwrap();
    let bytes = &first.checkpoints[0].1;
    let (trained, rest) = go_on(4, Some(bytes), None).unwrap();
    assert!(story(trained, [first.seen, rest.seen].concat()) == whole);
    let why = refusal(&Job { accumulate: 2, ..job(&plan, Some(bytes), None) });
    assert!(why.contains("in 4 parts there and in 2 here"), "{why}");
    // Who ran out of memory goes on from where it was, in smaller parts.
    let (trained, _) = go_on(4, Some(&some_checkpoint(&plan)), None).unwrap();
    assert_eq!(trained.state, TellState::Completed);
}

#[path = "families_test.rs"]
mod families_test;
#[path = "together_test.rs"]
mod together_test;
