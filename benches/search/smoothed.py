"""The recorded learning curves as a smooth function of the configuration: a Gaussian process through their logarithms."""

import random
import sys
import warnings
from functools import cache

import numpy as np

from cache import folder
from curves import SPACE, Curve, configurations, costs, recorded
from functions.space import decode, encode


class Smoothed:
    """The same for all seeds."""

    space = SPACE

    def __init__(self):
        self.best = best()

    def curve(self, params):
        losses = predict([params])[0]
        return Curve(losses, losses, float(costs([params])[0]))


def points(several):
    return np.array([encode(SPACE, list(SPACE), params) for params in several])


def predict(several):
    return np.exp(process().predict(points(several)))


@cache
def process():
    from sklearn.gaussian_process import GaussianProcessRegressor

    known, curves = table()
    return GaussianProcessRegressor(kernel().clone_with_theta(kept()["theta"]), optimizer=None,
                                    normalize_y=True).fit(known, curves)


def table():
    return points(configurations()), np.log(recorded()[0])


def kernel():
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    return ConstantKernel() * Matern(np.ones(points(configurations()[:1]).size), nu=2.5) + WhiteKernel()


@cache
def kept():
    """What the process is fitted to all curves with; a minute's work."""
    path = folder("curves") / "smoothed.npz"
    if not path.exists():
        np.savez(path, theta=fit())
    with np.load(path) as file:
        return dict(file)


def fit():
    """Says how much is explained of where an unseen tenth of the curves ends, by the others."""
    from sklearn.gaussian_process import GaussianProcessRegressor

    known, curves = table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = GaussianProcessRegressor(kernel(), normalize_y=True).fit(known, curves).kernel_
    unseen = np.arange(len(known)) % 10 == 0
    others = GaussianProcessRegressor(fitted, optimizer=None, normalize_y=True)
    left = others.fit(known[~unseen], curves[~unseen]).predict(known[unseen]) - curves[unseen]
    explained = 1 - left[:, -1].var() / curves[unseen, -1].var()
    print(f"the smooth picture of the recorded curves explains {explained:.0%} of what it has not seen",
          file=sys.stderr)
    return fitted.theta


@cache
def best():
    """The smallest loss of very many draws, the best of them improved step by step."""
    rng = random.Random(0)
    units = [[rng.random() for _ in SPACE] for _ in range(20_000)]
    width = 0.2
    while True:
        losses = least(units)
        first = np.argsort(losses)[:20]
        if width < 0.002:
            return float(losses[first[0]])
        parents = [units[i] for i in first]
        children = [[min(max(x + rng.gauss(0, width) * (rng.random() < 0.5), 0), 1 - 1e-12) for x in parent]
                    for parent in parents for _ in range(50)]
        units, width = parents + children, width * 0.9


def least(units):
    several = [{name: decode(SPACE[name], x) for name, x in zip(SPACE, point)} for point in units]
    return predict(several).min(axis=1)
