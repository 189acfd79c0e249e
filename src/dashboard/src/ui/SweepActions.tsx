// What can be done with a sweep.
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { SweepSummary } from "../lib/types";
import { Confirm, Failure } from "./parts";
import { useMay, useSend } from "./use";

export function SweepActions({ sweep, brief }: { sweep: SweepSummary; brief?: boolean }) {
  const may = useMay();
  const send = useSend([["sweeps"], ["sweep", sweep.id]]);
  const [asking, setAsking] = useState<"cancel" | "remove" | null>(null);
  const [, go] = useLocation();
  const open = sweep.state === "active" || sweep.state === "paused";
  const steer = (word: string) => send.mutate({ method: "POST", path: `/sweeps/${sweep.id}/${word}` });
  const off = !may || send.isPending;
  const why = may ? undefined : "This browser may only read";
  return (
    <>
      {sweep.state === "active" && <button disabled={off} title={why} onClick={() => steer("pause")}>Pause</button>}
      {sweep.state === "paused" && <button disabled={off} title={why} onClick={() => steer("resume")}>Resume</button>}
      {open && <button className="danger" disabled={off} title={why} onClick={() => setAsking("cancel")}>Cancel</button>}
      {!brief && sweep.state !== "cancelled" && <Link className="button" href={`/sweeps/${sweep.id}/edit`} title="Another space, other constraints, more trials">Edit</Link>}
      {!brief && <Link className="button" href={`/sweeps/new?clone=${sweep.id}`}>Clone</Link>}
      {!brief && !open && <button className="danger" disabled={off} title={why} onClick={() => setAsking("remove")}>Remove</button>}
      {send.error && <Failure error={send.error} />}
      {asking === "cancel" && (
        <Confirm title={`Cancel ${sweep.name}?`} yes="Cancel the sweep" onClose={() => setAsking(null)} onYes={() => steer("cancel")}
          text="Its running trials end now, and no further ones begin. What has been found stays. This cannot be taken back." />
      )}
      {asking === "remove" && (
        <Confirm title={`Remove ${sweep.name}?`} yes="Remove it with all its trials" onClose={() => setAsking(null)}
          onYes={() => send.mutate({ method: "DELETE", path: `/sweeps/${sweep.id}` }, { onSuccess: () => go("/") })}
          text="The sweep, its trials and their curves are deleted. This cannot be taken back." />
      )}
    </>
  );
}

/** A sweep's priority, and buttons to change it: the more urgent one is served first. */
export function Priority({ sweep }: { sweep: SweepSummary }) {
  const may = useMay();
  const send = useSend([["sweeps"], ["sweep", sweep.id]]);
  const set = (priority: number) => send.mutate({ method: "POST", path: `/sweeps/${sweep.id}/priority`, body: { priority } });
  return (
    <span className="row" style={{ gap: 2, flexWrap: "nowrap" }}>
      <button className="plain icon" aria-label={`lower the priority of ${sweep.name}`} disabled={!may || send.isPending} onClick={() => set(sweep.priority - 1)}>−</button>
      <span className="num" style={{ minWidth: 22, textAlign: "center" }} title="priority: higher is served first">{sweep.priority}</span>
      <button className="plain icon" aria-label={`raise the priority of ${sweep.name}`} disabled={!may || send.isPending} onClick={() => set(sweep.priority + 1)}>+</button>
    </span>
  );
}
