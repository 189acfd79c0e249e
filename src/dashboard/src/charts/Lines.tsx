// Plain lines over steps or time: a trial's own curves, a machine's load.
import { clock, metric } from "../lib/format";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip } from "./look";

export interface Line { name: string; points: [number, number | null][]; dashed?: boolean; area?: boolean; colour?: string }

interface Props {
  label: string;
  lines: Line[];
  x: string;
  y: string;
  time?: boolean;
  max?: number;
  format?: (v: number) => string;
  marks?: { at: number; name: string }[];
  className?: string;
}

export function Lines(props: Props) {
  return <Chart className={props.className} label={props.label} deps={[props.lines, props.y]} option={(l) => option(l, props)} />;
}

function option(l: Look, { lines, x, y, time, max, format, marks }: Props): object {
  const shown = format ?? metric;
  return {
    animation: false, grid: { ...GRID, top: lines.length > 1 ? 34 : 18, left: 64 },
    legend: lines.length > 1 ? { top: 0, left: 0, itemHeight: 9, itemWidth: 22, textStyle: { color: l.muted, fontSize: 11.5 } } : undefined,
    tooltip: tooltip(l, (all: { seriesName: string; data: [number, number | null] }[]) => {
      const at = all[0]?.data[0];
      return at === undefined ? "" : tip(time ? clock(at) : `step ${at}`, all.map((s) => [s.seriesName, s.data[1] === null ? "–" : shown(s.data[1])]));
    }, { trigger: "axis" }),
    xAxis: axis(l, x, { type: "value", scale: true, minInterval: 1, splitLine: { show: false }, axisLabel: { color: l.muted, fontSize: 11, hideOverlap: true, ...(time ? { formatter: clock } : {}) }, ...(time ? { min: "dataMin", max: "dataMax" } : {}) }),
    yAxis: axis(l, y, { type: "value", scale: max === undefined, nameGap: 48, max, ...(max === undefined ? {} : { min: 0 }), axisLabel: { color: l.muted, fontSize: 11, ...(format ? { formatter: format } : {}) } }),
    series: lines.map((line, at) => {
      const color = line.colour ?? l.series[at % l.series.length];
      return {
        type: "line", name: line.name, data: line.points, symbol: "circle", symbolSize: 4, showSymbol: line.points.length < 3,
        lineStyle: { color, width: line.points.length > 200 || line.dashed ? 1.3 : 2, type: line.dashed ? "dashed" : "solid" }, itemStyle: { color },
        areaStyle: line.area ? { color, opacity: 0.08 } : undefined,
        markLine: at === 0 && marks?.length ? { silent: true, symbol: "none", lineStyle: { color: l.faint, type: "dotted" }, label: { formatter: ({ name }: { name: string }) => name, color: l.muted, fontSize: 11 }, data: marks.map((m) => ({ xAxis: m.at, name: m.name })) } : undefined,
      };
    }),
  };
}
