"""Textbook functions of real numbers, moved and turned so that nothing is gained by trying the middle."""

import math

import numpy as np

from .function import Function, fixed
from .space import box, log, uniform


def ellipsoid(condition):
    def loss(z):
        weights = condition ** np.linspace(0, 1, len(z))
        return float(weights @ z**2)

    return loss


def rosenbrock(z):
    z = z + 1
    return float(np.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2))


def rastrigin(z):
    return float(10 * len(z) + np.sum(z**2 - 10 * np.cos(2 * math.pi * z)))


def ackley(z):
    root = math.sqrt(np.mean(z**2))
    return float(20 - 20 * math.exp(-0.2 * root) + math.e - math.exp(np.mean(np.cos(2 * math.pi * z))))


def griewank(z):
    index = np.sqrt(np.arange(1, len(z) + 1))
    return float(np.sum(z**2) / 4000 - np.prod(np.cos(z / index)) + 1)


def levy(z):
    w = 1 + z / 4
    middle = np.sum((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2))
    last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * math.pi * w[-1]) ** 2)
    return float(np.sin(math.pi * w[0]) ** 2 + middle + last)


def branin(x):
    a, b = x
    return float((b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
                 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10)


def camel(x):
    a, b = x
    return float((4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2)


def schwefel(x):
    return float(418.9828872724339 * len(x) - np.sum(x * np.sin(np.sqrt(np.abs(x)))))


def styblinski(x):
    return float(np.sum(x**4 - 16 * x**2 + 5 * x) / 2)


def michalewicz(x):
    index = np.arange(1, len(x) + 1)
    return float(-np.sum(np.sin(x) * np.sin(index * x**2 / math.pi) ** 20))


HARTMANN_3 = ([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]],
              [[0.3689, 0.1170, 0.2673], [0.4699, 0.4387, 0.7470],
               [0.1091, 0.8732, 0.5547], [0.0381, 0.5743, 0.8828]])
HARTMANN_6 = ([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
               [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]],
              [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
               [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
               [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
               [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]])


def hartmann(tables):
    scales, centres = (np.array(table) for table in tables)

    def loss(x):
        return float(-np.array([1, 1.2, 3, 3.2]) @ np.exp(-np.sum(scales * (x - centres) ** 2, axis=1)))

    return loss


def ravine(params):
    """The shape of a learning rate and a decay that go together: a bent valley over two logarithms."""
    rate, decay = math.log10(params["rate"]), math.log10(params["decay"])
    momentum = params["momentum"]
    wanted = -2.5 - 1.5 * (momentum - 0.5)
    return (rate - wanted) ** 2 + 0.3 * (decay + 4 + 0.5 * rate) ** 2 + 0.5 * (momentum - 0.85) ** 2


def moved(name, inner, dimensions, low, high, turned=True, **more):
    """`inner`, whose smallest value is 0 at 0, with that place moved somewhere else and the axes turned."""
    rng = np.random.default_rng(list(name.encode()))
    centre = low + (high - low) * rng.uniform(0.15, 0.85, dimensions)
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0] if turned else np.eye(dimensions)
    return plain(name, lambda x: inner(turn @ (x - centre)), dimensions, low, high, 0.0, **more)


def plain(name, inner, dimensions, low, high, best, **more):
    space = box(dimensions, low, high)
    names = sorted(space)
    return Function(name, "continuous", space, lambda params: inner(np.array([params[n] for n in names])),
                    fixed(best), **more)


BRANIN = Function("branin_2", "continuous", {"a": uniform(-5, 10), "b": uniform(0, 15)},
                  lambda p: branin((p["a"], p["b"])), fixed(0.39788735772973816), slow=True)
RAVINE = Function("ravine_3", "continuous",
                  {"rate": log(1e-6, 1.0), "decay": log(1e-8, 0.1), "momentum": uniform(0, 0.99)},
                  ravine, fixed(0.0), tuning=True)

CONTINUOUS = [
    BRANIN,
    plain("camel_2", camel, 2, -3, 2, -1.031628453489877, tuning=True),
    RAVINE,
    plain("hartmann_3", hartmann(HARTMANN_3), 3, 0, 1, -3.86278214782076, tuning=True),
    moved("rosenbrock_4", rosenbrock, 4, -3, 3, turned=False),
    moved("ellipsoid_5", ellipsoid(1e4), 5, -5, 5, tuning=True, slow=True),
    moved("rastrigin_5", rastrigin, 5, -5, 5, turned=False),
    moved("ackley_5", ackley, 5, -20, 30),
    plain("schwefel_5", schwefel, 5, -500, 500, 0.0),
    plain("michalewicz_5", michalewicz, 5, 0, math.pi, -4.687658179),
    plain("hartmann_6", hartmann(HARTMANN_6), 6, 0, 1, -3.322368011391339, slow=True),
    moved("griewank_6", griewank, 6, -60, 40, tuning=True),
    moved("levy_8", levy, 8, -10, 10, slow=True),
    plain("styblinski_8", styblinski, 8, -5, 5, -39.16616570377142 * 8, tuning=True),
    moved("rosenbrock_10", rosenbrock, 10, -3, 3),
    moved("ellipsoid_10", ellipsoid(1e6), 10, -5, 5),
    moved("ackley_20", ackley, 20, -20, 30, tuning=True),
    moved("sphere_20", ellipsoid(10), 20, -5, 5, turned=False, slow=True),
]
