// All sweeps: what runs, what waits, what has come out.
import { useState } from "react";
import { Link } from "wouter";
import { ago, count, duration, gain, metric, percent } from "../lib/format";
import { query } from "../lib/query";
import type { SweepSummary } from "../lib/types";
import { Answer, Empty, Panel, Progress, StateMark } from "../ui/parts";
import { Priority, SweepActions } from "../ui/SweepActions";
import { useAsk, useMay, useNow, useSettled, useSweeps } from "../ui/use";
import { metricUnit } from "../charts/names";

export default function SweepsPage() {
  const sweeps = useSweeps();
  const may = useMay();
  return (
    <>
      <div className="head">
        <h1>Sweeps</h1>
        <div className="actions">{may && <Link className="button primary" href="/sweeps/new">New sweep</Link>}</div>
      </div>
      <Answer of={sweeps}>{(all) => (all.length ? <Found all={all} /> : <Nothing />)}</Answer>
    </>
  );
}

/** Those that are looked for, by a part of the name or by a tag: their own, or one of their trials'. */
function Found({ all }: { all: SweepSummary[] }) {
  const [typed, setTyped] = useState("");
  const word = useSettled(typed.trim(), 250);
  const tagged = useAsk<SweepSummary[]>(["sweeps", "tagged"], `/sweeps${query({ tag: word })}`, word !== "");
  const has = new Set(word ? (tagged.data ?? []).map((s) => s.id) : []);
  const shown = word ? all.filter((s) => s.name.toLowerCase().includes(word.toLowerCase()) || has.has(s.id)) : all;
  return (
    <>
      {all.length > 1 && (
        <div className="row">
          <input className="filter" type="search" size={34} aria-label="find sweeps" placeholder="find by name or tag" value={typed} onChange={(e) => setTyped(e.target.value)} spellCheck={false} />
          {word && <span className="note" role="status">{shown.length} of {all.length}</span>}
        </div>
      )}
      {shown.length > 0 ? <Lists all={shown} find={setTyped} /> : <Panel label="No sweep found"><Empty title="No sweep is called so">Nor does any have that tag, nor one of its trials.</Empty></Panel>}
    </>
  );
}

function Nothing() {
  return (
    <Panel label="No sweeps">
      <Empty title="No sweep yet">
        <p>A sweep is a TOML file: a search space, a sampler, a stopper, what to train.</p>
        <p><Link href="/sweeps/new">Write one here</Link>, or on the command line:</p>
        <pre>sweepd submit experiments/quickstart.toml</pre>
      </Empty>
    </Panel>
  );
}

type Find = (tag: string) => void;

function Lists({ all, find }: { all: SweepSummary[]; find: Find }) {
  const place = (s: SweepSummary) => s.queue_place ?? Number.MAX_SAFE_INTEGER;
  const open = all.filter((s) => s.state === "active" || s.state === "paused").sort((a, b) => place(a) - place(b) || b.priority - a.priority || a.created_ms - b.created_ms);
  const over = all.filter((s) => !open.includes(s));
  return (
    <>
      {open.length > 0 && <Panel title="Open" hint="in the order in which slots serve them" flush><List sweeps={open} find={find} open /></Panel>}
      {over.length > 0 && <Panel title="Over" hint={`${over.length}`} flush><List sweeps={over} find={find} /></Panel>}
    </>
  );
}

function List({ sweeps, open, find }: { sweeps: SweepSummary[]; open?: boolean; find: Find }) {
  const now = useNow();
  return (
    <>
      <div className="scroll wide-only flush">
        <table className="sweep-table">
          <thead>
            <tr>
              <th>Sweep</th><th>State</th><th>Progress</th><th className="r">Best</th>
              {open ? <><th className="r">Running</th><th className="r">Time left</th><th>Priority</th></> : <><th className="r">Took</th><th className="r">Ended</th></>}
              <th><span className="hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            {sweeps.map((s) => (
              <tr key={s.id}>
                <td><Name sweep={s} find={find} /></td>
                <td><StateMark state={s.state} /></td>
                <td style={{ minWidth: 190 }}><Done sweep={s} /></td>
                <td className="r"><Best sweep={s} /></td>
                {open ? (
                  <>
                    <td className="r">{s.running_workers ?? s.trials.running}</td>
                    <td className="r">{s.eta_ms ? `≈ ${duration(s.eta_ms)}` : "–"}</td>
                    <td><Priority sweep={s} /></td>
                  </>
                ) : (
                  <><td className="r">{s.finished_ms ? duration(s.finished_ms - s.created_ms) : "–"}</td><td className="r">{ago(s.finished_ms, now)}</td></>
                )}
                <td><div className="buttons"><SweepActions sweep={s} brief /></div></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="cards">
        {sweeps.map((s) => (
          <article className="card" key={s.id}>
            <div className="row"><span className="grow"><Name sweep={s} find={find} /></span><StateMark state={s.state} /></div>
            <div><Done sweep={s} /></div>
            <div className="num"><Best sweep={s} /></div>
            {open && <div className="note num">{s.running_workers ?? s.trials.running} running{s.eta_ms ? `, ≈ ${duration(s.eta_ms)} left` : ""}</div>}
            {open && <div className="row"><span className="note">priority</span><Priority sweep={s} /><span className="grow" /><SweepActions sweep={s} brief /></div>}
          </article>
        ))}
      </div>
    </>
  );
}

function Name({ sweep, find }: { sweep: SweepSummary; find: Find }) {
  const { objective, search } = sweep.spec;
  return (
    <>
      <Link href={`/sweeps/${sweep.id}`} className="name">{sweep.name}</Link>
      {sweep.tags.map((tag) => <button key={tag} className="tag" style={{ marginLeft: 6 }} title={`show the sweeps with the tag ${tag}`} onClick={() => find(tag)}>{tag}</button>)}
      <div className="sub"><span className="mono">{sweep.id}</span> · {objective.dataset ?? objective.kind} · {search.sampler.name}{search.stopper ? ` + ${search.stopper.name}` : ""}</div>
    </>
  );
}

function Done({ sweep }: { sweep: SweepSummary }) {
  const { trials } = sweep;
  const ended = trials.completed + trials.stopped + trials.failed + trials.cancelled;
  return (
    <>
      <Progress trials={trials} planned={sweep.planned} />
      <div className="sub num" style={{ marginTop: 4 }}>
        {count(ended)}{sweep.planned ? ` of ${count(sweep.planned)}` : ""} trials
        {trials.failed > 0 && <span style={{ color: "var(--failed)" }}> · {count(trials.failed)} failed</span>}
      </div>
    </>
  );
}

function Best({ sweep }: { sweep: SweepSummary }) {
  const better = gain(sweep.best, sweep.baseline);
  return (
    <>
      <span><span className="faint">{sweep.spec.objective.metric}</span> {metric(sweep.best)} {sweep.best !== null && <span className="faint">{metricUnit(sweep)}</span>}</span>
      {better !== null && <div className={`gain${better < 0 ? " worse" : ""}`}>{percent(Math.abs(better))} {better < 0 ? "worse" : "better"} than the mean face</div>}
    </>
  );
}
