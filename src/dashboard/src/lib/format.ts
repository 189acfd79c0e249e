// Numbers, times and values as people read them.
import type { Value } from "./types";

export const MISSING = "–";

/** A metric: enough digits to tell two trials apart, and always as many. */
export function metric(x: number | string | null | undefined): string {
  if (x === null || x === undefined) return MISSING;
  if (typeof x === "string") return x;
  if (!Number.isFinite(x)) return String(x);
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size >= 1000 && size < 1e10) return x.toLocaleString("en");
  if (size >= 1e6 || size < 1e-4) return x.toExponential(3);
  return x.toFixed(size >= 1000 ? 1 : size >= 100 ? 2 : size >= 10 ? 3 : 4);
}

/** A parameter's value: three significant digits; lists joined as the command line joins them. */
export function value(v: Value | null | undefined): string {
  if (v === null || v === undefined) return MISSING;
  if (Array.isArray(v)) return v.map(value).join("-");
  if (typeof v !== "number" || Number.isInteger(v)) return String(v);
  const size = Math.abs(v);
  if (size >= 1e6 || size < 1e-4) return v.toExponential(2);
  return String(Number(v.toPrecision(3)));
}

/** A count with separators. */
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? MISSING : n.toLocaleString("en");
}

/** A count in a few characters: 1.32 M. */
export function short(n: number | null | undefined): string {
  if (n === null || n === undefined) return MISSING;
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (Math.abs(n) >= size) return `${Number((n / size).toPrecision(3))} ${unit}`;
  }
  return String(Number(n.toPrecision(4)));
}

/** Bytes in powers of 1024. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return MISSING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? n : n.toFixed(n >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** A length of time in its two largest units: 3 h 12 min. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return MISSING;
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 10) return `${(ms / 1000).toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  const [days, hours, minutes] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return s % 60 > 0 && minutes < 10 ? `${minutes} min ${s % 60} s` : `${minutes} min`;
}

/** How long ago, or in how long. */
export function ago(at_ms: number | null | undefined, now_ms: number): string {
  if (at_ms === null || at_ms === undefined) return MISSING;
  const past = now_ms - at_ms;
  if (Math.abs(past) < 5000) return "now";
  return past > 0 ? `${duration(Math.floor(past / 1000) * 1000)} ago` : `in ${duration(-past)}`;
}

/** Local date and time, to the second. */
export function moment(at_ms: number | null | undefined): string {
  if (at_ms === null || at_ms === undefined) return MISSING;
  const d = new Date(at_ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(at_ms)}`;
}

/** Local time of day. */
export function clock(at_ms: number): string {
  const d = new Date(at_ms);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? MISSING : `${(share * 100).toFixed(digits)} %`;
}

/** How much better than the baseline: 0.42 for an error of 58 % of it. `null` where that says nothing. */
export function gain(best: number | null, baseline: number | null): number | null {
  return best === null || baseline === null || baseline <= 0 ? null : 1 - best / baseline;
}
