// How all charts look: colours from styles.css, quiet axes with names and units.
import { colour } from "../ui/theme";
import type { TrialState } from "../lib/types";

export interface Look {
  text: string; muted: string; faint: string; line: string; surface: string; accent: string; best: string;
  state: Record<TrialState, string>;
  series: string[];
  ramp: string[];
  font: string;
}

/** Colours that the colour-blind can tell apart (Okabe and Ito), for lines side by side. */
const SERIES_LIGHT = ["#0072b2", "#d55e00", "#00805d", "#cc79a7", "#a86e00", "#56b4e9", "#5a5a5a", "#8c6bb1"];
const SERIES_DARK = ["#56b4e9", "#ff8a4c", "#22b88c", "#e29bc3", "#e9b13d", "#8fd0ff", "#b5b5b5", "#b9a3e3"];
/** From good to bad: cividis-like, even in lightness, and the same to every eye. */
const RAMP_LIGHT = ["#00326e", "#31497e", "#5b6579", "#858477", "#b2a46b", "#e0c55a"];
const RAMP_DARK = ["#ffe45c", "#d3be64", "#a59c74", "#7b7b78", "#55607d", "#34527f"];

const STATES: TrialState[] = ["queued", "running", "paused", "stopping", "completed", "stopped", "failed", "cancelled"];

export function look(dark: boolean): Look {
  return {
    text: colour("text"), muted: colour("muted"), faint: colour("faint"), line: colour("line"), surface: colour("raised"),
    accent: colour("accent"), best: colour("best"),
    state: Object.fromEntries(STATES.map((s) => [s, colour(s === "stopping" ? "paused" : s)])) as Look["state"],
    series: dark ? SERIES_DARK : SERIES_LIGHT,
    ramp: dark ? RAMP_DARK : RAMP_LIGHT,
    font: getComputedStyle(document.documentElement).getPropertyValue("--font"),
  };
}

export function axis(l: Look, name: string, more: object = {}): object {
  return {
    name, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: l.muted, fontSize: 12 },
    axisLine: { lineStyle: { color: l.line } }, axisTick: { show: false },
    axisLabel: { color: l.muted, fontSize: 11, hideOverlap: true }, splitLine: { lineStyle: { color: l.line, opacity: 0.6 } },
    ...more,
  };
}

export const GRID = { left: 58, right: 18, top: 18, bottom: 44 };

export function tooltip(l: Look, formatter: (params: never) => HTMLElement | string, more: object = {}): object {
  return {
    // A box made of elements: text with style attributes would break the content security policy.
    trigger: "item", formatter, confine: true, backgroundColor: l.surface, borderColor: l.line, borderWidth: 1,
    padding: [7, 10], transitionDuration: 0.1, extraCssText: "box-shadow: 0 4px 16px #0003", ...more,
  };
}

/** The inside of a tooltip: a heading, and pairs of names and values. */
export function tip(title: string, pairs: [string, string][]): HTMLElement {
  const box = document.createElement("div");
  box.className = "tip";
  const head = document.createElement("b");
  head.textContent = title;
  box.append(head);
  for (const [name, shown] of pairs) {
    const pair = document.createElement("div");
    pair.className = "pair";
    for (const text of [name, shown]) {
      const part = document.createElement("span");
      part.textContent = text;
      pair.append(part);
    }
    box.append(pair);
  }
  return box;
}

/** The axis of values; where it is cut off, at a number that reads well. */
export function valueAxis(l: Look, name: string, end: number | null, minimize: boolean): object {
  const cut = end === null ? {} : minimize ? { max: end } : { min: end };
  return axis(l, name, {
    type: "value", scale: true, nameGap: 42, ...cut,
    axisLabel: { color: l.muted, fontSize: 11, formatter: (v: number) => String(Number(v.toPrecision(4))), showMaxLabel: !(end !== null && minimize), showMinLabel: !(end !== null && !minimize) },
  });
}
