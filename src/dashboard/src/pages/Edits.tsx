// How a sweep was changed since it was submitted.
import { times } from "../lib/edits";
import { ago, count, moment } from "../lib/format";
import type { PastEdit, SweepSummary } from "../lib/types";
import { Changes } from "../ui/Changes";
import { Answer } from "../ui/parts";
import { useAsk, useNow } from "../ui/use";

function useEdits(sweep: SweepSummary) {
  return useAsk<PastEdit[]>(["sweep", sweep.id, "edits"], `/sweeps/${sweep.id}/edits`, (sweep.edits ?? 0) > 0);
}

/** A few words beside the sweep's name. */
export function EditedNote({ sweep }: { sweep: SweepSummary }) {
  const now = useNow();
  const last = useEdits(sweep).data?.[0];
  if (!sweep.edits || !last) return null;
  return <> · <a href="#edits" title={`last on ${moment(last.at_ms)}`} onClick={show}>space changed {times(sweep.edits)}, {sweep.edits > 1 && "last "}{ago(last.at_ms, now)}</a></>;
}

/** Opens the panel below, and leaves the address as it is: its hash is the tab's. */
function show(event: React.MouseEvent): void {
  event.preventDefault();
  const panel = document.getElementById("edits") as HTMLDetailsElement | null;
  if (!panel) return;
  panel.open = true;
  panel.scrollIntoView({ block: "center" });
  panel.querySelector("summary")?.focus();
}

export function Edits({ sweep }: { sweep: SweepSummary }) {
  const edits = useEdits(sweep);
  if (!sweep.edits) return null;
  return (
    <details className="panel" id="edits">
      <summary>Changes of the space</summary>
      <Answer of={edits}>
        {(all) => (
          <ol className="edits">
            {all.map((edit, at) => (
              <li key={all.length - at}>
                <p className="note">{moment(edit.at_ms)}, {edit.leg === 0 ? "before the first decision" : `after ${count(edit.leg)} decisions`}</p>
                <Changes of={edit.changes} label={`change ${all.length - at}`} />
              </li>
            ))}
          </ol>
        )}
      </Answer>
    </details>
  );
}
