// The API of a made-up daemon: enough of it, and quick, for work on the pages.
import type { Column, Ensemble, EnsembleJob, EnsembleMaking, HistoryPoint, SweepSummary, TrialSummary, Value } from "../src/lib/types";
import { face, KEYPOINTS, pixels, truth } from "./faces.ts";
import { attemptsOf, count, dice, makeWorld, searched, START, stepsOf, valueAt, type World, worlds } from "./world.ts";

export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly problems: string[] = []) {
    super(message);
  }
}

const notFound = (what: string) => new Refused(404, "not_found", `there is no ${what}`);

export function world(word: string): World {
  const found = worlds.find((w) => w.sweep.id === word || w.sweep.name === word);
  if (!found) throw notFound(`sweep ${word}`);
  return found;
}

export function trial(id: number): { w: World; t: TrialSummary } {
  for (const w of worlds) {
    const t = w.trials[id - w.base];
    if (t) return { w, t };
  }
  throw notFound(`trial ${id}`);
}

/** Only `a < 1 and b = x` and the like: the real language is the daemon's. */
export function filter(trials: TrialSummary[], where: string | null): TrialSummary[] {
  if (!where) return trials;
  const tests = where.replace(/[()]/g, "").split(/\s+and\s+/i).map((part) => {
    const found = /^(\w+)\s*(<=|>=|!=|=|<|>|in)\s*(.+)$/.exec(part.trim());
    if (!found) throw new Refused(422, "bad_expression", `"${part}" is no condition: a comparison such as \`rmse < 2.5\` is expected`);
    const [, name, operator, text] = found as unknown as [string, string, string, string];
    const wanted = text.replace(/^\[|\]$/g, "").split(",").map((s) => s.trim().replace(/^'|'$/g, ""));
    return (t: TrialSummary) => {
      const have = field(t, name);
      if (have === undefined || have === null) return false;
      const [a, b] = [Number(have), Number(wanted[0])];
      switch (operator) {
        case "<": return a < b;
        case ">": return a > b;
        case "<=": return a <= b;
        case ">=": return a >= b;
        case "!=": return String(have) !== wanted[0];
        default: return wanted.includes(String(have));
      }
    };
  });
  return trials.filter((t) => tests.every((test) => test(t)));
}

function field(t: TrialSummary, name: string): Value | null | undefined {
  if (name in t.params) return t.params[name];
  if (name === "rmse" || name === "value") return t.value;
  if (name === "parameters") return t.parameter_count;
  return (t as unknown as Record<string, Value | null>)[name];
}

function compare(a: Value | null | undefined, b: Value | null | undefined): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

export function trials(w: World, q: URLSearchParams): unknown {
  const sort = q.get("sort");
  const down = q.get("descending") === "true" ? -1 : 1;
  const ranked = (t: TrialSummary) => (t.state === "completed" ? 0 : 1);
  const all = [...filter(w.trials, q.get("where"))].sort((a, b) =>
    sort ? down * compare(field(a, sort), field(b, sort)) : ranked(a) - ranked(b) || compare(a.value, b.value),
  );
  const [from, limit] = [Number(q.get("cursor") ?? 0), Number(q.get("limit") ?? 50)];
  return { trials: all.slice(from, from + limit), next: from + limit < all.length ? String(from + limit) : null };
}

/** Evenly spread, the best and the worst always among them. */
function spread<T extends { value: number | null }>(all: T[], most: number): T[] {
  if (all.length <= most) return all;
  const every = Math.ceil((2 * all.length) / most);
  const kept: T[] = [];
  for (let at = 0; at < all.length; at += every) {
    const bucket = all.slice(at, at + every).sort((a, b) => compare(a.value, b.value));
    kept.push(bucket[0]!);
    if (bucket.length > 1) kept.push(bucket.at(-1)!);
  }
  return kept;
}

