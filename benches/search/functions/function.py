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
    # "continuous", "mixed" or "training".
    kind: str
    # As in a sweep file.
    space: dict
    # The loss of a configuration, to be made small; None where the trial fails.
    loss: Callable[[dict], float]
    # The smallest loss there is, as far as is known.
    best: Callable[[], float]
    # Samplers may be tuned on it; on all others they may only be reported.
    tuning: bool = False
    # Also searched by the samplers that take long.
    slow: bool = False

    def fingerprint(self):
        """Changes when the function does: results of another one are of no use."""
        rng = random.Random(self.name)
        points = [draw(self.space, rng) for _ in range(20)]
        losses = [self.loss(point) for point in points]
        rounded = [None if loss is None else float(f"{loss:.6g}") for loss in losses]
        text = json.dumps([self.space, rounded], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def fixed(best):
    """A best loss that is known beforehand."""
    return lambda: best
