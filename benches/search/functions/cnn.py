"""The trainer's own small CNNs on synthetic faces, by RMSE in pixels: `cnn.csv` has what came of the sweep `cnn.toml`,
which takes the trainer most of an hour; networks through it answer for all other configurations (`surrogate.py`).
"""

import csv
import tomllib
from pathlib import Path

import numpy as np

from .function import Function
from .surrogate import Surrogate

HERE = Path(__file__).parent
SPACE = {name: entry for name, entry in tomllib.loads((HERE / "cnn.toml").read_text())["space"].items()
         if entry["type"] != "fixed"}
# What a training counts as that diverged: about twice the error of the mean face.
DIVERGED = 15.0


class Recorded(Surrogate):
    """Its table is there already."""

    def table(self):
        rows = list(csv.DictReader((HERE / "cnn.csv").read_text().splitlines()))
        points = [{name: read(entry, row[name]) for name, entry in SPACE.items() if row[name]} for row in rows]
        errors = [min(float(row["rmse"] or DIVERGED), DIVERGED) for row in rows]
        return np.array([self.encode(point) for point in points]), np.array(errors)


def read(entry, text):
    """A value from its field."""
    if entry["type"] == "choice":
        return next(value for value in entry["values"] if str(value) == text)
    return int(text) if entry["type"] == "int" else float(text)


RECORDED = Recorded("cnn_faces", SPACE, None)
CNN_FACES = Function("cnn_faces", "training", SPACE, RECORDED.loss, RECORDED.best)
