// What an edit of a sweep means, in words.
import { count } from "./format";
import type { Edited } from "./types";

/** How many of the trials so far are still of use. */
export function stillFit({ fit, trials }: Pick<Edited, "fit" | "trials">): string {
  if (trials === 0) return "It has no trials yet.";
  if (fit === trials) return trials === 1 ? "Its only trial still fits." : `All ${count(trials)} trials so far still fit.`;
  return `${count(fit)} of ${count(trials)} trials so far still fit; the sampler forgets the others, which stay in the leaderboard.`;
}

/** The trials that do not fit beyond those that are named. */
export function unnamed({ fit, trials, unfit }: Pick<Edited, "fit" | "trials" | "unfit">): number {
  return trials - fit - unfit.length;
}

export function times(n: number): string {
  return n === 1 ? "once" : n === 2 ? "twice" : `${count(n)} times`;
}
