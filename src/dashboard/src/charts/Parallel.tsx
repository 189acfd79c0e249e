// Parallel coordinates. Brushing an axis filters the leaderboard.
import { useRef, useState } from "react";
import { count, metric, value } from "../lib/format";
import { place, quantile } from "../lib/plots";
import type { Column, SweepSummary, Values } from "../lib/types";
import { type Brush, canFilter } from "../lib/where";
import { Answer, Empty, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import type { ECharts } from "./echarts";
import type { Look } from "./look";

/** What is brushed stands nowhere but in the model. */
interface Internals {
  getModel(): { eachComponent(type: string, f: (axis: { option: { dim: number }; activeIntervals: [number, number][] }) => void): void };
}

interface Props { sweep: SweepSummary; onBrush: (brushes: Brush[]) => void }

export function ParallelChart({ sweep, onBrush }: Props) {
  const asked = useAsk<Values>(["plots", sweep.id, "values"], `/sweeps/${sweep.id}/values?most=2000`);
  const chart = useRef<ECharts>(null);
  const columns = useRef<Column[]>([]);
  const [brushed, setBrushed] = useState(false);
  // New trials would wipe what is brushed: while there is a brush, or one is drawn, the lines stay.
  const held = useRef<Values>(undefined);
  const drawing = useRef(false);
  if (!brushed && !(drawing.current && held.current)) held.current = asked.data;
  const read = () => {
    const model = (chart.current as unknown as Internals).getModel();
    const brushes: Brush[] = [];
    model.eachComponent("parallelAxis", ({ option, activeIntervals }) => {
      const column = columns.current[option.dim];
      if (column && activeIntervals.length) brushes.push({ column, ranges: activeIntervals.map(([a, b]) => [a, b]) });
    });
    setBrushed(brushes.length > 0);
    onBrush(brushes);
  };
  return (
    <Panel title="Parallel coordinates" wide hint={<>{asked.data && asked.data.trials > asked.data.rows.length ? `${count(asked.data.rows.length)} of ${count(asked.data.trials)}, best and worst among them. ` : ""}Draw along an axis to filter the trials below.</>}>
      <Answer of={{ ...asked, data: held.current }}>
        {(values) => {
          const rows = values.rows.filter((r) => r.value !== null);
          if (rows.length === 0) return <Empty title="No values yet">A line per trial comes here once it has a value.</Empty>;
          const metricColumn: Column = { name: sweep.spec.objective.metric, kind: "metric", log: false, choices: null };
          columns.current = [...values.columns, metricColumn];
          return (
            <div className="scroll" onPointerDown={() => void (drawing.current = true)} onPointerUp={() => void (drawing.current = false)} onPointerLeave={() => void (drawing.current = false)}><Chart className="tall parallel" label={`Parameters of ${rows.length} trials as parallel lines`} deps={[values]}
              option={(l) => option(l, { ...values, rows }, columns.current, sweep)}
              onReady={(made) => {
                chart.current = made;
                made.on("axisareaselected", read);
              }} /></div>
          );
        }}
      </Answer>
    </Panel>
  );
}

function option(l: Look, { rows }: Values, columns: Column[], sweep: SweepSummary): object {
  const all = rows.map((r) => r.value!);
  const [low, high] = [quantile(all, 0), quantile(all, 0.9)];
  const ramp = sweep.spec.objective.direction === "minimize" ? l.ramp : [...l.ramp].reverse();
  const last = columns.length - 1;
  const numbers = (at: number) => rows.map((r) => (at === last ? r.value : place(r.x[at], columns[at]!.choices))).filter((v) => v !== null);
  return {
    animation: false,
    parallel: {
      left: 44, right: 84, top: 46, bottom: 24,
      parallelAxisDefault: {
        nameTextStyle: { color: l.text, fontSize: 12 }, nameLocation: "end", nameGap: 12, axisLine: { lineStyle: { color: l.faint } },
        axisTick: { lineStyle: { color: l.faint } }, axisLabel: { color: l.text, fontSize: 11, textBorderColor: l.surface, textBorderWidth: 3 },
        areaSelectStyle: { width: 18, color: l.accent, borderColor: l.accent, opacity: 0.25 },
      },
    },
    parallelAxis: columns.map((c, dim) => ({
      dim, name: c.name, realtime: false,
      ...(c.choices
        ? { type: "category", data: c.choices.map(value) }
        : { type: c.log ? "log" : "value", scale: true, ...(c.log ? { min: Math.min(...numbers(dim)), max: Math.max(...numbers(dim)) } : {}), ...(c.kind === "int" ? { minInterval: 1 } : {}), axisLabel: { formatter: (v: number) => (c.kind === "metric" ? metric(v).replace(/0+$/, "").replace(/\.$/, "") : value(v)) } }),
      ...(canFilter(c) ? {} : { areaSelectStyle: { width: 0 } }),
    })),
    visualMap: {
      type: "continuous", dimension: last, min: low, max: high === low ? low + 1 : high, calculable: false, right: 0, top: "middle", itemHeight: 120, itemWidth: 10,
      inRange: { color: ramp }, textStyle: { color: l.muted, fontSize: 11 }, text: [metric(high), metric(low)], seriesIndex: 0,
    },
    series: [{
      type: "parallel", progressive: 500, inactiveOpacity: 0.03, activeOpacity: 0.8, lineStyle: { width: 1, opacity: rows.length > 500 ? 0.25 : 0.5 },
      data: rows.map((r) => columns.map((c, at) => {
        const v = at === last ? r.value : c.choices ? place(r.x[at], c.choices) : (r.x[at] as number | null);
        return v === null ? "-" : v;
      })),
    }],
  };
}
