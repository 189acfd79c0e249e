"""How soon a search with early stopping has found something within 1 % of the best, in simulated time.

Every method meets the same trials in the same order, with 1, 8 and 64 workers. Ours pauses a trial at a rung
and lets it go on later; Optuna's are asked after every step whether the trial ends. Going on costs nothing.
"""

import heapq
import json
import math
import sys
from collections import defaultdict

import numpy as np

from cache import Results
from curves import FAMILIES, STEPS, TRIALS, pool
from table import show

# With the same rungs for all that have rungs.
OURS = {
    "asha": {"name": "asha", "min_steps": 1, "factor": 3},
    "halving": {"name": "halving", "min_steps": 1, "factor": 3},
    "hyperband": {"name": "hyperband", "min_steps": 1, "max_steps": STEPS, "factor": 3},
    "median": {"name": "median"},
    "extrapolation": {"name": "extrapolation"},
}
# Those of ours that judge running trials at every step.
JUDGES = ["median", "extrapolation"]
PEERS = {
    "o-median": lambda pruners: pruners.MedianPruner(),
    "o-halving": lambda pruners: pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    "o-hyperband": lambda pruners: pruners.HyperbandPruner(min_resource=1, max_resource=STEPS,
                                                           reduction_factor=3),
}
NONE = "none"


def measure(options):
    from ours import Program

    program = Program(options.program) if options.program else None
    names = options.samplers or [NONE, *(OURS if program else []), *PEERS]
    names = list(dict.fromkeys([NONE, *names]))
    rows = []
    for family in options.families or FAMILIES:
        for workers in options.workers:
            for seed in range(options.seeds):
                times = {name: time_of(name, family, workers, seed, program) for name in names}
                rows.append({"family": family, "workers": workers, "seed": seed, "times": times})
            print(f"{family}, {workers} workers: done", file=sys.stderr, flush=True)
    summary = summarise(rows, names)
    show([f"time until within 1 % of the best, {options.seeds} seeds", "workers", *names],
         [[family, workers, *(interval(shares) for shares in of.values())]
          for (family, workers), of in summary.items()])
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump({"rows": rows, "summary": [[*key, of] for key, of in summary.items()]}, file, indent=1)


def time_of(name, family, workers, seed, program):
    """When the search has come within 1 % of the best of its trials; of a peer, kept between runs."""
    curves = pool(family, seed)
    best = min(float(np.min(curve.true)) for curve in curves)
    fingerprint = float(f"{sum(float(np.sum(curve.shown)) * curve.seconds for curve in curves):.6g}")
    if name == NONE or name in OURS:
        method = NoStopper() if name == NONE else (Judge if name in JUDGES else Ours)(program, name)
        return contest(method, curves, workers, best)
    import optuna
    from peers import VERSION

    results = Results(f"{VERSION} {name}")
    key = [family, workers, seed, STEPS, TRIALS, fingerprint]
    if results.get(key) is None:
        # A fixed name: Hyperband draws a trial's bracket from it.
        study = optuna.create_study(study_name=name, pruner=PEERS[name](optuna.pruners))
        results.put(key, contest(Peer(study), curves, workers, best))
    return results.get(key)


def contest(method, curves, workers, best):
    """When it comes within 1 % of the best; None where that one was stopped too early."""
    return next((when for when, loss in trained(method, curves, workers) if loss <= 1.01 * best), None)


def trained(method, curves, workers, budget=math.inf):
    """Simulates it: when each step was trained, and the loss behind it, a piece of training after the other.

    `method` says what a free worker trains and after which step it looks again, until the budget of time is spent.
    """
    reached = defaultdict(int)
    # Times at which a piece of training ends; ties in the order of their beginning.
    events, begun, idle, now = [], 0, workers, 0.0
    while True:
        while idle and now < budget and (work := method.work()) is not None:
            trial, until = work
            until = min(until, STEPS)
            takes = curves[trial].seconds * (until - reached[trial])
            heapq.heappush(events, (now + takes, begun, trial, until))
            begun, idle = begun + 1, idle - 1
        if not events:
            return
        now, _, trial, until = heapq.heappop(events)
        idle += 1
        curve = curves[trial]
        for step in range(reached[trial], until):
            yield now - curve.seconds * (until - step - 1), float(curve.true[step])
        reached[trial] = until
        method.end(trial, until, float(np.min(curve.shown[:until])), float(curve.shown[until - 1]))


