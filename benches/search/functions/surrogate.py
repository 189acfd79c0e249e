"""A function too slow to be asked a million times: a table of real answers, and networks through it."""

import random
import sys
import warnings

import numpy as np

from cache import folder

from .space import decode, draw, encode, exists, parents_first

ROWS = 2000
NETWORKS = 3


class Surrogate:
    """Trains, fits and keeps what it needs when it is first asked."""

    def __init__(self, name, space, run):
        self.name, self.space, self.run = name, space, run
        self.order = parents_first(space)
        self.weights = None
        self.smallest = None

    def loss(self, params):
        if self.weights is None:
            self.load()
        return float(np.exp(np.mean([forward(net, self.encode(params)) for net in self.weights])))

    def best(self):
        if self.weights is None:
            self.load()
        return self.smallest

    def encode(self, params):
        return np.array(encode(self.space, self.order, params))

    def load(self):
        path = folder("surrogates") / f"{self.name}.npz"
        if not path.exists():
            weights, quality = fit(*self.table())
            flat = {f"{i}_{j}_{k}": part for i, net in enumerate(weights) for j, layer in enumerate(net)
                    for k, part in enumerate(layer)}
            self.weights = weights
            np.savez(path, smallest=self.look_for_best(), quality=quality, **flat)
            say = f"{self.name}: the surrogate explains {quality:.1%} of what it has not seen"
            print(say, file=sys.stderr, flush=True)
        with np.load(path) as file:
            layers = len({key.split("_")[1] for key in file if key[0] == "0"})
            self.weights = [[(file[f"{i}_{j}_0"], file[f"{i}_{j}_1"]) for j in range(layers)]
                            for i in range(NETWORKS)]
            self.smallest = float(file["smallest"])

    def table(self):
        """Configurations drawn at random, and what training with them gave."""
        path = folder("surrogates") / f"{self.name}.table.npz"
        rng = random.Random(self.name)
        drawn = [draw(self.space, rng) for _ in range(ROWS)]
        if not path.exists():
            errors = []
            for i, params in enumerate(drawn):
                if i % 100 == 0:
                    print(f"{self.name}: {i} of {ROWS} trained", file=sys.stderr)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    errors.append(self.run(params))
            np.savez(path, errors=errors)
        with np.load(path) as file:
            return np.array([self.encode(params) for params in drawn]), file["errors"]

    def look_for_best(self):
        """The smallest loss of very many draws, each of the best improved step by step."""
        rng = random.Random(0)
        drawn = [{name: rng.random() for name in self.order} for _ in range(30_000)]
        starts = sorted((self.loss(self.params(point)), i) for i, point in enumerate(drawn))[:30]
        smallest = starts[0][0]
        for loss, i in starts:
            point, width = drawn[i], 0.2
            for _ in range(1500):
                step = {name: min(max(x + rng.gauss(0, width) * (rng.random() < 0.5), 0), 1 - 1e-12)
                        for name, x in point.items()}
                near = self.loss(self.params(step))
                point, loss, width = (step, near, width * 1.2) if near < loss else (point, loss, width * 0.98)
                width = min(max(width, 1e-3), 0.3)
            smallest = min(smallest, loss)
        return smallest

    def params(self, units):
        params = {}
        for name in self.order:
            if exists(self.space[name], params):
                params[name] = decode(self.space[name], units[name])
        return params


def forward(net, x):
    for weights, bias in net[:-1]:
        x = np.tanh(x @ weights + bias)
    weights, bias = net[-1]
    return (x @ weights + bias)[0]


def fit(points, errors):
    """Networks through the logarithm of the errors; and how much of an unseen tenth they explain."""
    from sklearn.neural_network import MLPRegressor

    # Half a percent more, so that hits and near misses are not far apart.
    targets = np.log(errors + 0.005)
    middle, spread = targets.mean(), targets.std()
    seen = np.arange(len(points)) % 10 > 0
    nets, guesses = [], []
    for seed in range(NETWORKS):
        model = MLPRegressor(hidden_layer_sizes=(64, 64), activation="tanh", alpha=0.003,
                             learning_rate_init=0.003, max_iter=1500, early_stopping=True,
                             n_iter_no_change=60, random_state=seed)
        model.fit(points[seen], (targets[seen] - middle) / spread)
        guesses.append(model.predict(points[~seen]) * spread + middle)
        layers = list(zip(model.coefs_, model.intercepts_))
        weights, bias = layers[-1]
        nets.append([*layers[:-1], (weights * spread, bias * spread + middle)])
    left = targets[~seen] - np.mean(guesses, axis=0)
    return nets, float(1 - left.var() / targets[~seen].var())