export function history(w: World, most: number): unknown {
  const points: HistoryPoint[] = w.trials.map((t) => ({ trial_id: t.trial_id, number: t.number, state: t.state, value: t.value, ended_ms: t.finished_ms }));
  const best: { number: number; value: number; ended_ms: number | null }[] = [];
  for (const t of w.trials) {
    if (t.state !== "completed" || t.value === null) continue;
    if (!best.length || t.value < best.at(-1)!.value) best.push({ number: t.number, value: t.value, ended_ms: t.finished_ms });
  }
  const objectives = [{ name: "rmse", direction: "minimize" }, ...(w.sweep.spec.objective.further ?? [])];
  return { objectives, points: spread(points, most).sort((a, b) => a.number - b.number), best, trials: w.trials.length };
}

export function curves(w: World, q: URLSearchParams): unknown {
  const shown = filter(w.trials, q.get("where")).filter((t) => t.steps > 0);
  const kept = spread(shown, Number(q.get("most") ?? 200));
  return {
    curves: kept.map((t) => ({
      trial_id: t.trial_id, number: t.number, state: t.state, value: t.value,
      points: Array.from({ length: t.steps }, (_, s) => [s + 1, valueAt(w.sweep.id, t, s + 1)]),
    })),
    rungs: [3, 9], trials: shown.length,
  };
}

export function values(w: World, q: URLSearchParams): unknown {
  const names = q.get("params")?.split(",").filter(Boolean) ?? searched(w.sweep.spec);
  const columns: Column[] = names.map((name) => {
    const kind = w.sweep.spec.space[name]?.kind;
    if (!kind) return { name, kind: "metric", log: false, choices: null };
    return { name, kind: kind.type === "fixed" ? "choice" : kind.type, log: kind.log ?? false, choices: kind.values ?? null };
  });
  const shown = filter(w.trials, q.get("where"));
  const rows = spread(shown, Number(q.get("most") ?? 2000)).map((t) => ({
    trial_id: t.trial_id, number: t.number, state: t.state, value: t.value, x: names.map((n) => field(t, n) ?? null),
  }));
  return { columns, rows, trials: shown.length };
}

export function importance(w: World): unknown {
  if (w.sweep.trials.completed < 10) throw new Refused(409, "too_few_results", "fewer than 10 trials have completed");
  const names = searched(w.sweep.spec);
  const weights = names.map((n) => dice("imp", n) ** 2 * (n === "learning_rate" ? 4 : 1) + 0.02);
  const sum = weights.reduce((a, b) => a + b, 0);
  const parameters = names.map((name, i) => ({ name, ped_anova: weights[i]! / sum, fanova: (weights[i]! / sum) * (0.6 + 0.4 * dice(name)), results: w.sweep.trials.completed }));
  return { completed: w.sweep.trials.completed, results: w.sweep.trials.completed, parameters: parameters.sort((a, b) => b.ped_anova - a.ped_anova) };
}

export function front(w: World): unknown {
  const objectives = [{ name: "rmse", direction: "minimize" }, ...(w.sweep.spec.objective.further ?? [])];
  const done = w.trials.filter((t) => t.state === "completed");
  const better = (a: TrialSummary, b: TrialSummary) => a.value! < b.value! && a.parameter_count! < b.parameter_count!;
  const members = done.filter((t) => !done.some((o) => better(o, t))).sort((a, b) => a.value! - b.value!);
  return { sweep: w.sweep, objectives, completed: done.length, size: members.length, reference: [6, 4e6], hypervolume: 1.3e7, members: members.map((t) => ({ values: [t.value, t.parameter_count], trial: t })) };
}

export function timeline(w: World): unknown {
  const slots = ["cuda:0/0", "cuda:0/1", "cuda:1/0", "cuda:1/1"].map((slot, s) => {
    const spans = [];
    let at = START + s * 3000;
    for (const t of w.trials.filter((t) => t.number % 4 === s && t.started_ms).slice(-120)) {
      const until = at + Math.max(1, t.steps) * 9000;
      spans.push({ trial_id: t.trial_id, number: t.number, sweep: w.sweep.id, attempt: t.trial_id * 2, from_ms: at, until_ms: t.state === "running" ? null : until, state: t.state, trials: 1 });
      at = until + (dice(t.number, "gap") < 0.08 ? 240_000 : 2000);
    }
    return { slot, spans };
  });
  const to = Math.max(START + 60_000, ...slots.flatMap((s) => s.spans.map((x) => x.until_ms ?? x.from_ms + 60_000)));
  return { slots, from_ms: START, to_ms: to };
}

