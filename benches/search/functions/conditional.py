"""Functions with parameters that exist only under others, as real searches have them."""

import math

import numpy as np

from .continuous import HARTMANN_3, ackley, branin, hartmann
from .function import Function, fixed
from .space import choice, log, uniform, when, whole


def log10(x):
    return math.log10(x)


def layers(params):
    """A network's depth, and a width and a dropout for every layer that there is."""
    depth = params["layers"]
    widths = [128, 64, 96, 32]
    cost = [0.9, 0.3, 0.0, 0.25][depth - 1]
    for i in range(depth):
        cost += 0.08 * math.log2(params[f"units{i}"] / widths[i]) ** 2
        cost += (params[f"dropout{i}"] - 0.1 * (i + 1)) ** 2
    return cost + 0.25 * (log10(params["rate"]) + 2 + 0.3 * depth) ** 2


LAYERS = {"layers": whole(1, 4), "rate": log(1e-5, 1.0)}
for i in range(4):
    # Layer i exists under every depth above i.
    LAYERS[f"units{i}"] = whole(8, 512, log=True, **when("layers", *range(i + 1, 5)))
    LAYERS[f"dropout{i}"] = uniform(0.0, 0.6, **when("layers", *range(i + 1, 5)))


def optimizer(params):
    """Three optimizers with settings of their own; the second best is the easiest to set."""
    rate = log10(params["rate"])
    if params["optimizer"] == "sgd":
        wanted = -1.2 + 1.5 * (0.9 - params["momentum"])
        cost = 0.6 * (rate - wanted) ** 2 + 2 * (params["momentum"] - 0.93) ** 2 + 0.1 * params["nesterov"]
    elif params["optimizer"] == "adam":
        cost = 0.12 + 0.3 * (rate + 3) ** 2 + 0.05 * (log10(1 - params["beta2"]) + 3) ** 2
        cost += 0.5 * (params["beta1"] - 0.85) ** 2
    else:
        cost = 0.3 + 0.2 * (rate + 3.3) ** 2 + (params["alpha"] - 0.9) ** 2
    return cost + 0.06 * (log10(params["decay"]) + 4.5) ** 2 + 0.1 * math.log2(params["batch"] / 64) ** 2


OPTIMIZER = {
    "optimizer": choice("sgd", "adam", "rmsprop"),
    "rate": log(1e-6, 1.0),
    "decay": log(1e-8, 0.1),
    "batch": whole(8, 512, log=True),
    "momentum": uniform(0.0, 0.99, **when("optimizer", "sgd")),
    "nesterov": choice(True, False, **when("optimizer", "sgd")),
    "beta1": uniform(0.5, 0.99, **when("optimizer", "adam")),
    "beta2": uniform(0.9, 0.9999, **when("optimizer", "adam")),
    "alpha": uniform(0.5, 0.99, **when("optimizer", "rmsprop")),
}


def branches(params):
    """A choice among three functions over numbers of their own; all are about as large."""
    which = params["which"]
    if which == "branin":
        return branin((params["a"], params["b"])) / 50 + 0.05
    if which == "hartmann":
        return (hartmann(HARTMANN_3)(np.array([params[f"h{i}"] for i in range(3)])) + 3.86278214782076) / 4
    return ackley(np.array([params[f"k{i}"] - [4, -11, 7, 2][i] for i in range(4)])) / 25


BRANCHES = {
    "which": choice("branin", "ackley", "hartmann"),
    "a": uniform(-5, 10, **when("which", "branin")),
    "b": uniform(0, 15, **when("which", "branin")),
    **{f"h{i}": uniform(0, 1, **when("which", "hartmann")) for i in range(3)},
    **{f"k{i}": uniform(-20, 20, **when("which", "ackley")) for i in range(4)},
}


def nested(params):
    """Conditions under conditions: a kernel, its shape, and that shape's settings."""
    cost = 0.3 * (log10(params["strength"]) - 1) ** 2
    if params["kernel"] == "linear":
        return cost + 0.5
    if params["kernel"] == "radial":
        cost += 0.25 * (log10(params["gamma"]) + 2.5 + 0.4 * log10(params["strength"])) ** 2
        if params["warp"] == "none":
            return cost + 0.2
        return cost + 0.4 * (params["power"] - 1.6) ** 2 + 0.03 * (params["knots"] - 7) ** 2
    return cost + 0.1 + 0.15 * (params["degree"] - 3) ** 2 + (params["offset"] - 0.4) ** 2


NESTED = {
    "kernel": choice("linear", "radial", "poly"),
    "strength": log(1e-3, 1e4),
    "gamma": log(1e-6, 10.0, **when("kernel", "radial")),
    "warp": choice("none", "spline", **when("kernel", "radial")),
    "power": uniform(0.2, 4.0, **when("warp", "spline")),
    "knots": whole(2, 20, **when("warp", "spline")),
    "degree": whole(2, 7, **when("kernel", "poly")),
    "offset": uniform(-1.0, 1.0, **when("kernel", "poly")),
}

CONDITIONAL = [
    Function("layers_10", "mixed", LAYERS, layers, fixed(0.0), tuning=True),
    Function("optimizer_9", "mixed", OPTIMIZER, optimizer, fixed(0.0), slow=True),
    Function("branches_10", "mixed", BRANCHES, branches, fixed(0.0)),
    Function("nested_8", "mixed", NESTED, nested, fixed(0.0), tuning=True),
]
