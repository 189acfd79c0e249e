"""Functions with two losses at once, of which the best compromises are known."""

import functools
import math

import numpy as np

from .function import Function
from .space import box, choice, log, uniform, when, whole


def hypervolume(losses, worst):
    """The area that two-loss points have below them up to a worst point."""
    area, second = 0.0, worst[1]
    for a, b in sorted(tuple(loss) for loss in losses if loss is not None):
        if a < worst[0] and b < second:
            area += (worst[0] - a) * (second - b)
            second = b
    return area


def several(name, space, loss, front, worst, **more):
    """`front` are the best compromises, close together."""
    best = functools.cache(lambda: -hypervolume(front(), worst))
    return Function(name, "several", space, loss, best, worst=worst, **more)


def line():
    return np.linspace(0, 1, 20_001)


def zdt(p):
    """Zitzler, Deb and Thiele's first."""
    g = 1 + 9 * sum(abs(p[f"x{i}"] - 0.1 * i) for i in range(1, 6)) / 5
    return [p["x0"], g * (1 - math.sqrt(p["x0"] / g))]


def dtlz(p):
    """Deb and others' second, for two losses: a quarter of a circle."""
    g = sum((p[f"x{i}"] - 0.3) ** 2 for i in range(1, 5)) * 4
    angle = p["x0"] * math.pi / 2
    return [(1 + g) * math.cos(angle), (1 + g) * math.sin(angle)]


def fonseca(p):
    x = np.array([p[f"x{i}"] for i in range(4)])
    return [float(1 - np.exp(-np.sum((x - side) ** 2))) for side in (0.5, -0.5)]


def fonseca_front():
    return [fonseca({f"x{i}": t - 0.5 for i in range(4)}) for t in line()]


def cost_or_error(p):
    """A network's size against its error, which also depends on settings, some of them conditional."""
    size = math.log2(p["width"] / 8) / 6
    waste = {"relu": 0.0, "tanh": 0.1, "elu": 0.05}[p["activation"]]
    waste += 0.1 * (math.log10(p["rate"]) + 2.5) ** 2
    if p["optimizer"] == "sgd":
        waste += 2 * (p["momentum"] - 0.9) ** 2
    else:
        waste += 0.05
    return [size, 1 - 0.8 * math.sqrt(size) + waste]


COST_SPACE = {"width": whole(8, 512, log=True), "rate": log(1e-5, 1.0),
              "activation": choice("relu", "tanh", "elu"), "optimizer": choice("adam", "sgd"),
              "momentum": uniform(0, 0.99, **when("optimizer", "sgd"))}


def cost_front():
    best = {"rate": 10**-2.5, "activation": "relu", "optimizer": "sgd", "momentum": 0.9}
    return [cost_or_error({"width": width, **best}) for width in range(8, 513)]


SEVERAL = [
    several("zdt_6", box(6, 0, 1), zdt, lambda: [(t, 1 - math.sqrt(t)) for t in line()], [1.1, 7.0],
            tuning=True),
    several("dtlz_5", box(5, 0, 1), dtlz,
            lambda: [(math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)) for t in line()], [2.5, 2.5]),
    several("fonseca_4", box(4, -2, 3), fonseca, fonseca_front, [1.0, 1.0]),
    several("cost_or_error_5", COST_SPACE, cost_or_error, cost_front, [1.1, 2.0]),
]
