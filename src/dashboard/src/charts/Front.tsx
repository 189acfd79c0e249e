// The Pareto front of a sweep with several objectives.
import { useState } from "react";
import { useLocation } from "wouter";
import { count, metric, short } from "../lib/format";
import type { Front, SweepSummary, TrialPage } from "../lib/types";
import { query } from "../lib/query";
import { Answer, Empty, Panel, Segmented } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip } from "./look";
import { named } from "./names";

export function FrontChart({ sweep }: { sweep: SweepSummary }) {
  const asked = useAsk<Front>(["plots", sweep.id, "front"], `/sweeps/${sweep.id}/front`);
  const others = useAsk<TrialPage>(["plots", sweep.id, "others"], `/sweeps/${sweep.id}/trials${query({ where: "state = completed", limit: 500 })}`);
  const [other, setOther] = useState("1");
  const [, go] = useLocation();
  return (
    <Panel title="Pareto front" wide
      hint={asked.data && `${count(asked.data.size)} of ${count(asked.data.completed)} completed trials that no other one beats in everything${asked.data.hypervolume === null ? "" : `; hypervolume ${short(asked.data.hypervolume)}`}`}
      tools={asked.data && asked.data.objectives.length > 2 && <Segmented label="against" choices={asked.data.objectives.slice(1).map((o, at) => [String(at + 1), o.name])} at={other} go={setOther} />}>
      <Answer of={asked}>
        {(front) =>
          front.members.length ? (
            <Chart className="tall" label={`Front of ${front.size} trials`} deps={[front, other, others.data]} option={(l) => option(l, front, Number(other), others.data, sweep.spec.objective.kind === "keypoints")}
              onClick={({ data }) => { const { id } = data as { id?: number }; if (id) go(`/trials/${id}`); }} />
          ) : (
            <Empty title="No completed trial yet">The front begins with the first one.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

interface Spot { value: [number, number]; id: number; number: number }

function option(l: Look, front: Front, other: number, others: TrialPage | undefined, keypoints: boolean): object {
  const [a, b] = [front.objectives[0]!, front.objectives[other]!];
  const members: Spot[] = front.members.map((m) => ({ value: [m.values[other]!, m.values[0]!], id: m.trial.trial_id, number: m.trial.number }));
  members.sort((m, n) => m.value[0] - n.value[0]);
  const onFront = new Set(members.map((m) => m.id));
  const dominated: Spot[] = (others?.trials ?? [])
    .filter((t) => t.value !== null && typeof t.further?.[other - 1] === "number" && !onFront.has(t.trial_id))
    .map((t) => ({ value: [t.further![other - 1]!, t.value!], id: t.trial_id, number: t.number }));
  return {
    grid: { ...GRID, top: 34 },
    legend: { top: 0, left: 0, itemHeight: 9, textStyle: { color: l.muted, fontSize: 11.5 } },
    tooltip: tooltip(l, ({ data }: { data: Spot }) => tip(`Trial ${data.number}`, [[a.name, metric(data.value[1])], [b.name, metric(data.value[0])]])),
    xAxis: axis(l, `${named(b.name, keypoints)}, ${b.direction === "minimize" ? "less" : "more"} is better`, { type: "value", scale: true, splitLine: { show: false }, axisLabel: { formatter: short, color: l.muted, fontSize: 11, hideOverlap: true } }),
    yAxis: axis(l, `${named(a.name, keypoints)}, ${a.direction === "minimize" ? "less" : "more"} is better`, { type: "value", scale: true, nameGap: 42 }),
    series: [
      { type: "scatter", name: "dominated", symbolSize: 6, data: dominated, itemStyle: { color: l.state.stopped, opacity: 0.6 } },
      { type: "line", name: "front", step: a.direction === "minimize" ? "end" : "start", symbol: "circle", symbolSize: 9, data: members, lineStyle: { color: l.accent, width: 1.5 }, itemStyle: { color: l.accent } },
    ],
  };
}
