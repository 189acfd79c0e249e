"""How good a search was: 0 is the best there is, 1 what half of all random searches reach."""

import random
import statistics

from cache import Results
from functions.several import hypervolume
from functions.space import draw

REFERENCES = 300


def outcome(function, losses):
    """What a search came to, the smaller the better: its smallest loss; of several losses, the area between
    what it found and what is worst, with its sign changed. Where every trial failed, nothing is as bad.
    """
    if function.worst:
        return -hypervolume(losses, function.worst)
    return min((loss for loss in losses if loss is not None), default=float("inf"))


class Regret:
    """Of one function, after so many trials."""

    def __init__(self, function, trials):
        self.function, self.best = function, function.best()
        self.unit = max(reference(function, trials) - self.best, 1e-12)

    def of(self, losses):
        # What is best is known up to a little; and nothing is counted as worse than ten times random.
        return min(max((outcome(self.function, losses) - self.best) / self.unit, 0.0), 10.0)


def reference(function, trials):
    """The median of random searches, which belong to neither side."""
    results = Results("reference")
    key = [function.name, function.fingerprint(), trials, REFERENCES]
    if results.get(key) is None:
        rng = random.Random(f"reference {function.name}")
        found = [outcome(function, [function.loss(draw(function.space, rng)) for _ in range(trials)])
                 for _ in range(REFERENCES)]
        results.put(key, statistics.median(found))
    return results.get(key)
