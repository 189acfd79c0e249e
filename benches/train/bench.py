"""Steps of training: ours against PyTorch's, on the same network, batch and machine, in turns.

Each round runs every side once, in a process of its own; what counts is a side's median over rounds, and the ratio of
medians. `python bench.py --worker PATH [--rounds N] [--device cpu|cuda:0] [--threads N] [FILE ...]`
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

EXPERIMENTS = pathlib.Path(__file__).resolve().parents[2] / "experiments"
FILES = [EXPERIMENTS / "cnn-final.toml", EXPERIMENTS / "cnn-production.toml"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=pathlib.Path, default=FILES)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--json", type=pathlib.Path, help="where to write everything that was measured")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return print(one(args))
    results = {file.stem: compare(file, args) for file in args.files}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


def one(args):
    """Images per second of one way of PyTorch's, in this process."""
    import torch

    from loops import COMPILED, WAYS, Loop
    from model import described, network

    torch.set_num_threads(args.threads)
    about = described(args.worker, args.files[0])
    batch = about["settings"]["batch_size"]
    loop = Loop(network(about["layers"]), batch, args.device, **(WAYS | COMPILED)[args.one])
    for _ in range(max(2, args.steps // 5)):
        loop.step()
    seconds = []
    for _ in range(args.steps):
        began = time.perf_counter()
        loop.step()
        seconds.append(time.perf_counter() - began)
    return batch / statistics.median(seconds)


def compare(file, args):
    """Rounds of every side; prints and returns images per second."""
    from loops import COMPILED, WAYS

    peers = list(WAYS) + (list(COMPILED) if args.device != "cpu" else [])
    sides = {f"PyTorch, {way}": (lambda way=way: peer(file, way, args)) for way in peers}
    sides |= {f"sweepd, {kind}": (lambda kind=kind: ours(file, kind, args)) for kind in ("f32", "bf16")}
    rates = {name: [] for name in sides}
    for round_ in range(args.rounds):
        print(f"{file.stem}: round {round_ + 1} of {args.rounds}", file=sys.stderr)
        for name, side in sides.items():
            rates[name].append(side())
    medians = {name: statistics.median(all_) for name, all_ in rates.items()}
    base = medians["PyTorch, default"]
    print(f"\n{file.stem}, {args.device}, {args.threads} threads, median of {args.rounds} rounds")
    for name, median in medians.items():
        low, high = min(rates[name]), max(rates[name])
        print(f"  {name:40} {median:8.0f} images/s ({low:.0f} to {high:.0f})  {median / base:5.2f} x")
    return rates


def peer(file, way, args):
    command = [sys.executable, "-B", __file__, str(file), "--worker", args.worker, "--one", way]
    return float(run(command, args))


def ours(file, precision, args):
    command = [args.worker, "bench", str(file), "--json", "--precision", precision]
    return json.loads(run(command, args))["images_per_second"]


def run(command, args):
    more = ["--device", args.device, "--threads", str(args.threads), "--steps", str(args.steps)]
    return subprocess.run(command + more, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
