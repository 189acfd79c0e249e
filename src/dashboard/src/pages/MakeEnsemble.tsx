// Has the daemon put an ensemble together, and shows how far it is; where it cannot, the commands that do.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../lib/api";
import { count } from "../lib/format";
import type { EnsembleJob, EnsembleMaking, SweepSummary } from "../lib/types";
import { Command } from "../ui/Command";
import { Answer, Failure, Panel, Segmented } from "../ui/parts";
import { useMay, useSend } from "../ui/use";

const MOST = 100;

export function MakeEnsemble({ sweep }: { sweep: SweepSummary }) {
  const path = `/sweeps/${sweep.id}/ensembles/make`;
  const making = useQuery({
    queryKey: ["sweep", sweep.id, "ensembles", "making"],
    queryFn: ({ signal }) => get<EnsembleMaking>(path, signal),
    refetchInterval: ({ state }) => (state.data?.job?.progress === "working" ? 1000 : false),
  });
  const may = useMay();
  return (
    <Panel title="Make an ensemble" hint="the mean of several networks is often better than the best of them">
      <Answer of={making}>
        {({ available, job }) => (available && may ? <Form path={path} sweep={sweep} job={job} /> : (
          <div className="stack">
            <p>{available ? "A read-only token cannot make one here." : "The daemon has no sweepd-worker beside it, which predicts."} {available ? "On" : "Where there is one, on"} the command line:</p>
            <Command text={`sweepd ensemble ${sweep.id} --greedy`} />
            <p className="note">adds whoever makes the mean better; and the mean of the best eight:</p>
            <Command text={`sweepd ensemble ${sweep.id} --top 8`} />
          </div>
        ))}
      </Answer>
    </Panel>
  );
}

function Form({ path, sweep, job }: { path: string; sweep: SweepSummary; job: EnsembleJob | null }) {
  const [way, setWay] = useState<"greedy" | "top">("greedy");
  const [candidates, setCandidates] = useState(24);
  const [top, setTop] = useState(8);
  const [name, setName] = useState("");
  const send = useSend([["sweep", sweep.id, "ensembles"]]);
  const working = job?.progress === "working";
  const [trials, setTrials] = way === "greedy" ? [candidates, setCandidates] : [top, setTop];
  const fits = Number.isInteger(trials) && trials >= 1 && trials <= MOST;
  const make = () => send.mutate({ method: "POST", path, body: { ...(way === "greedy" ? { candidates } : { top }), ...(name.trim() ? { name: name.trim() } : {}) } });
  return (
    <div className="stack">
      <form className="row" onSubmit={(e) => { e.preventDefault(); make(); }}>
        <Segmented label="how members are chosen" choices={[["greedy", "chosen greedily"], ["top", "all"]]} at={way} go={setWay} />
        <label className="field">of the best <input type="number" min={1} max={MOST} value={trials || ""} aria-invalid={!fits} onChange={(e) => setTrials(e.target.valueAsNumber)} style={{ width: 68 }} /> trials</label>
        <label className="field">name <input type="text" value={name} maxLength={64} placeholder={way === "greedy" ? "greedy" : `top${top || ""}`} onChange={(e) => setName(e.target.value)} style={{ width: 120 }} /></label>
        <button type="submit" className="primary" disabled={working || send.isPending || !fits}>Make it</button>
      </form>
      <p className="note">Each trial's best weights predict the validation rows, in a process beside the training that goes on. An ensemble of the same name is replaced.</p>
      {send.error && <Failure error={send.error} />}
      {working && (
        <div role="status">
          <p><span className="state running">{job.name}: {count(job.predicted)} of {count(job.of)} trials have predicted</span></p>
          <div className="meter" style={{ marginTop: 6 }}><span style={{ width: `${(100 * job.predicted) / Math.max(job.of, 1)}%` }} /></div>
        </div>
      )}
      {job?.progress === "failed" && <Failure error={new Error(`${job.name} was not made: ${job.error}`)} />}
    </div>
  );
}
