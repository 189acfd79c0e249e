"""Learning curves that are a function of the configuration, for searches that choose it.

Of the made ones three numbers decide how low a curve ends, one how fast it falls, one where it begins, and one how
long a step takes; the seed says where the best place is. Of the recorded ones a configuration gets the curve of the
nearest configuration that was trained, or that of a smooth picture of them all.
"""

from functools import cache

import numpy as np

from curves import RECORDED, SPACE, TRIALS, Curve, configurations, power_law, recorded, seen
from functions.space import box, encode
from smoothed import Smoothed

FAMILIES = ["alike", "crossing", "noisy", "recorded", "smoothed"]


def configured(family, seed):
    if family == "smoothed":
        return Smoothed()
    return Recorded(seed) if family == "recorded" else Made(family, seed)


class Made:
    """Power laws."""

    space = box(6, 0, 1)

    def __init__(self, family, seed):
        self.family, self.seed = family, seed
        self.centre = np.random.default_rng([seed, *family.encode()]).uniform(0.2, 0.8, size=5)
        # Where a curve ends depends on the quality, at the best speed and start.
        self.best = min(power_law(family, quality, 1, 0)[-1] for quality in np.linspace(0, 1, 1001))

    def curve(self, params):
        point = np.array([params[name] for name in self.space])
        off = (point[:5] - self.centre) ** 2
        losses = power_law(self.family, min(off[:3].sum(), 1.0), 1 - off[3], off[4])
        # The same noise whenever a configuration comes.
        rng = np.random.default_rng([self.seed, *(int(x * 2**32) for x in point)])
        return Curve(seen(self.family, losses, rng), losses, float(3 ** (point[5] - 0.5)))


class Recorded:
    """Networks on images of digits; the seed says which of the recorded ones there are."""

    space = SPACE

    def __init__(self, seed):
        self.those = np.random.default_rng([seed, *b"recorded"]).permutation(RECORDED)[:TRIALS]
        self.losses, self.seconds, self.points = table()
        self.best = float(self.losses[self.those].min())

    def curve(self, params):
        distances = np.sum((self.points[self.those] - encode(SPACE, list(SPACE), params)) ** 2, axis=1)
        nearest = self.those[np.argmin(distances)]
        losses = self.losses[nearest]
        return Curve(losses, losses, float(self.seconds[nearest]))


@cache
def table():
    losses, seconds = recorded()
    return losses, seconds, np.array([encode(SPACE, list(SPACE), params) for params in configurations()])
