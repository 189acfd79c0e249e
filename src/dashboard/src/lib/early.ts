// Answers that a page will want, asked for while its code is still on the way.
import { query } from "./query";

const begun = new Map<string, Promise<Response>>();
let used = false;

/** What the page at an address asks for first. */
export function wanted(at: { pathname: string; hash: string }): string[] {
  const [, kind, id, part] = at.pathname.split("/");
  if (kind === "trials" && id) return ["/session", `/trials/${id}`];
  if (kind !== "sweeps" || !id || id === "new") return kind === "" ? ["/session", "/sweeps"] : ["/session"];
  if (part === "edit") return [`/sweeps/${id}`, `/sweeps/${id}/source`, "/session"];
  const pictures = at.hash === "" ? [paths.history(id), paths.curves(id, "")] : [];
  return [`/sweeps/${id}`, paths.trials(id, {}), ...pictures, "/session"];
}

export function askEarly(asked: string[]): void {
  for (const path of asked) {
    const answer = fetch(`/api/v1${path}`, { credentials: "same-origin" });
    // Whoever takes it hears of its failure.
    answer.catch(() => undefined);
    begun.set(path, answer);
  }
}

/** An answer that was asked for early, once. */
export function takeEarly(path: string): Promise<Response> | undefined {
  const answer = begun.get(path);
  if (begun.delete(path)) used = true;
  return answer;
}

/** Whether anybody has taken one: it may be older than the stream that tells of changes. */
export function wasEarly(): boolean {
  return used;
}

/** Questions that are asked early and by the page: both must name the same. */
export const paths = {
  history: (id: string) => `/sweeps/${id}/history${query({ most: 1200 })}`,
  curves: (id: string, where: string) => `/sweeps/${id}/curves${query({ most: 100, where })}`,
  trials: (id: string, asked: Record<string, string | number | boolean | undefined>) => `/sweeps/${id}/trials${query({ ...asked, limit: 100 })}`,
};
