// One stream of events from the daemon, and what is known of it: shared by stream.worker.ts (one per browser) and,
// where there are no shared workers, run by the tab itself.

export type StreamState = "connecting" | "open" | "down";

export type StreamEvent =
  | { type: "change"; id: string; sweep: string; trial_id: number | null; kind: string }
  | { type: "report"; id: string; sweep: string; trial_id: number; number: number; step: number; fold: number; at_ms: number; metrics: Record<string, number | string> }
  | { type: "sweep"; id: string; sweep: string }
  | { type: "workers"; id: string }
  | { type: "reset"; id: string };

export type Message = { state: StreamState } | { event: StreamEvent };

/** What a stream needs of an EventSource; tests give their own. */
export interface Source {
  readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent) => void): void;
  close(): void;
}

const KINDS = ["change", "report", "sweep", "workers", "reset"] as const;
const CLOSED = 2;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/** Keeps one stream open: what a browser gives up on is opened again, after the last event that was seen. */
export class Stream {
  private source: Source | null = null;
  private last = "";
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  state: StreamState = "connecting";

  constructor(
    private readonly open: (url: string) => Source,
    private readonly tell: (message: Message) => void,
  ) {}

  start(): void {
    if (this.source) return;
    const url = "/api/v1/events" + (this.last ? `?after=${encodeURIComponent(this.last)}` : "");
    const source = this.open(url);
    this.source = source;
    source.addEventListener("open", () => {
      this.wait = FIRST_WAIT_MS;
      this.become("open");
    });
    source.addEventListener("error", () => this.broke(source));
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.heard(kind, event));
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private heard(kind: (typeof KINDS)[number], event: MessageEvent): void {
    if (event.lastEventId) this.last = event.lastEventId;
    const data = event.data ? (JSON.parse(event.data as string) as object) : {};
    this.tell({ event: { ...data, type: kind, id: event.lastEventId } as StreamEvent });
  }

  /** A browser tries again by itself unless the answer was no stream: a daemon that is away, or no cookie. */
  private broke(source: Source): void {
    if (source.readyState !== CLOSED) return this.become("connecting");
    this.become("down");
    this.source = null;
    this.timer = setTimeout(() => this.start(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private become(state: StreamState): void {
    if (this.state === state) return;
    this.state = state;
    this.tell({ state });
  }
}
