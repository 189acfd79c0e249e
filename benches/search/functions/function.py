"""What a function to be searched is."""

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Callable

from .space import draw


@dataclass
class Function:
    """A loss over a space."""

    name: str
    # "continuous", "mixed", "training" or "several".
    kind: str
    # As in a sweep file.
    space: dict
    # The loss of a configuration, to be made small; None where the trial fails. A list for several losses.
    loss: Callable[[dict], float]
    # The best that a search can come to, as far as is known: see `regret.py`.
    best: Callable[[], float]
    # Samplers may be tuned on it; on all others they may only be reported.
    tuning: bool = False
    # Also searched by the samplers that take long.
    slow: bool = False
    # For several losses, what counts as bad in each of them.
    worst: list | None = None

    @property
    def objectives(self):
        return len(self.worst or [0])

    def fingerprint(self):
        """Changes when the function does: results of another one are of no use."""
        rng = random.Random(self.name)
        points = [draw(self.space, rng) for _ in range(20)]
        rounded = [rounded_to_6(self.loss(point)) for point in points]
        text = json.dumps([self.space, rounded], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def rounded_to_6(loss):
    if isinstance(loss, list):
        return [rounded_to_6(one) for one in loss]
    return None if loss is None else float(f"{loss:.6g}")


def fixed(best):
    """A best loss that is known beforehand."""
    return lambda: best
