// One parameter against the value, and two parameters as a surface.
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { metric, value } from "../lib/format";
import { farEnd, place, quantile, surface, unit } from "../lib/plots";
import type { Column, SweepSummary, ValueRow, Values } from "../lib/types";
import { Answer, Empty, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { query } from "../lib/query";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip, valueAxis } from "./look";
import { metricName, named } from "./names";

export function searched(sweep: SweepSummary): string[] {
  return Object.entries(sweep.spec.space).filter(([, p]) => p.kind.type !== "fixed").map(([name]) => name);
}

function Choose({ label, names, at, go }: { label: string; names: string[]; at: string; go: (name: string) => void }) {
  return (
    <select aria-label={label} value={at} onChange={(e) => go(e.target.value)}>
      {names.map((name) => <option key={name}>{name}</option>)}
    </select>
  );
}

export function SliceChart({ sweep, where }: { sweep: SweepSummary; where: string }) {
  const names = searched(sweep);
  const [name, setName] = useState(names[0] ?? "");
  const asked = useAsk<Values>(["plots", sweep.id, "values"], `/sweeps/${sweep.id}/values${query({ params: name, most: 2000, where })}`, name !== "");
  const [, go] = useLocation();
  return (
    <Panel title="Slice" hint="one parameter against the value; later trials stronger" tools={<Choose label="parameter" names={names} at={name} go={setName} />}>
      <Answer of={asked}>
        {(values) => {
          const column = values.columns[0];
          const rows = values.rows.filter((r) => r.value !== null && r.x[0] !== null);
          if (!column || rows.length === 0) return <Empty title="No values yet" />;
          return <Chart label={`${name} against ${sweep.spec.objective.metric}`} deps={[values]} option={(l) => slice(l, column, rows, sweep)}
            onClick={({ data }) => go(`/trials/${(data as { row: ValueRow }).row.trial_id}`)} />;
        }}
      </Answer>
    </Panel>
  );
}

function parameterAxis(l: Look, column: Column, gap: number): object {
  const more = column.choices
    ? { type: "category", data: column.choices.map(value) }
    : { type: column.log ? "log" : "value", scale: true, minInterval: column.kind === "int" ? 1 : undefined };
  return axis(l, column.choices ? column.name : named(column.name), { ...more, nameGap: gap, splitLine: { show: false }, axisLabel: { color: l.muted, fontSize: 11, hideOverlap: true, ...(column.choices ? {} : { formatter: (v: number) => value(v) }) } });
}

/** Points on a category lie on one line: a little spread, always the same for a trial, tells them apart. */
function spread(row: ValueRow): number {
  return (((row.number * 2654435761) % 1000) / 1000 - 0.5) * 16;
}

function slice(l: Look, column: Column, rows: ValueRow[], sweep: SweepSummary): object {
  const { direction, metric: name } = sweep.spec.objective;
  const end = farEnd(rows.map((r) => r.value!), direction);
  const newest = Math.max(1, ...rows.map((r) => r.number));
  return {
    animation: false, grid: GRID,
    tooltip: tooltip(l, ({ data }: { data: { row: ValueRow } }) => tip(`Trial ${data.row.number}`, [[column.name, value(data.row.x[0])], [name, metric(data.row.value)], ["state", data.row.state]])),
    xAxis: parameterAxis(l, column, 28),
    yAxis: valueAxis(l, metricName(sweep), end, direction === "minimize"),
    series: [{
      type: "scatter", symbolSize: 6, clip: true,
      data: rows.map((row) => ({
        value: [column.choices ? place(row.x[0], column.choices) : row.x[0], end !== null && (direction === "minimize" ? row.value! > end : row.value! < end) ? end : row.value],
        row, symbolOffset: column.choices ? [spread(row), 0] : undefined,
        itemStyle: { color: row.state === "stopped" ? l.state.stopped : l.accent, opacity: 0.25 + 0.65 * (row.number / newest) },
      })),
    }],
  };
}

export function ContourChart({ sweep, where }: { sweep: SweepSummary; where: string }) {
  const names = searched(sweep);
  const [x, setX] = useState(names[0] ?? "");
  const [y, setY] = useState(names[1] ?? names[0] ?? "");
  const asked = useAsk<Values>(["plots", sweep.id, "values"], `/sweeps/${sweep.id}/values${query({ params: `${x},${y}`, most: 2000, where })}`, x !== "" && x !== y);
  if (names.length < 2) return null;
  return (
    <Panel title="Contour" wide hint="the value over two parameters" tools={<><Choose label="x" names={names} at={x} go={setX} /><span className="muted">×</span><Choose label="y" names={names} at={y} go={setY} /></>}>
      {x === y ? <Empty title="Choose two different parameters" /> : <Answer of={asked}>{(values) => <Contour values={values} sweep={sweep} />}</Answer>}
    </Panel>
  );
}

