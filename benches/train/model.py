"""The network that `sweepd-worker describe --json` lists, as a PyTorch user would write it."""

import json
import subprocess

from torch import nn


def described(worker, file):
    """Layers and settings of the network in a file of parameters."""
    said = subprocess.run([worker, "describe", str(file), "--json"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)


def network(layers):
    """An `nn.Sequential` of these layers."""
    return nn.Sequential(*(module(layer) for layer in layers))


def module(layer):
    kind = layer["kind"]
    if kind == "conv2d":
        return nn.Conv2d(
            layer["inputs"], layer["outputs"], layer["kernel"], layer["stride"], layer["padding"], bias=layer["bias"]
        )
    if kind == "batch_norm":
        return nn.BatchNorm2d(layer["features"], layer["epsilon"], layer["momentum"])
    if kind == "linear":
        return nn.Linear(layer["inputs"], layer["outputs"])
    if kind == "activation":
        return activation(layer)
    if kind == "max_pool":
        return nn.MaxPool2d(layer["size"])
    if kind == "average_pool":
        return nn.AvgPool2d(layer["size"])
    if kind == "flatten":
        return nn.Flatten()
    if kind == "dropout":
        return nn.Dropout(layer["share"])
    raise SystemExit(f"no PyTorch module for {kind}")


def activation(layer):
    name = layer["function"]
    if name == "leaky_relu":
        return nn.LeakyReLU(layer["slope"], inplace=True)
    names = {"relu": nn.ReLU, "elu": nn.ELU, "selu": nn.SELU}
    if name in names:
        return names[name](inplace=True)
    return {"gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}[name]()
