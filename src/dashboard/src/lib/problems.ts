// Mistakes in a sweep file, with their places.

export interface Problem { line: number | null; column: number | null; message: string }

/** `FILE:LINE:COL: message`, `FILE:LINE: message` or only a message. */
export function parseProblem(text: string): Problem {
  const found = /^(?:[^:\s]*:)?(?:line )?(\d+)(?::(\d+))?: ?(.*)$/s.exec(text);
  if (!found) return { line: null, column: null, message: text };
  return { line: Number(found[1]), column: found[2] ? Number(found[2]) : null, message: found[3] ?? "" };
}
