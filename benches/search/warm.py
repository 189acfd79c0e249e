"""What earlier results are worth to begin with, and what they cost where they mislead.

Each search is run cold and with 60 results of another search by the same sampler (`warm_start`), over

    shifted    the same function, every number's best place moved by a twentieth of its range
    mirrored   the same function with every range and every list of choices turned around
    opposite   the same function with the sign changed: what was good there is bad here
"""

import json
import math
import multiprocessing
import os
import sys

from compare import Comparison
from functions import all_functions
from functions.space import exists, parents_first
from quality import interval, name_of
from regret import Regret
from simulate import search
from table import show

SOURCES = ["shifted", "mirrored", "opposite"]
VARIANTS = ["cold", *SOURCES]
# Of the source's search, and after how many of the new one's trials is looked.
EARLIER, AT = 60, [10, 20, 50, 100]
SHIFT = 0.05


def measure(options):
    if options.program is None:
        sys.exit("warm starts are of our side alone: give --program")
    functions = [function for function in all_functions().values()
                 if function.kind in ("continuous", "mixed")
                 and (not options.functions or function.name in options.functions)
                 and (options.set == "all" or function.tuning == (options.set == "tuning"))]
    rows = []
    for sampler in options.samplers or ["tpe", "gp"]:
        runs = [(sampler, function.name, variant, seed) for seed in range(options.seeds)
                for function in functions for variant in VARIANTS]
        os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        with multiprocessing.get_context("spawn").Pool(options.processes, prepare, [options.program]) as pool:
            done = dict(pool.imap_unordered(perform, runs))
        print(f"\n# {name_of(sampler)}: {len(functions)} functions, {options.seeds} seeds, {EARLIER} earlier results\n")
        rows += report(sampler, functions, done, options.seeds)
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump(rows, file, indent=1)


def report(sampler, functions, done, seeds):
    rows = []
    for trials in AT:
        regret = {function.name: Regret(function, trials) for function in functions}
        of = {function.name: {variant: [regret[function.name].of(done[sampler, function.name, variant, seed][:trials])
                                        for seed in range(seeds)] for variant in VARIANTS} for function in functions}
        comparison = Comparison(of, VARIANTS)
        rows += [{"sampler": sampler, "trials": trials, "start": variant, "regret": comparison.regret(variant),
                  "wins": comparison.wins_of(variant, "cold")} for variant in VARIANTS]
    show(["after", "mean regret", "better than cold"],
         [[f"{row['trials']} trials, {row['start']}", interval(row["regret"]), interval(row["wins"])] for row in rows])
    return rows


STATE = {}


def prepare(program):
    """Once in every process."""
    from ours import Program

    STATE.update(program=Program(program), functions=all_functions())


def perform(run):
    """The losses of one search. A source is searched anew for each: that takes no longer than to keep it."""
    from ours import Ours

    sampler, name, variant, seed = run
    function, earlier = STATE["functions"][name], []
    if variant != "cold":
        other = Recorded(function, variant)
        # Another seed, or the source would have tried the same.
        searcher = Ours(STATE["program"], sampler, function.space, 1000 + seed, EARLIER)
        search(searcher, other, 1, EARLIER, 1000 + seed)
        earlier = other.results
    searcher = Ours(STATE["program"], sampler, function.space, seed, max(AT), earlier=earlier)
    return run, search(searcher, function, 1, max(AT), seed)[0]


class Recorded:
    """A relative of a function, which remembers what it was asked."""

    def __init__(self, function, relation):
        self.name, self.function, self.relation, self.results = function.name, function, relation, []

    def loss(self, params):
        loss = self.function.loss(self.elsewhere(params))
        if loss is not None and self.relation == "opposite":
            loss = -loss
        if loss is not None:
            self.results.append([params, loss])
        return loss

    def elsewhere(self, params):
        if self.relation == "opposite":
            return params
        there = {}
        space = self.function.space
        for at, name in enumerate(parents_first(space)):
            if exists(space[name], there):
                # What does not exist in the one may exist in the other: then the first value will do.
                value = params.get(name, space[name]["values"][0] if "values" in space[name] else space[name]["low"])
                there[name] = self.moved(space[name], value, 1 if at % 2 else -1)
        return there

    def moved(self, entry, value, sign):
        if entry["type"] == "choice":
            if self.relation == "shifted":
                return value
            return entry["values"][-1 - entry["values"].index(value)]
        low, high = entry["low"], entry["high"]
        if self.relation == "shifted" and entry.get("log"):
            value = math.exp(math.log(value) + sign * SHIFT * (math.log(high) - math.log(low)))
        elif self.relation == "shifted":
            value += sign * SHIFT * (high - low)
        else:
            value = low * high / value if entry.get("log") else low + high - value
        value = min(max(value, low), high)
        step = entry.get("step", 1 if entry["type"] == "int" else None)
        if step and not entry.get("log"):
            value = min(low + step * round((value - low) / step), high)
        return round(value) if entry["type"] == "int" else value
