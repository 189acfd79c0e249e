// A trial's own curves, live: what is optimised, and any other metric; a line for each fold, where there are folds.
import { useMemo, useState } from "react";
import { Lines } from "../charts/Lines";
import { named } from "../charts/names";
import type { StepRow, SweepSummary, TrialDetail } from "../lib/types";
import { Empty, Panel } from "../ui/parts";

function points(steps: StepRow[], name: string): [number, number | null][] {
  return steps.map((s) => [s.step, typeof s.metrics[name] === "number" ? s.metrics[name] : null]);
}

export function TrialCurves({ detail, sweep }: { detail: TrialDetail; sweep: SweepSummary | undefined }) {
  const main = sweep?.spec.objective.metric ?? "rmse";
  const names = useMemo(() => [...new Set([main, ...detail.steps.flatMap((s) => Object.keys(s.metrics))])], [main, detail.steps]);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = chosen ?? main;
  const folds = useMemo(() => [...new Set(detail.steps.map((s) => s.fold))].sort((a, b) => a - b), [detail.steps]);
  const hasFolds = Boolean(sweep?.spec.objective.folds);
  const beside = !hasFolds && shown === main && names.includes(`train_${main}`) ? [`train_${main}`] : [];
  const lines = useMemo(
    () => hasFolds
      ? folds.map((fold) => ({ name: `fold ${fold}`, points: points(detail.steps.filter((s) => s.fold === fold), shown) }))
      : [shown, ...beside].map((name, at) => ({ name, dashed: at > 0, points: points(detail.steps, name) })),
    [detail.steps, shown, beside.length, hasFolds, folds],
  );
  const broken = detail.steps.filter((s) => typeof s.metrics[shown] === "string").map((s) => s.step);
  const best = detail.trial.best_step;
  return (
    <Panel title="Curves" hint={detail.trial.state === "running" ? "live" : undefined}
      tools={names.length > 1 && <select aria-label="metric" value={shown} onChange={(e) => setChosen(e.target.value)}>{names.map((n) => <option key={n}>{n}</option>)}</select>}>
      {detail.steps.length === 0 ? <Empty title="No step yet">The curve grows here, step by step, as the trial reports.</Empty> : (
        <>
          <Lines label={`${shown} over ${detail.steps.length} steps`} lines={lines} x="step (epochs)" y={named(shown, sweep?.spec.objective.kind === "keypoints")}
            marks={best && shown === main ? [{ at: best, name: hasFolds ? "best, in the mean" : "best" }] : []} />
          {broken.length > 0 && <p className="note">Not finite in step {broken.slice(0, 5).join(", ")}{broken.length > 5 ? " …" : ""}.</p>}
        </>
      )}
    </Panel>
  );
}