class NoStopper:
    """Every trial to its end."""

    def __init__(self):
        self.next = 0

    def work(self):
        self.next += 1
        return (self.next - 1, STEPS) if self.next <= TRIALS else None

    def end(self, trial, until, best, last):
        pass


class Ours:
    """A stopper of ours."""

    def __init__(self, program, name):
        self.program, self.until = program, {}
        program.say(op="contest", stopper=OURS[name], trials=TRIALS)

    def work(self):
        answer = self.program.say(op="work")
        if "nothing" in answer:
            return None
        self.until[answer["trial"]] = answer["until"]
        return answer["trial"], answer["until"]

    def end(self, trial, until, best, last):
        self.program.say(op="end", trial=trial, until=self.until[trial], value=best, done=until >= STEPS)


class StepByStep:
    """Trials that go on step by step until they are told to end."""

    def __init__(self, trials=TRIALS):
        self.trials_left, self.going_on = trials, []

    def work(self):
        if self.going_on:
            return self.going_on.pop()
        if self.trials_left == 0:
            return None
        self.trials_left -= 1
        return self.begin(), 1

    def end(self, trial, until, best, last):
        if self.goes_on(trial, until, last):
            self.going_on.append((trial, until + 1))


class Judge(StepByStep):
    """A stopper of ours that judges running trials."""

    def __init__(self, program, name):
        super().__init__()
        self.program, self.losses = program, []
        program.say(op="contest", stopper=OURS[name], trials=TRIALS)

    def begin(self):
        self.losses.append([])
        return len(self.losses) - 1

    def goes_on(self, trial, until, last):
        self.losses[trial].append(last)
        done = until >= STEPS
        stop = self.program.say(op="report", trial=trial, losses=self.losses[trial], done=done)["stop"]
        return not done and not stop


class Peer(StepByStep):
    """A study of Optuna's with a pruner."""

    def __init__(self, study, trials=TRIALS):
        import optuna

        super().__init__(trials)
        self.study, self.pruned, self.trials = study, optuna.trial.TrialState.PRUNED, {}

    def begin(self):
        trial = self.study.ask()
        self.trials[trial.number] = trial
        return trial.number

    def goes_on(self, number, until, last):
        trial = self.trials[number]
        trial.report(last, until)
        if until >= STEPS:
            self.study.tell(trial, last)
        elif trial.should_prune():
            self.study.tell(trial, state=self.pruned)
        else:
            return True
        return False


def summarise(rows, names):
    """The geometric mean of the time as a share of that without a stopper, with its interval over seeds."""
    summary = {}
    for family, workers in dict.fromkeys((row["family"], row["workers"]) for row in rows):
        some = [row for row in rows if (row["family"], row["workers"]) == (family, workers)]
        summary[family, workers] = {name: share(some, name) for name in names}
    return summary


# A search that never comes close counts as if it took so many times as long as one without a stopper.
NEVER = 3.0


def share(rows, name):
    times = [row["times"] for row in rows]
    logs = np.log([of[name] / of[NONE] if of[name] else NEVER for of in times])
    rng = np.random.default_rng(0)
    means = [rng.choice(logs, len(logs)).mean() for _ in range(1000)]
    low, high = np.quantile(means, [0.025, 0.975])
    missed = sum(of[name] is None for of in times)
    return [float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high)), missed]


def interval(share):
    value, low, high, missed = share
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" + (f", {missed} missed" if missed else "")
