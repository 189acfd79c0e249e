// One trial: what it is, how it goes, why it came and why it ended.
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { ago, bytes, clock, duration, metric, moment, short, value } from "../lib/format";
import { eventWord, reason } from "../lib/reason";
import type { Checkpoint, LogTail, TrialDetail } from "../lib/types";
import { Answer, EditableNote, Empty, Facts, Failure, Panel, StateMark, Tags } from "../ui/parts";
import { useAsk, useMay, useNow, useSend, useSweep, useTrial } from "../ui/use";
import { TrialCurves } from "./TrialCurves";
import { TrialFaces, TrialLayers } from "./TrialNetwork";

export default function TrialPage({ id }: { id: string }) {
  return <Answer of={useTrial(id)}>{(detail) => <Page detail={detail} />}</Answer>;
}

function Page({ detail }: { detail: TrialDetail }) {
  const { trial } = detail;
  const sweep = useSweep(detail.sweep);
  const id = String(trial.trial_id);
  useEffect(() => {
    document.title = `#${trial.number} of ${detail.sweep_name} · sweepd`;
    return () => void (document.title = "sweepd");
  }, [trial.number, detail.sweep_name]);
  const trained = sweep.data?.spec.objective.kind === "keypoints";
  return (
    <>
      <Head detail={detail} unit={trained ? "px" : ""} metricName={sweep.data?.spec.objective.metric ?? "value"} />
      <div className="split">
        <div className="stack">
          <TrialCurves detail={detail} sweep={sweep.data} />
          {trained && <TrialFaces id={id} key={trial.best_step} />}
          <Log id={id} detail={detail} />
        </div>
        <div className="stack">
          <Panel title="Parameters">
            <dl className="pairs">{Object.entries(trial.params).map(([name, v]) => <Pair key={name} name={name} shown={value(v)} />)}</dl>
          </Panel>
          <Panel title="What happened, and why" flush>
            <ol className="events">
              {detail.events.map((e, at) => (
                <li key={`${e.seq}.${at}`}>
                  <time className="num muted" title={moment(e.at_ms)}>{clock(e.at_ms)}</time>
                  <span>{eventWord(e.kind)}</span>
                  <span className="muted">{reason(e.reason)}</span>
                </li>
              ))}
            </ol>
          </Panel>
          <Attempts detail={detail} />
          <Checkpoints id={id} />
          {trained && <TrialLayers id={id} />}
        </div>
      </div>
    </>
  );
}

function Pair({ name, shown }: { name: string; shown: string }) {
  return <><dt>{name}</dt><dd>{shown}</dd></>;
}

function Head({ detail, metricName, unit }: { detail: TrialDetail; metricName: string; unit: string }) {
  const { trial } = detail;
  const id = String(trial.trial_id);
  const may = useMay();
  const now = useNow();
  const send = useSend([["trial", id], ["sweep", detail.sweep], ["trials", detail.sweep]]);
  const over = ["failed", "stopped", "cancelled"].includes(trial.state);
  return (
    <>
      <p className="crumbs"><Link href="/">Sweeps</Link> / <Link href={`/sweeps/${detail.sweep}`}>{detail.sweep_name}</Link></p>
      <div className="head">
        <h1>Trial #{trial.number}</h1>
        <StateMark state={trial.state} />
        {trial.inexact && <span className="tag" title="Not computed by itself in whole batches: the environment of its attempts says how">inexact</span>}
        <Tags tags={trial.tags ?? []} disabled={!may} save={(tags) => send.mutate({ method: "PUT", path: `/trials/${id}/tags`, body: { tags } })} />
        <EditableNote text={trial.note ?? ""} disabled={!may} save={(text) => send.mutate({ method: "PUT", path: `/trials/${id}/note`, body: { text } })} />
        <div className="actions">
          {over && <button disabled={!may || send.isPending} title={may ? "Queue it again" : "This browser may only read"} onClick={() => send.mutate({ method: "POST", path: `/trials/${id}/retry` })}>Retry</button>}
        </div>
      </div>
      {send.error && <Failure error={send.error} />}
      <Facts
        facts={[
          [metricName, metric(trial.value), trial.best_step ? `${unit} at step ${trial.best_step}` : unit],
          ["Steps", trial.budget_steps ? `${trial.steps} / ${trial.budget_steps}` : String(trial.steps)],
          [trial.finished_ms ? "Took" : "Runs for", trial.started_ms ? duration((trial.finished_ms ?? now) - trial.started_ms) : "–", trial.finished_ms ? ago(trial.finished_ms, now) : undefined],
          trial.parent !== undefined ? ["Goes on from", `#${trial.parent}`, `at step ${trial.parent_step}`] : null,
          trial.parameter_count !== null ? ["Weights", short(trial.parameter_count)] : null,
          (trial.device_memory_bytes ?? trial.resident_bytes) !== null ? ["Memory", bytes(trial.device_memory_bytes ?? trial.resident_bytes), trial.device_memory_bytes !== null ? "device" : "machine"] : null,
        ]}
      />
      <p className="note">
        <b>Suggested:</b> {reason(trial.suggested)}.{" "}
        {trial.ended && <><b>{trial.state === "completed" ? "Ended:" : `Why ${trial.state}:`}</b> {reason(trial.ended)}.</>}
      </p>
    </>
  );
}

