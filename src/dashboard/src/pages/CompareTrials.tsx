// Trials side by side: what differs first, and their curves in one picture.
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { Lines } from "../charts/Lines";
import { metricName } from "../charts/names";
import { get } from "../lib/api";
import { metric, short, value } from "../lib/format";
import { better, differing } from "../lib/plots";
import { reason } from "../lib/reason";
import type { SweepSummary, TrialDetail, TrialSummary } from "../lib/types";
import { Panel, StateMark, TrialLink } from "../ui/parts";

interface Props { sweep: SweepSummary; trials: TrialSummary[]; onClose: () => void; onDrop: (t: TrialSummary) => void }

export function Compare({ sweep, trials, onClose, onDrop }: Props) {
  const [all, setAll] = useState(false);
  const { metric: name, direction } = sweep.spec.objective;
  const details = useQueries({
    queries: trials.map((t) => ({ queryKey: ["trial", String(t.trial_id)], queryFn: () => get<TrialDetail>(`/trials/${t.trial_id}`) })),
  });
  const lines = trials.map((t, at) => ({
    name: `#${t.number}`,
    points: (details[at]?.data?.steps ?? []).map((s): [number, number | null] => [s.step, typeof s.metrics[name] === "number" ? s.metrics[name] : null]),
  }));
  const differ = differing(trials.map((t) => t.params));
  const names = [...new Set(trials.flatMap((t) => Object.keys(t.params)))].filter((n) => all || differ.has(n));
  const values = trials.map((t) => t.value).filter((v) => v !== null);
  const best = values.length ? values.reduce((a, b) => (better(direction, b, a) ? b : a)) : null;
  return (
    <Panel title={`${trials.length} trials side by side`} flush tools={<><label className="field"><input type="checkbox" checked={all} onChange={(e) => setAll(e.target.checked)} />also what is the same</label><button onClick={onClose}>Close</button></>}>
      <div className="body split">
        <div className="scroll">
          <table aria-label="comparison">
            <thead><tr><th /> {trials.map((t) => <th key={t.trial_id} className="r"><TrialLink id={t.trial_id} number={t.number} /> <button aria-label={`take trial ${t.number} out`} onClick={() => onDrop(t)}>×</button></th>)}</tr></thead>
            <tbody>
              <tr><td className="muted">{name}</td>{trials.map((t) => <td key={t.trial_id} className={`r${t.value !== null && t.value === best ? " best" : ""}`}>{metric(t.value)}</td>)}</tr>
              <tr><td className="muted">state</td>{trials.map((t) => <td key={t.trial_id} className="r"><StateMark state={t.state} /></td>)}</tr>
              <tr><td className="muted">steps</td>{trials.map((t) => <td key={t.trial_id} className="r">{t.steps}</td>)}</tr>
              {trials.some((t) => t.parameter_count !== null) && <tr><td className="muted">weights</td>{trials.map((t) => <td key={t.trial_id} className="r">{short(t.parameter_count)}</td>)}</tr>}
              {names.map((n) => <tr key={n} className={all && differ.has(n) ? "differs" : undefined}><td className="muted">{n}</td>{trials.map((t) => <td key={t.trial_id} className="r">{value(t.params[n])}</td>)}</tr>)}
              <tr><td className="muted">why it ended</td>{trials.map((t) => <td key={t.trial_id} className="r wrap">{reason(t.ended)}</td>)}</tr>
            </tbody>
          </table>
        </div>
        <Lines label="Learning curves of the compared trials" lines={lines} x="step (epochs)" y={metricName(sweep)} />
      </div>
    </Panel>
  );
}
