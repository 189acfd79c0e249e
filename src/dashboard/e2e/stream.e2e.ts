// One stream of events for all tabs, and a daemon that goes and comes back: nobody reloads a page.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { api, BASE, closeAll, newPage, quiet, send, submit, until, useBrowser } from "./browser";

useBrowser();

// Both are of a real daemon alone: the made-up one counts no streams, and cannot be killed.
const HOME = process.env.SWEEPD_E2E_HOME;
const SWEEPD = process.env.SWEEPD_E2E_SWEEPD;

const file = (name: string, trials: number, epochs: number) => `name = "${name}"
[objective]
kind = "toy"
[search]
sampler = "random"
trials = ${trials}
[space]
learning_rate = { type = "float", low = 0.0001, high = 0.01, log = true }
epochs = { type = "fixed", value = ${epochs} }
epoch_ms = { type = "fixed", value = 100 }
`;

/** How many streams the daemon has open. */
async function streams(page: Page): Promise<number> {
  const text = await (await page.request.get(`${BASE}/metrics`)).text();
  return Number(/^sweepd_event_streams (\d+)$/m.exec(text)![1]);
}

const isLive = (page: Page) => page.locator(".live.open").waitFor();

test.runIf(HOME)("two tabs share one stream, and both see what happens", async () => {
  await closeAll();
  const { page: first, complaints } = await newPage();
  const second = await first.context().newPage();
  await until("the streams of other tabs are closed", async () => (await streams(first)) === 0);
  for (const tab of [first, second]) {
    await tab.goto(BASE);
    await isLive(tab);
  }
  const shown = (tab: Page, id: string) => tab.locator(".sweep-table tr", { has: tab.locator(".mono", { hasText: id }) });
  const id = await submit(first, file("shared", 1000, 50));
  for (const tab of [first, second]) await shown(tab, id).waitFor();
  expect(await streams(first)).toBe(1);
  // The tab that came first goes: the other one hears all the same.
  await first.close();
  await send(second, "POST", `/sweeps/${id}/pause`, "");
  await shown(second, id).locator(".state.paused").waitFor();
  expect(await streams(second)).toBe(1);
  await send(second, "POST", `/sweeps/${id}/cancel`, "");
  await shown(second, id).locator(".state.cancelled").waitFor();
  quiet(complaints);
});

test.runIf(HOME && SWEEPD)("a daemon is killed and comes back, and the page goes on by itself", async () => {
  await closeAll();
  const { page } = await newPage();
  await page.goto(BASE);
  const id = await submit(page, file("interrupted", 1, 150));
  // Ahead of all others.
  await send(page, "POST", `/sweeps/${id}/priority`, '{"priority": 100}');
  interface Trial { trial_id: number; number: number; state: string }
  const first = async () => (await api<{ trials: Trial[] }>(page, `/sweeps/${id}/trials?sort=number`)).trials[0];
  await until("the first trial runs", async () => (await first())?.state === "running");
  const trial = (await first())!.trial_id;
  await page.goto(`${BASE}/trials/${trial}`);
  const chart = page.getByRole("img", { name: / over \d+ steps$/ });
  const steps = async () => Number(/over (\d+) steps/.exec((await chart.getAttribute("aria-label"))!)![1]);
  await isLive(page);
  await until("its curve grows", async () => (await chart.count()) > 0 && (await steps()) > 10);
  await page.evaluate(() => void ((window as unknown as { loaded: string }).loaded = "once"));

  const { pid } = JSON.parse(readFileSync(`${HOME}/daemon.json`, "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await page.locator(".live:not(.open)").waitFor();
  const before = await steps();
  await page.waitForTimeout(1500);
  spawn(SWEEPD!, ["--home", HOME!, "serve", "--no-trainer", "--slots", "3", "--listen", BASE.slice("http://".length)], { detached: true, stdio: "ignore" }).unref();
  await isLive(page);
  await until("the curve goes on", async () => (await steps()) > before + 5);

  // To its end, and with every step.
  interface Detail { trial: Trial; steps: { step: number }[] }
  await until("the trial has ended", async () => (await api<Detail>(page, `/trials/${trial}`)).trial.state === "completed");
  const all = (await api<Detail>(page, `/trials/${trial}`)).steps.map((row) => row.step);
  expect(all).toEqual(Array.from({ length: 150 }, (_, at) => at + 1));
  await page.locator(".head .state.completed").waitFor();
  await until("the page has every step", async () => (await steps()) === 150);
  expect(await page.evaluate(() => (window as unknown as { loaded?: string }).loaded)).toBe("once");
});
