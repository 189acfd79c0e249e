// A made-up daemon's contents: every trial follows from its sweep's seed and its number, so 100,000 cost nothing.
import type { AttemptDetail, Params, Reason, StepRow, SweepSpec, SweepState, SweepSummary, TrialState, TrialSummary } from "../src/lib/types";

export const START = Date.now() - 3 * 3600_000;
export const STATES: TrialState[] = ["queued", "running", "paused", "stopping", "completed", "stopped", "failed", "cancelled"];

/** A number in [0, 1) that follows from its arguments. */
export function dice(...keys: (string | number)[]): number {
  let h = 2166136261;
  for (const c of keys.join("/")) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h = Math.imul(h ^ (h >>> 15), 2246822507);
  h = Math.imul(h ^ (h >>> 13), 3266489909);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

export interface World { sweep: SweepSummary; trials: TrialSummary[]; base: number; source: string }

const SPACE: SweepSpec["space"] = {
  learning_rate: { kind: { type: "float", low: 1e-4, high: 1e-2, log: true, step: null }, when: null },
  weight_decay: { kind: { type: "float", low: 1e-5, high: 1e-1, log: true, step: null }, when: null },
  blocks: { kind: { type: "int", low: 3, high: 6, log: false, step: null }, when: null },
  kernel_size: { kind: { type: "choice", values: [3, 5, 7] }, when: null },
  activation: { kind: { type: "choice", values: ["relu", "leaky_relu", "elu", "selu", "gelu", "silu"] }, when: null },
  dropout: { kind: { type: "float", low: 0, high: 0.6, log: false, step: null }, when: null },
  dense: { kind: { type: "choice", values: [[64], [128], [500, 100]] }, when: null },
  optimizer: { kind: { type: "choice", values: ["adamw", "sgd"] }, when: null },
  momentum: { kind: { type: "float", low: 0.5, high: 0.99, log: false, step: null }, when: { param: "optimizer", in: ["sgd"] } },
  batch_size: { kind: { type: "choice", values: [32, 64, 128] }, when: null },
  epochs: { kind: { type: "fixed", value: 27 }, when: null },
  family: { kind: { type: "fixed", value: "cnn" }, when: null },
};

export function searched(spec: SweepSpec): string[] {
  return Object.keys(spec.space).filter((name) => spec.space[name]!.kind.type !== "fixed");
}

function paramsOf(spec: SweepSpec, uid: string, number: number): Params {
  const params: Params = {};
  for (const [name, { kind }] of Object.entries(spec.space)) {
    const u = dice(uid, number, name);
    if (name === "momentum" && params.optimizer !== "sgd") continue;
    if (kind.type === "fixed") params[name] = kind.value!;
    else if (kind.type === "choice") params[name] = kind.values![Math.floor(u * kind.values!.length)]!;
    else if (kind.type === "int") params[name] = kind.low! + Math.floor(u * (kind.high! - kind.low! + 1));
    else params[name] = kind.log ? kind.low! * (kind.high! / kind.low!) ** u : kind.low! + u * (kind.high! - kind.low!);
  }
  return params;
}

export function valueAt(uid: string, trial: TrialSummary, step: number): number {
  const p = trial.params;
  const lr = Math.log10(Number(p.learning_rate ?? 0.001)) + 2.7;
  const floor = 1.6 + 0.9 * lr * lr + Number(p.dropout ?? 0) * 0.8 + (p.optimizer === "sgd" ? 0.35 : 0) + dice(uid, trial.number, "q") * 0.5;
  return floor + (3.6 - 0.2 * lr) * Math.exp(-step / (3 + 4 * dice(uid, trial.number, "s"))) + (dice(uid, trial.number, step) - 0.5) * 0.12;
}

export function trialOf(spec: SweepSpec, uid: string, base: number, number: number, state: TrialState, budget: number, further: boolean, pace: number): TrialSummary {
  const steps = state === "completed" ? budget : state === "queued" ? 0 : state === "stopped" ? (dice(uid, number) < 0.7 ? 3 : 9) : state === "paused" ? 9 : 1 + Math.floor(dice(uid, number, "n") * (budget - 2));
  const created = START + number * pace;
  const trial: TrialSummary = {
    trial_id: base + number, number, state, value: null, best_step: null, steps, budget_steps: budget,
    parameter_count: Math.round(40_000 * 10 ** (dice(uid, number, "pc") * 2)), device_memory_bytes: null,
    resident_bytes: Math.round(6e8 + 4e8 * dice(uid, number, "m")), accumulate: 1, inexact: false,
    params: paramsOf(spec, uid, number), suggested: { kind: "suggested", sampler: number < 10 ? "random" : "tpe", refused: number % 17 === 3 ? 2 : 0 },
    ended: null, weights: state === "completed" ? "4434ee02aeaabf84da0e9c70f11ae54f0b6b77383e55f3de969692171850412c" : null,
    created_ms: created, started_ms: state === "queued" ? null : created + 300,
    finished_ms: ["completed", "stopped", "failed", "cancelled"].includes(state) ? created + steps * Math.min(9000, pace) : null,
    note: null, tags: number % 23 === 5 ? ["look again"] : [],
  };
  if (steps > 0 && state !== "failed") {
    trial.value = valueAt(uid, trial, steps);
    trial.best_step = steps;
  }
  if (further) trial.further = [trial.parameter_count];
  trial.ended = endOf(trial);
  return trial;
}

function endOf(t: TrialSummary): Reason | null {
  if (t.state === "completed") return { kind: "budget_spent" };
  if (t.state === "stopped") return { kind: "not_promoted", rung: t.steps, value: t.value, rank: 7, of: 12, promoted: 4 };
  if (t.state === "failed") return t.number % 2 ? { kind: "diverged", step: t.steps, what: "train_loss" } : { kind: "out_of_memory", message: "CUDA out of memory. Tried to allocate 2.31 GiB" };
  if (t.state === "cancelled") return { kind: "by_user" };
  return null;
}

const source = (name: string, trials: number) => `# What the network looks like, and how it is trained.
name = "${name}"
seed = 7

[objective]
kind = "keypoints"
dataset = "faces"
metric = "rmse"

[search]
sampler = "tpe"
stopper = "asha"
trials = ${trials}

[space]
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
kernel_size   = { type = "choice", values = [3, 5, 7] }
activation    = { type = "choice", values = ["relu", "elu", "silu"] }
epochs        = { type = "fixed", value = 27 }
`;

export interface Plan { uid: string; name: string; state: SweepState; made: number; planned: number; priority?: number; running?: number; two?: boolean; share?: [number, number] }

let nextBase = 1;

export function makeWorld(plan: Plan): World {
  const { uid, made } = plan;
  const base = nextBase;
  nextBase += Math.max(plan.planned, made) + 1000;
  const spec: SweepSpec = {
    name: plan.name, seed: 7, priority: plan.priority ?? 0,
    objective: { kind: "keypoints", dataset: "faces", metric: "rmse", direction: "minimize", ...(plan.two ? { further: [{ name: "parameters", direction: "minimize" as const }] } : {}) },
    search: { sampler: { name: plan.two ? "nsga2" : "tpe" }, trials: plan.planned, parallel: 4, stopper: { name: "asha", min_steps: 3, factor: 3, mode: "promote" } as never, order: "arrival" },
    space: SPACE,
  };
  const [completed, stopped] = plan.share ?? [0.34, 0.6];
  const running = plan.running ?? 0;
  const pace = Math.min(40_000, (2.9 * 3600_000) / Math.max(1, made));
  const trials = Array.from({ length: made }, (_, number) => {
    const u = dice(uid, number, "state");
    let state: TrialState = u < completed ? "completed" : u < completed + stopped ? "stopped" : u < 0.98 ? "failed" : "cancelled";
    if (number >= made - running) state = "running";
    else if (running && number % 41 === 7) state = "paused";
    return trialOf(spec, uid, base, number, state, 27, plan.two ?? false, pace);
  });
  const sweep = {
    id: uid, name: plan.name, state: plan.state, priority: plan.priority ?? 0, planned: plan.planned,
    trials: Object.fromEntries(STATES.map((s) => [s, 0])) as SweepSummary["trials"],
    best_trial: null, best: null, baseline: 3.9597, dataset_hash: "4434ee02aeaabf84da0e9c70f11ae54f", git_commit: "0c1f27ab3d",
    created_ms: START, finished_ms: plan.state === "completed" || plan.state === "cancelled" ? START + made * pace : null, spec,
    running_workers: running, eta_ms: running ? (plan.planned - made) * 22_000 : null, queue_place: null, note: null, tags: plan.two ? ["paper"] : [],
  } as SweepSummary;
  const world = { sweep, trials, base, source: source(plan.name, plan.planned) };
  count(world);
  return world;
}

/** Puts a sweep's summary in step with its trials. */
export function count({ sweep, trials }: World): void {
  for (const s of STATES) sweep.trials[s] = 0;
  sweep.best = null;
  sweep.best_trial = null;
  for (const t of trials) {
    sweep.trials[t.state] += 1;
    if (t.state === "completed" && t.value !== null && (sweep.best === null || t.value < sweep.best)) {
      sweep.best = t.value;
      sweep.best_trial = t.number;
    }
  }
}

export function stepsOf(uid: string, t: TrialSummary): StepRow[] {
  return Array.from({ length: t.steps }, (_, at) => stepOf(uid, t, at + 1));
}

export function stepOf(uid: string, t: TrialSummary, step: number): StepRow {
  const rmse = valueAt(uid, t, step);
  return {
    fold: 0, step, at_ms: (t.started_ms ?? START) + step * 9000,
    metrics: {
      rmse, train_rmse: rmse * 0.92 + 0.2 * dice(step, t.number), train_loss: t.state === "failed" && step === t.steps ? "NaN" : (rmse / 48) ** 2 * 14,
      learning_rate: Number(t.params.learning_rate) * 0.5 * (1 + Math.cos((Math.PI * step) / 27)), seconds: 8.4 + dice(t.number, step, "t"),
      images_per_second: 640 + 40 * dice(t.number, step, "i"), resident_bytes: t.resident_bytes ?? 0,
    },
  };
}

export function attemptsOf(t: TrialSummary): AttemptDetail[] {
  if (!t.started_ms) return [];
  const environment = { cpu: "AMD EPYC", cpus: "16", device: "cuda:0", host: "gpu-1", libtorch: "2.11.0", precision: "bf16", sweepd: "0.1.0", threads: "4" };
  const one = { worker: "local-cuda-0-1", slot: "cuda:0/1", environment, started_ms: t.started_ms };
  const last = { ...one, attempt_id: t.trial_id * 2 + 1, state: t.finished_ms ? t.state : "open", reason: t.ended, finished_ms: t.finished_ms };
  if (t.number % 5) return [last];
  return [{ ...one, attempt_id: t.trial_id * 2, state: "lost", reason: { kind: "worker_lost", how: "signal 9" }, finished_ms: t.started_ms + 20_000 }, last];
}

export const worlds: World[] = [
  makeWorld({ uid: "k3v9tqpx", name: "faces-cnn", state: "active", made: 214, planned: 400, running: 4, priority: 5 }),
  makeWorld({ uid: "m2hw8rzd", name: "faces-augment", state: "paused", made: 40, planned: 120, running: 0 }),
  makeWorld({ uid: "w7nb4cye", name: "nightly", state: "active", made: 0, planned: 200 }),
  makeWorld({ uid: "p5xj6sgt", name: "two-objectives", state: "completed", made: 160, planned: 160, two: true, share: [0.7, 0.25] }),
  makeWorld({ uid: "c8dk2mva", name: "large", state: "completed", made: 100_000, planned: 100_000 }),
  makeWorld({ uid: "f4qs9lhu", name: "too-wide", state: "cancelled", made: 12, planned: 64, share: [0, 0.1] }),
];
