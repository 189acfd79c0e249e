// The daemon's events reach the pages: what they show is asked for again, or carried on.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { wasEarly } from "./early";
import { type Message, Stream, type StreamEvent, type StreamState } from "./stream";
import type { StepRow, TrialDetail } from "./types";

/** Charts of many trials are asked for again at most so often. */
const HEAVY_MS = 3000;
const LIGHT_MS = 500;
/** By then a page has its first answers, and the stream is open. */
const EARLY_MS = 2000;

let state: StreamState = "connecting";
const watchers = new Set<() => void>();
const listeners = new Set<(event: StreamEvent) => void>();

function receive(message: Message): void {
  if ("state" in message) {
    state = message.state;
    for (const watcher of watchers) watcher();
  } else {
    for (const listener of listeners) listener(message.event);
  }
}

/** Opens this tab's way to the stream; once. */
export function connect(): void {
  if (typeof SharedWorker === "undefined") {
    new Stream((url) => new EventSource(url), receive).start();
    return;
  }
  const worker = new SharedWorker(new URL("./stream.worker.ts", import.meta.url), { type: "module", name: "sweepd events" });
  worker.port.onmessage = ({ data }) => receive(data as Message);
  addEventListener("pagehide", () => worker.port.postMessage("leave"));
  // A page that the browser had kept comes back without being loaded again.
  addEventListener("pageshow", (event) => (event as PageTransitionEvent).persisted && location.reload());
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => state,
  );
}

/** Calls back for every event while mounted. */
export function useEvents(listener: (event: StreamEvent) => void): void {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}

/** Marks keys as outdated, each at most once in its interval: the first time at once. */
export class Outdated {
  /** Keys whose interval runs, and whether they were marked again within it. */
  private readonly again = new Map<string, boolean>();
  constructor(private readonly act: (key: string[]) => void) {}

  mark(key: string[], every_ms: number): void {
    const name = key.join("/");
    if (this.again.has(name)) return void this.again.set(name, true);
    this.act(key);
    this.again.set(name, false);
    setTimeout(() => {
      const again = this.again.get(name);
      this.again.delete(name);
      if (again) this.mark(key, every_ms);
    }, every_ms);
  }
}

/** A step of a trial that is shown: added where it belongs; a step that was taken back is replaced. */
export function withStep(trial: TrialDetail, row: StepRow): TrialDetail {
  const steps = trial.steps.filter((s) => s.fold !== row.fold || s.step < row.step);
  steps.push(row);
  // Of all folds together.
  const last = new Map<number, number>();
  for (const { fold, step } of steps) last.set(fold, Math.max(last.get(fold) ?? 0, step));
  const done = [...last.values()].reduce((a, b) => a + b, 0);
  return { ...trial, steps, trial: { ...trial.trial, steps: Math.max(trial.trial.steps, done) } };
}

/** Keeps every cached answer in step with the daemon. Mounted once. */
export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    const outdated = new Outdated((key) => void client.invalidateQueries({ queryKey: key }));
    const listener = (event: StreamEvent) => handle(client, outdated, event);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [client]);
  // What was missed while the stream was down is asked for again.
  const streamState = useStreamState();
  useEffect(() => {
    if (streamState === "open") void client.invalidateQueries();
  }, [client, streamState]);
  // Early answers may be older than the stream.
  useEffect(() => {
    const timer = setTimeout(() => wasEarly() && void client.invalidateQueries(), EARLY_MS);
    return () => clearTimeout(timer);
  }, [client]);
}

function handle(client: QueryClient, outdated: Outdated, event: StreamEvent): void {
  switch (event.type) {
    case "reset":
      return void client.invalidateQueries();
    case "workers":
      return outdated.mark(["workers"], 1000);
    case "sweep":
      outdated.mark(["sweeps"], LIGHT_MS);
      outdated.mark(["sweep", event.sweep], LIGHT_MS);
      outdated.mark(["trials", event.sweep], HEAVY_MS);
      return outdated.mark(["plots", event.sweep], HEAVY_MS);
    case "change":
      outdated.mark(["sweeps"], LIGHT_MS);
      outdated.mark(["sweep", event.sweep], LIGHT_MS);
      outdated.mark(["trials", event.sweep], HEAVY_MS);
      if (event.trial_id !== null) outdated.mark(["trial", String(event.trial_id)], LIGHT_MS);
      return outdated.mark(["plots", event.sweep], HEAVY_MS);
    case "report": {
      const { fold, step, at_ms, metrics } = event;
      client.setQueryData<TrialDetail>(["trial", String(event.trial_id)], (old) =>
        old ? withStep(old, { fold, step, at_ms, metrics }) : old,
      );
      outdated.mark(["trials", event.sweep], HEAVY_MS);
      return outdated.mark(["plots", event.sweep, "curves"], HEAVY_MS);
    }
  }
}
