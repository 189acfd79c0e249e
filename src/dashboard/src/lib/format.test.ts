import { expect, test } from "vitest";
import * as f from "./format";

test("metrics keep enough digits, and words stay words", () => {
  expect([2.0399263, 12.34567, 0, 1e-5, "NaN", null].map(f.metric)).toEqual(["2.0399", "12.346", "0", "1.000e-5", "NaN", "–"]);
});

test("values read as the command line prints them", () => {
  expect([0.0023149, [32, 64], true, "relu", 3, 0.0000123].map(f.value)).toEqual(["0.00231", "32-64", "true", "relu", "3", "1.23e-5"]);
});

test("durations name their two largest units", () => {
  expect([450, 2500, 59_000, 61_000, 11 * 60_000, 3 * 3600_000 + 12 * 60_000, 90_000_000].map(f.duration)).toEqual([
    "450 ms", "2.5 s", "59 s", "1 min 1 s", "11 min", "3 h 12 min", "1 d 1 h",
  ]);
});

test("sizes", () => {
  expect([0, 1023, 1536, 878350336].map(f.bytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "838 MiB"]);
  expect([950, 3961624].map(f.short)).toEqual(["950", "3.96 M"]);
});

test("past and future", () => {
  expect(f.ago(1000, 61_000)).toBe("1 min ago");
  expect(f.ago(61_000, 1000)).toBe("in 1 min");
  expect(f.ago(1000, 2000)).toBe("now");
});

test("the gain over the mean face", () => {
  expect(f.gain(1, 4)).toBe(0.75);
  expect(f.gain(null, 4)).toBe(null);
});
