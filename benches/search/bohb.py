"""How soon a search whose sampler learns from rungs is near the best, in simulated time: BOHB (Falkner et al. 2018).

Other than with `stoppers`, the search chooses the configurations, and a curve is a function of its configuration.
All methods have the same time, and as many trials as they come to. Ours is decided by the scheduler's own core.
"""

import json
import math
import random
import sys

import numpy as np

from cache import Results
from configured import FAMILIES, configured
from curves import STEPS
from functions.space import draw, parents_first
from stoppers import OURS, PEERS, Peer, trained
from table import show

# A sampler, and a stopper after a plus.
NONE = "random"
METHODS = [NONE, "random+hyperband", "tpe", "tpe+hyperband", "o-tpe", "o-tpe+hyperband"]
# The one against the other.
PAIRS = [("tpe+hyperband", "o-tpe+hyperband"), ("tpe+hyperband", "random+hyperband"), ("tpe+hyperband", "tpe"),
         ("tpe", "o-tpe")]
# The time of a search: so many whole trainings of a usual length, by all workers together.
TRAININGS = {1: 80, 8: 80, 64: 256}
# Of ours, more than any search comes to.
ENOUGH = 100_000


def measure(options):
    from ours import Program

    program = Program(options.program) if options.program else None
    names = options.samplers or [name for name in METHODS if program or name.startswith("o-")]
    rows = []
    for family in options.families or FAMILIES:
        for workers in options.workers:
            for seed in range(options.seeds):
                found = {name: search(name, family, workers, seed, program) for name in names}
                rows.append({"family": family, "workers": workers, "seed": seed, "found": found})
                print(f"{family}, {workers} workers, seed {seed}: done", file=sys.stderr, flush=True)
    report(rows, names, options.seeds)
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump(rows, file, indent=1)


def report(rows, names, seeds):
    groups = {}
    for row in rows:
        groups.setdefault((row["family"], row["workers"]), []).append(row["found"])
    show([f"time until within 1 % of the best, as a share of all, {seeds} seeds", "workers", *names],
         [[*key, *(shares(group, key[1], name) for name in names)] for key, group in groups.items()])
    print()
    show(["above the best when time is up, in %", "workers", *names],
         [[*key, *(regrets(group, name) for name in names)] for key, group in groups.items()])
    pairs = [pair for pair in PAIRS if set(pair) <= set(names)]
    if not pairs:
        return
    print()
    show(["time, ratio", "workers", *(f"{one} / {other}" for one, other in pairs)],
         [[*key, *(ratio(group, key[1], pair) for pair in pairs)] for key, group in groups.items()])
    print()
    show(["nearer to the best when time is up", "workers", *(f"{one} than {other}" for one, other in pairs)],
         [[*key, *(nearer(group, pair) for pair in pairs)] for key, group in groups.items()])


def budget(workers):
    return TRAININGS.get(workers, 80) * STEPS / workers


def search(name, family, workers, seed, program):
    """When it came within 1 % of the best, or None, and how far above the best it ended; of Optuna's, kept."""
    function = configured(family, seed)
    if not name.startswith("o-"):
        return outcome(Ours(program, name, function, seed), function, workers)
    from peers import VERSION

    rng = random.Random("fingerprint")
    drawn = [function.curve(draw(function.space, rng)) for _ in range(20)]
    fingerprint = float(f"{sum(float(np.sum(curve.shown)) * curve.seconds for curve in drawn):.6g}")
    results = Results(f"{VERSION} bohb {name}")
    key = [family, workers, seed, STEPS, budget(workers), fingerprint]
    if results.get(key) is None:
        results.put(key, outcome(Theirs(name, function, seed), function, workers))
    return results.get(key)


def outcome(method, function, workers):
    """What its budget of time brought it."""
    soonest, least = None, math.inf
    for when, loss in trained(method, method.curves, workers, budget(workers)):
        if when > budget(workers):
            continue
        least = min(least, loss)
        if loss <= 1.01 * function.best:
            soonest = min(when, soonest or when)
    return [soonest, float(least / function.best - 1)]


class Ours:
    """A sweep of ours."""

    def __init__(self, program, name, function, seed):
        self.program, self.function, self.curves, self.under_way = program, function, {}, {}
        sampler, _, stopper = name.partition("+")
        search = {"sampler": sampler, "trials": ENOUGH}
        if stopper:
            search["stopper"] = OURS[stopper]
        program.say(op="breed", seed=seed, search=search, space=function.space)

    def work(self):
        answer = self.program.say(op="train")
        if "nothing" in answer:
            return None
        trial = answer["trial"]
        if trial not in self.curves:
            self.curves[trial] = self.function.curve(answer["params"])
        self.under_way[trial] = answer["from"]
        return trial, answer["until"] or STEPS

    def end(self, trial, until, best, last):
        losses = self.curves[trial].shown[self.under_way.pop(trial):until].tolist()
        self.program.say(op="trained", trial=trial, losses=losses, done=until >= STEPS)


class Theirs(Peer):
    """A study of Optuna's whose sampler is asked."""

    def __init__(self, name, function, seed):
        import optuna
        from peers import SAMPLERS

        self.function, self.curves, self.order = function, {}, parents_first(function.space)
        sampler, _, stopper = name.partition("+")
        pruner = PEERS[f"o-{stopper}"](optuna.pruners) if stopper else optuna.pruners.NopPruner()
        # Hyperband draws a trial's bracket from the study's name.
        super().__init__(optuna.create_study(study_name=f"study {seed}", sampler=SAMPLERS[sampler](seed),
                                             pruner=pruner), math.inf)

    def begin(self):
        from peers import define

        number = super().begin()
        self.curves[number] = self.function.curve(define(self.trials[number], self.function.space, self.order))
        return number


def time_in(found, workers):
    """A search that does not come near counts as if it had when time is up."""
    return found[0] or budget(workers)


def shares(group, workers, name):
    """The geometric mean, and how many did not come near."""
    mean = np.exp(np.mean([np.log(time_in(found[name], workers) / budget(workers)) for found in group]))
    missed = sum(found[name][0] is None for found in group)
    return f"{mean:.2f}" + (f" ({missed})" if missed else "")


def regrets(group, name):
    """The mean with its interval."""
    values = [100 * found[name][1] for found in group]
    return interval(np.mean, values, 1)


def ratio(group, workers, pair):
    """Of times for the same curves: the geometric mean with its interval."""
    logs = [np.log(time_in(found[pair[0]], workers) / time_in(found[pair[1]], workers)) for found in group]
    return interval(lambda some: np.exp(np.mean(some)), logs, 2)


def nearer(group, pair):
    """In how many percent of the searches; ties count half."""
    regret = [[found[name][1] for name in pair] for found in group]
    return interval(np.mean, [100 * ((one < other) + 0.5 * (one == other)) for one, other in regret], 0)


def interval(statistic, values, digits):
    """Of 95 %, from drawing seeds again and again."""
    rng = np.random.default_rng(0)
    low, high = np.quantile([statistic(rng.choice(values, len(values))) for _ in range(1000)], [0.025, 0.975])
    return f"{statistic(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
