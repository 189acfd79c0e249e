// A sweep goes on with another space: change its file, see what that would mean, apply it.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { getText, send } from "../lib/api";
import { stillFit, unnamed } from "../lib/edits";
import { count, value } from "../lib/format";
import { fileType, mistakesOf, type Problem } from "../lib/problems";
import { query } from "../lib/query";
import type { Edited, SweepSummary } from "../lib/types";
import { Changes } from "../ui/Changes";
import { Editor } from "../ui/Editor";
import { Mistakes } from "../ui/Mistakes";
import { Answer, Failure, Loading, Panel, StateMark, TrialLink } from "../ui/parts";
import { useMay, useSettled, useSweep } from "../ui/use";

export default function EditSweepPage({ id }: { id: string }) {
  return <Answer of={useSweep(id)}>{(sweep) => <Page sweep={sweep} />}</Answer>;
}

function Page({ sweep }: { sweep: SweepSummary }) {
  const [source, setSource] = useState<string | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  // Changes that others made since the file was read would be taken back.
  const [edits, setEdits] = useState(sweep.edits);
  const read = () => {
    setSource(null);
    setEdits(sweep.edits);
    getText(`/sweeps/${sweep.id}/source`).then(setSource, setFailed);
  };
  useEffect(read, [sweep.id]);
  useEffect(() => {
    document.title = `Edit ${sweep.name} · sweepd`;
    return () => void (document.title = "sweepd");
  }, [sweep.name]);
  return (
    <>
      <p className="crumbs"><Link href="/">Sweeps</Link> / <Link href={`/sweeps/${sweep.id}`}>{sweep.name}</Link></p>
      {edits !== sweep.edits && (
        <div className="alert" role="alert">
          <span className="grow">It has been changed meanwhile: what stands here would take that back.</span>
          <button onClick={read}>Read it again</button>
        </div>
      )}
      {failed ? <Failure error={failed} /> : source === null ? <Loading /> : <Form sweep={sweep} source={source} />}
    </>
  );
}

/** What the daemon says of a text. */
type Verdict =
  | { kind: "told"; edited: Edited }
  | { kind: "mistakes"; problems: Problem[] }
  | { kind: "refused"; error: unknown };

/** Has the daemon say what would change, or change it. */
async function edit(sweep: SweepSummary, text: string, dry_run: boolean): Promise<Verdict> {
  try {
    return { kind: "told", edited: await send<Edited>("POST", `/sweeps/${sweep.id}/edit${query({ dry_run })}`, text, fileType(text)) };
  } catch (error) {
    const problems = mistakesOf(error, text);
    return problems ? { kind: "mistakes", problems } : { kind: "refused", error };
  }
}

function Form({ sweep, source }: { sweep: SweepSummary; source: string }) {
  const [text, setText] = useState(source);
  const settled = useSettled(text, 400);
  const [said, setSaid] = useState<{ of: string; verdict: Verdict } | null>(null);
  const [sending, setSending] = useState(false);
  const client = useQueryClient();
  const may = useMay();
  const [, go] = useLocation();

  useEffect(() => {
    let current = true;
    if (may) void edit(sweep, settled, true).then((verdict) => current && setSaid({ of: settled, verdict }));
    return () => void (current = false);
    // With more trials, or in another state, the answer may be another.
  }, [settled, may, sweep.id, sweep.state, sweep.edits]);

  const verdict = said?.verdict;
  const applies = verdict?.kind === "told" && verdict.edited.changes.length > 0 && said?.of === text;
  const apply = async () => {
    setSending(true);
    const done = await edit(sweep, text, false);
    setSending(false);
    if (done.kind !== "told") return setSaid({ of: text, verdict: done });
    await Promise.all([["sweeps"], ["sweep", sweep.id], ["plots", sweep.id]].map((queryKey) => client.invalidateQueries({ queryKey })));
    go(`/sweeps/${sweep.id}`);
  };
  const problems = verdict?.kind === "mistakes" ? verdict.problems : NONE;
  return (
    <>
      <div className="head">
        <h1>Edit {sweep.name}</h1>
        <StateMark state={sweep.state} />
        <div className="actions">
          <Link className="button" href={`/sweeps/${sweep.id}`}>Leave it</Link>
          <button className="primary" disabled={!may || sending || !applies} title={may ? undefined : "This browser may only read"} onClick={() => void apply()}>Apply</button>
        </div>
      </div>
      <p className="note">The space, <code>constraints</code> and <code>trials</code> may change; all else stays. It counts from the next decision on.</p>
      <div className="split">
        <Panel title="Sweep file" hint={<><span className="wide-only">Esc, then Tab leaves the editor</span></>} flush><Editor text={text} onChange={setText} problems={problems} /></Panel>
        <Panel title="What it would mean">
          <div aria-live="polite">
            {!may && <p className="note">A read-only token cannot edit: run <code>sweepd open</code> for a link that may.</p>}
            {may && !verdict && <p className="note">checking …</p>}
            {verdict?.kind === "told" && <Meaning of={verdict.edited} sweep={sweep} />}
            {verdict?.kind === "mistakes" && <Mistakes of={problems} />}
            {verdict?.kind === "refused" && (
              <>
                <Failure error={verdict.error} />
                <p className="note" style={{ marginTop: 10 }}>A new sweep may have any space: <Link href={`/sweeps/new?clone=${sweep.id}`}>clone this one</Link>.</p>
              </>
            )}
          </div>
        </Panel>
      </div>
    </>
  );
}

const NONE: Problem[] = [];

function Meaning({ of, sweep }: { of: Edited; sweep: SweepSummary }) {
  if (of.changes.length === 0) return <p className="note">Nothing is different yet.</p>;
  const more = unnamed(of);
  return (
    <div className="stack meaning">
      <p><span className="state completed">It can go on like that.</span>{sweep.state === "completed" && " It is over now, and would be active again."}</p>
      <Changes of={of.changes} label="what changes" />
      <p>{stillFit(of)}</p>
      {of.defaults.length > 0 && (
        <div>
          <h3>Earlier trials count as having</h3>
          <ul>{of.defaults.map((d) => <li key={d.name}><code>{d.name} = {value(d.value)}</code> <span className="muted">in {count(d.trials)} {d.trials === 1 ? "trial" : "trials"} without it</span></li>)}</ul>
        </div>
      )}
      {of.unfit.length > 0 && (
        <div>
          <h3>Trials that do not fit</h3>
          <ul aria-label="trials that do not fit">{of.unfit.map((t) => <li key={t.trial_id}><TrialLink id={t.trial_id} number={t.number} /> <span className="muted">{t.why}</span></li>)}</ul>
          {more > 0 && <p className="note">and {count(more)} more</p>}
        </div>
      )}
    </div>
  );
}
