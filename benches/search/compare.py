"""Statistics of many searches: mean regret, mean rank, and who wins against whom, each with an interval.

Intervals are 95 % by bootstrap over functions, and over seeds within each.
"""

import numpy as np

DRAWS = 500


class Comparison:
    """Of some samplers on some functions. `regrets[function][sampler]` is a list, one for each seed."""

    def __init__(self, regrets, samplers):
        self.samplers = samplers
        self.values = [[np.array(of[sampler]) for sampler in samplers] for of in regrets.values()]
        # For every pair of seeds: 1 where the first sampler is the better one, a half where both are as good.
        self.wins = [[[beaten(a, b) for b in row] for a in row] for row in self.values]
        # How far apart 500 resamplings are, from the same seed each time.
        rng = np.random.default_rng(0)
        self.weights = [self.draw(rng) for _ in range(DRAWS)]
        self.plain = (range(len(self.values)), [[uniform(len(a)) for a in row] for row in self.values])
        self.won = self.matrix(self.plain)
        self.won_again = np.array([self.matrix(weights) for weights in self.weights])

    def draw(self, rng):
        """Functions, and how much each seed of each counts."""
        functions = rng.integers(len(self.values), size=len(self.values))
        seeds = [[rng.multinomial(len(a), uniform(len(a))) / len(a) for a in row] for row in self.values]
        return functions, seeds

    def matrix(self, weights):
        """The share of pairs that the first sampler (row) wins against the second (column)."""
        functions, seeds = weights
        each = {f: np.array([[seeds[f][i] @ wins @ seeds[f][j] for j, wins in enumerate(row)]
                             for i, row in enumerate(self.wins[f])]) for f in set(functions)}
        return np.mean([each[f] for f in functions], axis=0)

    def regret(self, sampler):
        """The mean over the functions, and its interval."""
        i = self.samplers.index(sampler)

        def mean(weights):
            functions, seeds = weights
            return np.mean([seeds[f][i] @ self.values[f][i] for f in functions])

        return with_interval(mean(self.plain), [mean(weights) for weights in self.weights])

    def rank(self, sampler):
        """The mean rank from 1, as if one seed of each were compared at random."""
        i = self.samplers.index(sampler)

        def rank(won):
            others = [j for j in range(len(self.samplers)) if j != i]
            return 1 + np.sum(won[others, i])

        return with_interval(rank(self.won), [rank(won) for won in self.won_again])

    def wins_of(self, one, other):
        """The share of searches in which the one finds something better."""
        i, j = self.samplers.index(one), self.samplers.index(other)
        return with_interval(self.won[i, j], self.won_again[:, i, j])


def beaten(a, b):
    return (a[:, None] < b) + 0.5 * (a[:, None] == b)


def uniform(n):
    return np.full(n, 1 / n)


def with_interval(value, resampled):
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(value), float(low), float(high)
