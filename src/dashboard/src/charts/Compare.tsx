// Sweeps side by side: how their values are spread, and how fast they got better.
import { useState } from "react";
import { metric } from "../lib/format";
import type { Comparison, SweepSummary } from "../lib/types";
import { Answer, Empty, Menu, Panel } from "../ui/parts";
import { useAsk, useSweeps } from "../ui/use";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip } from "./look";
import { metricName } from "./names";

export function CompareCharts({ sweep }: { sweep: SweepSummary }) {
  const sweeps = useSweeps();
  const others = (sweeps.data ?? []).filter((s) => s.id !== sweep.id && s.spec.objective.metric === sweep.spec.objective.metric);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const beside = chosen ?? others.filter((s) => s.best !== null).slice(0, 2).map((s) => s.id);
  const asked = useAsk<Comparison>(["plots", sweep.id, "compare"], `/compare?sweeps=${[sweep.id, ...beside].join(",")}`, sweeps.data !== undefined);
  const toggle = (id: string) => setChosen(beside.includes(id) ? beside.filter((b) => b !== id) : [...beside, id]);
  const tools = (
    <Menu label={`Sweeps (${beside.length + 1})`}>
      {others.length === 0 && <span className="note">No other sweep measures {sweep.spec.objective.metric}.</span>}
      {others.map((s) => <label key={s.id}><input type="checkbox" checked={beside.includes(s.id)} disabled={!beside.includes(s.id) && beside.length > 6} onChange={() => toggle(s.id)} />{s.name} <span className="faint mono">{s.id}</span></label>)}
    </Menu>
  );
  const none = <Empty title="No completed trial yet">The comparison needs one in at least one of the sweeps.</Empty>;
  return (
    <>
      <Panel title="Share of trials that reach a value" hint="EDF; further to the good side is better" tools={tools}>
        <Answer of={asked}>
          {(found) => found.sweeps.some((s) => s.edf.length) ? <Chart label="Empirical distribution of values by sweep" deps={[found]} option={(l) => option(l, found, sweep, "edf")} /> : none}
        </Answer>
      </Panel>
      <Panel title="Best so far, by trials">
        <Answer of={asked}>
          {(found) => found.sweeps.some((s) => s.history.length) ? <Chart label="Best value so far by sweep" deps={[found]} option={(l) => option(l, found, sweep, "history")} /> : none}
        </Answer>
      </Panel>
    </>
  );
}

function option(l: Look, { sweeps }: Comparison, sweep: SweepSummary, what: "edf" | "history"): object {
  const dashes = ["solid", "dashed", "dotted"];
  const names = sweeps.map((s, at) => (sweeps.findIndex((o) => o.name === s.name) === at ? s.name : `${s.name} ${s.id}`));
  const value = axis(l, metricName(sweep), { type: "value", scale: true, nameGap: what === "edf" ? 28 : 42 });
  return {
    animation: false, grid: { ...GRID, top: 34 },
    legend: { top: 0, left: 0, type: "plain", itemHeight: 9, itemWidth: 22, textStyle: { color: l.muted, fontSize: 11.5 } },
    tooltip: tooltip(l, ({ seriesName, data }: { seriesName: string; data: [number, number] }) =>
      tip(seriesName, what === "edf" ? [[sweep.spec.objective.metric, metric(data[0])], ["share", `${(data[1] * 100).toFixed(1)} %`]] : [["trial", String(data[0])], ["best", metric(data[1])]])),
    xAxis: what === "edf" ? value : axis(l, "trial (number)", { type: "value", splitLine: { show: false } }),
    yAxis: what === "edf" ? axis(l, "share of completed trials (%)", { type: "value", min: 0, max: 1, nameGap: 42, axisLabel: { formatter: (v: number) => String(Math.round(v * 100)), color: l.muted, fontSize: 11 } }) : value,
    series: sweeps.map((s, at) => {
      const end = s.history.at(-1);
      const data = what === "edf" ? s.edf : [...s.history, ...(end && s.trials - 1 > end[0] ? [[s.trials - 1, end[1]]] : [])];
      return { type: "line", name: names[at], step: "end", symbol: "circle", showSymbol: false, symbolSize: 5, data, lineStyle: { width: 2, color: l.series[at % 8], type: dashes[at % 3] }, itemStyle: { color: l.series[at % 8] } };
    }),
  };
}
