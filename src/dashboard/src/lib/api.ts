// Calls of the API. Every failure becomes an ApiError that says what went wrong in the daemon's words.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: string[] = [],
  ) {
    super(message);
  }
}

import { takeEarly } from "./early";

const BASE = "/api/v1";

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    const early = init.method === undefined ? takeEarly(path) : undefined;
    response = await (early ?? fetch(BASE + path, { credentials: "same-origin", ...init }));
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", "the daemon does not answer: is it running? `sweepd serve` starts it");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; problems?: string[] } };
    return new ApiError(response.status, error.code, error.message, error.problems ?? []);
  } catch {
    return new ApiError(response.status, "unknown", `the daemon answered ${response.status} ${response.statusText}`);
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call(path, { signal })).json() as Promise<T>;
}

export async function getText(path: string): Promise<string> {
  return (await call(path)).text();
}

/** A call that changes something: by cookie it needs the header, which no other site's form can send. */
export async function send<T = void>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  type = "application/json",
): Promise<T> {
  const headers: Record<string, string> = { "X-Sweepd": "1" };
  if (body !== undefined) headers["Content-Type"] = type;
  const text = body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : String(body);
  const response = await call(path, { method, headers, body: text });
  const answer = await response.text();
  return (answer ? JSON.parse(answer) : undefined) as T;
}
