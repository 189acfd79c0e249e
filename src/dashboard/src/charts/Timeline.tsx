// Who ran what when: a lane per slot; gaps are idle time.
import { useLocation } from "wouter";
import { clock, count, duration, moment, percent } from "../lib/format";
import type { Span, Timeline } from "../lib/types";
import { Answer, Empty, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import { axis, type Look, tip, tooltip } from "./look";

/** The share of a slot's time in which it had work. */
export function busy(spans: Span[], from_ms: number, to_ms: number): number {
  const worked = spans.reduce((sum, s) => sum + Math.max(0, Math.min(s.until_ms ?? to_ms, to_ms) - Math.max(s.from_ms, from_ms)), 0);
  return to_ms > from_ms ? Math.min(1, worked / (to_ms - from_ms)) : 0;
}

export function TimelineChart({ id }: { id: string }) {
  const asked = useAsk<Timeline>(["plots", id, "timeline"], `/sweeps/${id}/timeline?most=2000`);
  const [, go] = useLocation();
  return (
    <Panel title="Slots over time" wide hint="who ran what when; gaps are idle time. Scroll with Ctrl to zoom.">
      <Answer of={asked}>
        {(found) =>
          found.slots.some((s) => s.spans.length > 0) ? (
            <Chart label={`${found.slots.length} slots from ${moment(found.from_ms)} to ${moment(found.to_ms)}`} deps={[found]} option={(l) => option(l, found)}
              onClick={({ data }) => { const { span } = data as { span: Span }; if (span.trials === 1) go(`/trials/${span.trial_id}`); }} />
          ) : (
            <Empty title="Nothing has run yet">A bar per trial appears here in the lane of the slot that runs it.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

interface Api {
  value(at: number): number;
  coord(at: [number, number]): [number, number];
  size(of: [number, number]): [number, number];
  style(more: object): object;
}
interface Area { coordSys: { x: number; width: number } }

function option(l: Look, { slots, from_ms, to_ms }: Timeline): object {
  const colours: Record<string, string> = { ...l.state, open: l.state.running, lost: l.state.failed };
  const spans = slots.flatMap((s, lane) => s.spans.map((span) => ({ value: [lane, span.from_ms, span.until_ms ?? to_ms], span, itemStyle: { color: colours[span.state] ?? l.state.completed } })));
  return {
    animation: false,
    grid: { left: 8, right: 16, top: 10, bottom: 44, containLabel: true },
    tooltip: tooltip(l, ({ data: { span, value } }: { data: { span: Span; value: number[] } }) =>
      tip(span.trials > 1 ? `${count(span.trials)} trials, from ${span.number}` : `Trial ${span.number}`, [["from", clock(value[1]!)], ["for", duration(value[2]! - value[1]!)], ["state", span.state]])),
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, filterMode: "weakFilter" }],
    xAxis: axis(l, "time (local)", { type: "value", min: from_ms, max: to_ms, axisLabel: { formatter: clock, color: l.muted, fontSize: 11, hideOverlap: true } }),
    yAxis: { type: "category", inverse: true, data: slots.map((s) => `${s.slot}   ${percent(busy(s.spans, from_ms, to_ms))} busy`), axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: l.text, fontSize: 11.5 }, splitLine: { show: true, lineStyle: { color: l.line } } },
    series: [{
      type: "custom", clip: true, encode: { x: [1, 2], y: 0 }, data: spans,
      renderItem: ({ coordSys }: Area, api: Api) => {
        const [x, y] = api.coord([api.value(1), api.value(0)]);
        const [until] = api.coord([api.value(2), api.value(0)]);
        const height = Math.min(26, api.size([0, 1])[1] * 0.66);
        const from = Math.max(x, coordSys.x);
        const to = Math.min(until, coordSys.x + coordSys.width);
        return to <= from ? undefined : { type: "rect", shape: { x: from, y: y - height / 2, width: Math.max(1, to - from - 0.7), height, r: 2 }, style: api.style({}) };
      },
    }],
  };
}
