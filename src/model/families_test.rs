//! The families beside plain networks: counts, shapes and contradictions.

use super::*;
use crate::domain::Params;

fn plan(text: &str) -> Plan {
    let params: Params = toml::from_str(text).unwrap();
    Plan::from_params(&params).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let params: Params = toml::from_str(text).unwrap();
    Plan::from_params(&params).unwrap_err().iter().map(ToString::to_string).collect()
}

/// All parameters (with batch norms' running ones, without their counters of batches) and the trainable ones of
/// torchvision 0.26's networks, with a stem for one channel and a last layer of 30; `aux_logits=False` for GoogLeNet; for
/// VGG without its pooling before the classifier, whose first layer takes the 512 x 3 x 3 that 96 pixels lead to.
#[test]
fn known_networks_have_the_parameters_of_torchvision() {
    let vgg = |layers: u32, norm: bool| {
        format!("family = \"vgg\"\nlayers = {layers}\nbatch_norm = {norm}\ndense = [4096, 4096]")
    };
    for (text, all, trainable) in [
        (vgg(11, false), 45_002_014, 45_002_014),
        (vgg(11, true), 45_013_022, 45_007_518),
        (vgg(13, false), 45_186_526, 45_186_526),
        (vgg(13, true), 45_198_302, 45_192_414),
        (vgg(16, false), 50_496_222, 50_496_222),
        (vgg(16, true), 50_513_118, 50_504_670),
        (vgg(19, false), 55_805_918, 55_805_918),
        (vgg(19, true), 55_827_934, 55_816_926),
        ("family = \"resnet\"\nlayers = 18".to_owned(), 11_195_230, 11_185_630),
        ("family = \"resnet\"\nlayers = 34".to_owned(), 21_310_814, 21_293_790),
        ("family = \"resnet\"\nlayers = 50".to_owned(), 23_616_350, 23_563_230),
        ("family = \"googlenet\"".to_owned(), 5_638_942, 5_624_382),
    ] {
        let plan = plan(&text);
        assert_eq!((plan.parameter_count(), plan.trainable_count()), (all, trainable), "{text}");
    }
}

