"""Learning curves to be stopped: the loss of a trial after each step, and the time that a step takes.

Made ones are power laws of which the smallest loss and the speed are drawn; recorded ones are scikit-learn's
networks, trained step by step. A pool is a list of curves, in the order in which trials come. Where a search
chooses configurations, see `configured.py`.
"""

import random
import warnings
from dataclasses import dataclass

import numpy as np

from cache import folder
from functions.space import choice, draw, log, whole

STEPS = 27
TRIALS = 300
RECORDED = 400


@dataclass
class Curve:
    """A trial after each step."""

    # What is seen, with its noise, and what is behind it; a search is judged by the latter.
    shown: np.ndarray
    true: np.ndarray
    # What a step takes.
    seconds: float


def pool(family, seed):
    rng = np.random.default_rng([seed, *family.encode()])
    if family == "recorded":
        losses, seconds = recorded()
        order = rng.permutation(RECORDED)[:TRIALS]
        return [Curve(losses[i], losses[i], float(seconds[i])) for i in order]
    return [made(family, rng) for _ in range(TRIALS)]


FAMILIES = ["alike", "crossing", "noisy", "recorded"]


def made(family, rng):
    quality, crossing, noisy = rng.uniform(), rng.uniform(), rng.uniform()
    start = 1.0 if family == "alike" else rng.uniform()
    losses = power_law(family, quality, noisy if family == "noisy" else crossing, start)
    shown = seen(family, losses, rng)
    return Curve(shown, losses, float(np.exp(0.3 * rng.normal())))


def power_law(family, quality, speed, start):
    """Of three numbers from 0 to 1. `alike` keeps its order from the first step; in `crossing` what learns slowly
    ends lower.
    """
    steps = np.arange(1, STEPS + 1)
    floor = 0.05 + 0.5 * quality**1.5
    power = {"alike": 0.8, "crossing": 0.4 + 0.9 * quality + 0.3 * speed, "noisy": 0.5 + 0.7 * speed}
    first = 0.5 + floor if family == "alike" else 0.8 + 0.2 * start
    return floor + (first - floor) * steps ** -power[family]


def seen(family, losses, rng):
    """The losses with their noise."""
    noise = {"alike": 0.002, "crossing": 0.01, "noisy": 0.05}[family]
    return np.abs(losses * (1 + noise * rng.normal(size=STEPS)))


SPACE = {"width": whole(4, 64, log=True), "layers": whole(1, 3), "rate": log(1e-4, 0.3),
         "decay": log(1e-6, 10.0), "batch": whole(16, 256, log=True),
         "activation": choice("relu", "tanh", "logistic")}


def configurations():
    """Those of the recorded curves, in their order."""
    rng = random.Random("curves")
    return [draw(SPACE, rng) for _ in range(RECORDED)]


def recorded():
    """Networks on images of digits: the loss on unseen images after each pass, and what a pass costs."""
    path = folder("curves") / "digits.npz"
    if not path.exists():
        drawn = configurations()
        np.savez(path, losses=[train(params) for params in drawn], seconds=costs(drawn))
    with np.load(path) as file:
        return file["losses"], file["seconds"]


def costs(several):
    """A pass costs what it computes: clocks differ from machine to machine. The usual one of the recorded costs 1."""
    def size(p):
        return 64 * p["width"] + (p["layers"] - 1) * p["width"] ** 2 + 2000 * 64 / p["batch"]

    return np.array([size(p) for p in several]) / np.median([size(p) for p in configurations()])


def train(params):
    from sklearn.datasets import load_digits
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    images, labels = load_digits(return_X_y=True)
    images = images / 16.0
    model = MLPClassifier(hidden_layer_sizes=[params["width"]] * params["layers"],
                          activation=params["activation"], alpha=params["decay"],
                          learning_rate_init=params["rate"], batch_size=params["batch"], random_state=0)
    losses = []
    for _ in range(STEPS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.partial_fit(images[:1000], labels[:1000], classes=range(10))
        guesses = np.nan_to_num(model.predict_proba(images[1000:]), nan=0.1)
        losses.append(min(log_loss(labels[1000:], guesses, labels=range(10)), 10.0))
    return losses
