// One sweep: how far it is, its pictures, its trials.
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { CompareCharts } from "../charts/Compare";
import { CurvesChart } from "../charts/Curves";
import { FrontChart } from "../charts/Front";
import { HistoryChart } from "../charts/History";
import { ImportanceChart } from "../charts/Importance";
import { metricUnit } from "../charts/names";
import { ParallelChart } from "../charts/Parallel";
import { ContourChart, SliceChart } from "../charts/Slice";
import { TimelineChart } from "../charts/Timeline";
import { ago, bytes, count, duration, gain, metric, moment, percent } from "../lib/format";
import { tooLarge } from "../lib/reason";
import type { SweepSummary } from "../lib/types";
import { type Brush, expression } from "../lib/where";
import { Answer, EditableNote, Facts, Progress, StateMark, Tabs, Tags, TrialLink } from "../ui/parts";
import { Priority, SweepActions } from "../ui/SweepActions";
import { useAsk, useMay, useNow, useSend, useSweep } from "../ui/use";
import { EditedNote, Edits } from "./Edits";
import { Ensembles } from "./Ensembles";
import { Leaderboard } from "./Leaderboard";

export default function SweepPage({ id }: { id: string }) {
  return <Answer of={useSweep(id)}>{(sweep) => <Page sweep={sweep} />}</Answer>;
}

type Tab = "overview" | "parameters" | "slices" | "front" | "timeline" | "compare" | "ensembles";

function Page({ sweep }: { sweep: SweepSummary }) {
  const several = (sweep.spec.objective.further ?? []).length > 0;
  const tabs: [Tab, string][] = [
    ["overview", "Overview"], ["parameters", "Parameters"], ["slices", "Importance and slices"],
    ...(several ? [["front", "Front"] as [Tab, string]] : []), ["timeline", "Timeline"], ["compare", "Compare sweeps"],
    ...(sweep.spec.objective.kind === "keypoints" ? [["ensembles", "Ensembles"] as [Tab, string]] : []),
  ];
  const asked = location.hash.slice(1) as Tab;
  const [tab, setTab] = useState<Tab>(tabs.some(([key]) => key === asked) ? asked : "overview");
  const [brushes, setBrushes] = useState<Brush[]>([]);
  const [where, setWhere] = useState("");
  const [file, setFile] = useState(false);
  const brushed = useMemo(() => (tab === "parameters" ? expression(brushes) : ""), [brushes, tab]);
  useEffect(() => {
    document.title = `${sweep.name} · sweepd`;
    return () => void (document.title = "sweepd");
  }, [sweep.name]);
  const go = (key: string) => {
    setTab(key as Tab);
    setBrushes([]);
    history.replaceState(null, "", key === "overview" ? location.pathname : `#${key}`);
  };
  return (
    <>
      <Head sweep={sweep} />
      <div className="stack">
        <Tabs tabs={tabs} at={tab} go={go} />
        {tab === "overview" && <div className="grid"><HistoryChart sweep={sweep} /><CurvesChart sweep={sweep} where={where} /></div>}
        {tab === "parameters" && <div className="stack"><ParallelChart sweep={sweep} onBrush={setBrushes} /></div>}
        {tab === "slices" && <div className="grid"><ImportanceChart id={sweep.id} /><SliceChart sweep={sweep} where={where} /><ContourChart sweep={sweep} where={where} /></div>}
        {tab === "front" && several && <FrontChart sweep={sweep} />}
        {tab === "timeline" && <TimelineChart id={sweep.id} />}
        {tab === "ensembles" && <Ensembles sweep={sweep} />}
        {tab === "compare" && <div className="grid"><CompareCharts sweep={sweep} /></div>}
      </div>
      <Leaderboard sweep={sweep} brushed={brushed} onWhere={setWhere} />
      <Edits sweep={sweep} />
      <details className="panel" onToggle={(e) => setFile(file || e.currentTarget.open)}>
        <summary>Sweep file</summary>
        {file && <Source id={sweep.id} key={sweep.edits} />}
      </details>
    </>
  );
}