export function comparison(words: string[]): unknown {
  return {
    sweeps: words.map(world).map((w) => {
      const done = w.trials.filter((t) => t.state === "completed" && t.value !== null).map((t) => t.value!).sort((a, b) => a - b);
      const keep = done.filter((_, i) => i % Math.ceil(done.length / 400 || 1) === 0);
      let best = Infinity;
      const steps: [number, number][] = [];
      for (const t of w.trials) if (t.state === "completed" && t.value! < best) steps.push([t.number, (best = t.value!)]);
      return { id: w.sweep.id, name: w.sweep.name, trials: w.trials.length, best: w.sweep.best, edf: keep.map((v, i) => [v, (i + 1) / keep.length]), history: steps };
    }),
  };
}

export function detail(id: number): unknown {
  const { w, t } = trial(id);
  const attempts = attemptsOf(t);
  const event = (seq: number, kind: string, reason: unknown, at_ms: number) => ({ seq, at_ms, sweep: 1, trial: id, attempt: null, kind, reason });
  const events = [event(1, "trial_suggested", t.suggested, t.created_ms)];
  if (t.started_ms) events.push(event(2, "attempt_started", null, t.started_ms));
  if (t.steps >= 3) events.push(event(30, t.state === "stopped" ? "trial_paused" : "trial_passed", { kind: "passed_rung", rung: 3, step: 3, value: t.value, bound: 3.1, of: 9, factor: 3 }, (t.started_ms ?? 0) + 27_000));
  if (t.ended) events.push(event(60, `trial_${t.state}`, t.ended, t.finished_ms ?? 0));
  return { sweep: w.sweep.id, sweep_name: w.sweep.name, trial: t, attempts, steps: stepsOf(w.sweep.id, t), events };
}

export function log(id: number): unknown {
  const { t, w } = trial(id);
  const text = stepsOf(w.sweep.id, t).map((s) => `${new Date(s.at_ms).toISOString()}  INFO epoch done trial=${t.number} epoch=${s.step} rmse=${valueAt(w.sweep.id, t, s.step).toFixed(4)} images_per_second=${Number(s.metrics.images_per_second).toFixed(0)}`).join("\n");
  return { text: text + "\n", from: 0, size: text.length };
}

export function layers(id: number): unknown {
  const { t } = trial(id);
  const list = [{ name: "input", kind: "input", output: [1, 96, 96], parameters: 0 }];
  let [side, channels] = [96, 16];
  for (let b = 0; b < Number(t.params.blocks ?? 3); b += 1) {
    list.push({ name: `block${b}.conv`, kind: `conv ${t.params.kernel_size}×${t.params.kernel_size}`, output: [channels, side, side], parameters: channels * channels * 9 });
    list.push({ name: `block${b}.norm`, kind: "batch norm", output: [channels, side, side], parameters: channels * 2 });
    list.push({ name: `block${b}.pool`, kind: "max pool 2", output: [channels, (side >>= 1), side], parameters: 0 });
    channels *= 2;
  }
  list.push({ name: "dense0", kind: "linear", output: [512], parameters: 512 * 300 }, { name: "head", kind: "linear", output: [30], parameters: 15_390 });
  return { layers: list, parameter_count: t.parameter_count, memory_bytes: 612_000_000 };
}

