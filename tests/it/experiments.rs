//! Every sweep file in `experiments/` is valid, and its first trials can exist.

use std::fs;
use std::path::Path;
use sweepd::domain::ObjectiveKind;
use sweepd::intake;
use sweepd::sampler::Suggestion;
use sweepd::scheduler::plan_of;

#[test]
fn every_experiment_loads_and_its_first_trials_can_be_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let mut seen = 0;
    let folders = [folder.clone(), folder.join("transfer")];
    for entry in folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        let sweep = intake::read_toml(&path.display().to_string(), &text).unwrap_or_else(|e| panic!("{e}"));
        for suggestion in intake::samples(&sweep, 3) {
            if let Suggestion::Trial { params, .. } = suggestion {
                let plan = plan_of(sweep.objective.kind, &params).unwrap();
                assert_eq!(plan.is_some(), sweep.objective.kind == ObjectiveKind::Keypoints);
            }
        }
    }
    assert!(seen >= 5, "only {seen} sweep files were found");
}

/// The numbers that the report prints for its two networks.
#[test]
fn the_reports_networks_have_the_reports_numbers() {
    for (file, parameters, not_trainable) in
        [("cnn-final.toml", 3_925_630, 0), ("cnn-production.toml", 7_268_670, 4_352)]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(file);
        let sweep = intake::read_toml(file, &fs::read_to_string(path).unwrap()).unwrap();
        let Some(Suggestion::Trial { params, .. }) = intake::samples(&sweep, 1).pop() else {
            panic!("{file} suggests nothing")
        };
        let plan = plan_of(ObjectiveKind::Keypoints, &params).unwrap().unwrap();
        assert_eq!(plan.parameter_count(), parameters, "{file}");
        assert_eq!(plan.parameter_count() - plan.trainable_count(), not_trainable, "{file}");
    }
}
