import { expect, test, vi } from "vitest";
import { askEarly, paths, takeEarly, wanted, wasEarly } from "./early";

test("a page is known by its address", () => {
  const at = (path: string, hash = "") => wanted({ pathname: path, hash });
  expect(at("/")).toEqual(["/session", "/sweeps"]);
  expect(at("/workers")).toEqual(["/session"]);
  expect(at("/sweeps/new")).toEqual(["/session"]);
  expect(at("/trials/7")).toEqual(["/session", "/trials/7"]);
  expect(at("/sweeps/abc")).toEqual(["/sweeps/abc", "/sweeps/abc/trials?limit=100", paths.history("abc"), paths.curves("abc", ""), "/session"]);
  expect(at("/sweeps/abc", "#timeline")).toEqual(["/sweeps/abc", "/sweeps/abc/trials?limit=100", "/session"]);
});

test("what was asked for early is had once", () => {
  const answer = Promise.resolve(new Response("1"));
  const fetched = vi.fn(() => answer);
  vi.stubGlobal("fetch", fetched);
  askEarly(["/sweeps", "/session"]);
  expect(takeEarly("/workers")).toBeUndefined();
  expect(wasEarly()).toBe(false);
  expect(takeEarly("/sweeps")).toBe(answer);
  expect(takeEarly("/sweeps")).toBeUndefined();
  expect(wasEarly()).toBe(true);
  expect(takeEarly("/session")).toBe(answer);
  expect(takeEarly("/session")).toBeUndefined();
  expect(fetched).toHaveBeenCalledTimes(2);
  vi.unstubAllGlobals();
});
