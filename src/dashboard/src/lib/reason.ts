// Reasons in words, as the command line says them.
import { bytes, value } from "./format";
import type { Reason, TooLarge, Value } from "./types";

interface Changed { name: string; from?: Value; to?: Value }

export function tooLarge({ above_bytes, trials }: TooLarge): string {
  const more = trials.length > 6 ? ` and ${trials.length - 6} more` : "";
  const named = `${trials.length === 1 ? "trial" : "trials"} ${trials.slice(0, 6).join(", ")}${more}`;
  return `what needs more than about ${bytes(above_bytes)} is not tried: ${named} ran out of memory`;
}

function num(x: unknown): string {
  return typeof x === "number" ? x.toFixed(4) : "no finite value";
}

function share(factor: unknown): string {
  return { 2: "half", 3: "third", 4: "quarter" }[Number(factor)] ?? `1/${factor}`;
}

type Words = (r: Reason) => string;

function rung(r: Reason, passed: boolean): string {
  const further = Array.isArray(r.further) && r.further.length > 0;
  const place = `the best ${share(r.factor)} of ${r.of}`;
  if (further) {
    return passed
      ? `rung ${r.rung}: with ${num(r.value)} it is among ${place} by fronts: it goes on`
      : `rung ${r.rung}: with ${num(r.value)} it is not among ${place} by fronts`;
  }
  return passed
    ? `rung ${r.rung}: ${num(r.value)} (${place}: ${num(r.bound)}): it goes on`
    : `rung ${r.rung}: ${num(r.value)} is worse than ${place}, which ends at ${num(r.bound)}`;
}

const WORDS: Record<string, Words> = {
  suggested: (r) => {
    const refused = Number(r.refused ?? 0);
    if (refused === 0) return `drawn by ${r.sampler}`;
    const why = r.refusal ? ` (the last: ${r.refusal})` : "";
    return `drawn by ${r.sampler} after ${refused} refused draws${why}`;
  },
  enqueued: (r) => {
    const filled = (r.filled_in as string[] | undefined) ?? [];
    return filled.length === 0
      ? "asked for by the user"
      : `asked for by the user; ${filled.join(", ")} filled in by the sampler`;
  },
  inherited: (r) => {
    const changed = ((r.changed as Changed[] | undefined) ?? []).map(
      (c) => `${c.name} ${c.from === undefined ? "none" : value(c.from)} -> ${c.to === undefined ? "none" : value(c.to)}`,
    );
    return `goes on from trial ${r.parent} at step ${r.step}: ${changed.length === 0 ? "as it was" : changed.join(", ")}`;
  },
  budget_spent: () => "budget spent",
  copied: (r) => `the result of trial ${r.from}, which has the same configuration`,
  no_improvement: (r) => `no better step for ${r.patience} epochs`,
  diverged: (r) => `diverged: ${r.what} was not finite in epoch ${r.step}`,
  out_of_memory: (r) => `out of memory: ${r.message}`,
  bad_configuration: (r) => `bad configuration: ${r.message}`,
  no_value: (r) => `it completed without a finite value of “${r.metric}”`,
  worker_lost: (r) => `the worker was lost: ${r.how}`,
  error: (r) => String(r.message),
  replaced: (r) => `step ${r.step}: ${num(r.value)} is among the last ${r.last} of ${r.of}`,
  survived: (r) => `step ${r.step}: ${num(r.value)} is number ${r.rank} of ${r.of}: it goes on`,
  promoted: (r) => `rung ${r.rung}: ${num(r.value)} is number ${r.rank} of ${r.of}: it goes on`,
  not_promoted: (r) => `rung ${r.rung}: ${num(r.value)} is number ${r.rank} of ${r.of}, and ${r.promoted} went on`,
  passed_rung: (r) => rung(r, true),
  below_rung: (r) => rung(r, false),
  worse_than_others: (r) =>
    r.percentile === 50
      ? `step ${r.step}: ${num(r.value)} is worse than the median ${num(r.bound)} of ${r.of}`
      : `step ${r.step}: ${num(r.value)} is worse than ${num(r.bound)}, the best ${r.percentile} % of ${r.of}`,
  unlikely_to_win: (r) =>
    `step ${r.step}: ${num(r.value)}, expected ${num(r.expected)} by ${r.of} others; ` +
    `a chance of ${(100 * Number(r.chance)).toFixed(1)} % to beat the best, ${num(r.best)}`,
  out_of_bounds: (r) =>
    typeof r.limit === "number"
      ? `step ${r.step}: ${num(r.value)} is beyond ${r.limit}`
      : `step ${r.step}: the value is not finite`,
  stalled: (r) =>
    typeof r.best === "number"
      ? `step ${r.step}: nothing better than ${num(r.best)} of step ${r.best_step}`
      : `step ${r.step}: still no finite value`,
  outraced: (r) =>
    `after ${r.folds} of ${r.of} folds: ${num(r.value)} ± ${num(r.spread)}, and the best, trial ${r.best_trial}, ` +
    `has ${num(r.best)} there: worse with ${(100 * Number(r.confidence)).toFixed(1)} % confidence`,
  leg_ended: (r) => `paused at step ${r.step}`,
  time_limit: () => "the sweep's time is up",
  retry_alone: () => "for the retried trial alone",
  by_user: () => "by the user",
  priority: (r) => `priority ${r.to} instead of ${r.from}`,
  transferred: (r) => `from ${r.name}: trial ${r.trial} there is number ${r.rank} of ${r.of} earlier results`,
  edited: (r) => `version ${r.version}, from leg ${r.leg} on: ${(r.changes as string[]).join("; ")}`,
  daemon_stopped: () => "the daemon stopped",
  space_exhausted: () => "every configuration has been tried",
  nothing_fits: (r) => `nothing is left that fits into memory: ${tooLarge(r.too_large as TooLarge)}`,
};

/** One line for people; a reason of a newer daemon shows its kind and what it carries. */
export function reason(r: Reason | null | undefined): string {
  if (!r) return "";
  const words = WORDS[r.kind];
  if (words) return words(r);
  const { kind, ...rest } = r;
  return Object.keys(rest).length ? `${kind.replaceAll("_", " ")}: ${JSON.stringify(rest)}` : kind.replaceAll("_", " ");
}

/** What an event's kind says: `trial_suggested` -> `suggested`. */
export function eventWord(kind: string): string {
  return kind.replace(/^(trial|sweep)_/, "").replaceAll("_", " ");
}
