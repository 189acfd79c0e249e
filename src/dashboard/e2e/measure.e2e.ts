// How long the page of the largest sweep takes until it shows its trials and its pictures, in a browser that has nothing
// of it yet, how long each of its other tabs takes from the click, and how much memory the page has then.
// `SWEEPD_MEASURE=10 scripts/test-e2e measure`, or against a daemon that is there: see docs/scale.md.
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { api, BASE, newPage, quiet, renderers, useBrowser } from "./browser";

useBrowser();

const RUNS = Number(process.env.SWEEPD_MEASURE ?? 0);

interface Sweep { id: string; name: string; trials: Record<string, number> }
interface Times { trials: number; pictures: number }
/** Each tab by what `data-tab` calls it, and how many pictures it draws. */
const TABS = { parameters: 1, slices: 3, front: 1, timeline: 1, compare: 2 };

const middle = (all: number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!;

test.runIf(RUNS > 0)("the page of the largest sweep", { timeout: 300_000 }, async () => {
  const { page } = await newPage();
  const count = (s: Sweep) => Object.values(s.trials).reduce((a, b) => a + b, 0);
  const large = (await api<Sweep[]>(page, "/sweeps")).reduce((a, b) => (count(b) > count(a) ? b : a));
  await page.context().close();
  const all: Times[] = [];
  const memory: number[] = [];
  const tabs: Record<string, number[]> = {};
  for (let run = 0; run < RUNS; run += 1) {
    const { page, complaints } = await newPage();
    await page.addInitScript(watch);
    await page.goto(`${BASE}/sweeps/${large.id}`);
    const found = await page.waitForFunction(() => (window as unknown as { times?: Times }).times);
    all.push((await found.jsonValue())!);
    if (run === 0 || process.env.SWEEPD_CALLS) {
      const calls = await page.evaluate(() => performance.getEntriesByType("resource").map((e) => {
        const r = e as PerformanceResourceTiming;
        return `${r.startTime.toFixed(0).padStart(6)} ${r.responseStart.toFixed(0).padStart(6)} ${r.responseEnd.toFixed(0).padStart(6)} ms ${(r.encodedBodySize / 1000).toFixed(0).padStart(5)} of ${(r.decodedBodySize / 1000).toFixed(0).padStart(5)} kB ${r.name.slice(location.origin.length)}`;
      }));
      console.log(calls.join("\n"));
    }
    for (const [tab, pictures] of Object.entries(TABS)) {
      const button = page.locator(`[role=tab][data-tab=${tab}]`);
      if (!(await button.count())) continue;
      const took = await page.evaluate(clicked, { tab, pictures });
      (tabs[tab] ??= []).push(Math.round(took));
    }
    memory.push(Math.max(...(await renderers()).map(proportionalMb)));
    // Of what this file itself does, Chromium has something to say.
    quiet(complaints.filter((text) => !text.includes("willReadFrequently")));
    await page.context().close();
  }
  for (const [tab, times] of Object.entries(tabs)) console.log(`${tab}: drawn ${middle(times)} ms after the click (median of ${times.join(", ")})`);
  console.log(`memory of the page's process, all tabs seen: ${middle(memory)} MB (median of ${memory.join(", ")})`);
  for (const key of ["trials", "pictures"] as const) {
    const times = all.map((t) => Math.round(t[key]));
    console.log(`${large.name}, ${count(large)} trials: ${key} after ${middle(times)} ms (median of ${times.join(", ")})`);
  }
});

/** Memory of a process that is in use, its part of what it shares with others included. */
function proportionalMb(pid: number): number {
  const kb = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1];
  return Math.round((Number(kb) * 1024) / 1e6);
}

/** Runs in the page: presses a tab, and how many milliseconds later all its pictures have been drawn. */
function clicked({ tab, pictures }: { tab: string; pictures: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    setTimeout(() => reject(new Error(`${tab}: fewer than ${pictures} pictures after 30 s`)), 30_000);
    document.querySelector<HTMLElement>(`[role=tab][data-tab=${tab}]`)!.click();
    const look = () => {
      if ((window as unknown as { drawn(): number }).drawn() >= pictures) resolve(performance.now() - began);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** Runs in the page: notes when the first trial stands in the table, and when both pictures have been drawn. */
function watch(): void {
  const times: Partial<Times> = {};
  const isDrawn = (canvas: HTMLCanvasElement) => {
    // A strip across the middle: to read all of it takes time itself.
    const { data } = canvas.getContext("2d")!.getImageData(0, Math.round(canvas.height / 2), canvas.width, 8);
    return data.some((part) => part !== 0);
  };
  // A picture may have further layers, for what the mouse points at.
  const drawn = () => [...document.querySelectorAll(".chart")].filter((chart) => [...chart.querySelectorAll("canvas")].some(isDrawn)).length;
  Object.assign(window, { drawn });
  const look = () => {
    if (times.trials === undefined && document.querySelector(".board tbody a")) times.trials = performance.now();
    if (drawn() >= 2) times.pictures ??= performance.now();
    if (times.trials !== undefined && times.pictures !== undefined) (window as unknown as { times?: Partial<Times> }).times = times;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
