// What the API answers, as src/store/query and src/domain write it.

export type SweepState = "active" | "paused" | "completed" | "cancelled";
export type TrialState =
  | "queued" | "running" | "paused" | "stopping" | "completed" | "stopped" | "failed" | "cancelled";
export type Direction = "minimize" | "maximize";
export type Value = boolean | number | string | Value[];
export type Params = Record<string, Value>;
/** A number, or its name where JSON has none: "NaN", "Infinity", "-Infinity". */
export type Metric = number | string;

export interface Target { name: string; direction: Direction }

export interface ParameterKind {
  type: "float" | "int" | "choice" | "fixed";
  low?: number; high?: number; log?: boolean; step?: number | null;
  values?: Value[]; value?: Value;
}

export interface SweepSpec {
  name: string;
  seed: number;
  priority: number;
  objective: {
    kind: "keypoints" | "toy" | "command" | "external";
    dataset?: string | null;
    metric: string;
    direction: Direction;
    further?: Target[];
    folds?: number | null;
    command?: string[];
  };
  search: {
    sampler: { name: string };
    trials: number | null;
    parallel: number | null;
    stopper?: { name: string } | null;
    order: string;
    time_limit_s?: number | null;
    deadline?: string;
    constraints?: string[];
  };
  space: Record<string, { kind: ParameterKind; when: unknown }>;
}

export interface SweepSummary {
  id: string;
  name: string;
  state: SweepState;
  priority: number;
  planned: number | null;
  trials: Record<TrialState, number>;
  best_trial: number | null;
  best: number | null;
  baseline: number | null;
  /** How often it was changed since it was submitted. */
  edits?: number;
  dataset_hash: string | null;
  git_commit: string | null;
  created_ms: number;
  finished_ms: number | null;
  spec: SweepSpec;
  running_workers?: number;
  eta_ms?: number | null;
  queue_place?: number | null;
  note?: string | null;
  tags: string[];
  /** Of one sweep: what it does not try for lack of memory. */
  too_large?: TooLarge | null;
}

/** A parameter, `trials` or `constraints`; null before where it is new, after where it is gone. */
export interface Alteration { what: string; before: string | null; after: string | null }
/** What an edit changes, and what becomes of the trials so far. */
export interface Edited {
  changes: Alteration[];
  fit: number;
  trials: number;
  defaults: { name: string; value: Value; trials: number }[];
  unfit: { trial_id: number; number: number; why: string }[];
}
export interface PastEdit { at_ms: number; leg: number; changes: Alteration[] }
/** What needs more than this, by the estimate, and the trials that showed it. */
export interface TooLarge { above_bytes: number; trials: number[] }

/** A reason's kind, and its numbers. */
export interface Reason { kind: string; [field: string]: unknown }

export interface TrialSummary {
  trial_id: number;
  number: number;
  state: TrialState;
  value: number | null;
  further?: (number | null)[];
  best_step: number | null;
  steps: number;
  parent?: number;
  parent_step?: number;
  budget_steps: number | null;
  parameter_count: number | null;
  device_memory_bytes: number | null;
  resident_bytes: number | null;
  accumulate: number;
  inexact: boolean;
  params: Params;
  suggested: Reason;
  ended: Reason | null;
  weights: string | null;
  created_ms: number;
  started_ms: number | null;
  finished_ms: number | null;
  note?: string | null;
  tags?: string[];
}

export interface StepRow { fold: number; step: number; at_ms: number; metrics: Record<string, Metric> }

export interface AttemptDetail {
  attempt_id: number;
  worker: string;
  slot: string;
  state: string;
  reason: Reason | null;
  environment: Record<string, string>;
  started_ms: number;
  finished_ms: number | null;
}

export interface EventRow {
  seq: number; at_ms: number; attempt: number | null; kind: string; reason: Reason | null;
}

export interface TrialDetail {
  sweep: string;
  sweep_name: string;
  trial: TrialSummary;
  attempts: AttemptDetail[];
  steps: StepRow[];
  events: EventRow[];
}

export interface TrialPage { trials: TrialSummary[]; next: string | null }

