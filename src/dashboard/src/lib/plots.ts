// The arithmetic behind the charts: pure, and tested.
import type { Direction, Params, Value } from "./types";

export const better = (direction: Direction, a: number, b: number): boolean => (direction === "minimize" ? a < b : a > b);

/**
 * The end of an axis on its bad side, where a few values far out would press all others flat: `null` where all fit.
 * What lies beyond is drawn at the edge, so that it is not hidden.
 */
export function farEnd(values: number[], direction: Direction): number | null {
  const sign = direction === "minimize" ? 1 : -1;
  const sorted = values.filter(Number.isFinite).map((v) => v * sign).sort((a, b) => a - b);
  if (sorted.length < 8) return null;
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const limit = at(0.75) + 4 * Math.max(at(0.75) - at(0.25), 1e-12);
  const worst = sorted.at(-1)!;
  return worst > limit + (limit - sorted[0]!) * 0.5 ? limit * sign : null;
}

/** A number for any value of a parameter: choices by their place. */
export function place(value: Value | null | undefined, choices: Value[] | null): number | null {
  if (value === null || value === undefined) return null;
  if (choices) {
    const text = JSON.stringify(value);
    const at = choices.findIndex((c) => JSON.stringify(c) === text);
    return at < 0 ? null : at;
  }
  return typeof value === "number" ? value : null;
}

export interface Surface { xs: number[]; ys: number[]; cells: [number, number, number][] }

/**
 * A smooth surface through scattered values: at each cell of a grid over the unit square the mean of all values,
 * weighted by nearness. Cells far from every value stay empty.
 */
export function surface(points: [number, number, number][], side = 36): Surface {
  const width = 0.07;
  const axis = Array.from({ length: side }, (_, i) => (i + 0.5) / side);
  const cells: [number, number, number][] = [];
  for (let j = 0; j < side; j += 1) {
    for (let i = 0; i < side; i += 1) {
      let [sum, weight] = [0, 0];
      for (const [x, y, v] of points) {
        const d = ((x - axis[i]!) ** 2 + (y - axis[j]!) ** 2) / (width * width);
        if (d > 12) continue;
        const w = Math.exp(-d / 2);
        sum += w * v;
        weight += w;
      }
      if (weight > 0.15) cells.push([i, j, sum / weight]);
    }
  }
  return { xs: axis, ys: axis, cells };
}

/** Maps a range, or its logarithm, to the unit interval and back. */
export function unit(low: number, high: number, log: boolean): { to: (v: number) => number; from: (u: number) => number } {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const span = b - a || 1;
  return {
    to: (v) => ((log ? Math.log(v) : v) - a) / span,
    from: (u) => (log ? Math.exp(a + u * span) : a + u * span),
  };
}

/** Parameters that differ among configurations, or that not all of them have. */
export function differing(all: Params[]): Set<string> {
  const names = new Set(all.flatMap(Object.keys));
  return new Set([...names].filter((name) => new Set(all.map((p) => JSON.stringify(p[name]))).size > 1));
}

/** Of many values the q-th share, for the bounds of a colour scale. */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(q * (sorted.length - 1))))] ?? 0;
}

/** The names under which an objective stands, whichever way it came. */
export function objectiveName(o: { name: string } | string): string {
  return typeof o === "string" ? o : o.name;
}

/** Stairs through points: each value holds until the next. */
export function stairs(points: [number, number][]): [number, number][] {
  return points.flatMap(([x, y], at): [number, number][] => (at === 0 ? [[x, y]] : [[x, points[at - 1]![1]], [x, y]]));
}
