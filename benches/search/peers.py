"""Optuna's samplers behind the same two calls as ours: `ask` and `tell`."""

import time
import warnings

import optuna

from functions.space import exists, parents_first

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
warnings.simplefilter("ignore")

VERSION = f"optuna-{optuna.__version__}"

# As they come, but for what is said. Scrambled, or every seed would give the same points.
SAMPLERS = {
    "o-random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "o-sobol": lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True),
    "o-halton": lambda seed: optuna.samplers.QMCSampler(qmc_type="halton", seed=seed, scramble=True),
    "o-tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "o-tpe-alone": lambda seed: optuna.samplers.TPESampler(multivariate=False, seed=seed),
    "o-tpe-group": lambda seed: optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed),
    "o-cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "o-nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "o-gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
}


class Peer:
    """A search by one of them."""

    def __init__(self, sampler, space, seed, objectives=1):
        self.space, self.order = space, parents_first(space)
        directions = ["minimize"] * objectives
        self.study = optuna.create_study(sampler=SAMPLERS[sampler](seed), directions=directions)
        self.trials = {}

    def ask(self):
        """A number, a configuration, and the seconds that it took."""
        started = time.perf_counter()
        trial = self.study.ask()
        params = define(trial, self.space, self.order)
        self.trials[trial.number] = trial
        return trial.number, params, time.perf_counter() - started

    def tell(self, number, loss):
        trial = self.trials.pop(number)
        if loss is None:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(trial, loss)


def define(trial, space, order):
    """The parameters of a trial, one after the other, as users of Optuna write it."""
    params = {}
    for name in order:
        entry = space[name]
        if not exists(entry, params):
            continue
        if entry["type"] == "choice":
            params[name] = trial.suggest_categorical(name, entry["values"])
        else:
            suggest = trial.suggest_int if entry["type"] == "int" else trial.suggest_float
            more = {"step": entry["step"]} if entry.get("step") else {}
            params[name] = suggest(name, entry["low"], entry["high"], log=entry.get("log", False), **more)
    return params


def distributions(space, params):
    """Of the parameters that a configuration has: what Optuna wants to know of a trial made elsewhere."""
    floats, ints = optuna.distributions.FloatDistribution, optuna.distributions.IntDistribution
    known = {}
    for name in params:
        entry = space[name]
        if entry["type"] == "choice":
            known[name] = optuna.distributions.CategoricalDistribution(entry["values"])
        else:
            kind = ints if entry["type"] == "int" else floats
            more = {"step": entry["step"]} if entry.get("step") else {}
            known[name] = kind(entry["low"], entry["high"], log=entry.get("log", False), **more)
    return known
