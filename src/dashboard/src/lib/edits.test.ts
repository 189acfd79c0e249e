import { expect, test } from "vitest";
import { ApiError } from "./api";
import { stillFit, times, unnamed } from "./edits";
import { fileType, mistakesOf, parseProblem, placed } from "./problems";

const FILE = `name = "faces"
seed = 7

[search]
sampler = "tpe"
trials = 20

[space]
x = { type = "float", low = 0.0, high = 1.0 }
xx = { type = "fixed", value = 1 }
`;

test("what still fits, in words", () => {
  expect(stillFit({ fit: 0, trials: 0 })).toBe("It has no trials yet.");
  expect(stillFit({ fit: 1, trials: 1 })).toBe("Its only trial still fits.");
  expect(stillFit({ fit: 1200, trials: 1200 })).toBe("All 1,200 trials so far still fit.");
  expect(stillFit({ fit: 8, trials: 20 })).toMatch(/^8 of 20 trials so far still fit; the sampler forgets the others/);
  const unfit = [{ trial_id: 3, number: 2, why: "x = 0.9 is outside its range" }];
  expect(unnamed({ fit: 8, trials: 20, unfit })).toBe(11);
  expect([1, 2, 3].map(times)).toEqual(["once", "twice", "3 times"]);
});

test("a refusal that names a key stands at its line", () => {
  const line = (message: string) => placed(parseProblem(message), FILE).line;
  expect(line("this may not change: seed: 7 -> 8")).toBe(2);
  expect(line('this may not change: search.sampler.name: "random" -> "tpe"')).toBe(5);
  expect(line("20 trials exist already: search.trials must be at least 21")).toBe(6);
  expect(line("space.x: expected low < high")).toBe(9);
  // What is not in the file stands at its section, or nowhere.
  expect(line("this may not change: search.stopper: \"asha\" -> none")).toBe(4);
  expect(line("this may not change: objective.metric: \"rmse\" -> \"loss\"")).toBe(null);
  expect(line("it was cancelled: submit it as a new sweep")).toBe(null);
  expect(placed(parseProblem("sweep:3:1: space.x: odd"), FILE)).toEqual({ line: 3, column: 1, message: "space.x: odd" });
});

test("mistakes of the file are told from other refusals", () => {
  const refused = (status: number, message: string, problems: string[] = []) => mistakesOf(new ApiError(status, "any", message, problems), FILE);
  expect(refused(422, "two", ["sweep:3: odd", "this may not change: seed: 7 -> 8"])?.map((p) => p.line)).toEqual([3, 2]);
  expect(refused(409, "20 trials exist already: search.trials must be at least 21")?.map((p) => p.line)).toEqual([6]);
  expect(refused(409, "the heirs of its population keep to the space it began with")).toBe(null);
  expect(mistakesOf(new TypeError("search.trials"), FILE)).toBe(null);
});

test("sweeps that a program submitted go back as they came", () => {
  expect(fileType('\n {"name": "x"}')).toBe("application/json");
  expect(fileType(FILE)).toBe("application/toml");
});
