"""Functions of numbers, whole numbers and choices together."""

import math

import numpy as np

from .continuous import ackley, camel, rastrigin, rosenbrock
from .function import Function, fixed
from .space import box, choice, log, uniform, whole


def bowl(params):
    """A bowl whose bottom moves with the choices; one of them matters much, the other little."""
    offset = {"a": 0.0, "b": 0.8, "c": 1.5, "d": 0.4}[params["shape"]]
    centre = {"a": 0.7, "b": -1.2, "c": 0.1, "d": 1.9}[params["shape"]]
    scale = {"low": 1.4, "mid": 1.0, "high": 1.2}[params["scale"]]
    x = np.array([params["x0"], params["x1"], params["x2"]])
    whole_part = 0.02 * (params["count"] - 13) ** 2 + 0.5 * math.log2(params["width"] / 48) ** 2
    return float(offset + scale * np.sum((x - centre) ** 2) / 3 + (scale - 1) + whole_part)


def whole_rastrigin(params):
    z = np.array([params[f"k{i}"] for i in range(6)]) - np.array([3, -7, 8, -2, 5, -9])
    # In steps of a half: every other whole number lies on a hill.
    return rastrigin(z / 2.0)


def categories():
    """Eight choices of five: each has an effect of its own, and neighbours go together or do not."""
    rng = np.random.default_rng(8)
    alone = rng.normal(size=(8, 5))
    pairs = 0.7 * rng.normal(size=(7, 5, 5))
    names, values = [f"c{i}" for i in range(8)], list("pqrst")

    def total(picks):
        together = sum(pairs[i, picks[i], picks[i + 1]] for i in range(7))
        return float(alone[np.arange(8), picks].sum() + together)

    # A chain: the best is found from one end to the other.
    reach = alone[0]
    for i in range(7):
        reach = (reach[:, None] + pairs[i]).min(axis=0) + alone[i + 1]
    space = {name: choice(*values) for name in names}
    return Function("categories_8", "mixed", space,
                    lambda params: total([values.index(params[name]) for name in names]),
                    fixed(float(reach.min())))


def switches(params):
    """Ackley's function of ten switches and three numbers; some switches belong on and some off."""
    right = [True, False, True, True, False, False, True, False, True, False]
    flips = [float(params[f"s{i}"] != right[i]) for i in range(10)]
    numbers = [params[f"x{i}"] - [0.3, -0.55, 0.1][i] for i in range(3)]
    return ackley(np.array(flips + numbers))


def beale(x):
    a, b = x
    return float((1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2)


def which(params):
    """Two choices pick and weigh functions of the same two numbers (after Ru et al., "CoCaBO", ICML 2020)."""
    x = np.array([params["x0"], params["x1"]])
    known = {"rosenbrock": lambda: rosenbrock(x - 1) / 300, "camel": lambda: camel(x) / 10,
             "beale": lambda: beale(x) / 50}
    first, second = known[params["first"]](), known[params["second"]]()
    return float(first + {"plus": second, "half": 0.5 * second, "bump": second + 0.05}[params["how"]])


def best_which():
    """Two camels added: a fifth of its own smallest value."""
    return 2 * -1.031628453489877 / 10


def steps(params):
    """All that comes in steps: floats with a step, whole numbers on a logarithm, even numbers."""
    return (abs(params["dropout"] - 0.35) * 2 + 0.4 * math.log2(params["batch"] / 96) ** 2
            + 0.05 * (params["kernel"] - 9) ** 2 / 4 + (math.log10(params["rate"]) + 3.2) ** 2 / 3
            + 0.3 * (params["dropout"] - 0.35) * math.log2(params["batch"] / 96))


def failing(params):
    """A valley whose best place lies beside a region where trials fail."""
    x, y, z = params["x"], params["y"], params["z"]
    if x + y > 1.1 or (params["mode"] == "fast" and z > 0.8):
        return None
    bonus = {"slow": 0.15, "mid": 0.05, "fast": 0.0}[params["mode"]]
    return (1.0 - x) ** 2 + 2 * (y - x**2) ** 2 + (z - 0.75) ** 2 + bonus + 0.002 * (params["n"] - 20) ** 2


def best_failing():
    """On the edge, x + y = 1.1, or inside: found on a fine line and a fine grid."""
    x = np.linspace(0, 1, 2001)
    values = [float(np.min((1 - x) ** 2 + 2 * (np.minimum(x**2, 1.1 - x) - x**2) ** 2))]
    return min(values)


def weighted(params):
    """Many parameters of which few matter: two numbers and a choice out of twelve."""
    matter = (params["x03"] - 0.62) ** 2 * 8 + (params["x07"] - params["x03"] + 0.4) ** 2 * 8
    rest = sum((params[name] - 0.4) ** 2 for name in params if name[0] == "x" and name not in ("x03", "x07"))
    return float(matter + 0.02 * rest + {"a": 0.5, "b": 0.0, "c": 0.3}[params["c0"]]
                 + 0.02 * (params["c1"] != "v"))


MIXED = [
    Function("bowl_7", "mixed",
             {"x0": uniform(-3, 3), "x1": uniform(-3, 3), "x2": uniform(-3, 3), "count": whole(1, 30),
              "width": whole(8, 512, log=True), "shape": choice("a", "b", "c", "d"),
              "scale": choice("low", "mid", "high")}, bowl, fixed(0.0), tuning=True, slow=True),
    Function("whole_rastrigin_6", "mixed", {f"k{i}": whole(-10, 10) for i in range(6)}, whole_rastrigin,
             fixed(0.0)),
    categories(),
    Function("switches_13", "mixed",
             {**{f"s{i}": choice(True, False) for i in range(10)}, **box(3, -1, 1)}, switches, fixed(0.0),
             slow=True),
    Function("which_5", "mixed",
             {"x0": uniform(-2, 2), "x1": uniform(-2, 2), "first": choice("rosenbrock", "camel", "beale"),
              "second": choice("rosenbrock", "camel", "beale"), "how": choice("plus", "half", "bump")},
             which, best_which, tuning=True),
    Function("steps_4", "mixed",
             {"dropout": uniform(0.0, 0.7, step=0.05), "batch": whole(8, 1024, log=True),
              "kernel": whole(1, 25, step=2), "rate": log(1e-6, 1.0)}, steps, fixed(0.0)),
    Function("failing_5", "mixed",
             {"x": uniform(0, 1), "y": uniform(0, 1), "z": uniform(0, 1), "n": whole(1, 64),
              "mode": choice("slow", "mid", "fast")}, failing, best_failing),
    Function("weighted_14", "mixed",
             {**box(12, 0, 1), "c0": choice("a", "b", "c"), "c1": choice("u", "v", "w")}, weighted,
             fixed(0.0), tuning=True),
]
