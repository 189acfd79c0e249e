"""What is kept between runs, in the user's cache folder."""

import json
import os
from pathlib import Path


def folder(name):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "sweepd" / "bench-search" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


class Results:
    """Finished searches: a file of lines, each a key and its losses. Only ever appended to."""

    def __init__(self, name):
        self.path = folder("results") / f"{name}.jsonl"
        self.known = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                try:
                    key, losses = json.loads(line)
                except ValueError:
                    # A run that was killed may leave half a line.
                    continue
                self.known[tuple(key)] = losses

    def get(self, key):
        return self.known.get(tuple(key))

    def put(self, key, losses):
        self.known[tuple(key)] = losses
        with open(self.path, "a") as file:
            file.write(json.dumps([key, losses]) + "\n")
