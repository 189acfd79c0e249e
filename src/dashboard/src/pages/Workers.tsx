// Slots and who works on them, and how busy the machine is.
import { useMemo } from "react";
import { Link } from "wouter";
import { Lines } from "../charts/Lines";
import { ago, bytes, duration, percent } from "../lib/format";
import type { DeviceRow, Workers, WorkersHistory } from "../lib/types";
import { Answer, Empty, Facts, Panel, StateMark, TrialLink } from "../ui/parts";
import { useAsk, useNow } from "../ui/use";

export default function WorkersPage() {
  const asked = useAsk<Workers>(["workers"], "/workers");
  return (
    <>
      <div className="head"><h1>Workers</h1></div>
      <Answer of={asked}>{(found) => <Page found={found} />}</Answer>
    </>
  );
}

function Page({ found }: { found: Workers }) {
  const history = found.history ?? [];
  const last = history.at(-1);
  const working = found.workers.filter((w) => w.work).length;
  return (
    <>
      <Facts
        facts={[
          ["Slots", String(found.workers.length), `${working} working`],
          last?.cpu_share != null ? ["CPU", percent(last.cpu_share)] : null,
          last?.memory_used_bytes != null ? ["Memory in use", bytes(last.memory_used_bytes)] : null,
          ...found.devices.map((d): [string, string, string] => [d.device, d.utilisation == null ? "–" : percent(d.utilisation), `${bytes(d.total_bytes - d.free_bytes)} of ${bytes(d.total_bytes)}`]),
        ]}
      />
      <Slots found={found} />
      {history.length > 1 ? <Load history={history} devices={found.devices} /> : <Panel title="Load"><Empty title="No readings yet">They are taken every five seconds and kept for an hour.</Empty></Panel>}
    </>
  );
}

function Slots({ found }: { found: Workers }) {
  const now = useNow();
  if (found.workers.length === 0) {
    return <Panel title="Slots"><Empty title="No worker"><p>The daemon starts one per slot. More can come from other machines:</p><pre>sweepd-worker --server URL</pre></Empty></Panel>;
  }
  return (
    <Panel title="Slots" flush>
      <div className="scroll flush">
        <table>
          <thead><tr><th>slot</th><th>state</th><th>trial</th><th>progress</th><th className="r">for</th><th className="r">machine memory</th><th className="r">device memory</th><th className="r">last heard</th><th className="r">lease until</th><th className="r">pid</th></tr></thead>
          <tbody>
            {found.workers.map((w) => (
              <tr key={`${w.slot} ${w.worker}`}>
                <td className="num"><b>{w.slot}</b> <span className="faint wide-only">{w.worker}</span></td>
                <td><StateMark state={w.state === "working" ? "running" : w.state} /></td>
                <td className="num">{w.work ? <><TrialLink id={w.work.trial_id} number={w.work.trial} /> of <Link href={`/sweeps/${w.work.sweep}`}>{w.work.sweep_name}</Link></> : <span className="faint">–</span>}</td>
                <td style={{ minWidth: 130 }}>{w.work && <Steps done={w.work.steps} of={w.work.budget_steps} />}</td>
                <td className="r">{w.work ? duration(now - w.work.since_ms) : "–"}</td>
                <td className="r">{bytes(w.resident_bytes)}</td>
                <td className="r">{bytes(w.device_memory_bytes)}</td>
                <td className="r">{ago(w.heard_ms, now)}</td>
                <td className="r">{w.lease_until_ms ? ago(w.lease_until_ms, now) : "–"}</td>
                <td className="r faint">{w.pid ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function Steps({ done, of }: { done: number; of: number | null }) {
  return (
    <div className="row" style={{ flexWrap: "nowrap" }}>
      {of ? <div className="meter grow" role="img" aria-label={`${done} of ${of} steps`}><span style={{ width: `${Math.min(100, (100 * done) / of)}%` }} /></div> : null}
      <span className="num note">{of ? `${done} / ${of}` : `${done} steps`}</span>
    </div>
  );
}

const GIB = 1024 ** 3;

function Load({ history, devices }: { history: WorkersHistory[]; devices: DeviceRow[] }) {
  const lines = useMemo(() => {
    const of = (pick: (h: WorkersHistory) => number | null | undefined) => history.map((h): [number, number | null] => [h.at_ms, pick(h) ?? null]);
    const device = (h: WorkersHistory, d: DeviceRow) => h.devices.find((x) => x.device === d.device);
    return {
      busy: [...devices.map((d) => ({ name: d.device, points: of((h) => device(h, d)?.utilisation) })), { name: "CPU", dashed: true, points: of((h) => h.cpu_share) }],
      memory: [...devices.map((d) => ({ name: d.device, area: true, points: of((h) => (device(h, d) ? device(h, d)!.used_bytes / GIB : null)) })), { name: "machine", dashed: true, points: of((h) => (h.memory_used_bytes === null ? null : h.memory_used_bytes / GIB)) }],
    };
  }, [history, devices]);
  return (
    <div className="grid">
      <Panel title="Use" hint="the last hour"><Lines label="Use of devices and processor over the last hour" time lines={lines.busy} x="time (local)" y="in use (%)" max={1} format={(v) => String(Math.round(v * 100))} /></Panel>
      <Panel title="Memory" hint="the last hour"><Lines label="Memory in use over the last hour" time lines={lines.memory} x="time (local)" y="in use (GiB)" format={(v) => v.toFixed(1)} /></Panel>
    </div>
  );
}
