//! Networks compute what their layer tables say.

use crate::functions::soft_argmax;
use crate::network::{Input, Network};
use sweepd::domain::Params;
use sweepd::model::Plan;
use tch::{Device, Kind, Tensor};

fn network(text: &str) -> Network {
    let params: Params = serde_json::from_str(text).unwrap();
    let plan = Plan::from_params(&params).unwrap();
    Network::initial(plan.layers(), 5, Device::Cpu, Kind::Float).unwrap()
}

fn input(common: bool, mirrored: bool) -> Input {
    tch::manual_seed(3);
    let flag = |flag: bool| Tensor::from_slice(&[flag, flag]).view([2, 1]);
    Input {
        images: Tensor::rand([2, 1, 96, 96], (Kind::Float, Device::Cpu)),
        common: flag(common),
        mirrored: flag(mirrored),
        numbers: Tensor::zeros([2, 0], (Kind::Float, Device::Cpu)),
    }
}

fn named<'a>(network: &'a Network, name: &str) -> &'a Tensor {
    &network.tensors().iter().find(|named| named.name == name).unwrap().tensor
}

#[test]
fn a_function_after_the_pooling_gives_the_same_bits() {
    let _guard = tch::no_grad_guard();
    for function in ["relu", "leaky_relu", "elu", "selu", "tanh", "gelu", "silu"] {
        let text = format!(
            r#"{{ "filters": [4], "dense": [], "batch_norm": false, "activation": "{function}", "leaky_slope": 0.2 }}"#
        );
        let network = network(&text);
        let input = input(false, false);
        let (weight, bias) = (named(&network, "block1.conv1.weight"), named(&network, "block1.conv1.bias"));
        let x = input.images.conv2d(weight, Some(bias), [1; 2], [1; 2], [1; 2], 1);
        let x = match function {
            "relu" => x.relu(),
            "leaky_relu" => x.prelu(&Tensor::from_slice(&[0.2f32])),
            "elu" => x.elu(),
            "selu" => x.selu(),
            "tanh" => x.tanh(),
            "gelu" => x.gelu("none"),
            _ => x.silu(),
        };
        let x = x.max_pool2d([2; 2], [2; 2], [0; 2], [1; 2], false).flatten(1, -1);
        let expected = x.linear(named(&network, "head.weight"), Some(named(&network, "head.bias")));
        let out = network.forward(&input, false).unwrap();
        assert_eq!((out - expected).abs().max().double_value(&[]), 0.0, "{function}");
    }
}

#[test]
fn a_residual_unit_adds_what_it_takes() {
    let _guard = tch::no_grad_guard();
    let unit = |zero_init: bool| {
        network(&format!(
            r#"{{ "family": "residual", "filters": [2], "depth": 2, "dense": [], "zero_init": {zero_init} }}"#
        ))
    };
    let input = input(false, false);
    let conv = |network: &Network, x: &Tensor, name: &str, stride| {
        let weight = named(network, &format!("{name}.weight"));
        x.conv2d(weight, None::<Tensor>, [stride; 2], [1; 2], [1; 2], 1)
    };
    let norm = |network: &Network, x: &Tensor, name: &str| {
        let of = |what: &str| Some(named(network, &format!("{name}.{what}")));
        x.batch_norm(of("weight"), of("bias"), of("running_mean"), of("running_var"), false, 0.1, 1e-5, true)
    };
    for zero_init in [true, false] {
        let network = unit(zero_init);
        let mut x = norm(&network, &conv(&network, &input.images, "stem.conv", 2), "stem.norm").relu();
        for u in ["block1.unit1", "block1.unit2"].iter().filter(|_| !zero_init) {
            let first = norm(&network, &conv(&network, &x, &format!("{u}.conv1"), 1), &format!("{u}.norm1"));
            let second = conv(&network, &first.relu(), &format!("{u}.conv2"), 1);
            x = (norm(&network, &second, &format!("{u}.norm2")) + x).relu();
        }
        let (weight, bias) = (named(&network, "head.weight"), named(&network, "head.bias"));
        let expected = x.flatten(1, -1).linear(weight, Some(bias));
        let out = network.forward(&input, false).unwrap();
        assert!((out - expected).abs().max().double_value(&[]) < 1e-6, "zero_init: {zero_init}");
    }
}

#[test]
fn a_heat_map_points_to_where_its_weight_lies() {
    let maps = Tensor::zeros([1, 2, 4, 4], (Kind::Float, Device::Cpu));
    // Row 1, column 3 of the first; even weight in the second.
    let _ = maps.get(0).get(0).get(1).get(3).fill_(50.0);
    let at = |low, high| Vec::<f32>::try_from(soft_argmax(&maps, low, high).unwrap().view(-1)).unwrap();
    let near =
        |a: Vec<f32>, b: [f32; 4]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?}");
    near(at(0.0, 96.0), [84.0, 36.0, 48.0, 48.0]);
    near(at(-1.0, 1.0), [0.75, -0.25, 0.0, 0.0]);
}

