"""How good what is found is, after a hundred trials."""

import csv
import json
import statistics
import sys

from compare import Comparison
from functions import all_functions
from regret import Regret, outcome
from runs import Run, run_all
from table import show

# Ours, and what of Optuna's each is held against.
COUNTERPARTS = {
    "random": ["o-random"],
    "sobol": ["o-sobol"],
    "halton": ["o-halton"],
    "tpe": ["o-tpe", "o-tpe-alone", "o-tpe-group"],
    "gp": ["o-gp"],
    "cmaes": ["o-cmaes"],
    "nsga2": ["o-nsga2"],
    "evolution": ["o-nsga2"],
    "auto": ["o-tpe", "o-tpe-alone", "o-tpe-group", "o-cmaes", "o-nsga2", "o-gp"],
}
# Takes a second a trial: some functions and some seeds only.
SLOW = "o-gp"
# What may be asked for several losses at once.
SEVERAL = ["random", "sobol", "halton", "tpe", "nsga2", "auto",
           "o-random", "o-sobol", "o-halton", "o-tpe", "o-nsga2"]


def name_of(sampler):
    return json.loads(sampler)["name"] if sampler.startswith("{") else sampler


def counterparts(sampler):
    return COUNTERPARTS.get(name_of(sampler), [])


def fits(sampler, function):
    if function.objectives > 1:
        return name_of(sampler) in SEVERAL
    return sampler != SLOW or function.slow


def measure(options):
    functions = chosen(options)
    samplers = options.samplers or known(options.program)
    if not options.alone:
        samplers = list(dict.fromkeys([*samplers, *(peer for one in samplers for peer in counterparts(one))]))
    # Seed by seed, so that a run that is stopped has some of everything.
    runs = [Run(sampler, function.name, workers, seed, options.trials)
            for seed in range(options.seeds) for function in functions for workers in options.workers
            for sampler in samplers
            if fits(sampler, function) and (sampler != SLOW or seed < options.slow_seeds)]
    done = run_all(runs, options.program, options.processes, options.only_kept)
    rows = [row(run, answer, functions, options.at) for run, answer in done.items()]
    write(rows, options.out)
    summary = []
    for workers in options.workers:
        some = [row for row in rows if row["workers"] == workers]
        print(f"\n# {options.at or options.trials} trials, {workers} at once, {options.seeds} seeds")
        per_function(some, samplers)
        for title, part in parts(some, samplers):
            summary += compare(f"{title}, {workers} at once", part, samplers)
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump(summary, file, indent=1)


def chosen(options):
    functions = [function for function in all_functions().values()
                 if (not options.functions or function.name in options.functions)
                 and (not options.kind or function.kind in options.kind)
                 and (options.set == "all" or function.tuning == (options.set == "tuning"))]
    if not functions:
        sys.exit("no function is left; there are: " + ", ".join(all_functions()))
    return functions


def known(program):
    """Every sampler that the program has, and all of Optuna's where there is no program."""
    if program is None:
        return list(dict.fromkeys(peer for peers in COUNTERPARTS.values() for peer in peers))
    from ours import Program

    asked = Program(program)
    return [sampler for sampler in COUNTERPARTS if asked.knows(sampler)]


REGRETS = {}


def row(run, answer, functions, at):
    losses, seconds = answer
    function = next(function for function in functions if function.name == run.function)
    trials = at or run.trials
    if (run.function, trials) not in REGRETS:
        REGRETS[run.function, trials] = Regret(function, trials)
    regret = REGRETS[run.function, trials].of(losses[:trials])
    return {"function": run.function, "kind": function.kind, "set": "tuning" if function.tuning else "report",
            "slow": function.slow, "sampler": run.sampler, "workers": run.workers, "seed": run.seed,
            "outcome": outcome(function, losses[:trials]), "regret": regret,
            "ms": 1000 * seconds / max(len(losses), 1)}


def write(rows, out):
    if out:
        with open(f"{out}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


def per_function(rows, samplers):
    """The median regret of each sampler on each function."""
    cells = {}
    for row in rows:
        cell = cells.setdefault((row["function"], row["kind"], row["set"]), {})
        cell.setdefault(row["sampler"], []).append(row["regret"])
    show(["median regret", "kind", "set", *samplers],
         [[*key, *(f"{statistics.median(of[s]):.3f}" if s in of else "" for s in samplers)]
          for key, of in cells.items()])


def parts(rows, samplers):
    """What is compared together: each kind, all kinds with one loss, and what the slow one ran on as well."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for kind in kinds:
        yield kind, [row for row in rows if row["kind"] == kind]
    single = [kind for kind in kinds if kind != "several"]
    if len(single) > 1:
        yield "all with one loss", [row for row in rows if row["kind"] in single]
    if SLOW in samplers and any(row["slow"] for row in rows):
        yield f"functions of {SLOW}", [row for row in rows if row["slow"]]


def compare(title, rows, samplers):
    """Prints and returns the means of what ran on all the functions, and of each against its counterparts."""
    regrets = {}
    for row in rows:
        regrets.setdefault(row["function"], {}).setdefault(row["sampler"], []).append(row["regret"])
    samplers = [sampler for sampler in samplers if all(sampler in of for of in regrets.values())]
    if not samplers:
        return []
    comparison = Comparison(regrets, samplers)
    means = [{"part": title, "functions": len(regrets), "sampler": sampler,
              "regret": comparison.regret(sampler), "rank": comparison.rank(sampler),
              "ms": statistics.mean(row["ms"] for row in rows if row["sampler"] == sampler)}
             for sampler in samplers]
    print()
    show([f"{title}: {len(regrets)} functions", "mean regret", "mean rank", "ms a suggestion"],
         [[one["sampler"], interval(one["regret"]), interval(one["rank"]), f"{one['ms']:.2f}"]
          for one in sorted(means, key=lambda one: one["rank"])])
    pairs = [{"part": title, "functions": len(regrets), "sampler": one, "against": other,
              "wins": comparison.wins_of(one, other)}
             for one in samplers for other in counterparts(one) if other in samplers]
    if pairs:
        print()
        show([f"{title}: searches that find something better", "against", "share"],
             [[pair["sampler"], pair["against"], interval(pair["wins"])] for pair in pairs])
    return means + pairs


def interval(numbers):
    return "{:.3f} [{:.3f}, {:.3f}]".format(*numbers)
