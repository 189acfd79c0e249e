// Horizontal bars: a number per name.
import { Chart } from "./Chart";
import { axis, type Look, tip, tooltip } from "./look";

interface Props { label: string; x: string; bars: { name: string; value: number | null; more: [string, string][] }[]; rowHeight?: number }

export function Bars(props: Props) {
  return <Chart className={props.bars.length > 18 ? "tall" : ""} label={props.label} deps={[props.bars]} option={(l) => option(l, props)} />;
}

function option(l: Look, { x, bars }: Props): object {
  const shown = [...bars].reverse();
  return {
    grid: { left: 8, right: 24, top: 6, bottom: 42, containLabel: true },
    tooltip: tooltip(l, ({ dataIndex }: { dataIndex: number }) => tip(shown[dataIndex]!.name, shown[dataIndex]!.more)),
    xAxis: axis(l, x, { type: "value" }),
    yAxis: { type: "category", data: shown.map((b) => b.name), axisLine: { lineStyle: { color: l.line } }, axisTick: { show: false }, axisLabel: { color: l.text, fontSize: 11, interval: 0 } },
    series: [{ type: "bar", barMaxWidth: 12, data: shown.map((b) => b.value), itemStyle: { color: l.accent, borderRadius: 2 } }],
  };
}
