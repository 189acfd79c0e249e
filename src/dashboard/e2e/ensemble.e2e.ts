// Ensembles from the page: made by a daemon that has a trainer's program, and the commands where it has none.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { BASE, newPage, quiet, SHOTS, submit, until, useBrowser } from "./browser";

useBrowser();

const SWEEPD = process.env.SWEEPD_E2E_SWEEPD;
const LOOKS = [1280, 390].flatMap((width) => [false, true].map((dark) => ({ width, dark })));

const SWEEP = `name = "together"
[objective]
kind = "keypoints"
dataset = "synthetic"
[search]
sampler = "random"
trials = 2
[space]
family = { type = "fixed", value = "cnn" }
blocks = { type = "fixed", value = 2 }
learning_rate = { type = "float", low = 0.001, high = 0.01, log = true }
epochs = { type = "fixed", value = 1 }
`;

/** In the trainer's place: predicts zeros as soon as it may, or fails. */
const PROGRAM = `#!/bin/sh
here=$(dirname "$0")
while [ $# -gt 0 ]; do case $1 in --images) images=$2 ;; --out) out=$2 ;; esac; shift; done
while [ ! -e "$here/go" ]; do sleep 0.1; done
if [ -e "$here/fail" ]; then echo "error: no room for the network" >&2; exit 1; fi
head -c $(($(wc -c <"$images") / 9216 * 120)) /dev/zero >"$out"
`;
/** BLAKE3 of no bytes: weights that nobody looks into. */
const NOTHING = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  for (const { width, dark } of LOOKS) {
    await page.setViewportSize({ width, height: width < 720 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${SHOTS}${name}-${width}-${dark ? "dark" : "light"}.png`, fullPage: true });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(tooWide, `${name} at ${width}`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

// The made-up daemon keeps none.
test.runIf(SWEEPD)("a daemon without a trainer shows the commands, to be copied", async () => {
  const { page, complaints } = await newPage();
  page.setDefaultTimeout(20_000);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const id = await submit(page, SWEEP);
  await page.goto(`${BASE}/sweeps/${id}#ensembles`);
  await page.getByRole("button", { name: `copy: sweepd ensemble ${id} --greedy` }).click();
  await page.getByText("Copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`sweepd ensemble ${id} --greedy`);
  await picture(page, "ensembles-commands");
  quiet(complaints);
});

test.runIf(SWEEPD)("an ensemble is made from its sweep's page", async () => {
  const home = mkdtempSync(join(tmpdir(), "sweepd-ensembles-"));
  const sweepd = (...args: string[]) => execFileSync(SWEEPD!, ["--home", home, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  const program = join(home, "program.sh");
  writeFileSync(program, PROGRAM);
  chmodSync(program, 0o755);
  sweepd("data", "synth", "synthetic", "--rows", "60", "--seed", "7");
  const daemon = spawn(SWEEPD!, ["--home", home, "serve", "--slots", "0", "--listen", "127.0.0.1:0", "--worker-program", program], { stdio: "ignore" });
  try {
    await until("the daemon answers", () => Promise.resolve(existsSync(join(home, "daemon.json"))));
    const { url, token } = JSON.parse(readFileSync(join(home, "daemon.json"), "utf8")) as { url: string; token: string };
    const call = async (method: string, path: string, body: string, type = "application/json") => {
      const answer = await fetch(`${url}/api/v1${path}`, { method, body, headers: { Authorization: `Bearer ${token}`, "Content-Type": type } });
      const text = await answer.text();
      expect(answer.ok, `${path}: ${text}`).toBe(true);
      return text;
    };
    const { id } = JSON.parse(await call("POST", "/sweeps", SWEEP, "application/toml")) as { id: string };
    await call("PUT", `/blobs/${NOTHING}`, "", "application/octet-stream");
    for (const rmse of [4.2, 4.4]) {
      const claim = { worker: "w", slot: "s", request_id: `r${rmse}`, kinds: ["keypoints"] };
      const { trial_id, attempt } = JSON.parse(await call("POST", "/work/claim", JSON.stringify(claim))) as { trial_id: number; attempt: number };
      await call("POST", `/trials/${trial_id}/report`, JSON.stringify({ attempt, step: 1, metrics: { rmse } }));
      await call("POST", `/trials/${trial_id}/tell`, JSON.stringify({ attempt, state: "completed", metrics: { rmse }, weights: NOTHING }));
    }

    const { page, complaints } = await newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(/http\S+/.exec(sweepd("open", "--print"))![0]);
    await page.goto(`${url}/sweeps/${id}#ensembles`);
    await page.getByText("None has been made yet").waitFor();
    await page.getByRole("button", { name: "all", exact: true }).click();
    const trials = page.getByRole("spinbutton");
    await trials.fill("0");
    const make = page.getByRole("button", { name: "Make it" });
    expect(await make.isDisabled()).toBe(true);
    await trials.fill("2");

    // How far it is, while it is worked on.
    await page.getByRole("textbox", { name: "name" }).fill("pair");
    await page.keyboard.press("Enter");
    await page.getByText("pair: 0 of 2 trials have predicted").waitFor();
    expect(await make.isDisabled()).toBe(true);
    await picture(page, "ensembles-working");

    // Why it failed; and again, to its end: it is there, and nobody reloads the page.
    writeFileSync(join(home, "fail"), "");
    writeFileSync(join(home, "go"), "");
    await page.getByRole("alert").getByText("no room for the network").waitFor();
    await picture(page, "ensembles-failed");
    rmSync(join(home, "fail"));
    await make.click();
    await page.getByRole("heading", { name: "pair" }).waitFor();
    expect(await page.getByRole("table", { name: "members of pair" }).getByRole("row").count()).toBe(3);
    await page.getByRole("alert").waitFor({ state: "detached" });
    await picture(page, "ensembles-made");
    quiet(complaints);
  } finally {
    const ended = new Promise((resolve) => daemon.on("exit", resolve));
    daemon.kill("SIGTERM");
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
});
