// Every page, light and dark, at both widths: no complaint in the console, nothing wider than the window, a picture.
import { mkdirSync } from "node:fs";
import { beforeAll, test } from "vitest";
import { api, BASE, newPage, quiet, SHOTS, useBrowser } from "./browser";

useBrowser();

interface Sweep { id: string; name: string; trials: Record<string, number>; spec: { objective: { kind: string; further?: unknown[] } } }
const pages: [name: string, path: string][] = [];

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  const { page } = await newPage();
  const sweeps = await api<Sweep[]>(page, "/sweeps");
  // The one that there is most to see of: running, and of those that are not too large the largest.
  const worth = (s: Sweep) => (s.trials.running ? 10_000 : 0) + (s.trials.completed! < 10_000 ? s.trials.completed! : 0);
  const main = sweeps.reduce((a, b) => (worth(b) > worth(a) ? b : a));
  const several = sweeps.find((s) => s.spec.objective.further?.length);
  const { trials } = await api<{ trials: { trial_id: number; state: string }[] }>(page, `/sweeps/${main.id}/trials?limit=20`);
  const trial = trials.find((t) => t.state === "completed") ?? trials[0]!;
  pages.push(["sweeps", "/"], ["new-sweep", "/sweeps/new"]);
  for (const tab of ["overview", "parameters", "slices", "timeline", "compare"]) pages.push([`sweep-${tab}`, `/sweeps/${main.id}#${tab}`]);
  pages.push(["sweep-edit", `/sweeps/${main.id}/edit`]);
  const trained = sweeps.find((s) => s.spec.objective.kind === "keypoints");
  if (trained) pages.push(["sweep-ensembles", `/sweeps/${trained.id}#ensembles`]);
  if (several) pages.push(["sweep-front", `/sweeps/${several.id}#front`]);
  pages.push(["trial", `/trials/${trial.trial_id}`], ["data", "/data"], ["workers", "/workers"]);
  await page.context().close();
});

for (const dark of [false, true]) {
  for (const width of [1280, 390]) {
    test(`all pages at ${width}, ${dark ? "dark" : "light"}`, async () => {
      const wrong: string[] = [];
      for (const [name, path] of pages) {
        const { page, complaints } = await newPage({ width, dark });
        await page.goto(BASE + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForFunction(() => document.querySelectorAll(".loading").length === 0, undefined, { timeout: 20_000 });
        await page.waitForTimeout(700);
        await page.screenshot({ path: `${SHOTS}${name}-${width}-${dark ? "dark" : "light"}.png`, fullPage: true });
        const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (tooWide > 0) wrong.push(`${name} is ${tooWide} px wider than its window`);
        wrong.push(...complaints.map((complaint) => `${name}: ${complaint}`));
        await page.context().close();
      }
      // At the end, so that there is a picture of every page.
      quiet(wrong);
    });
  }
}