function Attempts({ detail }: { detail: TrialDetail }) {
  const now = useNow();
  if (detail.attempts.length === 0) return <Panel title="Attempts"><Empty title="Not handed out yet">It waits for a free slot.</Empty></Panel>;
  const newest = detail.attempts.at(-1)!;
  return (
    <Panel title="Attempts" hint={`${detail.attempts.length}`} flush>
      <div className="scroll flush">
        <table>
          <thead><tr><th>slot</th><th>state</th><th className="r">for</th><th>why it ended</th></tr></thead>
          <tbody>
            {detail.attempts.map((a) => (
              <tr key={a.attempt_id}>
                <td className="num" title={a.worker}>{a.slot}</td>
                <td><StateMark state={a.state === "open" ? "running" : a.state} /></td>
                <td className="r">{duration((a.finished_ms ?? now) - a.started_ms)}</td>
                <td className="wrap muted">{reason(a.reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {Object.keys(newest.environment).length > 0 && (
        <details style={{ padding: "10px 14px" }} open>
          <summary className="muted" style={{ cursor: "pointer", marginBottom: 6 }}>Environment of the newest</summary>
          <dl className="pairs">{Object.entries(newest.environment).map(([name, shown]) => <Pair key={name} name={name} shown={shown} />)}</dl>
        </details>
      )}
    </Panel>
  );
}

function Checkpoints({ id }: { id: string }) {
  const asked = useAsk<Checkpoint[]>(["trial", id, "checkpoints"], `/trials/${id}/checkpoints`);
  const now = useNow();
  return (
    <Panel title="Checkpoints" flush>
      <Answer of={asked}>
        {(all) => all.length === 0 ? <div className="body note">None is kept: a trial that has ended well needs none.</div> : (
          <div className="scroll flush">
            <table>
              <thead><tr><th className="r">step</th><th className="r">size</th><th>saved</th><th>hash</th></tr></thead>
              <tbody>{all.map((c) => <tr key={c.hash}><td className="r">{c.step}</td><td className="r">{bytes(c.bytes)}</td><td className="num">{ago(c.at_ms, now)}</td><td className="mono">{c.hash.slice(0, 12)}</td></tr>)}</tbody>
            </table>
          </div>
        )}
      </Answer>
    </Panel>
  );
}

function Log({ id, detail }: { id: string; detail: TrialDetail }) {
  const [open, setOpen] = useState(true);
  // A report is a sign that the log grew.
  const asked = useAsk<LogTail>(["trial", id, "log", String(detail.steps.length)], `/trials/${id}/log?bytes=16384`, open);
  return (
    <Panel title="Log" hint={asked.data && `the last of ${bytes(asked.data.size)}`} tools={<button className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "hide" : "show"}</button>} flush>
      {open && (
        <Answer of={asked} quiet={(e) => (e.status === 404 || e.status === 409 ? <div className="body note">{e.message}</div> : undefined)}>
          {(log) => (log.text ? <Tail text={log.text} /> : <div className="body note">Nothing has been written yet.</div>)}
        </Answer>
      )}
    </Panel>
  );
}

function Tail({ text }: { text: string }) {
  const [box, setBox] = useState<HTMLPreElement | null>(null);
  useEffect(() => {
    if (box) box.scrollTop = box.scrollHeight;
  }, [box, text]);
  return <pre className="well" ref={setBox} tabIndex={0} aria-label="log">{text}</pre>;
}
