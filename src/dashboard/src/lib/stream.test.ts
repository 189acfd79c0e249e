import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Message, type Source, Stream } from "./stream";

class Fake implements Source {
  readyState = 0;
  listeners: Record<string, ((e: MessageEvent) => void)[]> = {};
  closed = false;
  constructor(readonly url: string) {}
  addEventListener(type: string, listener: (e: MessageEvent) => void) {
    (this.listeners[type] ??= []).push(listener);
  }
  close() {
    this.closed = true;
  }
  fire(type: string, event: Partial<MessageEvent> = {}) {
    for (const l of this.listeners[type] ?? []) l(event as MessageEvent);
  }
}

let sources: Fake[];
let told: Message[];
let stream: Stream;

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  told = [];
  stream = new Stream(
    (url) => {
      const source = new Fake(url);
      sources.push(source);
      return source;
    },
    (message) => told.push(message),
  );
  stream.start();
});
afterEach(() => vi.useRealTimers());

test("events are told with their kind and id", () => {
  sources[0]!.fire("open");
  sources[0]!.fire("sweep", { data: '{"sweep":"abc"}', lastEventId: "7" });
  expect(told).toEqual([{ state: "open" }, { event: { type: "sweep", sweep: "abc", id: "7" } }]);
});

test("a stream that the browser tries again is not opened twice", () => {
  sources[0]!.readyState = 0;
  sources[0]!.fire("open");
  sources[0]!.fire("error");
  vi.advanceTimersByTime(60_000);
  expect(sources).toHaveLength(1);
  expect(stream.state).toBe("connecting");
});

test("one that is given up goes on after the last event, later and later", () => {
  sources[0]!.fire("change", { data: '{"sweep":"abc"}', lastEventId: "41" });
  sources[0]!.readyState = 2;
  sources[0]!.fire("error");
  expect(stream.state).toBe("down");
  vi.advanceTimersByTime(999);
  expect(sources).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(sources[1]!.url).toBe("/api/v1/events?after=41");
  sources[1]!.readyState = 2;
  sources[1]!.fire("error");
  vi.advanceTimersByTime(1999);
  expect(sources).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(sources).toHaveLength(3);
  sources[2]!.fire("open");
  sources[2]!.readyState = 2;
  sources[2]!.fire("error");
  vi.advanceTimersByTime(1000);
  expect(sources).toHaveLength(4);
});

test("starting twice opens one", () => {
  stream.start();
  expect(sources).toHaveLength(1);
});
