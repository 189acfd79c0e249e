// Optimisation history: every trial's value, and the best so far.
import { useState } from "react";
import { useLocation } from "wouter";
import { clock, metric, moment } from "../lib/format";
import { paths } from "../lib/early";
import { farEnd, stairs } from "../lib/plots";
import type { History, HistoryPoint, SweepSummary, TrialState } from "../lib/types";
import { Answer, Empty, Panel, Segmented } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip, valueAxis } from "./look";
import { metricName } from "./names";

type Along = "number" | "time";
const SYMBOL: Partial<Record<TrialState, string>> = { stopped: "rect", failed: "triangle", running: "diamond", paused: "pin" };

export function HistoryChart({ sweep }: { sweep: SweepSummary }) {
  const [along, setAlong] = useState<Along>("number");
  const asked = useAsk<History>(["plots", sweep.id, "history"], paths.history(sweep.id));
  const [, go] = useLocation();
  return (
    <Panel title="History" hint="every trial, and the best so far" tools={<Segmented label="along" choices={[["number", "by trial"], ["time", "by time"]]} at={along} go={setAlong} />}>
      <Answer of={asked}>
        {(history) =>
          history.points.some((p) => p.value !== null) ? (
            <Chart
              label={`Value of ${history.trials} trials; the best is ${metric(history.best.at(-1)?.value)}`}
              deps={[history, along, sweep.baseline]}
              option={(l) => option(l, history, sweep, along)}
              onClick={({ data }) => {
                const point = (data as { point?: HistoryPoint }).point;
                if (point) go(`/trials/${point.trial_id}`);
              }}
            />
          ) : (
            <Empty title="No values yet">The first trial's first epoch puts a point here.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

function option(l: Look, history: History, sweep: SweepSummary, along: Along): object {
  const { direction } = sweep.spec.objective;
  const shown = history.points.filter((p) => p.value !== null && (along === "number" || p.ended_ms !== null));
  const end = farEnd(shown.map((p) => p.value!), direction);
  const beyond = (v: number) => end !== null && (direction === "minimize" ? v > end : v < end);
  const x = (p: { number: number; ended_ms: number | null }) => (along === "number" ? p.number : p.ended_ms!);
  const states = [...new Set(shown.map((p) => p.state))];
  const series: object[] = states.map((state) => ({
    type: "scatter", name: state, symbol: SYMBOL[state] ?? "circle", symbolSize: shown.length > 800 ? 4 : 6,
    itemStyle: { color: l.state[state], opacity: state === "stopped" ? 0.5 : 0.75 },
    data: shown.filter((p) => p.state === state).map((p) => ({
      value: [x(p), beyond(p.value!) ? end : p.value], point: p,
      ...(beyond(p.value!) ? { symbol: "arrow", symbolRotate: direction === "minimize" ? 0 : 180, symbolSize: 8 } : {}),
    })),
  }));
  const best = history.best.filter((b) => along === "number" || b.ended_ms !== null);
  const last = Math.max(...shown.map(x));
  const tail = best.at(-1);
  series.push({
    type: "line", name: "best so far", symbol: "none", lineStyle: { color: l.best, width: 2 }, itemStyle: { color: l.best }, z: 5,
    data: stairs([...best.map((b): [number, number] => [x(b), b.value]), ...(tail && last > x(tail) ? [[last, tail.value] as [number, number]] : [])]),
    markLine: sweep.baseline === null ? undefined : {
      silent: true, symbol: "none", lineStyle: { color: l.muted, type: "dashed" }, data: [{ yAxis: sweep.baseline }],
      label: { formatter: "mean face", color: l.muted, position: "insideEndTop", fontSize: 11 },
    },
  });
  return {
    // So many points would only come late.
    ...(shown.length > 400 ? { animation: false } : {}),
    // In a narrow picture the legend takes two lines.
    grid: { ...GRID, top: innerWidth < 720 ? 56 : 34 },
    legend: { top: 0, left: 0, itemHeight: 9, itemWidth: 14, textStyle: { color: l.muted, fontSize: 11.5 }, inactiveColor: l.line },
    tooltip: tooltip(l, ({ data }: { data: { point?: HistoryPoint; value?: number[] } | number[] }) => {
      const point = Array.isArray(data) ? undefined : data.point;
      if (!point) return "";
      return tip(`Trial ${point.number}`, [[sweep.spec.objective.metric, metric(point.value)], ["state", point.state], ["ended", moment(point.ended_ms)]]);
    }),
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false }],
    xAxis: axis(l, along === "number" ? "trial (number)" : "time (local)", along === "number" ? { type: "value", minInterval: 1, min: 0, splitLine: { show: false } } : { type: "value", scale: true, splitLine: { show: false }, axisLabel: { formatter: clock, color: l.muted, fontSize: 11, hideOverlap: true } }),
    yAxis: valueAxis(l, metricName(sweep), end, direction === "minimize"),
    series,
  };
}
