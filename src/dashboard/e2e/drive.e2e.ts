// What a person does with a sweep, from its file to its end. The sweep is a toy: it needs a daemon, but no libtorch.
import { expect, test } from "vitest";
import { api, BASE, newPage, quiet, until, useBrowser, write } from "./browser";

useBrowser();

const EPOCHS = 27;
const file = (sampler: string) => `name = "driven"
seed = 3

[objective]
kind = "toy"

[search]
sampler = "${sampler}"
trials = 60
parallel = 2

[space]
learning_rate = { type = "float", low = 0.0001, high = 0.01, log = true }
blocks = { type = "int", low = 2, high = 6 }
activation = { type = "choice", values = ["relu", "elu", "silu"] }
epochs = { type = "fixed", value = ${EPOCHS} }
epoch_ms = { type = "fixed", value = 60 }
`;

interface Summary { id: string; state: string; trials: Record<string, number> }

test("a sweep from its file to its end", async () => {
  const { page, complaints } = await newPage();
  page.setDefaultTimeout(20_000);

  // Mistakes are shown where they are, and keep the file from being handed in.
  await page.goto(`${BASE}/sweeps/new`);
  await write(page, file("teapot"));
  const mistakes = page.getByRole("list", { name: "mistakes" });
  await mistakes.getByText("line 8").waitFor();
  await page.locator(".cm-lint-marker-error").first().waitFor();
  expect(await page.getByRole("button", { name: "Submit" }).isDisabled()).toBe(true);
  // Chromium logs the refusal as an error of its own.
  expect(complaints.filter((c) => !/status of 422/.test(c))).toEqual([]);
  complaints.length = 0;

  await write(page, file("random"));
  await page.getByText("It can be submitted.").waitFor();
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/sweeps\/(?!new)[^/#]+$/);
  const id = page.url().split("/").at(-1)!;
  await page.getByRole("heading", { level: 1, name: "driven" }).waitFor();
  const summary = () => api<Summary>(page, `/sweeps/${id}`);

  // The curve of a running trial grows, and nobody reloads the page.
  const running = page.locator(".board tr", { has: page.locator(".state.running") }).first();
  await running.getByRole("link").click();
  await page.waitForURL(/\/trials\/\d+$/);
  const chart = page.getByRole("img", { name: / over \d+ steps$/ });
  await chart.waitFor();
  const steps = async () => Number(/over (\d+) steps/.exec((await chart.getAttribute("aria-label"))!)![1]);
  const first = await steps();
  await until("the curve has grown", async () => (await steps()) > first);
  await page.getByText("Suggested:").waitFor();
  await page.goBack();

  // A filter of the expression language.
  await until("some trials have completed", async () => (await summary()).trials.completed! >= 4);
  const filter = page.getByRole("searchbox", { name: "filter" });
  await filter.fill("state = completed and blocks <= 4");
  await page.getByText(/\d+\+? match/).waitFor();
  await until("only such trials are shown", async () => {
    const states = await page.locator(".board tbody .state").allTextContents();
    return states.length > 0 && states.every((s) => s === "completed");
  });
  await filter.fill("nonsense <");
  await page.getByRole("alert").waitFor();
  await until("the refusal was logged", () => Promise.resolve(complaints.length > 0));
  expect(complaints.filter((c) => !/status of 4(00|22)/.test(c))).toEqual([]);
  await filter.fill("");
  await page.getByRole("alert").waitFor({ state: "detached" });
  complaints.length = 0;

  // A sort, by a heading.
  await page.locator(".board th").getByRole("button", { name: "learning_rate" }).click();
  await page.locator('.board th[aria-sort="ascending"]').waitFor();

  // Trials side by side.
  const boxes = page.getByRole("checkbox", { name: /compare trial/ });
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole("table", { name: "comparison" }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();

  // Brushing an axis of the parallel coordinates filters the table.
  await page.getByRole("tab", { name: "Parameters" }).click();
  const lines = page.getByRole("img", { name: /as parallel lines/ });
  await lines.waitFor();
  // The first axis stands 44 px from the left: its lower half. New trials draw the lines anew, also under the mouse.
  await until("the brush took", async () => {
    await page.waitForTimeout(800);
    const box = (await lines.boundingBox())!;
    await page.mouse.move(box.x + 44, box.y + box.height * 0.55);
    await page.mouse.down();
    await page.mouse.move(box.x + 44, box.y + box.height * 0.7, { steps: 5 });
    await page.mouse.move(box.x + 44, box.y + box.height - 30, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(300);
    return (await page.getByText("Brushed:").count()) > 0;
  });
  expect(await page.locator(".board").count() + (await page.getByText("No trial matches").count())).toBe(1);
  const brushed = await page.locator(".note", { hasText: "Brushed:" }).locator("code").textContent();
  expect(brushed).toMatch(/^(learning_rate >= [\d.e-]+ and learning_rate <= [\d.e-]+|activation in \['.*'\])$/);
  await page.getByRole("tab", { name: "Overview" }).click();

  // CSV.
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  expect((await download).suggestedFilename()).toMatch(/\.csv$/);

  // Pause, resume, cancel.
  const head = page.locator(".head");
  await head.getByRole("button", { name: "Pause" }).click();
  await head.locator(".state.paused").waitFor();
  expect((await summary()).state).toBe("paused");
  await head.getByRole("button", { name: "Resume" }).click();
  await head.locator(".state.active").waitFor();
  await head.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the sweep" }).click();
  await head.locator(".state.cancelled").waitFor();
  expect((await summary()).state).toBe("cancelled");

  // It can be cloned, under a name of its own.
  await head.getByRole("link", { name: "Clone" }).click();
  await page.getByText('"driven-2"').waitFor();
  quiet(complaints);
});

// The made-up daemon does not know the language of filters.
test.runIf(process.env.SWEEPD_E2E_OPEN)("sweeps and trials are found by their tags", async () => {
  const { page, complaints } = await newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(BASE);
  const names = page.locator(".sweep-table .name");
  await names.first().waitFor();
  const all = await names.count();
  const chosen = (await names.last().textContent())!;
  await names.last().click();
  const add = async (tag: string) => {
    await page.getByRole("textbox", { name: "new tag" }).fill(tag);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: `remove tag ${tag}` }).waitFor();
  };
  await add("for-paper");
  await page.locator(".board").getByRole("link").first().click();
  await add("look-again");
  const trial = (await page.getByRole("heading", { level: 1 }).textContent())!.replace("Trial ", "");
  await page.getByRole("link", { name: chosen }).click();

  // A click on a trial's tag shows those that have it.
  await page.locator(".board").getByRole("button", { name: "look-again" }).first().click();
  expect(await page.getByRole("searchbox", { name: "filter" }).inputValue()).toBe("tag = 'look-again'");
  await page.getByText("1 match").waitFor();
  expect(await page.locator(".board .trial a").allTextContents()).toEqual([trial]);

  // A sweep is found by its own tag, and by that of its trial.
  await page.getByRole("link", { name: "Sweeps" }).first().click();
  for (const tag of ["for-paper", "look-again"]) {
    await page.getByRole("searchbox", { name: "find sweeps" }).fill(tag);
    await page.getByText(`1 of ${all}`).waitFor();
    expect(await names.allTextContents()).toEqual([chosen]);
  }
  quiet(complaints);
});

test("priority moves a sweep in the queue", async () => {
  const { page, complaints } = await newPage();
  await page.goto(BASE);
  const raise = page.getByRole("button", { name: /^raise the priority/ }).first();
  await raise.waitFor();
  const shown = async () => Number(await raise.locator("xpath=preceding-sibling::span").textContent());
  const before = await shown();
  await raise.click();
  await until("the priority is one more", async () => (await shown()) === before + 1);
  await page.getByRole("button", { name: /^lower the priority/ }).first().click();
  await until("the priority is as before", async () => (await shown()) === before);
  quiet(complaints);
});

test("the keyboard reaches everything, and sees where it is", async () => {
  const { page, complaints } = await newPage();
  await page.goto(BASE);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
  const seen = new Set<string>();
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const [name, outline] = await page.evaluate(() => [document.activeElement?.textContent ?? "", getComputedStyle(document.activeElement!).outlineStyle]);
    if (name === "" || name.length > 40) continue;
    seen.add(name.trim());
    expect(outline, `the focus on ${name}`).not.toBe("none");
  }
  for (const name of ["Data", "Workers", "New sweep", "Pause", "Cancel"]) expect([...seen]).toContain(name);
  quiet(complaints);
});

