#!/usr/bin/env python3
"""Writes `functions/cnn.csv` from what `sweepd trials cnn-table --json -n 10000` prints."""

import csv
import json
import sys

from functions.cnn import HERE, SPACE


def main():
    trials = [trial for trial in json.load(sys.stdin) if trial["state"] in ("completed", "failed")]
    with open(HERE / "cnn.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*SPACE, "rmse"])
        for trial in sorted(trials, key=lambda trial: trial["number"]):
            value = trial["value"]
            writer.writerow([*(short(trial["params"].get(name)) for name in SPACE),
                             "" if value is None else f"{value:.4f}"])


def short(value):
    """Six digits are enough to train again."""
    return f"{value:.6g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
