// Serves the made-up daemon beside the pages, in `npm run dev` and in `vite preview --mode mock`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import * as api from "./api.ts";
import { count, stepOf, trialOf, worlds } from "./world.ts";

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; worker-src 'self'";
const streams = new Set<ServerResponse>();
let cursor = 0;

function emit(event: string, data: unknown): void {
  cursor += 1;
  for (const s of streams) s.write(`id: ${cursor}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Running trials go on by a step; those that have spent their budget complete, and new ones begin. */
function tick(): void {
  for (const w of worlds) {
    if (w.sweep.state !== "active") continue;
    for (const t of w.trials) {
      if (t.state !== "running") continue;
      t.steps += 1;
      const row = stepOf(w.sweep.id, t, t.steps);
      const rmse = Number(row.metrics.rmse);
      if (t.value === null || rmse < t.value) [t.value, t.best_step] = [rmse, t.steps];
      emit("report", { sweep: w.sweep.id, trial_id: t.trial_id, number: t.number, ...row, at_ms: Date.now() });
      if (t.steps >= 27) {
        Object.assign(t, { state: "completed", finished_ms: Date.now(), ended: { kind: "budget_spent" }, weights: "aa" });
        emit("change", { sweep: w.sweep.id, trial_id: t.trial_id, number: t.number, kind: "trial_completed", reason: t.ended, at_ms: Date.now() });
        if (w.trials.length < (w.sweep.planned ?? 0)) {
          const next = trialOf(w.sweep.spec, w.sweep.id, w.base, w.trials.length, "running", 27, false, 20_000);
          w.trials.push(Object.assign(next, { steps: 0, value: null, best_step: null, started_ms: Date.now() }));
        }
      }
    }
    if (w.sweep.trials.running) {
      count(w);
      w.sweep.running_workers = w.sweep.trials.running;
      emit("sweep", { sweep: w.sweep.id });
    }
  }
  emit("workers", {});
}

async function body(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function queue() {
  const open = worlds.filter((w) => w.sweep.state === "active").sort((a, b) => b.sweep.priority - a.sweep.priority);
  worlds.forEach((w) => (w.sweep.queue_place = open.includes(w) ? open.indexOf(w) + 1 : null));
  return worlds.map((w) => w.sweep);
}

async function answer(method: string, path: string[], q: URLSearchParams, request: IncomingMessage): Promise<unknown> {
  const [what, word, part] = path;
  if (what === "session") return { may: "write" };
  if (what === "workers") return api.workers();
  if (what === "compare") return api.comparison((q.get("sweeps") ?? "").split(",").filter(Boolean));
  if (what === "daemon") return { version: "0.1.0" };
  if (what === "datasets") {
    if (!word) return api.datasets;
    return part === "augment" ? api.augment(JSON.parse(await body(request))) : api.datasetFaces(q);
  }
  if (what === "trials") {
    const id = Number(word);
    if (method === "PUT") return Object.assign(api.trial(id).t, part === "note" ? { note: JSON.parse(await body(request)).text } : JSON.parse(await body(request))) && undefined;
    if (method === "POST") return void (api.trial(id).t.state = "queued");
    if (part === "log") return api.log(id);
    if (part === "layers") return api.layers(id);
    if (part === "faces") return api.faces(id);
    if (part === "checkpoints") return [{ fold: 0, step: 9, bytes: 31_700_000, at_ms: Date.now() - 60_000, hash: "8cfff2fd5088925f5d720daf951b945c" }];
    return api.detail(id);
  }
  if (what !== "sweeps") throw new api.Refused(404, "not_found", `there is no route ${path.join("/")}`);
  if (!word) return method === "POST" ? { id: api.submit(await body(request)).id } : api.tagged(queue(), q.get("tag"));
  if (word === "check") return api.check(await body(request)), { sweep: {}, first_params: { learning_rate: 0.0021, kernel_size: 3, activation: "relu" } };
  const w = api.world(word);
  if (method === "DELETE") return void worlds.splice(worlds.indexOf(w), 1);
  const move = (state: typeof w.sweep.state) => {
    w.sweep.state = state;
    if (state === "cancelled") for (const t of w.trials) if (t.state === "running") t.state = "cancelled";
    count(w);
    emit("change", { sweep: w.sweep.id, trial_id: null, number: null, kind: `sweep_${state}`, reason: null, at_ms: Date.now() });
  };
  switch (part) {
    case undefined: return queue().find((s) => s.id === w.sweep.id);
    case "source": return w.source;
    case "edits": return [];
    case "edit": return api.edit(w, await body(request), q.get("dry_run") === "true");
    case "trials": return api.trials(w, q);
    case "trials.csv": return "number,state,rmse\n" + w.trials.map((t) => `${t.number},${t.state},${t.value}`).join("\n");
    case "history": return api.history(w, Number(q.get("most") ?? 2000));
    case "curves": return api.curves(w, q);
    case "values": return api.values(w, q);
    case "importance": return api.importance(w);
    case "front": return api.front(w);
    case "timeline": return api.timeline(w);
    case "pause": return move("paused");
    case "resume": return move("active");
    case "cancel": return move("cancelled");
    case "priority": return void (w.sweep.priority = JSON.parse(await body(request)).priority);
    case "tags": return void (w.sweep.tags = JSON.parse(await body(request)).tags);
    case "ensembles": return path[3] !== "make" ? api.ensembles(w) : method === "POST" ? api.make(w, JSON.parse(await body(request))) : api.making(w);
    case "note": return void (w.sweep.note = JSON.parse(await body(request)).text);
  }
  throw new api.Refused(404, "not_found", `there is no route ${path.join("/")}`);
}

async function handle(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/api/v1/")) {
    response.setHeader("Content-Security-Policy", CSP);
    return next();
  }
  if (/\bunauthorized=1/.test(request.headers.cookie ?? "")) {
    response.writeHead(401, { "Content-Type": "application/json" });
    return void response.end(JSON.stringify({ error: { code: "unauthorized", message: "a token is needed" } }));
  }
  const path = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  if (path[0] === "events") {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": here\n\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
    return;
  }
  try {
    const found = await answer(request.method ?? "GET", path, url.searchParams, request);
    const isText = typeof found === "string";
    response.writeHead(found === undefined ? 204 : 200, { "Content-Type": path.at(-1) === "trials.csv" ? "text/csv" : isText ? "text/plain" : "application/json" });
    response.end(found === undefined ? undefined : isText ? found : JSON.stringify(found));
  } catch (error) {
    const refused = error instanceof api.Refused ? error : new api.Refused(500, "internal", String((error as Error).stack));
    response.writeHead(refused.status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: { code: refused.code, message: refused.message, problems: refused.problems } }));
  }
}

export function mock(): Plugin {
  const use = (server: { middlewares: { use(f: typeof handle): void }; httpServer: { on(event: "close", f: () => void): unknown } | null }) => {
    const timer = setInterval(tick, 1000);
    server.httpServer?.on("close", () => clearInterval(timer));
    server.middlewares.use(handle);
  };
  return {
    name: "mock-daemon",
    configureServer: (server) => void use(server as never),
    configurePreviewServer: (server) => void use(server as never),
  };
}
