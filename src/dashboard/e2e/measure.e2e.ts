// How long the page of the largest sweep takes until it shows its trials and its pictures, in a browser that has nothing
// of it yet. `SWEEPD_MEASURE=10 scripts/test-e2e measure`, or against a daemon that is there: see docs/scale.md.
import { test } from "vitest";
import { api, BASE, newPage, quiet, useBrowser } from "./browser";

useBrowser();

const RUNS = Number(process.env.SWEEPD_MEASURE ?? 0);

interface Sweep { id: string; name: string; trials: Record<string, number> }
interface Times { trials: number; pictures: number }

const middle = (all: number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!;

test.runIf(RUNS > 0)("the page of the largest sweep", { timeout: 300_000 }, async () => {
  const { page } = await newPage();
  const count = (s: Sweep) => Object.values(s.trials).reduce((a, b) => a + b, 0);
  const large = (await api<Sweep[]>(page, "/sweeps")).reduce((a, b) => (count(b) > count(a) ? b : a));
  await page.context().close();
  const all: Times[] = [];
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
    quiet(complaints);
    await page.context().close();
  }
  for (const key of ["trials", "pictures"] as const) {
    const times = all.map((t) => Math.round(t[key]));
    console.log(`${large.name}, ${count(large)} trials: ${key} after ${middle(times)} ms (median of ${times.join(", ")})`);
  }
});

/** Runs in the page: notes when the first trial stands in the table, and when both pictures have been drawn. */
function watch(): void {
  const times: Partial<Times> = {};
  const drawn = (canvas: HTMLCanvasElement) => {
    // A strip across the middle: to read all of it takes time itself.
    const { data } = canvas.getContext("2d")!.getImageData(0, Math.round(canvas.height / 2), canvas.width, 8);
    return data.some((part) => part !== 0);
  };
  const look = () => {
    if (times.trials === undefined && document.querySelector(".board tbody a")) times.trials = performance.now();
    const pictures = [...document.querySelectorAll<HTMLCanvasElement>(".chart canvas")];
    if (pictures.length >= 2 && pictures.every(drawn)) times.pictures = performance.now();
    if (times.trials !== undefined && times.pictures !== undefined) (window as unknown as { times?: Partial<Times> }).times = times;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
