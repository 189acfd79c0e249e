"""What population-based training is worth: against random search with the same steps, where the best value of a
hyperparameter moves while a network is trained.

Both are decided by the scheduler's own core; trainings are models of trainings, in a few lines each. What a trial
has reached is inherited with its checkpoint.
"""

import heapq
import json
import math

import numpy as np

from table import show

MEMBERS = 16
INTERVAL = 3
STEPS = 60
SEARCHES = ("random", "population")


def search_of(name, model):
    """As in a sweep file."""
    if name == "random":
        return {"sampler": "random", "trials": MEMBERS}
    stopper = {"name": name, "members": MEMBERS, "interval": INTERVAL, "perturb": list(model.space)}
    return {"sampler": "random", "stopper": stopper}


def log(low, high):
    return {"type": "float", "low": low, "high": high, "log": True}


class Paper:
    """The toy of Jaderberg et al. 2017: ascent of a surrogate that weighs two directions, of which both count."""

    space = {"h0": {"type": "float", "low": 0, "high": 1}, "h1": {"type": "float", "low": 0, "high": 1}}
    begin = (0.9, 0.9)

    @staticmethod
    def step(state, params, step):
        return tuple(x * (1 - 2 * 0.02 * params[h]) for x, h in zip(state, ("h0", "h1")))

    @staticmethod
    def loss(state):
        return sum(x * x for x in state)


class Schedule:
    """Gradient descent on a noisy quadratic in expectation (Schaul et al. 2013): large steps come near the bottom
    fast and then bounce, small ones come down to it and take long."""

    space = {"rate": log(1e-3, 1.0)}
    curvatures = (1.0, 0.1, 0.02)
    begin = (1.0, 1.0, 1.0)

    @classmethod
    def step(cls, state, params, step):
        rate = params["rate"]
        return tuple((1 - rate * a) ** 2 * v + rate * rate * a * a * 0.1 for a, v in zip(cls.curvatures, state))

    @classmethod
    def loss(cls, state):
        return sum(a * v for a, v in zip(cls.curvatures, state))


class Moves:
    """Only a rate near the best one makes progress, and that falls to a fifth in the middle."""

    space = {"rate": log(1e-3, 1.0)}
    begin = 1.0

    @staticmethod
    def step(state, params, step):
        miss = math.log(params["rate"] / (0.3 if step <= STEPS / 2 else 0.06))
        return state * (1 - 0.2 * math.exp(-miss * miss))

    @staticmethod
    def loss(state):
        return state


class Still(Moves):
    """The same where the best rate stays what it is: nothing is to be gained by changing it."""

    @staticmethod
    def step(state, params, step):
        miss = math.log(params["rate"] / 0.3)
        return state * (1 - 0.2 * math.exp(-miss * miss))


MODELS = {"paper": Paper, "schedule": Schedule, "moves": Moves, "still": Still}


def measure(options):
    from ours import Program

    program = Program(options.program)
    rows = []
    for name in options.families or MODELS:
        for workers in options.workers:
            losses = {search: [least(program, MODELS[name], search, workers, seed) for seed in range(options.seeds)]
                      for search in SEARCHES}
            rows.append({"model": name, "workers": workers, "losses": losses})
    show([f"{MEMBERS} x {STEPS} steps, {options.seeds} seeds", "workers", "random", "population", "share", "better"],
         [line(row) for row in rows])
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump(rows, file, indent=1)


def line(row):
    """Medians; the geometric mean of what is left as a share of random's, with its interval; and how often it is less."""
    random, bred = (np.array(row["losses"][search]) for search in SEARCHES)
    logs = np.log(bred / random)
    rng = np.random.default_rng(0)
    means = [rng.choice(logs, len(logs)).mean() for _ in range(1000)]
    low, high = np.exp(np.quantile(means, [0.025, 0.975]))
    share = f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.2f}]"
    return [row["model"], row["workers"], f"{np.median(random):.2g}", f"{np.median(bred):.2g}", share,
            f"{np.mean(bred < random):.0%}"]


def least(program, model, search, workers, seed):
    """The least loss that any trial reached, with so many workers; how fast each trial is, the seed says."""
    program.say(op="breed", seed=seed, search=search_of(search, model), space=model.space)
    speed = np.random.default_rng([seed, workers])
    reached, events, now, idle, begun, best = {}, [], 0.0, workers, 0, math.inf
    while True:
        while idle and "nothing" not in (work := program.say(op="train")):
            trial, parent, first = work["trial"], work["parent"], work["from"]
            until = min(work["until"] or STEPS, STEPS)
            state = reached.get((trial, first)) or reached.get((parent, first)) or model.begin
            losses = []
            for step in range(first + 1, until + 1):
                state = model.step(state, work["params"], step)
                losses.append(model.loss(state))
            reached[trial, until] = state
            takes = (until - first) * math.exp(0.3 * speed.normal())
            heapq.heappush(events, (now + takes, begun, trial, losses, until >= STEPS))
            begun, idle = begun + 1, idle - 1
        if not events:
            return best
        now, _, trial, losses, done = heapq.heappop(events)
        idle += 1
        best = min(best, *losses)
        program.say(op="trained", trial=trial, losses=losses, done=done)