function Head({ sweep }: { sweep: SweepSummary }) {
  const now = useNow();
  const may = useMay();
  const note = useSend([["sweep", sweep.id], ["sweeps"]]);
  const best = useAsk<{ trials?: { trial_id: number; number: number }[] }>(["sweep", sweep.id, "best"], `/sweeps/${sweep.id}/trials?limit=1`, sweep.best !== null);
  const better = gain(sweep.best, sweep.baseline);
  const open = sweep.state === "active" || sweep.state === "paused";
  const { trials, spec } = sweep;
  const ended = trials.completed + trials.stopped + trials.failed + trials.cancelled;
  const bestId = best.data?.trials?.find((t) => t.number === sweep.best_trial)?.trial_id;
  const number = sweep.best_trial === null ? null : bestId === undefined ? <span>#{sweep.best_trial}</span> : <TrialLink id={bestId} number={sweep.best_trial} />;
  return (
    <>
      <p className="crumbs"><Link href="/">Sweeps</Link></p>
      <div className="head">
        <h1>{sweep.name}</h1>
        <StateMark state={sweep.state} />
        <span className="note">
          <span className="mono">{sweep.id}</span> · {spec.objective.dataset ?? spec.objective.kind} · {spec.search.sampler.name}{spec.search.stopper ? ` + ${spec.search.stopper.name}` : ""} · <span title={moment(sweep.created_ms)}>{ago(sweep.created_ms, now)}</span><EditedNote sweep={sweep} />
        </span>
        <Tags tags={sweep.tags} disabled={!may} save={(tags) => note.mutate({ method: "PUT", path: `/sweeps/${sweep.id}/tags`, body: { tags } })} />
        <EditableNote text={sweep.note ?? ""} disabled={!may} save={(text) => note.mutate({ method: "PUT", path: `/sweeps/${sweep.id}/note`, body: { text } })} />
        <div className="actions"><SweepActions sweep={sweep} /></div>
      </div>
      <Facts
        facts={[
          ["Best " + spec.objective.metric, <>{metric(sweep.best)}</>, <>{metricUnit(sweep)}{number && <> in {number}</>}</>],
          sweep.baseline !== null ? ["Mean face", metric(sweep.baseline), better === null ? metricUnit(sweep) : `${percent(Math.abs(better))} ${better < 0 ? "worse" : "better"} now`] : null,
          ["Trials", <span key="t">{count(ended)}<small>{sweep.planned ? `of ${count(sweep.planned)} ended` : "ended"}</small><span style={{ display: "block", paddingTop: 4, fontWeight: 400, letterSpacing: 0 }}><Progress trials={trials} planned={sweep.planned} legend /></span></span>],
          open ? ["Running", String(sweep.running_workers ?? trials.running), sweep.queue_place ? `place ${sweep.queue_place} in the queue` : undefined] : null,
          open ? ["Time left", sweep.eta_ms ? `≈ ${duration(sweep.eta_ms)}` : "–"] : ["Took", sweep.finished_ms ? duration(sweep.finished_ms - sweep.created_ms) : "–"],
          sweep.too_large ? ["Memory", <span key="m" title={tooLarge(sweep.too_large)}>≤ {bytes(sweep.too_large.above_bytes)}</span>, "by the estimate"] : null,
          open ? ["Priority", <Priority key="p" sweep={sweep} />] : null,
        ]}
      />
    </>
  );
}

function Source({ id }: { id: string }) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    fetch(`/api/v1/sweeps/${id}/source`).then((r) => (r.ok ? r.text() : Promise.reject(new Error()))).then(setText, () => setText("The file cannot be read just now."));
  }, [id]);
  return <pre className="well">{text ?? "loading …"}</pre>;
}
