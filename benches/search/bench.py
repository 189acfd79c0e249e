#!/usr/bin/env python3
"""Compares sweepd's samplers with Optuna's, on the same functions in the same run. docs/search.md says how.

    make bench-search                                   everything (hours the first time)
    bench.py quality --program PATH --samplers tpe --seeds 5 --kind mixed --set tuning     a quick look
    bench.py quality --program PATH --samplers tpe '{"name":"tpe","candidates":48}' --alone
    bench.py quality --samplers o-tpe o-cmaes           Optuna's alone: no program is needed
    bench.py speed --program PATH --samplers tpe
    bench.py population --program PATH                                  needs numpy alone

PATH is the program of `main.rs`: `cargo bench --no-default-features --bench search --no-run` says where it
is. Run it with the Python that `make bench-search` prepares, whose place it prints.
"""

import argparse
import importlib
import os

# Before numpy is loaded: on small matrices threads cost more than they bring, and searches run side by side.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parts = parser.add_subparsers(dest="part", required=True)
    quality = parts.add_parser("quality", help="how good what is found is")
    speed = parts.add_parser("speed", help="how long a suggestion takes")
    stoppers = parts.add_parser("stoppers", help="how soon a search that stops trials early is near the best")
    bohb = parts.add_parser("bohb", help="the same where a sampler chooses the configurations: BOHB")
    warm = parts.add_parser("warm", help="what earlier results are worth to begin with")
    population = parts.add_parser("population", help="what population-based training is worth")
    for part in (quality, speed, stoppers, bohb, warm, population):
        part.add_argument("--program", help="our side; without it, Optuna's alone")
        part.add_argument("--samplers", nargs="+", metavar="NAME",
                          help="samplers or stoppers: ours by name or as a table in JSON, Optuna's with o-")
        part.add_argument("--out", metavar="PATH", help="also write PATH.json; of quality, PATH.csv of every search too")
    for part in (quality, warm):
        part.add_argument("--functions", nargs="+", metavar="NAME")
        part.add_argument("--set", choices=["all", "tuning", "report"], default="all",
                          help="functions that samplers may be tuned on, or those that only report")
        part.add_argument("--processes", type=int, default=2)
    quality.add_argument("--kind", nargs="+", choices=["continuous", "mixed", "training", "several"])
    for part in (stoppers, bohb):
        part.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64])
        part.add_argument("--families", nargs="+", metavar="NAME", help="of curves")
    population.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16])
    population.add_argument("--families", nargs="+", metavar="NAME", help="of models of trainings")
    for part in (quality, stoppers, bohb, warm, population):
        part.add_argument("--seeds", type=int, default=20)
    quality.add_argument("--slow-seeds", type=int, default=5, help="of Optuna's GP")
    quality.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    quality.add_argument("--trials", type=int, default=100)
    quality.add_argument("--at", type=int, help="compare after so many trials of each search")
    quality.add_argument("--alone", action="store_true", help="only the samplers named, without counterparts")
    quality.add_argument("--only-kept", action="store_true", help="of Optuna's, what is kept already")
    options = parser.parse_args()
    importlib.import_module(options.part).measure(options)


if __name__ == "__main__":
    main()
