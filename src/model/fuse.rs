//! Which trainings can share their steps: those of networks that have the same layers and see batches of the same size,
//! so that the steps of several are the steps of one wider network.

use super::layers::{LayerKind, LayerTable};
use super::plan::Plan;

/// What each of the trainings may have its own of: what is done to its own weights, and how often.
const OWN: [&str; 20] = [
    "beta1",
    "beta2",
    "clip_norm",
    "dropout",
    "ema",
    "end_factor",
    "epochs",
    "epsilon",
    "learning_rate",
    "momentum",
    "nesterov",
    "optimizer",
    "patience",
    "schedule",
    "seed",
    "start_factor",
    "step_every",
    "step_factor",
    "warmup",
    "weight_decay",
];
/// The same for a whole family of them: what is done to its own images.
const OWN_FAMILY: &str = "augment_";

/// Whether trainings that share their steps may have different values of a parameter.
fn is_own(parameter: &str) -> bool {
    OWN.contains(&parameter) || parameter.starts_with(OWN_FAMILY)
}

impl Plan {
    /// Whether the two can be trained in one step, each with its own images, losses and weights. Not where a trunk comes
    /// from a file: then some layers may stay as they are for one and not for the other.
    #[must_use]
    pub fn fuses_with(&self, other: &Self) -> bool {
        let theirs = |plan: &Self| plan.training().transfer.is_none();
        // As many images in an epoch.
        let copies = |plan: &Self| plan.training().augment.copies;
        let mut names = self.settings().keys().chain(other.settings().keys());
        theirs(self)
            && theirs(other)
            && copies(self) == copies(other)
            && names.all(|name| is_own(name) || self.settings().get(name) == other.settings().get(name))
            && same_layers(self.layers(), other.layers())
    }
}

/// Whether they differ in nothing but how much is dropped.
fn same_layers(one: &LayerTable, other: &LayerTable) -> bool {
    let same = |a: &LayerKind, b: &LayerKind| match (a, b) {
        (LayerKind::Dropout { .. }, LayerKind::Dropout { .. }) => true,
        _ => a == b,
    };
    let pairs = || one.layers().iter().zip(other.layers());
    one.layers().len() == other.layers().len()
        && pairs().all(|(a, b)| same(&a.kind, &b.kind) && a.from == b.from)
}

#[cfg(test)]
mod tests {
    use super::super::known;
    use super::*;
    use crate::domain::Params;

    fn plan(text: &str) -> Plan {
        let mut params: Params = serde_json::from_str(text).unwrap();
        params.entry("filters".into()).or_insert_with(|| vec![8i64, 8].into());
        Plan::from_params(&params).unwrap()
    }

    #[test]
    fn what_each_has_its_own_of_is_a_parameter() {
        assert!(OWN.iter().all(|name| known(name).is_some()));
    }

    #[test]
    fn trainings_of_one_network_with_batches_of_one_size_share_their_steps() {
        let base = plan("{}");
        for text in [
            r#"{ "learning_rate": 0.01, "weight_decay": 0.1, "seed": 3, "epochs": 9 }"#,
            r#"{ "optimizer": "sgd", "momentum": 0.5, "schedule": "cosine", "ema": 0.9 }"#,
            r#"{ "augment_flip": 0.5, "augment_rotation": 10, "augment_fill": "black" }"#,
        ] {
            assert!(base.fuses_with(&plan(text)) && plan(text).fuses_with(&base), "{text}");
        }
        let dropping = |share: &str| plan(&format!(r#"{{ "dense": [16], "dropout": {share} }}"#));
        assert!(dropping("0.5").fuses_with(&dropping("0.1")));
    }

    #[test]
    fn others_do_not() {
        let base = plan(r#"{ "dense": [16] }"#);
        for text in [
            r#"{ "dense": [16], "batch_size": 32 }"#,
            r#"{ "dense": [16], "filters": [8, 9] }"#,
            r#"{ "dense": [16], "activation": "silu" }"#,
            r#"{ "dense": [16], "loss": "wing" }"#,
            r#"{ "dense": [16], "trim": 0.1 }"#,
            r#"{ "dense": [16], "missing": "drop" }"#,
            r#"{ "dense": [16], "target_scaling": "pixels" }"#,
            r#"{ "dense": [16], "augment_flip": 0.5, "augment_copies": 2 }"#,
            r#"{ "dense": [16], "dropout": 0.5 }"#,
            r#"{ "dense": [16], "test_flip": true }"#,
            r#"{ "dense": [16], "precision": "bf16" }"#,
        ] {
            assert!(!base.fuses_with(&plan(text)) && !plan(text).fuses_with(&base), "{text}");
        }
    }
}
