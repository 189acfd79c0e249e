"""sweepd's samplers: the program of `main.rs`, asked through its standard input."""

import json
import subprocess


class Program:
    """A running one. It holds one search at a time."""

    def __init__(self, path):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([path], stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def say(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended, asked {json.dumps(request)[:500]}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def knows(self, sampler):
        """Whether it has this sampler."""
        space = {"x": {"type": "float", "low": 0, "high": 1}}
        try:
            self.say(op="new", space=space, sampler=spec(sampler), seed=0, trials=10)
        except RuntimeError:
            return False
        return True


class Ours:
    """A search by one of our samplers."""

    def __init__(self, program, sampler, space, seed, trials, objectives=1, earlier=()):
        self.program = program
        program.say(op="new", space=space, sampler=spec(sampler), seed=seed, trials=trials,
                    objectives=objectives, earlier=list(earlier))

    def ask(self):
        """A number, a configuration, and the seconds that it took; None where nothing is left to try."""
        answer = self.program.say(op="ask")
        if "exhausted" in answer:
            return None
        return answer["number"], answer["params"], answer["seconds"]

    def tell(self, number, loss):
        self.program.say(op="tell", number=number, loss=loss)


def spec(sampler):
    """A word, or a table with options written as JSON."""
    return json.loads(sampler) if sampler.startswith("{") else sampler
