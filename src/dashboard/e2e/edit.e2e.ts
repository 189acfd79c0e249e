// A sweep goes on with another space: what a person sees of it before, and what becomes of it.
import { mkdirSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { api, BASE, newPage, quiet, SHOTS, submit, until, useBrowser, write } from "./browser";

useBrowser();
beforeAll(() => void mkdirSync(SHOTS, { recursive: true }));

// The made-up daemon changes no space.
const daemon = test.runIf(process.env.SWEEPD_E2E_OPEN);
const LOOKS = [1280, 390].flatMap((width) => [false, true].map((dark) => ({ width, dark })));

const file = (name: string, more: { trials?: number; high?: string; depth?: string; stopper?: string } = {}) => `name = "${name}"
seed = 3
priority = 5

[objective]
kind = "toy"

[search]
sampler = "random"
trials = ${more.trials ?? 12}
parallel = 2
${more.stopper ?? ""}

[space]
x = { type = "float", low = 0.0, high = ${more.high ?? "1.0"} }
y = { type = "float", low = 0.001, high = 1.0, log = true }
${more.depth ?? ""}
epochs = { type = "fixed", value = 6 }
epoch_ms = { type = "fixed", value = 5 }
`;

interface Summary { state: string; edits: number; trials: Record<string, number> }
interface Trials { trials: { number: number; params: Record<string, number> }[] }

/** What is in the way at one look; a picture of it. */
async function look(path: string, name: string, ready: (page: Awaited<ReturnType<typeof newPage>>["page"]) => Promise<void>): Promise<void> {
  for (const { width, dark } of LOOKS) {
    const { page } = await newPage({ width, dark });
    page.setDefaultTimeout(20_000);
    await page.goto(BASE + path);
    await ready(page);
    await page.screenshot({ path: `${SHOTS}${name}-${width}-${dark ? "dark" : "light"}.png`, fullPage: true });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(tooWide, `${name} at ${width}`).toBeLessThanOrEqual(0);
    await page.context().close();
  }
}

daemon("a sweep that is over goes on with another space", async () => {
  const { page, complaints } = await newPage();
  page.setDefaultTimeout(20_000);
  const id = await submit(page, file("reshaped"));
  const summary = () => api<Summary>(page, `/sweeps/${id}`);
  await until("it is over", async () => (await summary()).state === "completed");
  const { trials: before } = await api<Trials>(page, `/sweeps/${id}/trials`);
  const outside = before.filter((t) => t.params.x! > 0.5).length;
  expect(outside).toBeGreaterThan(0);
  expect(outside).toBeLessThan(12);

  // From the sweep's page, by keyboard alone.
  await page.goto(`${BASE}/sweeps/${id}`);
  await page.getByRole("link", { name: "Edit", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Nothing is different yet.").waitFor();
  const apply = page.getByRole("button", { name: "Apply" });
  expect(await apply.isDisabled()).toBe(true);

  // Mistakes stand where they are, and so does what may not change or is too little.
  const mistakes = page.getByRole("list", { name: "mistakes" });
  await write(page, file("reshaped", { high: "-1.0" }));
  await mistakes.getByText("line 15").waitFor();
  await page.locator(".cm-lint-marker-error").first().waitFor();
  await write(page, file("reshaped").replace("seed = 3", "seed = 4"));
  await mistakes.getByText("this may not change: seed: 3 -> 4").waitFor();
  await mistakes.getByText("line 2").waitFor();
  await write(page, file("reshaped", { high: "0.5" }));
  await mistakes.getByText("search.trials must be at least 13").waitFor();
  await mistakes.getByText("line 10").waitFor();
  expect(await apply.isDisabled()).toBe(true);
  // Chromium logs each refusal as an error of its own.
  expect(complaints.filter((c) => !/status of 422/.test(c))).toEqual([]);
  complaints.length = 0;

  // What it would mean, before anything is done.
  const after = file("reshaped", { trials: 20, high: "0.5", depth: 'depth = { type = "int", low = 1, high = 4, default = 2 }' });
  await write(page, after);
  const changes = page.getByRole("table", { name: "what changes" });
  await changes.getByRole("rowheader", { name: "depth" }).waitFor();
  const shown = async (name: string) => (await changes.locator("tr", { has: page.getByRole("rowheader", { name, exact: true }) }).getByRole("cell").allTextContents()).join(" | ");
  expect(await shown("x")).toBe("0 to 1 | 0 to 0.5");
  expect(await shown("depth")).toBe("– | 1 to 4, 2 for trials without it");
  expect(await shown("trials")).toBe("12 | 20");
  await page.getByText(`${12 - outside} of 12 trials so far still fit`).waitFor();
  await page.getByText("depth = 2").waitFor();
  expect(await page.getByRole("list", { name: "trials that do not fit" }).getByRole("listitem").count()).toBe(outside);
  await page.getByText("would be active again").waitFor();
  expect(await summary()).toMatchObject({ state: "completed", edits: 0 });
  await look(`/sweeps/${id}/edit`, "edit-told", async (page) => {
    await page.locator(".cm-content").waitFor();
    await write(page, after);
    await page.getByRole("table", { name: "what changes" }).waitFor();
  });

  // Escape and Tab lead out of the editor: the rest can be reached.
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.className)).not.toBe("editor");

  // Applied, by keyboard: its trials go on in the new space, and the page says so.
  await apply.focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/sweeps/${id}$`));
  await until("it has gone on", async () => (await summary()).trials.completed === 20);
  const { trials } = await api<Trials>(page, `/sweeps/${id}/trials`);
  const later = trials.filter((t) => t.number >= 12);
  expect(later.length).toBe(8);
  for (const { params } of later) {
    expect(params.x).toBeLessThanOrEqual(0.5);
    expect([1, 2, 3, 4]).toContain(params.depth);
  }
  const said = page.getByRole("link", { name: /^space changed once/ });
  await said.waitFor();
  await said.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "change 1" }).getByRole("rowheader", { name: "depth" }).waitFor();
  await page.getByText("after 12 decisions").waitFor();
  quiet(complaints);
  await look(`/sweeps/${id}`, "edited", async (page) => {
    await page.getByRole("link", { name: /^space changed/ }).click();
    await page.getByRole("table", { name: "change 1" }).waitFor();
    await page.waitForTimeout(700);
  });
});

daemon("why a population may not be edited is said before, with what to do", async () => {
  const { page, complaints } = await newPage();
  page.setDefaultTimeout(20_000);
  const stopper = 'stopper = { name = "population", members = 4, interval = 2, quantile = 0.25, perturb = ["x"] }';
  const id = await submit(page, file("bred", { stopper }));
  await page.goto(`${BASE}/sweeps/${id}/edit`);
  await page.locator(".cm-content").waitFor();
  const after = file("bred", { stopper, trials: 40 });
  await write(page, after);
  await page.getByRole("alert").getByText("its population keep to the space it began with").waitFor();
  expect(await page.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
  await page.getByRole("link", { name: "clone this one" }).waitFor();
  quiet(complaints);
  await look(`/sweeps/${id}/edit`, "edit-refused", async (page) => {
    await page.locator(".cm-content").waitFor();
    await write(page, after);
    await page.getByRole("alert").waitFor();
  });
});
