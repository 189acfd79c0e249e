//! Plans as a whole: the report's networks by their exact counts, and every contradiction by its message.

use super::*;
use crate::domain::{Params, Value};
use proptest::prelude::*;

/// The report's final model, as in `experiments/cnn-final.toml`.
const CNN_FINAL: &str = r#"
    family = "cnn"
    filters = [32, 64, 128, 256, 512]
    kernel_size = 3
    activation = "leaky_relu"
    leaky_slope = 0.1
    batch_norm = false
    pooling = "max"
    dense = [500, 100]
    dense_activation = "relu"
    dropout = [0.5, 0.0]
    head = "sigmoid"
    target_scaling = "unit"
"#;

/// The report's production model, as in `experiments/cnn-production.toml`.
const CNN_PRODUCTION: &str = r#"
    family = "cnn"
    filters = [32, 64, 96, 128, 256, 512]
    convs_per_block = 2
    activation = "leaky_relu"
    conv_bias = false
    batch_norm = true
    batch_norm_place = "after"
    pool_last = false
    dense = 512
    dropout = 0.1
    head = "linear"
"#;

fn params(text: &str) -> Params {
    toml::from_str(text).unwrap()
}

fn plan(text: &str) -> Plan {
    Plan::from_params(&params(text)).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    Plan::from_params(&params(text)).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_final_model_has_the_parameters_of_the_report() {
    let plan = plan(CNN_FINAL);
    assert_eq!(plan.parameter_count(), 3_925_630);
    assert_eq!(plan.trainable_count(), 3_925_630);
    assert!(plan.without_effect().is_empty());
}

#[test]
fn the_production_model_has_the_parameters_of_the_report() {
    let plan = plan(CNN_PRODUCTION);
    assert_eq!(plan.parameter_count(), 7_268_670);
    assert_eq!(plan.parameter_count() - plan.trainable_count(), 4_352);
}

#[test]
fn the_baseline_has_a_weight_per_pixel_and_unit() {
    let plan = plan("family = \"dense\"\ndense = [500, 100]\ndense_activation = [\"relu\", \"sigmoid\"]");
    assert_eq!(plan.parameter_count(), 9216 * 500 + 500 + 500 * 100 + 100 + 100 * 30 + 30);
}

#[test]
fn the_final_models_table_reads_well() {
    insta::assert_snapshot!(plan(CNN_FINAL).layers(), @r"
    layer               output         parameters
    block1.conv1        32 x 96 x 96          320  convolution 3x3
    block1.activation1  32 x 96 x 96            0  leaky_relu 0.1
    block1.pool         32 x 48 x 48            0  maximum of 2x2
    block2.conv1        64 x 48 x 48       18,496  convolution 3x3
    block2.activation1  64 x 48 x 48            0  leaky_relu 0.1
    block2.pool         64 x 24 x 24            0  maximum of 2x2
    block3.conv1        128 x 24 x 24      73,856  convolution 3x3
    block3.activation1  128 x 24 x 24           0  leaky_relu 0.1
    block3.pool         128 x 12 x 12           0  maximum of 2x2
    block4.conv1        256 x 12 x 12     295,168  convolution 3x3
    block4.activation1  256 x 12 x 12           0  leaky_relu 0.1
    block4.pool         256 x 6 x 6             0  maximum of 2x2
    block5.conv1        512 x 6 x 6     1,180,160  convolution 3x3
    block5.activation1  512 x 6 x 6             0  leaky_relu 0.1
    block5.pool         512 x 3 x 3             0  maximum of 2x2
    flatten             4608                    0
    dense1              500             2,304,500  dense
    dense1.activation   500                     0  relu
    dense1.dropout      500                     0  dropout 0.5
    dense2              100                50,100  dense
    dense2.activation   100                     0  relu
    head                30                  3,030  dense
    head.activation     30                      0  sigmoid
    3,925,630 parameters, 3,925,630 trainable, 0 not trainable
    ");
}

#[test]
fn no_parameters_at_all_are_a_plan() {
    let plan = plan("");
    assert_eq!(plan.epochs(), 30);
    assert_eq!(plan.training().target_scaling, Scaling::Centered);
}

#[test]
fn the_batch_norm_stands_where_it_is_asked_to() {
    let kinds = |text: &str| -> Vec<String> {
        plan(text).layers().layers().iter().take(3).map(|l| l.name.clone()).collect()
    };
    assert_eq!(kinds(""), ["block1.conv1", "block1.norm1", "block1.activation1"]);
    assert_eq!(kinds("batch_norm_place = \"after\""), ["block1.conv1", "block1.activation1", "block1.norm1"]);
}

#[test]
fn filters_grow_to_their_limit() {
    let filters = |text: &str| -> Vec<usize> {
        match &plan(text).architecture().trunk {
            Trunk::Cnn(cnn) => cnn.blocks.iter().map(|b| b.filters).collect(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(filters("filters = 16\nblocks = 4\nmax_filters = 64"), [16, 32, 64, 64]);
    assert_eq!(filters("filters = 10\nblocks = 3\ngrowth = 1.5"), [10, 15, 23]);
    assert_eq!(filters("filters = [8, 8, 9]"), [8, 8, 9]);
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems("kernal_size = 3\nepochs = 0\ndropout = [0.1, 0.2]\nfilters = [8, 16]\nblocks = 3");
    assert_eq!(found.len(), 4, "{found:#?}");
    assert_eq!(found[0], "`epochs`: expected a whole number from 1 to 1000000, not 0");
    assert_eq!(found[1], "`kernal_size`: the trainer has no such parameter; did you mean `kernel_size`?");
    assert_eq!(found[2], "`filters`: lists 2 blocks, but `blocks` is 3; leave one of them out");
    assert_eq!(found[3], "`dropout`: lists 2 values for 1 hidden dense layer");
}

#[test]
fn contradictions_are_refused_with_the_reason() {
    for (text, message) in [
        (
            "blocks = 7",
            "`blocks`: block 7 of 7 would pool a 1 x 1 feature map to nothing; a 96 x 96 image can be halved 6 \
             times",
        ),
        (
            "head = \"sigmoid\"\ntarget_scaling = \"pixels\"",
            "`target_scaling`: a sigmoid head puts out 0 to 1 and cannot reach \"pixels\" targets; use \
             \"unit\" or head = \"linear\"",
        ),
        ("kernel_size = [3, 5]\nblocks = 3", "`kernel_size`: lists 2 values for 3 blocks"),
        ("filters = 1024", "`filters`: 1024 is more than `max_filters`, which is 512"),
        ("optimizer = \"sgd\"\nnesterov = true\nmomentum = 0", "`nesterov`: needs a `momentum` above 0"),
        ("dense = []\ndropout = [0.5]", "`dropout`: lists 1 values for 0 hidden dense layers"),
    ] {
        assert_eq!(problems(text), [message], "{text}");
    }
    // What keeps its last pooling, or strides, can be one block deeper.
    assert!(Plan::from_params(&params("blocks = 7\npool_last = false")).is_ok());
    assert!(Plan::from_params(&params("blocks = 7\npooling = \"stride\"")).is_ok());
}

#[test]
fn settings_without_effect_are_named() {
    assert_eq!(
        plan("activation = \"elu\"\nleaky_slope = 0.2\nmomentum = 0.5\nend_factor = 0.1").without_effect(),
        ["end_factor", "leaky_slope", "momentum"]
    );
    assert_eq!(plan("family = \"dense\"\nblocks = 3").without_effect(), ["blocks"]);
}

#[test]
fn more_memory_for_larger_batches_and_more_state() {
    let small = plan("batch_size = 32");
    assert!(small.memory_estimate_bytes(1000) < plan("batch_size = 64").memory_estimate_bytes(1000));
    assert!(small.memory_estimate_bytes(8) < small.memory_estimate_bytes(1000), "few rows bound a batch");
    let sgd = plan("batch_size = 32\noptimizer = \"sgd\"");
    assert!(sgd.memory_estimate_bytes(1000) < small.memory_estimate_bytes(1000));
}

/// Any value that the table allows for a parameter, single or listed, small enough to build.
fn allowed(known: &'static Known) -> BoxedStrategy<Value> {
    let item = match known.accepts.item {
        Item::Word(words) => prop::sample::select(words).prop_map(Value::from).boxed(),
        Item::Path => Just(Value::from("/weights.safetensors")).boxed(),
        Item::Column => prop::sample::select(vec!["age", "yaw"]).prop_map(Value::from).boxed(),
        Item::Flag => any::<bool>().prop_map(Value::Bool).boxed(),
        Item::Whole { low, high, odd: true } => {
            (low / 2..=high.min(15) / 2).prop_map(|n| Value::Int(2 * n + 1)).boxed()
        }
        Item::Whole { low, high, .. } => (low..=high.min(low + 9)).prop_map(Value::Int).boxed(),
        Item::Number { low, high, .. } => {
            (0.01..0.99f64).prop_map(move |x| Value::Float(low + x * (high.min(1e3) - low))).boxed()
        }
    };
    if known.accepts.lists == Lists::Never {
        item
    } else {
        prop_oneof![item.clone(), prop::collection::vec(item, 1..4).prop_map(Value::List)].boxed()
    }
}

fn any_params() -> impl Strategy<Value = Params> {
    let one =
        |known: &'static Known| (Just(known.name.to_owned()), prop::option::weighted(0.4, allowed(known)));
    PARAMETERS
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .prop_map(|all| all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

proptest! {
    #[test]
    fn every_plan_is_a_chain_of_fitting_layers(params in any_params()) {
        let plan = match Plan::from_params(&params) {
            Ok(plan) => plan,
            Err(problems) => {
                // Each value alone is fine: only contradictions may be left.
                prop_assert!(problems.iter().all(|p| !p.message.contains("expected")), "{problems:?}");
                return Ok(());
            }
        };
        let table = plan.layers();
        let mut taken = std::collections::BTreeSet::<usize>::new();
        for (place, layer) in table.layers().iter().enumerate() {
            prop_assert!(layer.from.iter().all(|from| *from < place), "{} takes a later layer", layer.name);
            prop_assert!(layer.output.numel() > 0);
            taken.extend(&layer.from);
        }
        let last = table.layers().len() - 1;
        prop_assert!((0..last).all(|place| taken.contains(&place)), "every layer is of use");
        prop_assert_eq!(table.layers()[last].output, Shape::Row(OUTPUTS));
        prop_assert!(table.trunk() <= table.head() && table.head() <= last);
        prop_assert!(table.layers()[table.head() + 1..].iter().all(|l| l.tensors.iter().all(|t| t.shape.len() == 1)));
        prop_assert!(plan.trainable_count() <= plan.parameter_count());
        let names: std::collections::BTreeSet<_> = plan.layers().tensors().map(|t| &t.name).collect();
        prop_assert_eq!(names.len(), plan.layers().tensors().count());
        let schedule = plan.training().schedule;
        prop_assert!((0..40).all(|b| (0.0..=1.0).contains(&schedule.factor(b, 4, 10))));
        let again = Plan::from_params(plan.settings()).unwrap();
        prop_assert_eq!(again.layers(), plan.layers());
        prop_assert_eq!(again.training(), plan.training());
        prop_assert_eq!(again.settings(), plan.settings());
        prop_assert!(again.without_effect().is_empty());
    }

    #[test]
    fn any_value_for_any_name_is_answered(name in prop::sample::select(PARAMETERS), x in any::<f64>(), n in any::<i64>()) {
        for value in [Value::Float(x), Value::Int(n), Value::List(vec![Value::Int(n)]), "word".into()] {
            if check_value(name.name, &value).is_err() {
                let params = Params::from([(name.name.to_owned(), value)]);
                prop_assert!(Plan::from_params(&params).is_err());
            }
        }
    }
}
