// The leaderboard's columns: what each shows, and by what the daemon sorts it.
import { bytes, count, duration, metric, short, value } from "./format";
import { reason } from "./reason";
import type { SweepSummary, TrialSummary } from "./types";

export interface BoardColumn {
  key: string;
  title: string;
  /** The expression to sort by; nothing where it cannot be sorted by. */
  sort?: string;
  right?: boolean;
  text: (t: TrialSummary) => string;
}

export function boardColumns(sweep: SweepSummary): BoardColumn[] {
  const { objective, space } = sweep.spec;
  const columns: BoardColumn[] = [
    { key: "state", title: "state", sort: "state", text: (t) => t.state },
    { key: "value", title: objective.metric, sort: objective.metric, right: true, text: (t) => metric(t.value) },
    ...(objective.further ?? []).map((target, at) => ({ key: `further.${target.name}`, title: target.name, sort: target.name, right: true, text: (t: TrialSummary) => metric(t.further?.[at]) })),
    { key: "best_step", title: "best step", sort: "best_step", right: true, text: (t) => count(t.best_step) },
    { key: "steps", title: "steps", sort: "steps", right: true, text: (t) => (t.budget_steps ? `${t.steps} / ${t.budget_steps}` : String(t.steps)) },
  ];
  for (const [name, { kind }] of Object.entries(space)) {
    const isNumber = kind.type === "float" || kind.type === "int" || (kind.values ?? []).every((v) => typeof v === "number");
    const isList = [...(kind.values ?? []), kind.value ?? null].some(Array.isArray);
    columns.push({ key: `param.${name}`, title: name, sort: isList ? undefined : name, right: isNumber && kind.type !== "fixed", text: (t) => value(t.params[name]) });
  }
  columns.push(
    { key: "weights", title: "weights", sort: objective.kind === "keypoints" ? "parameter_count" : undefined, right: true, text: (t) => short(t.parameter_count) },
    { key: "took", title: "took", sort: "seconds", right: true, text: (t) => (t.started_ms ? duration((t.finished_ms ?? Date.now()) - t.started_ms) : "–") },
    { key: "memory", title: "memory", right: true, text: (t) => bytes(t.device_memory_bytes ?? t.resident_bytes) },
    { key: "suggested", title: "suggested", text: (t) => reason(t.suggested) },
    { key: "ended", title: "why it ended", text: (t) => reason(t.ended) },
  );
  return columns;
}

/** What is shown until the user chooses: what was searched, not what is fixed. */
export function firstColumns(sweep: SweepSummary): string[] {
  const fixed = new Set(Object.entries(sweep.spec.space).filter(([, p]) => p.kind.type === "fixed").map(([name]) => `param.${name}`));
  const hidden = new Set(["best_step", "memory", "suggested", "took", ...fixed]);
  if (!sweep.spec.objective.kind.startsWith("key")) hidden.add("weights");
  return boardColumns(sweep).map((c) => c.key).filter((key) => !hidden.has(key));
}