#[test]
fn heat_maps_learn_in_bf16_and_have_halves_for_each_source() {
    let text = r#"{ "family": "residual", "filters": [2, 4], "head": "heatmap", "heatmap_filters": 3,
                    "sources": "heads" }"#;
    let params: Params = serde_json::from_str(text).unwrap();
    let plan = Plan::from_params(&params).unwrap();
    let network = Network::initial(plan.layers(), 5, Device::Cpu, Kind::BFloat16).unwrap();
    let out = network.forward(&input(false, false), true).unwrap();
    assert_eq!((out.size(), out.kind()), (vec![2, 30], Kind::Float));
    let loss = out.square().sum(Kind::Float);
    let gradients = Tensor::f_run_backward(&[loss], &network.trainable(), false, false).unwrap();
    assert!(gradients.iter().all(|g| g.isfinite().all().int64_value(&[]) == 1));
    let _guard = tch::no_grad_guard();
    let (full, common) =
        (network.forward(&input(false, false), false), network.forward(&input(true, false), false));
    assert!((full.unwrap() - common.unwrap()).abs().max().double_value(&[]) > 1e-4);
}

#[test]
fn rows_of_each_source_take_their_own_head_and_offsets() {
    let _guard = tch::no_grad_guard();
    let network = network(r#"{ "filters": [2], "dense": [3], "sources": "heads" }"#);
    let plain = |common| network.forward(&input(common, false), false).unwrap();
    let (full, common) = (plain(false), plain(true));
    assert!((&full - &common).abs().max().double_value(&[]) > 1e-3);
    // Mirrored, the left eye's place has the right eye's offset, and x runs the other way.
    let offset = named(&network, "head_common.offset").shallow_clone();
    for (column, value) in [(0, 0.5), (1, 0.25), (2, 1.0)] {
        let _ = offset.get(column).fill_(value);
    }
    let near = |moved: Tensor, from: &Tensor, by: [f64; 4]| {
        for (column, by) in by.into_iter().enumerate() {
            let at = [0, column as i64];
            assert!((moved.double_value(&at) - from.double_value(&at) - by).abs() < 1e-6);
        }
    };
    near(plain(true), &common, [0.5, 0.25, 1.0, 0.0]);
    near(plain(false), &full, [0.0; 4]);
    near(network.forward(&input(true, true), false).unwrap(), &common, [-1.0, 0.0, -0.5, 0.25]);
}

#[test]
fn members_take_columns_each_by_its_own_measure() {
    let _guard = tch::no_grad_guard();
    let text = r#"{ "filters": [2, 2], "dense": [4], "extra_columns": ["age", "yaw"] }"#;
    let params: Params = serde_json::from_str(text).unwrap();
    let plan = Plan::from_params(&params).unwrap();
    let network = |seed| Network::initial(plan.layers(), seed, Device::Cpu, Kind::Float).unwrap();
    let members = [network(1), network(2)];
    let numbers = |rows: [f32; 4]| Tensor::from_slice(&rows).view([2, 2]);
    let rows = [numbers([20.0, 0.5, 40.0, f32::NAN]), numbers([1.0, 2.0, 4.0, 8.0])];
    for (member, rows) in members.iter().zip(&rows) {
        member.learn_columns(rows).unwrap();
    }
    assert_eq!(Vec::<f32>::try_from(named(&members[0], "columns.mean")).unwrap(), [30.0, 0.5]);
    let inputs: Vec<Input> =
        (0..2).map(|i| Input { numbers: rows[i].copy(), ..input(false, false) }).collect();
    let alone: Vec<Tensor> =
        members.iter().zip(&inputs).map(|(member, input)| member.forward(input, false).unwrap()).collect();
    let whole = Network::side_by_side(&[&members[0], &members[1]]).unwrap();
    let both = |of: fn(&Input) -> &Tensor| Tensor::cat(&inputs.iter().map(of).collect::<Vec<_>>(), 1);
    let input = Input {
        images: both(|input| &input.images),
        common: both(|input| &input.common),
        mirrored: both(|input| &input.mirrored),
        numbers: both(|input| &input.numbers),
    };
    let together = whole.forward(&input, false).unwrap().chunk(2, 1);
    for (alone, together) in alone.iter().zip(&together) {
        assert!((alone - together).abs().max().double_value(&[]) < 1e-5);
        assert!(alone.isfinite().all().int64_value(&[]) == 1, "a missing number is none");
    }
    let other = Input { numbers: numbers([50.0, 0.5, 40.0, f32::NAN]), ..self::input(false, false) };
    assert!(members[0].forward(&other, false).unwrap() != alone[0], "the numbers count");
}
