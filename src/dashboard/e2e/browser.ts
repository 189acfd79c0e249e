// Debian's Chromium, headless, and pages on which no error goes unnoticed.
import { afterAll, beforeAll, expect } from "vitest";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Where the dashboard is; with a daemon, its one-time link too. */
export const BASE = process.env.SWEEPD_E2E_URL ?? "http://127.0.0.1:4173";
const OPEN = process.env.SWEEPD_E2E_OPEN;
export const SHOTS = new URL("shots/", import.meta.url).pathname;

let browser: Browser;
let state: Awaited<ReturnType<BrowserContext["storageState"]>> | undefined;

export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    if (OPEN && !state) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(OPEN);
      state = await context.storageState();
      await context.close();
    }
  });
  afterAll(() => browser.close());
}

/** The processes of the browser that draw pages. */
export async function renderers(): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter((p) => p.type === "renderer").map((p) => p.id);
}

export interface Look { width: number; dark: boolean }

/** A page, and what its console complained of so far. Answers that a page shows as such are no complaint. */
export async function newPage({ width, dark }: Look = { width: 1280, dark: false }): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: width < 720 ? 844 : 900 }, colorScheme: dark ? "dark" : "light", storageState: state, acceptDownloads: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // Chromium logs every answer of 4xx; a 409 is how the daemon says that something is not there yet.
    if (/status of 409/.test(message.text())) return;
    // Where there is no trainer, there are no pictures by it; the page says so.
    if (/status of 503/.test(message.text()) && /\/(augment|faces)/.test(message.location().url)) return;
    complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  return { page, complaints };
}

export function quiet(complaints: string[]): void {
  expect(complaints).toEqual([]);
}

/** Closes the pages of other tests. */
export async function closeAll(): Promise<void> {
  for (const context of browser.contexts()) await context.close();
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** GET of the API with the browser's cookie. */
export async function api<T>(page: Page, path: string): Promise<T> {
  const response = await page.request.get(`${BASE}/api/v1${path}`);
  expect(response.status(), path).toBe(200);
  return response.json() as Promise<T>;
}

/** A changing call, as our own page makes it. */
export async function send(page: Page, method: "POST" | "PUT", path: string, body: string, type = "application/json"): Promise<string> {
  const headers = { "Content-Type": type, "X-Sweepd": "1", Origin: BASE };
  const answer = await page.request.fetch(`${BASE}/api/v1${path}`, { method, headers, data: body });
  expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true);
  return answer.text();
}

export async function submit(page: Page, text: string): Promise<string> {
  return (JSON.parse(await send(page, "POST", "/sweeps", text, "application/toml")) as { id: string }).id;
}

/** Replaces what stands in the editor. */
export async function write(page: Page, text: string): Promise<void> {
  const editor = page.locator(".cm-content");
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  // Not typed: the editor would indent by itself.
  await page.keyboard.insertText(text);
}
