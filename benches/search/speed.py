"""How long a suggestion takes after a long history, ours and Optuna's, in milliseconds.

The history is random, and so are the losses but for a bowl. Each suggestion's trial ends before the next is
asked for. Ours is timed inside the program, Optuna's around `ask` and all `suggest_` calls of a trial; both
in memory.
"""

import json
import random
import statistics
import sys

from functions.space import choice, decode, draw, log, uniform, when, whole
from table import show

# Fifteen parameters, most of them under a condition.
SPACE = {
    "rate": log(1e-5, 1.0), "decay": log(1e-8, 0.1), "batch": whole(8, 512, log=True),
    "warmup": uniform(0, 0.3),
    "optimizer": choice("sgd", "adam", "rmsprop"),
    "momentum": uniform(0.0, 0.99, **when("optimizer", "sgd")),
    "beta1": uniform(0.5, 0.99, **when("optimizer", "adam")),
    "beta2": uniform(0.9, 0.9999, **when("optimizer", "adam")),
    "layers": whole(1, 3),
    **{f"units{i}": whole(8, 512, log=True, **when("layers", *range(i + 1, 4))) for i in range(3)},
    "activation": choice("relu", "tanh", "silu", "gelu"),
    "norm": choice("none", "batch", "layer"),
    "dropout": uniform(0.0, 0.7, step=0.05),
}
# Real numbers only, for samplers that model all parameters together.
FLOATS = {f"x{i}": uniform(0, 1) for i in range(8)}

# What is measured: the space, and the histories of each side. Optuna's GP takes minutes after a thousand.
CASES = {
    "tpe": (SPACE, [100, 1_000, 10_000, 100_000],
            {peer: [100, 1_000, 10_000] for peer in ("o-tpe", "o-tpe-alone", "o-tpe-group")}),
    "gp": (FLOATS, [100, 500], {"o-gp": [100, 500]}),
    "auto": (SPACE, [100, 1_000, 10_000, 100_000], {}),
    "random": (SPACE, [100, 10_000], {"o-random": [100, 10_000]}),
}


def measure(options):
    from ours import Program

    program = Program(options.program) if options.program else None
    rows = []
    for name, (space, histories, peers) in CASES.items():
        wanted = not options.samplers or name in options.samplers
        if program and wanted and program.knows(name):
            rows += [ours(program, name, space, history) for history in histories]
        for peer, histories in peers.items():
            if peer in (options.samplers or [peer]) or (options.samplers and wanted):
                rows += [theirs(peer, space, history) for history in histories]
    show(["sampler", "after", "median ms", "best ms", "first ms"],
         [[row["sampler"], f"{row['history']:,}", *(f"{row[key]:.3f}" for key in ("median", "best", "first"))]
          for row in rows])
    ratios(rows)
    if options.out:
        with open(f"{options.out}.json", "w") as file:
            json.dump(rows, file, indent=1)


def ours(program, sampler, space, history):
    asks = 50 if history < 100_000 else 20
    program.say(op="new", space=space, sampler=sampler, seed=1, trials=history + asks + 1)
    answer = program.say(op="time", history=history, asks=asks)
    return spread(sampler, history, answer["first"], answer["seconds"])


def theirs(peer, space, history):
    import optuna
    from peers import Peer, distributions

    searcher = Peer(peer, space, seed=1)
    rng = random.Random(history)
    trials = []
    for _ in range(history):
        params = draw(space, rng)
        trials.append(optuna.trial.create_trial(params=params, distributions=distributions(space, params),
                                                value=bowl(space, params, rng)))
    searcher.study.add_trials(trials)
    asks = 20 if history < 10_000 and peer != "o-gp" else 5
    seconds = []
    for _ in range(asks + 1):
        number, params, took = searcher.ask()
        seconds.append(took)
        searcher.tell(number, bowl(space, params, rng))
    return spread(peer, history, seconds[0], seconds[1:])


def bowl(space, params, rng):
    """As in `time.rs`, but in the parameters' own order: a bowl off the centre, with some noise."""
    return sum((unit(space[name], value) - 0.3) ** 2 for name, value in params.items()) + 0.1 * rng.random()


def unit(entry, value):
    """About where in its range a value lies."""
    if entry["type"] == "choice":
        return (entry["values"].index(value) + 0.5) / len(entry["values"])
    middle = decode({**entry, "step": None} if entry["type"] == "float" else entry, 0.5)
    low, high = entry["low"], entry["high"]
    if value <= middle:
        return 0.5 * (value - low) / max(middle - low, 1e-300)
    return 0.5 + 0.5 * (value - middle) / max(high - middle, 1e-300)


def spread(sampler, history, first, seconds):
    row = {"sampler": sampler, "history": history, "median": 1000 * statistics.median(seconds),
           "best": 1000 * min(seconds), "first": 1000 * first}
    print(f"{sampler} after {history:,}: {row['median']:.3f} ms", file=sys.stderr, flush=True)
    return row


def ratios(rows):
    """How many times as long each of Optuna's takes."""
    medians = {(row["sampler"], row["history"]): row["median"] for row in rows}
    pairs = [[name, peer, f"{history:,}", f"{medians[peer, history] / medians[name, history]:,.0f}"]
             for name, (_, histories, peers) in CASES.items() for peer in peers for history in histories
             if (name, history) in medians and (peer, history) in medians]
    if pairs:
        print()
        show(["ours", "Optuna's", "after", "times as long"], pairs)