export function faces(id: number): unknown {
  const { t } = trial(id);
  if (!t.weights) throw new Refused(409, "no_weights", `trial ${t.number} has no weights yet: they are kept at its best step`);
  const some = (from: number, off: number) => Array.from({ length: 6 }, (_, i) => face(from + i * 3, off + i * 0.2)).sort((a, b) => a.rmse! - b.rmse!);
  return {
    rmse: t.value, side_px: 96, best: some(40, 1), worst: some(90, 7).reverse(),
    per_keypoint: KEYPOINTS.map((name, i) => ({ name, rmse: 1.1 + 1.8 * dice("kp", i), labels: [0, 1, 10, 14].includes(i) ? 1400 : 430 })),
  };
}

export function tagged(sweeps: SweepSummary[], tag: string | null): SweepSummary[] {
  return tag === null ? sweeps : sweeps.filter((s) => s.tags.includes(tag) || world(s.id).trials.some((t) => t.tags?.includes(tag)));
}

export function ensembles(w: World): Ensemble[] {
  const best = w.trials.filter((t) => t.state === "completed" && t.weights).sort((a, b) => a.value! - b.value!).slice(0, 8);
  if (best.length < 8) return [];
  const of = (name: string, weights: number[], rmse: number): Ensemble => ({
    name, rmse, rows: 1053, created_ms: START + 3_000_000,
    members: weights.map((weight, i) => ({ trial_id: best[i]!.trial_id, trial: `${w.sweep.name}/${best[i]!.number}`, weight, rmse: best[i]!.value! })),
  });
  return [of("greedy", [9, 6, 5, 3, 1], 0.93 * best[0]!.value!), of("top8", Array<number>(8).fill(1), 0.95 * best[0]!.value!)];
}

let job: EnsembleJob | null = null;

/** Predicts with every question about it, and keeps nothing. */
export function making(w: World): EnsembleMaking {
  if (job?.progress === "working" && ++job.predicted >= job.of) job.progress = "done";
  return { available: true, job: job?.sweep === w.sweep.id ? job : null };
}

export function make(w: World, wanted: { top?: number; candidates?: number; name?: string }): EnsembleJob {
  if (job?.progress === "working") throw new Refused(409, "busy", "an ensemble is being put together: try again when it is done");
  const name = wanted.name ?? (wanted.top ? `top${wanted.top}` : "greedy");
  return (job = { sweep: w.sweep.id, name, progress: "working", predicted: 0, of: wanted.top ?? wanted.candidates ?? 24, error: null });
}

export const datasets = [
  { name: "faces", rows: 5266, complete_rows: 1611, baseline: 3.9597, keypoints: KEYPOINTS, missing: Object.fromEntries(KEYPOINTS.flatMap((k, i) => ["x", "y"].map((d) => [`${k}_${d}`, [0, 1].includes(i) ? 5 : i === 10 ? 0 : i === 14 ? 24 : 3560 + i]))) },
  { name: "synthetic", rows: 3000, complete_rows: 3000, baseline: 5.21, keypoints: KEYPOINTS, missing: Object.fromEntries(KEYPOINTS.flatMap((k) => ["x", "y"].map((d) => [`${k}_${d}`, 0]))) },
];

export function datasetFaces(q: URLSearchParams): unknown {
  const [offset, limit] = [Number(q.get("offset") ?? 0), Number(q.get("limit") ?? 24)];
  return { faces: Array.from({ length: Math.min(limit, 5266 - offset) }, (_, i) => face(offset + i)), rows: 5266 };
}

export function augment(body: { params: Record<string, number>; rows: number[] | null; seed: number }): unknown {
  const turn = ((body.params.augment_rotation ?? 0) * Math.PI) / 180;
  const rows = body.rows ?? [0, 1, 2, 3];
  return {
    faces: rows.map((row) => ({
      row, pixels: pixels(row), truth: truth(row),
      variants: Array.from({ length: 6 }, (_, v) => {
        const angle = turn * (2 * dice(body.seed, row, v) - 1);
        return { pixels: pixels(row, angle, (body.params.augment_brightness ?? 0) * (2 * dice(body.seed, row, v, "l") - 1)), truth: truth(row, angle) };
      }),
    })),
  };
}

