"""Fits a line to points by gradient descent with momentum: a stand-in for any training program."""
import json, os, sys

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rate, momentum, epochs = float(arguments["--lr"]), float(arguments["--momentum"]), int(arguments["--epochs"])
checkpoint = os.path.join(arguments["--out"], "state.json")
state = {"weights": [0.0, 0.0], "speed": [0.0, 0.0], "steps": []}
if os.path.exists(checkpoint):  # broken off before: print the steps again that it has done, and go on
    state = json.load(open(checkpoint))
    print("\n".join(map(json.dumps, state["steps"])))
points = [(x / 10, 3 * x / 10 - 1 + (x % 3 - 1) / 5) for x in range(-10, 11)]
for step in range(len(state["steps"]) + 1, epochs + 1):
    errors = [(state["weights"][0] * x + state["weights"][1] - y, x) for x, y in points]
    slope = [sum(e * x for e, x in errors) / len(points), sum(e for e, _ in errors) / len(points)]
    state["speed"] = [momentum * v - rate * s for v, s in zip(state["speed"], slope)]
    state["weights"] = [w + v for w, v in zip(state["weights"], state["speed"])]
    state["steps"].append({"step": step, "loss": sum(e * e for e, _ in errors) / len(points)})
    json.dump(state, open(checkpoint + ".new", "w")), os.replace(checkpoint + ".new", checkpoint)
    print(json.dumps(state["steps"][-1]))
