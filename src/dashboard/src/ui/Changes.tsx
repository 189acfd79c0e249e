// What is different in a sweep, before and after.
import { MISSING } from "../lib/format";
import type { Alteration } from "../lib/types";

export function Changes({ of, label }: { of: Alteration[]; label: string }) {
  return (
    <div className="scroll">
      <table className="changes" aria-label={label}>
        <thead><tr><th><span className="hidden">what</span></th><th>before</th><th>after</th></tr></thead>
        <tbody>
          {of.map(({ what, before, after }) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td className={before === null ? "faint" : undefined}>{before ?? MISSING}</td>
              <td className={after === null ? "faint" : undefined}>{after ?? MISSING}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
