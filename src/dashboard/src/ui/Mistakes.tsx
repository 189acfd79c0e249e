// The mistakes of a sweep file, one below the other.
import type { Problem } from "../lib/problems";

export function Mistakes({ of }: { of: Problem[] }) {
  return (
    <ul className="problems" aria-label="mistakes">
      {of.map((p, at) => <li key={at}><span className="num muted">{p.line === null ? "file" : `line ${p.line}`}</span><span>{p.message}</span></li>)}
    </ul>
  );
}