#[test]
fn a_residual_network_reads_well() {
    let text = "family = \"residual\"\nfilters = [16, 32]\nhead = \"heatmap\"\nheatmap_filters = 8\nheatmap_side = 48";
    insta::assert_snapshot!(plan(text).layers(), @r"
    layer                       output        parameters
    stem.conv                   16 x 48 x 48         144  convolution 3x3, stride 2, no bias
    stem.norm                   16 x 48 x 48          64  batch norm
    stem.activation             16 x 48 x 48           0  relu
    block1.unit1.conv1          16 x 48 x 48       2,304  convolution 3x3, no bias
    block1.unit1.norm1          16 x 48 x 48          64  batch norm
    block1.unit1.activation1    16 x 48 x 48           0  relu
    block1.unit1.conv2          16 x 48 x 48       2,304  convolution 3x3, no bias
    block1.unit1.norm2          16 x 48 x 48          64  batch norm
    block1.unit1.add            16 x 48 x 48           0  sum, from block1.unit1.norm2, stem.activation
    block1.unit1.activation     16 x 48 x 48           0  relu
    block2.unit1.conv1          32 x 24 x 24       4,608  convolution 3x3, stride 2, no bias
    block2.unit1.norm1          32 x 24 x 24         128  batch norm
    block2.unit1.activation1    32 x 24 x 24           0  relu
    block2.unit1.conv2          32 x 24 x 24       9,216  convolution 3x3, no bias
    block2.unit1.norm2          32 x 24 x 24         128  batch norm
    block2.unit1.conv_shortcut  32 x 24 x 24         512  convolution 1x1, stride 2, no bias, from block1.unit1.activation
    block2.unit1.norm_shortcut  32 x 24 x 24         128  batch norm
    block2.unit1.add            32 x 24 x 24           0  sum, from block2.unit1.norm2, block2.unit1.norm_shortcut
    block2.unit1.activation     32 x 24 x 24           0  relu
    heatmap1.conv               8 x 24 x 24        2,304  convolution 3x3, no bias
    heatmap1.norm               8 x 24 x 24           32  batch norm
    heatmap1.activation         8 x 24 x 24            0  relu
    heatmap2.enlarged           8 x 48 x 48            0  enlarged
    heatmap2.lateral            8 x 48 x 48          136  convolution 1x1, from block1.unit1.activation
    heatmap2.add                8 x 48 x 48            0  sum, from heatmap2.lateral, heatmap2.enlarged
    heatmap2.conv               8 x 48 x 48          576  convolution 3x3, no bias
    heatmap2.norm               8 x 48 x 48           32  batch norm
    heatmap2.activation         8 x 48 x 48            0  relu
    head                        15 x 48 x 48         120  convolution 1x1, no bias
    head.points                 30                     0  where each map's weight lies
    22,864 parameters, 22,544 trainable, 320 not trainable
    ");
}

#[test]
fn depth_width_and_bottleneck_change_a_residual_network() {
    let count = |more: &str| plan(&format!("family = \"residual\"\n{more}")).parameter_count();
    let convolutions = |more: &str| {
        let plan = plan(&format!("family = \"residual\"\n{more}"));
        plan.layers().layers().iter().filter(|l| matches!(l.kind, LayerKind::Conv2d { .. })).count()
    };
    // Stem, two in each of four units, three shortcuts where the width changes.
    assert_eq!(convolutions(""), 1 + 8 + 3);
    assert_eq!(convolutions("depth = 2"), 1 + 16 + 3);
    assert_eq!(convolutions("depth = [1, 2, 1, 1]\nbottleneck = 4"), 1 + 15 + 3);
    assert!(count("depth = 2") > count("") && count("filters = 64") > count(""));
    assert!(count("bottleneck = 4") < count(""));
}

#[test]
fn heat_maps_come_from_stages_and_end_where_they_are_asked_to() {
    for family in ["cnn", "residual", "vgg", "resnet", "googlenet"] {
        for (wanted, reached) in [(12, 12), (13, 24), (24, 24), (48, 48)] {
            let plan = plan(&format!("family = \"{family}\"\nhead = \"heatmap\"\nheatmap_side = {wanted}"));
            let head = &plan.layers().layers()[plan.layers().head()];
            assert_eq!(head.output, Shape::Maps { channels: 15, side: reached }, "{family}");
        }
    }
}

#[test]
fn contradictions_are_refused_with_the_reason() {
    for (text, message) in [
        ("family = \"vgg\"\nlayers = 12", "`layers`: this family has 11, 13, 16, 19, not 12"),
        (
            "family = \"dense\"\nhead = \"heatmap\"",
            "`head`: a heat map needs convolutions; use another `family` than \"dense\"",
        ),
        (
            "family = \"residual\"\nhead = \"heatmap\"\nheatmap_side = 96",
            "`heatmap_side`: the largest feature maps that this network has are 48 x 48",
        ),
        (
            "family = \"dense\"\npretrained = \"/w.safetensors\"",
            "`pretrained`: a dense network has no trunk; use another `family`",
        ),
        (
            "pretrained = \"w.safetensors\"",
            "`pretrained`: expected the absolute path of a file, not \"w.safetensors\"",
        ),
    ] {
        assert_eq!(problems(text), [message], "{text}");
    }
}

#[test]
fn extra_inputs_stand_beside_the_trunks_numbers() {
    let inputs = |text: &str| {
        let plan = plan(text);
        let layers = plan.layers().layers().to_vec();
        layers.iter().find_map(|l| match l.kind {
            LayerKind::Linear { inputs, .. } => Some(inputs),
            _ => None,
        })
    };
    let without = inputs("").unwrap();
    assert_eq!(inputs("extra_inputs = \"histogram\""), Some(without + 16));
    assert_eq!(inputs("extra_inputs = [\"gradients\", \"statistics\"]"), Some(without + 11));
    let (a, b) =
        ("extra_inputs = [\"gradients\", \"statistics\"]", "extra_inputs = [\"statistics\", \"gradients\"]");
    assert_eq!(plan(a).layers(), plan(b).layers());
    assert_eq!(plan("extra_inputs = []").layers(), plan("").layers());
    assert_eq!(inputs("extra_columns = \"age\""), Some(without + 1));
    assert_eq!(
        inputs("extra_inputs = \"histogram\"\nextra_columns = [\"yaw\", \"age\"]"),
        Some(without + 18)
    );
    let (a, b) = ("extra_columns = [\"yaw\", \"age\"]", "extra_columns = [\"age\", \"yaw\", \"age\"]");
    assert_eq!((plan(a).layers(), plan(a).settings()), (plan(b).layers(), plan(b).settings()));
    assert_eq!(plan(a).architecture().top.columns(), ["age", "yaw"]);
    assert_eq!(plan("head = \"heatmap\"\nextra_inputs = \"histogram\"").without_effect(), ["extra_inputs"]);
}
