"""One search, with so many workers at once."""

import random


def search(searcher, function, workers, trials, seed):
    """The losses in the order in which they became known, and the seconds that the suggestions took.

    Asks until every worker has a trial, then ends one of them, drawn by the seed: the order is the same for
    all samplers, as if every trial took a random time.
    """
    rng = random.Random(f"{function.name} {workers} {seed}")
    asked, running, losses, seconds = 0, [], [], 0.0
    while len(losses) < trials:
        while len(running) < workers and asked < trials:
            answer = searcher.ask()
            if answer is None:
                trials = asked
                break
            number, params, took = answer
            running.append((number, params))
            asked, seconds = asked + 1, seconds + took
        if not running:
            break
        number, params = running.pop(rng.randrange(len(running)))
        loss = function.loss(params)
        searcher.tell(number, loss)
        losses.append(loss)
    return losses, seconds
