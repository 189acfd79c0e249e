// Learning curves: stopped trials grey, running ones in front, rungs as lines.
import { useLocation } from "wouter";
import { paths } from "../lib/early";
import { count, metric } from "../lib/format";
import { better, farEnd } from "../lib/plots";
import type { Curve, Curves, SweepSummary } from "../lib/types";
import { Answer, Empty, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import { axis, GRID, type Look, tip, tooltip, valueAxis } from "./look";
import { metricName } from "./names";

export function CurvesChart({ sweep, where, className }: { sweep: SweepSummary; where: string; className?: string }) {
  const asked = useAsk<Curves>(["plots", sweep.id, "curves"], paths.curves(sweep.id, where));
  const [, go] = useLocation();
  const shown = asked.data?.curves.length ?? 0;
  const hint = asked.data && asked.data.trials > shown ? `${count(shown)} of ${count(asked.data.trials)}: best, worst, running and some between` : undefined;
  return (
    <Panel title="Learning curves" hint={hint}>
      <Answer of={asked}>
        {(curves) =>
          curves.curves.some((c) => c.points.length > 0) ? (
            <Chart className={className} label={`Learning curves of ${shown} trials`} deps={[curves]} option={(l) => option(l, curves, sweep)}
              onClick={({ seriesId }) => seriesId && go(`/trials/${seriesId}`)} />
          ) : (
            <Empty title="No curves yet">They grow here as trials report their steps.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

function option(l: Look, { curves, rungs }: Curves, sweep: SweepSummary): object {
  const { direction } = sweep.spec.objective;
  const best = curves.filter((c) => c.state === "completed" && c.value !== null).reduce<Curve | null>((a, c) => (a === null || better(direction, c.value!, a.value!) ? c : a), null);
  const end = farEnd(curves.flatMap((c) => c.points.map(([, v]) => v).filter((v) => v !== null)), direction);
  const style = (c: Curve) => {
    if (c === best) return { color: l.best, width: 2.5, opacity: 1, z: 6 };
    if (c.state === "running" || c.state === "stopping") return { color: l.state.running, width: 1.8, opacity: 1, z: 5 };
    if (c.state === "completed") return { color: l.state.completed, width: 1, opacity: 0.55, z: 3 };
    if (c.state === "failed") return { color: l.state.failed, width: 1, opacity: 0.7, z: 4 };
    return { color: l.state.stopped, width: 1, opacity: 0.3, z: 2 };
  };
  return {
    animation: false,
    grid: { ...GRID, top: 26 },
    tooltip: tooltip(l, ({ seriesId, data }: { seriesId: string; data: [number, number] }) => {
      const c = curves.find((c) => String(c.trial_id) === seriesId);
      return c ? tip(`Trial ${c.number}${c === best ? ", the best" : ""}`, [["step", String(data[0])], [sweep.spec.objective.metric, metric(data[1])], ["state", c.state]]) : "";
    }),
    xAxis: axis(l, "step (epochs)", { type: "value", minInterval: 1, min: 0, splitLine: { show: false } }),
    yAxis: valueAxis(l, metricName(sweep), end, direction === "minimize"),
    series: curves.map((c, at) => {
      const { color, width, opacity, z } = style(c);
      return {
        type: "line", id: String(c.trial_id), name: String(c.number), data: c.points, symbol: c.points.length === 1 ? "circle" : "none", symbolSize: 4, z, triggerLineEvent: true, clip: true,
        lineStyle: { color, width, opacity }, itemStyle: { color }, emphasis: { lineStyle: { width: 3, opacity: 1 }, disabled: false },
        markLine: at === 0 && rungs.length ? {
          silent: true, symbol: "none", animation: false, lineStyle: { color: l.faint, type: "dotted" }, label: { formatter: ({ value }: { value: number }) => `rung ${value}`, color: l.muted, fontSize: 11 },
          data: rungs.map((xAxis) => ({ xAxis })),
        } : undefined,
      };
    }),
  };
}
