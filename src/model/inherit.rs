//! Which parameters may change while a training goes on from a checkpoint.

/// Those that say how weights are trained, not what they are weights of: with any values of them the network has the
/// same tensors, which mean the same. What the optimiser remembers stays, so its method does too.
const SURVIVED: [&str; 21] = [
    "batch_norm_momentum",
    "batch_size",
    "beta1",
    "beta2",
    "clip_norm",
    "dropout",
    "ema",
    "end_factor",
    "epsilon",
    "frozen_epochs",
    "learning_rate",
    "momentum",
    "nesterov",
    "schedule",
    "start_factor",
    "step_every",
    "step_factor",
    "trim",
    "trunk_learning_rate",
    "warmup",
    "weight_decay",
];
/// The same for whole families of them: what is done to training images, and what training makes small.
const SURVIVED_FAMILIES: [&str; 2] = ["augment_", "loss"];

/// Whether a checkpoint survives a change of a parameter: a training may go on from it with another value.
#[must_use]
pub fn survives(parameter: &str) -> bool {
    SURVIVED.contains(&parameter) || SURVIVED_FAMILIES.iter().any(|family| parameter.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::super::{Item, PARAMETERS, Plan, known};
    use super::*;
    use crate::domain::{Params, Value};

    /// A value that is not the default, for what survives.
    fn another(name: &str) -> Value {
        match (name, known(name).unwrap().accepts.item) {
            ("nesterov", _) => Value::Bool(true),
            (_, Item::Word(words)) => Value::Text((*words.last().unwrap()).into()),
            (_, Item::Flag) => Value::Bool(true),
            (_, Item::Whole { high, .. }) => Value::Int(3.min(high)),
            (_, Item::Number { high, .. }) => Value::Float((high / 2.0).min(0.25)),
            (_, Item::Path | Item::Column) => panic!("{name} names something"),
        }
    }

    #[test]
    fn what_survives_leaves_every_tensor_as_it_is() {
        assert!(SURVIVED.iter().all(|name| known(name).is_some()), "a name that is no parameter");
        let mut survivors = 0;
        for parameter in PARAMETERS.iter().filter(|parameter| survives(parameter.name)) {
            let base =
                Params::from([("optimizer".into(), "sgd".into()), ("dense".into(), vec![16i64].into())]);
            let mut changed = base.clone();
            changed.insert(parameter.name.into(), another(parameter.name));
            let [base, changed] = [base, changed].map(|params| Plan::from_params(&params).unwrap());
            let tensors = |plan: &Plan| -> Vec<(String, Vec<usize>)> {
                plan.layers().tensors().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect()
            };
            assert_eq!(tensors(&base), tensors(&changed), "{}", parameter.name);
            survivors += 1;
        }
        assert!(survivors > SURVIVED.len(), "{survivors}");
        for name in ["filters", "epochs", "seed", "optimizer", "activation", "target_scaling", "pretrained"] {
            assert!(!survives(name), "{name}");
        }
    }
}
