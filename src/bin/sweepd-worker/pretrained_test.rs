//! Weights from elsewhere: of our own format, of PyTorch's, wrong ones; and what becomes of a trunk that has them.

use crate::error::TrainError;
use crate::network::{Input, Network};
use crate::pretrained::Pretrained;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use sweepd::domain::Params;
use sweepd::model::Plan;
use tch::{Device, Kind, Tensor};

fn network(text: &str, seed: u64) -> Network {
    let params: Params = serde_json::from_str(text).unwrap();
    let plan = Plan::from_params(&params).unwrap();
    Network::initial(plan.layers(), seed, Device::Cpu, Kind::Float).unwrap()
}

const SMALL: &str = r#"{ "family": "residual", "filters": [4, 8], "dense": [6] }"#;

/// A network's tensors as others would write them; `change` says under which shape, or leaves one out.
fn written(network: &Network, folder: &Path, change: impl Fn(&str, &mut Vec<usize>) -> bool) -> PathBuf {
    let mut parts = Vec::new();
    for named in network.tensors() {
        let mut shape: Vec<usize> = named.tensor.size().iter().map(|n| *n as usize).collect();
        if change(&named.name, &mut shape) {
            let numbers = Vec::<f32>::try_from(named.tensor.contiguous().view(-1)).unwrap();
            let count = shape.iter().product::<usize>();
            let bytes: Vec<u8> = numbers.iter().cycle().take(count).flat_map(|x| x.to_le_bytes()).collect();
            parts.push((named.name.clone(), shape, bytes));
        }
    }
    let views = parts
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let path = folder.join("weights.safetensors");
    fs::write(&path, serialize(views, None).unwrap()).unwrap();
    path
}

fn open(path: &Path) -> Result<Pretrained, TrainError> {
    Pretrained::open(path.to_str().unwrap())
}

fn refusal(ended: Result<(), TrainError>) -> String {
    match ended {
        Err(TrainError::BadConfiguration(message)) => message,
        Err(other) => panic!("failed otherwise: {other}"),
        Ok(()) => panic!("was accepted"),
    }
}

#[test]
fn a_trunk_takes_over_and_the_rest_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (network(SMALL, 1), network(SMALL, 2));
    let file = open(&written(&first, folder.path(), |_, _| true)).unwrap();
    file.fill(&second).unwrap();
    for (a, b) in first.tensors().iter().zip(second.tensors()) {
        let same = (&a.tensor - &b.tensor).abs().max().double_value(&[]) == 0.0;
        // Biases begin as 0 in either.
        assert!(same == b.trunk || b.name.ends_with("bias"), "{}", b.name);
    }
    assert!(
        second.tensors().iter().any(|named| named.trunk) && second.tensors().iter().any(|named| !named.trunk)
    );
}

#[test]
fn a_kernel_for_colours_becomes_its_sum() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (network(SMALL, 1), network(SMALL, 2));
    let path = written(&first, folder.path(), |name, shape| {
        if name == "stem.conv.weight" {
            shape[1] = 3;
        }
        true
    });
    open(&path).unwrap().fill(&second).unwrap();
    // Written in a circle: [4, 1, 3, 3] three times over is [4, 3, 3, 3].
    let stem = first.tensors()[0].tensor.contiguous().view([4, 9]);
    let expected = Tensor::cat(&[&stem, &stem, &stem], 0).view([4, 3, 3, 3]).sum_dim_intlist(
        [1i64].as_slice(),
        true,
        Kind::Float,
    );
    assert!((&second.tensors()[0].tensor - expected).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn a_wrong_file_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let first = network(SMALL, 1);
    let path = written(&first, folder.path(), |name, shape| {
        if name == "block1.unit1.norm2.bias" {
            shape[0] = 5;
        }
        name != "block2.unit1.conv2.weight"
    });
    let message = refusal(open(&path).unwrap().fill(&first));
    assert!(message.contains("weights.safetensors"), "{message}");
    assert!(message.contains("`block2.unit1.conv2.weight` is missing"), "{message}");
    assert!(message.contains("`block1.unit1.norm2.bias` has the shape [5], not [4]"), "{message}");
    let message = refusal(open(&written(&first, folder.path(), |_, _| false)).unwrap().fill(&first));
    assert!(message.contains("`stem.conv.weight` is missing") && message.contains("more"), "{message}");
    let path = written(&first, folder.path(), |_, _| true);
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 5, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert!(refusal(open(&path).map(|_| ())).contains("intact"));
    }
    fs::write(&path, [b"PK\x03\x04", &bytes[..200]].concat()).unwrap();
    assert!(refusal(open(&path).map(|_| ())).contains("cut off"));
    assert!(refusal(open(&folder.path().join("none")).map(|_| ())).contains("cannot be read"));
}

