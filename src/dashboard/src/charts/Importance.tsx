// How much each parameter mattered, by two measures.
import { count, percent } from "../lib/format";
import type { Importances } from "../lib/types";
import { Answer, Empty, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { Chart } from "./Chart";
import { axis, type Look, tip, tooltip } from "./look";

export function ImportanceChart({ id }: { id: string }) {
  const asked = useAsk<Importances>(["plots", id, "importance"], `/sweeps/${id}/importance`);
  return (
    <Panel title="Importance" hint={asked.data && (asked.data.results < asked.data.completed ? `from ${count(asked.data.results)} of ${count(asked.data.completed)} completed trials` : `from ${count(asked.data.results)} results`)}>
      <Answer of={asked} quiet={(e) => (e.code === "too_few_results" ? <Empty title="Too few results yet">{e.message}; importance comes then.</Empty> : undefined)}>
        {(found) => <Chart label="Importance of each parameter" deps={[found]} option={(l) => option(l, found)} />}
      </Answer>
    </Panel>
  );
}

function option(l: Look, found: Importances): object {
  const shown = found.parameters.slice(0, 12).reverse();
  const bar = { type: "bar", barGap: "10%", barCategoryGap: "30%" };
  return {
    grid: { left: 8, right: 24, top: 30, bottom: 42, containLabel: true },
    legend: { top: 0, left: 0, itemHeight: 9, itemWidth: 14, textStyle: { color: l.muted, fontSize: 11.5 }, data: ["among the best (PED-ANOVA)", "over the whole space (fANOVA)"] },
    tooltip: tooltip(l, ({ dataIndex }: { dataIndex: number }) => {
      const p = shown[dataIndex]!;
      return tip(p.name, [["among the best", percent(p.ped_anova, 1)], ["over the whole space", percent(p.fanova, 1)], ["results", String(p.results)]]);
    }),
    xAxis: axis(l, "share of what is explained (%)", { type: "value", axisLabel: { formatter: (v: number) => String(Math.round(v * 100)), color: l.muted, fontSize: 11 } }),
    yAxis: { type: "category", data: shown.map((p) => p.name), axisLine: { lineStyle: { color: l.line } }, axisTick: { show: false }, axisLabel: { color: l.text, fontSize: 12 } },
    series: [
      { ...bar, name: "over the whole space (fANOVA)", data: shown.map((p) => p.fanova), itemStyle: { color: l.best, borderRadius: 2 } },
      { ...bar, name: "among the best (PED-ANOVA)", data: shown.map((p) => p.ped_anova), itemStyle: { color: l.accent, borderRadius: 2 } },
    ],
  };
}
