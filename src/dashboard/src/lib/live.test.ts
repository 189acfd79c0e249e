import { expect, test, vi } from "vitest";
import { Outdated, withStep } from "./live";
import type { TrialDetail } from "./types";

test("a key is marked at once, and once more for all that came within its interval", () => {
  vi.useFakeTimers();
  const marked: string[] = [];
  const outdated = new Outdated((key) => marked.push(key.join("/")));
  for (let i = 0; i < 5; i += 1) outdated.mark(["plots", "a"], 1000);
  outdated.mark(["plots", "b"], 1000);
  expect(marked).toEqual(["plots/a", "plots/b"]);
  vi.advanceTimersByTime(1000);
  expect(marked).toEqual(["plots/a", "plots/b", "plots/a"]);
  vi.advanceTimersByTime(5000);
  expect(marked).toHaveLength(3);
  vi.useRealTimers();
});

test("a step that comes again takes back what came after it", () => {
  const row = (step: number) => ({ fold: 0, step, at_ms: step, metrics: { rmse: step } });
  const trial = { trial: { steps: 3 }, steps: [row(1), row(2), row(3)] } as unknown as TrialDetail;
  expect(withStep(trial, row(4)).steps.map((s) => s.step)).toEqual([1, 2, 3, 4]);
  expect(withStep(trial, { ...row(2), metrics: { rmse: 9 } }).steps.map((s) => s.metrics.rmse)).toEqual([1, 9]);
  expect(withStep(trial, row(4)).trial.steps).toBe(4);
});

test("the steps of all folds count", () => {
  const row = (fold: number, step: number) => ({ fold, step, at_ms: step, metrics: {} });
  const trial = { trial: { steps: 3 }, steps: [row(0, 1), row(0, 2), row(1, 1)] } as unknown as TrialDetail;
  expect(withStep(trial, row(1, 2)).trial.steps).toBe(4);
});
