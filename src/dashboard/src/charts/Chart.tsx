// One ECharts instance in a box that follows the box's size and the theme.
import { useEffect, useMemo, useRef } from "react";
import { isDark, useTheme } from "../ui/theme";
import { type ECharts, init, type Option } from "./echarts";
import { type Look, look } from "./look";

export interface ChartProps {
  /** What to draw; asked again when one of its inputs changes. */
  option: (look: Look) => object;
  deps: unknown[];
  /** What it shows, for those who do not see it. */
  label: string;
  className?: string;
  onClick?: (params: { data: unknown; seriesIndex?: number; seriesName?: string; seriesId?: string }) => void;
  /** Called once with the instance. */
  onReady?: (chart: ECharts) => void;
}

export function Chart({ option, deps, label, className, onClick, onReady }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(null);
  const click = useRef(onClick);
  click.current = onClick;
  const theme = useTheme();
  const dark = isDark();
  const colours = useMemo(() => look(dark), [theme, dark]);

  useEffect(() => {
    const made = init(box.current, undefined, { renderer: "canvas" });
    chart.current = made;
    made.on("click", (params) => click.current?.(params as never));
    onReady?.(made);
    const size = new ResizeObserver(() => made.resize());
    size.observe(box.current!);
    return () => {
      size.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const base = { animation: !still, animationDuration: 200, animationDurationUpdate: 200, textStyle: { fontFamily: colours.font, color: colours.text } };
    chart.current?.setOption({ ...base, ...option(colours) } as Option, { notMerge: true, lazyUpdate: true });
  }, [colours, ...deps]);

  return <div ref={box} className={`chart ${className ?? ""}`} role="img" aria-label={label} />;
}
