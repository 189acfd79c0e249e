// Brushed ranges as a filter of the expression language.
import type { Column, Value } from "./types";

export interface Brush { column: Column; ranges: [number, number][] }

/** A number as the language reads it, with digits enough that the brush's edge stays where it was drawn. */
function number(x: number): string {
  return String(Number(x.toPrecision(6)));
}

export function literal(v: Value): string {
  if (typeof v === "string") return `'${v.replaceAll("'", "''")}'`;
  return String(v);
}

/** A choice among lists has no literal in the language. */
export function canFilter(column: Column): boolean {
  return !(column.choices ?? []).some(Array.isArray);
}

function ofNumbers(name: string, ranges: [number, number][], whole: boolean): string {
  const parts = ranges.map(([low, high]) =>
    whole
      ? `${name} >= ${Math.ceil(low)} and ${name} <= ${Math.floor(high)}`
      : `${name} >= ${number(low)} and ${name} <= ${number(high)}`,
  );
  return parts.length === 1 ? parts[0]! : `(${parts.join(" or ")})`;
}

function ofChoices(name: string, choices: Value[], ranges: [number, number][]): string {
  // The axis of choices has one place per choice, counted from 0.
  const chosen = choices.filter((_, at) => ranges.some(([low, high]) => at >= Math.min(low, high) - 0.5 && at <= Math.max(low, high) + 0.5));
  return `${name} in [${chosen.map(literal).join(", ")}]`;
}

/** `a >= 1 and a <= 2 and b in ['x']`; empty where nothing is brushed. */
export function expression(brushes: Brush[]): string {
  return brushes
    .filter(({ column, ranges }) => ranges.length > 0 && canFilter(column))
    .map(({ column, ranges }) =>
      column.choices ? ofChoices(column.name, column.choices, ranges) : ofNumbers(column.name, ranges, column.kind === "int"),
    )
    .filter((text) => !text.endsWith("in []"))
    .join(" and ");
}

/** Those that have a tag. */
export function tagged(tag: string): string {
  return `tag = ${literal(tag)}`;
}

/** Both hold; either may be empty. */
export function both(a: string, b: string): string {
  if (!a.trim() || !b.trim()) return a.trim() || b.trim();
  return `(${a}) and (${b})`;
}