test("a browser without a key is told how to get one", async () => {
  const { page } = await newPage();
  await page.context().clearCookies();
  await page.context().addCookies([{ name: "unauthorized", value: "1", url: BASE }]);
  await page.goto(BASE);
  await page.getByText("sweepd open").waitFor();
});

test("the theme that was chosen stays", async () => {
  const { page, complaints } = await newPage({ width: 1280, dark: false });
  await page.goto(BASE);
  const dark = () => page.evaluate(() => getComputedStyle(document.body).color);
  const light = await dark();
  await page.getByRole("button", { name: /^theme/ }).click();
  await page.getByRole("button", { name: /^theme: light/ }).click();
  await page.getByRole("button", { name: /^theme: dark/ }).waitFor();
  const chosen = await dark();
  expect(chosen).not.toBe(light);
  await page.reload();
  await page.getByRole("button", { name: /^theme: dark/ }).waitFor();
  expect(await dark()).toBe(chosen);
  quiet(complaints);
});

// The made-up daemon is no daemon.
test.runIf(process.env.SWEEPD_E2E_OPEN)("the pages need no token and may load nothing from elsewhere", async () => {
  const get = (path: string) => fetch(BASE + path, { headers: { "Accept-Encoding": "gzip" } });
  const page = await get("/sweeps/anything");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const text = await page.text();
  expect(text).not.toMatch(/<style|<script(?![^>]*src=)|https?:\/\//);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(text)![1]!;
  const asset = await get(script);
  expect(asset.headers.get("content-type")).toContain("javascript");
  expect(asset.headers.get("cache-control")).toContain("immutable");
  expect(asset.headers.get("content-encoding")).toBe("gzip");
  expect((await get("/assets/../../daemon.json")).status).toBe(404);
  expect((await get("/api/v1/sweeps")).status).toBe(401);
});
