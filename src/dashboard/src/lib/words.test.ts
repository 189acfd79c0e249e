import { expect, test } from "vitest";
import { parseProblem } from "./problems";
import { eventWord, reason } from "./reason";
import { both, expression } from "./where";
import type { Column } from "./types";

test("reasons in words, with their numbers", () => {
  expect(reason({ kind: "below_rung", rung: 10, step: 10, value: 2.5, bound: 2.1, of: 9, factor: 3 })).toBe(
    "rung 10: 2.5000 is worse than the best third of 9, which ends at 2.1000",
  );
  expect(reason({ kind: "worse_than_others", step: 4, value: null, bound: 3, percentile: 50, of: 8 })).toBe(
    "step 4: no finite value is worse than the median 3.0000 of 8",
  );
  expect(reason({ kind: "suggested", sampler: "tpe", refused: 2, refusal: "too deep" })).toBe(
    "drawn by tpe after 2 refused draws (the last: too deep)",
  );
  const changed = [{ name: "learning_rate", from: 0.002, to: 0.0024 }, { name: "momentum", to: 0.9 }];
  expect(reason({ kind: "inherited", parent: 3, step: 6, replaces: 5, changed })).toBe(
    "goes on from trial 3 at step 6: learning_rate 0.002 -> 0.0024, momentum none -> 0.9",
  );
  expect(reason({ kind: "replaced", step: 6, value: 3.41, last: 2, of: 8 })).toBe("step 6: 3.4100 is among the last 2 of 8");
  const race = { folds: 2, of: 5, value: 3.41, spread: 0.1, best_trial: 7, best: 2.8, confidence: 0.9612 };
  expect(reason({ kind: "outraced", ...race })).toBe(
    "after 2 of 5 folds: 3.4100 ± 0.1000, and the best, trial 7, has 2.8000 there: worse with 96.1 % confidence",
  );
  expect(reason({ kind: "nothing_fits", too_large: { above_bytes: 2.5 * 2 ** 30, trials: [3, 9] } })).toBe(
    "nothing is left that fits into memory: what needs more than about 2.5 GiB is not tried: trials 3, 9 ran out of memory",
  );
  expect(reason({ kind: "made_up_later", step: 3 })).toBe('made up later: {"step":3}');
  expect(eventWord("trial_suggested")).toBe("suggested");
});

const column = (more: Partial<Column>): Column => ({ name: "x", kind: "float", log: false, choices: null, ...more });

test("brushes become a filter", () => {
  const brushed = expression([
    { column: column({ name: "learning_rate", log: true }), ranges: [[0.000123456789, 0.01]] },
    { column: column({ name: "blocks", kind: "int" }), ranges: [[2.4, 4.2]] },
    { column: column({ name: "activation", kind: "choice", choices: ["relu", "it's", "elu"] }), ranges: [[-0.2, 1.3]] },
    { column: column({ name: "untouched" }), ranges: [] },
  ]);
  expect(brushed).toBe(
    "learning_rate >= 0.000123457 and learning_rate <= 0.01 and blocks >= 3 and blocks <= 4 and activation in ['relu', 'it''s']",
  );
});

test("two ranges on one axis are alternatives", () => {
  expect(expression([{ column: column({}), ranges: [[0, 1], [2, 3]] }])).toBe("(x >= 0 and x <= 1 or x >= 2 and x <= 3)");
});

test("lists have no literal: no filter", () => {
  expect(expression([{ column: column({ kind: "choice", choices: [[16], [32]] }), ranges: [[0, 1]] }])).toBe("");
});

test("both filters hold", () => {
  expect(both("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) and (c = 3)");
  expect(both("", "c = 3")).toBe("c = 3");
});

test("mistakes have places", () => {
  expect(parseProblem("sweep:12:5: search.sampler: unknown")).toEqual({ line: 12, column: 5, message: "search.sampler: unknown" });
  expect(parseProblem("my-file.toml:3: what is this")).toEqual({ line: 3, column: null, message: "what is this" });
  expect(parseProblem("sweep: space is empty")).toEqual({ line: null, column: null, message: "sweep: space is empty" });
});