export function workers(): unknown {
  const now = Date.now();
  const w = worlds[0]!;
  const running = w.trials.filter((t) => t.state === "running");
  const GB = 1024 ** 3;
  const used = (d: number, at: number) => (22 + 6 * Math.sin(at / 300_000 + d) + 2 * dice(d, at)) * GB;
  return {
    known_from: "daemon", at_ms: now,
    workers: ["cuda:0/0", "cuda:0/1", "cuda:1/0", "cuda:1/1", "cuda:1/2"].map((slot, i) => {
      const t = running[i];
      return {
        slot, worker: `local-${slot.replace(/[:/]/g, "-")}`, pid: 17248 + i, state: t ? "working" : "idle",
        work: t ? { sweep: w.sweep.id, sweep_name: w.sweep.name, trial_id: t.trial_id, trial: t.number, attempt: t.trial_id * 2, steps: t.steps, budget_steps: t.budget_steps, since_ms: now - 80_000 * (i + 1) } : null,
        heard_ms: now - 1200 * i, lease_until_ms: t ? now + 58_000 : null, resident_bytes: 7e8 + i * 4e7, device_memory_bytes: t ? 5.2e9 : null, started_ms: START, log: `/home/me/sweepd/logs/local-${i}.log`,
      };
    }),
    devices: [0, 1].map((d) => ({ device: `cuda:${d}`, name: "NVIDIA H100 80GB HBM3", total_bytes: 80 * GB, free_bytes: 80 * GB - used(d, now), utilisation: 0.94 - d * 0.2 })),
    history: Array.from({ length: 720 }, (_, i) => {
      const at_ms = now - (720 - i) * 5000;
      return { at_ms, workers: [], devices: [0, 1].map((d) => ({ device: `cuda:${d}`, used_bytes: used(d, at_ms), utilisation: Math.max(0, Math.min(1, 0.86 - d * 0.25 + 0.2 * (dice(d, i) - 0.5) - (i % 160 < 9 ? 0.7 : 0))) })), cpu_share: 0.35 + 0.1 * dice(i, "c"), memory_used_bytes: (31 + dice(i)) * GB };
    }),
  };
}

export function check(text: string): void {
  const problems: string[] = [];
  text.split("\n").forEach((line, at) => {
    const found = /sampler\s*=\s*"(\w+)"/.exec(line);
    if (found && !["auto", "random", "tpe", "sobol", "gp", "cmaes", "grid", "nsga2"].includes(found[1]!)) {
      problems.push(`sweep:${at + 1}: search.sampler: there is no sampler "${found[1]}"; there are auto, random, sobol, tpe, gp, cmaes, nsga2 and grid`);
    }
    if (/^\w+\s*$/.test(line)) problems.push(`sweep:${at + 1}: expected \`=\` after the key`);
  });
  if (!/^name\s*=/m.test(text)) problems.push("sweep: name is missing");
  if (problems.length) throw new Refused(422, "bad_sweep", problems.join("\n"), problems);
}

/** Knows of the number of trials alone. */
export function edit(w: World, text: string, dry: boolean) {
  check(text);
  const after = Number(/^trials\s*=\s*(\d+)/m.exec(text)?.[1] ?? w.sweep.planned);
  const changes = after === w.sweep.planned ? [] : [{ what: "trials", before: String(w.sweep.planned), after: String(after) }];
  if (!dry) [w.source, w.sweep.planned] = [text, after];
  return { changes, fit: w.trials.length, trials: w.trials.length, defaults: [], unfit: [] };
}

export function submit(text: string): SweepSummary {
  check(text);
  const name = /^name\s*=\s*"(.*)"/m.exec(text)?.[1] ?? "sweep";
  const w = makeWorld({ uid: `n${Math.random().toString(36).slice(2, 9)}`, name, state: "active", made: 6, planned: 12, running: 4 });
  w.source = text;
  w.sweep.created_ms = Date.now();
  for (const t of w.trials) if (t.state === "running") t.steps = 1;
  worlds.unshift(w);
  count(w);
  return w.sweep;
}