export interface HistoryPoint {
  trial_id: number; number: number; state: TrialState; value: number | null; ended_ms: number | null;
}
export interface History {
  objectives: (Target | string)[];
  points: HistoryPoint[];
  best: { number: number; value: number; ended_ms: number | null }[];
  trials: number;
}

export interface Curve {
  trial_id: number; number: number; state: TrialState; value: number | null; points: [number, number | null][];
}
export interface Curves { curves: Curve[]; rungs: number[]; trials: number }

export interface Column {
  name: string; kind: "float" | "int" | "choice" | "metric"; log: boolean; choices: Value[] | null;
}
export interface ValueRow {
  trial_id: number; number: number; state: TrialState; value: number | null; x: (Value | null)[];
}
export interface Values { columns: Column[]; rows: ValueRow[]; trials: number }

export interface Importances {
  completed: number;
  results: number;
  parameters: { name: string; ped_anova: number; fanova: number; results: number }[];
}

export interface Front {
  objectives: Target[];
  completed: number;
  size: number;
  reference: number[];
  hypervolume: number | null;
  members: { values: number[]; trial: TrialSummary }[];
}

export interface Member { trial_id: number; trial: string; weight: number; rmse: number }
export interface Ensemble { name: string; members: Member[]; rmse: number; rows: number; created_ms: number }

/** A request for an ensemble, as far as it is. */
export interface EnsembleJob {
  sweep: string; name: string; progress: "working" | "done" | "failed"; predicted: number; of: number; error: string | null;
}
export interface EnsembleMaking { available: boolean; job: EnsembleJob | null }

export interface Span {
  trial_id: number; number: number; sweep: string; attempt: number;
  from_ms: number; until_ms: number | null; state: string; trials: number;
}
export interface Timeline { slots: { slot: string; spans: Span[] }[]; from_ms: number; to_ms: number }

export interface Comparison {
  sweeps: {
    id: string; name: string; trials: number; best: number | null;
    edf: [number, number][]; history: [number, number][];
  }[];
}

export type Point = [number, number];
export interface Face {
  row: number; rmse?: number; pixels: string; truth: (Point | null)[]; predicted?: Point[];
}
export interface Faces {
  rmse: number;
  per_keypoint: { name: string; rmse: number | null; labels: number }[];
  best: Face[];
  worst: Face[];
  side_px: number;
}
export interface Layers {
  layers: { name: string; kind: string; output: number[]; parameters: number }[];
  parameter_count: number;
  memory_bytes: number;
}
export interface Checkpoint { fold: number; step: number; bytes: number; at_ms: number; hash: string }
export interface LogTail { text: string; from: number; size: number }

export interface Dataset {
  name: string; rows: number; complete_rows: number; baseline: number | null;
  keypoints: string[]; missing: Record<string, number>; numbers: string[];
}
export interface DatasetFaces { faces: Face[]; rows: number }
export interface Augmented {
  faces: { row: number; pixels: string; truth: (Point | null)[]; variants: { pixels: string; truth: (Point | null)[] }[] }[];
}

export interface WorkerRow {
  slot: string;
  worker: string;
  pid: number | null;
  state: string;
  work: {
    sweep: string; sweep_name: string; trial_id: number; trial: number; attempt: number;
    steps: number; budget_steps: number | null; since_ms: number;
  } | null;
  heard_ms: number | null;
  lease_until_ms: number | null;
  resident_bytes: number | null;
  device_memory_bytes: number | null;
  started_ms: number | null;
  log: string | null;
}
export interface DeviceRow {
  device: string; name: string; total_bytes: number; free_bytes: number; utilisation?: number | null;
}
export interface WorkersHistory {
  at_ms: number;
  workers?: unknown[];
  devices: { device: string; used_bytes: number; utilisation: number | null }[];
  cpu_share: number | null;
  memory_used_bytes: number | null;
}
export interface Workers {
  known_from: string;
  at_ms: number;
  workers: WorkerRow[];
  devices: DeviceRow[];
  history?: WorkersHistory[];
}

export interface Session { may: "read" | "write" }
