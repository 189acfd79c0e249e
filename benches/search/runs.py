"""Runs searches in some processes at once. What Optuna's found is kept; ours are run anew each time."""

import multiprocessing
import os
import sys
import time
from dataclasses import dataclass

from cache import Results
from functions import all_functions
from simulate import search


@dataclass(frozen=True)
class Run:
    """A search to be run."""

    sampler: str
    function: str
    workers: int
    seed: int
    trials: int

    @property
    def is_ours(self):
        return not self.sampler.startswith("o-")


def run_all(runs, program, processes, only_kept=False):
    """The losses of each run, and the seconds of its suggestions. With `only_kept`, Optuna's that are not kept
    are left out.
    """
    functions = all_functions()
    prints = {name: functions[name].fingerprint() for name in {run.function for run in runs}}
    kept, done, missing = {}, {}, []
    for run in runs:
        known = None if run.is_ours else results_of(run.sampler, kept).get(key(run, prints))
        if known is not None:
            done[run] = known
        elif run.is_ours or not only_kept:
            missing.append(run)
    progress = Progress(len(missing))
    context = multiprocessing.get_context("spawn")
    # One thread each: threads of matrix libraries would only be in each other's way.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with context.Pool(min(processes, max(len(missing), 1)), prepare, [program]) as pool:
        for run, answer in pool.imap_unordered(perform, missing):
            done[run] = answer
            if not run.is_ours:
                results_of(run.sampler, kept).put(key(run, prints), answer)
            progress.one_more(run)
    return done


def key(run, prints):
    return [run.function, prints[run.function], run.workers, run.seed, run.trials]


def results_of(sampler, kept):
    from peers import VERSION

    if sampler not in kept:
        kept[sampler] = Results(f"{VERSION} {sampler}")
    return kept[sampler]


STATE = {}


def prepare(program):
    """Once in every process. Our program is started when it is first needed."""
    STATE.update(path=program, functions=all_functions())


def perform(run):
    function = STATE["functions"][run.function]
    searcher = ours(run, function) if run.is_ours else peer(run, function)
    return run, list(search(searcher, function, run.workers, run.trials, run.seed))


def ours(run, function):
    from ours import Ours, Program

    if "program" not in STATE:
        STATE["program"] = Program(STATE["path"])
    return Ours(STATE["program"], run.sampler, function.space, run.seed, run.trials, function.objectives)


def peer(run, function):
    from peers import Peer

    return Peer(run.sampler, function.space, run.seed, function.objectives)


class Progress:
    """A line on standard error every few seconds."""

    def __init__(self, total):
        self.total, self.done, self.started, self.said = total, 0, time.monotonic(), 0.0

    def one_more(self, run):
        self.done += 1
        now = time.monotonic()
        if now - self.said > 10 or self.done == self.total:
            self.said = now
            left = (now - self.started) / self.done * (self.total - self.done)
            print(f"{self.done} of {self.total} searches, about {left / 60:.0f} minutes left; "
                  f"{run.function} by {run.sampler}", file=sys.stderr, flush=True)