function bounds(column: Column, rows: ValueRow[], at: number): [number, number] {
  if (column.choices) return [-0.5, column.choices.length - 0.5];
  const all = rows.map((r) => r.x[at] as number);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

const SIDE = 36;

function Contour({ values, sweep }: { values: Values; sweep: SweepSummary }) {
  const [, go] = useLocation();
  const rows = values.rows.filter((r) => r.value !== null && r.x[0] !== null && r.x[1] !== null);
  const [cx, cy] = values.columns;
  const made = useMemo(() => {
    if (!cx || !cy || rows.length < 5) return null;
    const ux = unit(...bounds(cx, rows, 0), cx.log);
    const uy = unit(...bounds(cy, rows, 1), cy.log);
    const points = rows.map((row) => ({ row, x: ux.to(place(row.x[0], cx.choices)!), y: uy.to(place(row.x[1], cy.choices)!) }));
    // A few values far out would leave one colour for all others.
    const far = quantile(rows.map((r) => r.value!), sweep.spec.objective.direction === "minimize" ? 0.95 : 0.05);
    const clamp = (v: number) => (sweep.spec.objective.direction === "minimize" ? Math.min(v, far) : Math.max(v, far));
    return { ux, uy, points, ground: surface(points.map((p) => [p.x, p.y, clamp(p.row.value!)]), SIDE) };
  }, [values]);
  if (!made || !cx || !cy) return <Empty title="Too few values yet">A surface needs at least five trials that have both parameters.</Empty>;
  const { ux, uy, points, ground } = made;
  const all = ground.cells.map((c) => c[2]);
  const option = (l: Look) => {
    const ramp = sweep.spec.objective.direction === "minimize" ? l.ramp : [...l.ramp].reverse();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const edge = (name: string, column: Column, from: (u: number) => number, gap: number) =>
      axis(l, column.choices ? name : named(name), { type: "value", min: 0, max: 1, interval: column.choices ? 1 / column.choices.length / 2 : 0.2, nameGap: gap, splitLine: { show: false },
        axisLabel: { color: l.muted, fontSize: 11, hideOverlap: true, formatter: (u: number) => {
          if (!column.choices) return value(from(u));
          const half = Math.round(u * column.choices.length * 2);
          return half % 2 ? value(column.choices[(half - 1) / 2]!) : "";
        } } });
    return {
      animation: false,
      grid: { ...GRID, right: 74, left: 70 },
      tooltip: tooltip(l, ({ data, seriesType }: { data: { row?: ValueRow; value: number[] }; seriesType: string }) =>
        seriesType === "scatter" && data.row
          ? tip(`Trial ${data.row.number}`, [[cx.name, value(data.row.x[0])], [cy.name, value(data.row.x[1])], [sweep.spec.objective.metric, metric(data.row.value)]])
          : ""),
      xAxis: [edge(cx.name, cx, ux.from, 28), { type: "category", show: false, data: ground.xs }],
      yAxis: [edge(cy.name, cy, uy.from, 54), { type: "category", show: false, data: ground.ys }],
      visualMap: { type: "piecewise", splitNumber: 9, min: low, max: high === low ? low + 1 : high, inRange: { color: ramp }, seriesIndex: 0, dimension: 2, right: 0, top: 10, itemWidth: 12, itemHeight: 12, itemGap: 3, itemSymbol: "rect", precision: 2, showLabel: true, textStyle: { color: l.muted, fontSize: 10.5 }, formatter: (a: number) => a.toFixed(2), selectedMode: false },
      series: [
        { type: "heatmap", xAxisIndex: 1, yAxisIndex: 1, data: ground.cells, itemStyle: { opacity: 0.92 }, silent: true, progressive: 0 },
        { type: "scatter", symbolSize: 5, z: 4, itemStyle: { color: "#fff", borderColor: "#222", borderWidth: 0.8, opacity: 0.7 }, data: points.slice(0, 1000).map((p) => ({ value: [p.x, p.y], row: p.row })) },
      ],
    };
  };
  return <Chart className="tall" label={`${sweep.spec.objective.metric} over ${cx.name} and ${cy.name}`} deps={[values]} option={option}
    onClick={({ data }) => { const { row } = data as { row?: ValueRow }; if (row) go(`/trials/${row.trial_id}`); }} />;
}
