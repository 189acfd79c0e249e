"""Spaces as in a sweep file: how to write one down, and how to draw from one."""

import math


def uniform(low, high, **more):
    return {"type": "float", "low": low, "high": high, **more}


def log(low, high, **more):
    return {"type": "float", "low": low, "high": high, "log": True, **more}


def whole(low, high, **more):
    return {"type": "int", "low": low, "high": high, **more}


def choice(*values, **more):
    return {"type": "choice", "values": list(values), **more}


def when(param, *values):
    """To be added to a parameter: `uniform(0, 1, **when("kind", "a"))`."""
    return {"when": {"param": param, "in": list(values)}}


def box(dimensions, low, high):
    """So many floats, x0 to x9 or x00 to x19."""
    width = len(str(dimensions - 1))
    return {f"x{i:0{width}}": uniform(low, high) for i in range(dimensions)}


def parents_first(space):
    """The names of a space, each after the one that it depends on."""
    names = []
    while len(names) < len(space):
        ready = [name for name in space if name not in names and parent(space[name]) in [None, *names]]
        assert ready, "conditions go in a circle"
        names += ready
    return names


def parent(entry):
    return entry["when"]["param"] if "when" in entry else None


def exists(entry, params):
    return "when" not in entry or params.get(entry["when"]["param"]) in entry["when"]["in"]


def draw(space, rng):
    """A configuration drawn at random: uniform, or uniform in the logarithm."""
    params = {}
    for name in parents_first(space):
        if exists(space[name], params):
            params[name] = decode(space[name], rng.random())
    return params


def decode(entry, unit):
    """The value that a number in [0, 1) stands for."""
    if entry["type"] == "choice":
        return entry["values"][int(unit * len(entry["values"]))]
    low, high, step = entry["low"], entry["high"], entry.get("step")
    if entry["type"] == "int":
        step = step or 1
        if entry.get("log"):
            value = math.exp(math.log(low - 0.5) + unit * (math.log(high + 0.5) - math.log(low - 0.5)))
            return min(max(round(value), low), high)
        return low + step * int(unit * ((high - low) // step + 1))
    if step:
        return min(low + step * int(unit * (math.floor((high - low) / step + 1e-9) + 1)), high)
    if entry.get("log"):
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low)


def encode(space, names, params):
    """Numbers in [0, 1] for a configuration: one a number, one for each value of a choice."""
    coordinates = []
    for name in names:
        entry, value = space[name], params.get(name)
        if entry["type"] == "choice":
            coordinates += [float(value == other) for other in entry["values"]]
        elif value is None:
            coordinates.append(0.5)
        else:
            low, high = entry["low"], entry["high"]
            if entry.get("log"):
                low, high, value = math.log(low), math.log(high), math.log(value)
            coordinates.append((value - low) / (high - low))
    return coordinates
