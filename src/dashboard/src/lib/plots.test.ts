import { expect, test } from "vitest";
import { differing, farEnd, place, quantile, stairs, surface, unit } from "./plots";

test("an axis ends before what is far out, and only then", () => {
  const near = Array.from({ length: 40 }, (_, i) => 2 + i / 40);
  expect(farEnd(near, "minimize")).toBe(null);
  const end = farEnd([...near, 1e6], "minimize")!;
  expect(end).toBeGreaterThan(3);
  expect(end).toBeLessThan(10);
  expect(farEnd([...near.map((v) => -v), -1e6], "maximize")).toBeCloseTo(-end);
  expect(farEnd([...near, -1e6], "minimize")).toBe(null); // far on the good side: nothing is cut off
});

test("choices have places, lists among them", () => {
  expect(place([16, 32], [[8], [16, 32]])).toBe(1);
  expect(place("relu", ["elu"])).toBe(null);
  expect(place(0.5, null)).toBe(0.5);
  expect(place(null, null)).toBe(null);
});

test("a surface goes through its values and leaves empty what is far away", () => {
  const { cells } = surface([[0.25, 0.25, 1], [0.75, 0.75, 5]], 20);
  const at = (i: number, j: number) => cells.find(([x, y]) => x === i && y === j)?.[2];
  expect(at(4, 4)).toBeCloseTo(1, 2);
  expect(at(14, 14)).toBeCloseTo(5, 2);
  expect(at(0, 19)).toBe(undefined);
});

test("logarithmic ranges map there and back", () => {
  const u = unit(1e-4, 1e-2, true);
  expect(u.to(1e-3)).toBeCloseTo(0.5);
  expect(u.from(0.5)).toBeCloseTo(1e-3);
});

test("what differs between configurations", () => {
  expect([...differing([{ a: 1, b: [1], c: 2 }, { a: 1, b: [2] }])]).toEqual(["b", "c"]);
});

test("quantiles", () => expect(quantile([5, 1, 3], 0.5)).toBe(3));

test("stairs hold each value until the next", () => {
  expect(stairs([[0, 5], [3, 4], [7, 4]])).toEqual([[0, 5], [3, 5], [3, 4], [7, 4], [7, 4]]);
});
