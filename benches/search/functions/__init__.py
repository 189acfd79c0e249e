"""The functions to be searched, by name; those for tuning a sampler, and those that only report on it."""

from .conditional import CONDITIONAL
from .continuous import CONTINUOUS
from .mixed import MIXED
from .several import SEVERAL
from .training import TRAINING


def all_functions():
    """Every function by name, in the order of the tables."""
    return {function.name: function for function in [*CONTINUOUS, *MIXED, *CONDITIONAL, *TRAINING, *SEVERAL]}
