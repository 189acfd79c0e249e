// Mistakes in a sweep file, with their places.
import { ApiError } from "./api";

export interface Problem { line: number | null; column: number | null; message: string }

/** `FILE:LINE:COL: message`, `FILE:LINE: message` or only a message. */
export function parseProblem(text: string): Problem {
  const found = /^(?:[^:\s]*:)?(?:line )?(\d+)(?::(\d+))?: ?(.*)$/s.exec(text);
  if (!found) return { line: null, column: null, message: text };
  return { line: Number(found[1]), column: found[2] ? Number(found[2]) : null, message: found[3] ?? "" };
}

/** A mistake that names a key but no line gets that of the key in the file. */
export function placed(problem: Problem, file: string): Problem {
  if (problem.line !== null) return problem;
  const named = /^this may not change: ([\w.]+):/.exec(problem.message) ?? /\b((?:objective|search|space)\.[\w.]*\w)/.exec(problem.message);
  return named ? { ...problem, line: lineOf(named[1]!.split("."), file) } : problem;
}

/** The line of the longest part of a key that the file has. */
function lineOf(key: string[], file: string): number | null {
  let [section, best, found]: [string[], number, number | null] = [[], 0, null];
  file.split("\n").forEach((line, at) => {
    const header = /^\s*\[([\w.]+)\]/.exec(line)?.[1];
    if (header) section = header.split(".");
    const own = /^\s*([\w.]+)\s*=/.exec(line)?.[1];
    if (!header && !own) return;
    const here = own ? [...section, ...own.split(".")] : section;
    if (here.length > best && here.every((part, n) => part === key[n])) [best, found] = [here.length, at + 1];
  });
  return found;
}

/** The mistakes of a refused file; none where it was refused for another reason. */
export function mistakesOf(error: unknown, file: string): Problem[] | null {
  if (!(error instanceof ApiError)) return null;
  const lines = error.problems.length ? error.problems : [error.message];
  const all = lines.map((line) => placed(parseProblem(line), file));
  return error.status === 422 || (error.status === 409 && all.some((p) => p.line !== null)) ? all : null;
}

/** What a file is sent as: sweeps that a program submitted are JSON. */
export function fileType(file: string): "application/json" | "application/toml" {
  return file.trimStart().startsWith("{") ? "application/json" : "application/toml";
}