/// A Python with PyTorch and torchvision.
#[allow(clippy::disallowed_methods, reason = "a test's program is no setting of ours")]
fn pytorch() -> String {
    std::env::var("SWEEPD_PYTORCH").expect("SWEEPD_PYTORCH names a Python that has torch and torchvision")
}

/// Writes the network's weights and what it puts out, all by PyTorch.
const WRITER: &str = r#"
import sys, torch, torchvision
family, folder = sys.argv[1], sys.argv[2]
torch.manual_seed(1)
extra = dict(aux_logits=False, init_weights=False) if family == "googlenet" else {}
net = getattr(torchvision.models, family)(weights=None, **extra).eval()
net.transform_input = False
for name, buffer in net.named_buffers():
    if name.endswith("running_mean"): buffer.uniform_(-0.1, 0.1)
    if name.endswith("running_var"): buffer.uniform_(0.5, 1.5)
torch.save(net.state_dict(), folder + "/weights.pth")
image = torch.rand(2, 1, 96, 96)
rgb = image.expand(-1, 3, -1, -1)
with torch.no_grad():
    if family.startswith("vgg"): maps = net.features(rgb)
    else:
        net.fc = torch.nn.Identity(); maps = net(rgb)
image.numpy().tofile(folder + "/image"); maps.contiguous().numpy().tofile(folder + "/maps")
"#;

#[test]
#[ignore = "needs torchvision: SWEEPD_PYTORCH=PYTHON cargo test --bin sweepd-worker -- --ignored torchvision"]
fn torchvisions_networks_compute_the_same_from_its_files() {
    let python = pytorch();
    let _guard = tch::no_grad_guard();
    for (family, text) in [
        ("vgg11_bn", r#"{ "family": "vgg", "dense": [] }"#),
        ("resnet18", r#"{ "family": "resnet" }"#),
        ("resnet50", r#"{ "family": "resnet", "layers": 50 }"#),
        ("googlenet", r#"{ "family": "googlenet" }"#),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let done = Command::new(&python).args(["-c", WRITER, family]).arg(path).status().unwrap();
        assert!(done.success(), "{python} could not write {family}");
        let numbers = |name: &str| -> Vec<f32> {
            let bytes = fs::read(path.join(name)).unwrap();
            bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        };
        let network = network(text, 3);
        open(&path.join("weights.pth")).unwrap().fill(&network).unwrap();
        let flags = Tensor::zeros([2, 1], (Kind::Bool, Device::Cpu));
        let input = Input {
            images: Tensor::from_slice(&numbers("image")).view([2, 1, 96, 96]),
            common: flags.shallow_clone(),
            mirrored: flags,
            numbers: Tensor::zeros([2, 0], (Kind::Float, Device::Cpu)),
        };
        let named = |name: &str| &network.tensors().iter().find(|named| named.name == name).unwrap().tensor;
        let maps = Tensor::from_slice(&numbers("maps")).view([2, -1]);
        let expected = maps.linear(named("head.weight"), Some(named("head.bias")));
        let out = network.forward(&input, false).unwrap();
        let difference = (&out - &expected).abs().max().double_value(&[]);
        assert!(difference < 1e-3 * expected.abs().max().double_value(&[]), "{family}: {difference}");
    }
}
