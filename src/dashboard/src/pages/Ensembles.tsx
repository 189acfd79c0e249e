// Trials that predict together: who is in each ensemble, how much each counts, and what that gains over the best alone.
import { Link } from "wouter";
import { ago, count, gain, metric, percent } from "../lib/format";
import type { Ensemble, SweepSummary } from "../lib/types";
import { Answer, Empty, Facts, Panel } from "../ui/parts";
import { useAsk, useNow } from "../ui/use";
import { MakeEnsemble } from "./MakeEnsemble";

export function Ensembles({ sweep }: { sweep: SweepSummary }) {
  const asked = useAsk<Ensemble[]>(["sweep", sweep.id, "ensembles"], `/sweeps/${sweep.id}/ensembles`);
  return (
    <>
      <MakeEnsemble sweep={sweep} />
      <Answer of={asked}>
        {(all) => (all.length > 0 ? <>{all.map((one) => <One key={one.name} of={one} sweep={sweep} />)}</> : (
          <Panel><Empty title="None has been made yet" /></Panel>
        ))}
      </Answer>
    </>
  );
}

function One({ of, sweep }: { of: Ensemble; sweep: SweepSummary }) {
  const now = useNow();
  const best = of.members.reduce((a, b) => (b.rmse < a.rmse ? b : a));
  const better = gain(of.rmse, best.rmse);
  const all = of.members.reduce((sum, member) => sum + member.weight, 0);
  return (
    <Panel title={of.name} hint={ago(of.created_ms, now)} flush>
      <div className="body">
        <Facts
          facts={[
            ["RMSE of the mean", metric(of.rmse), `px on ${count(of.rows)} validation rows`],
            ["Best member", metric(best.rmse), <>px, <Link href={`/trials/${best.trial_id}`}>{best.trial}</Link></>],
            ["Gain", better === null ? "–" : `${better < 0 ? "−" : ""}${percent(Math.abs(better), 1)}`, better !== null && better < 0 ? "worse than that member" : "better than that member"],
            ["Members", count(of.members.length)],
          ]}
        />
      </div>
      <div className="scroll flush">
        <table aria-label={`members of ${of.name}`}>
          <thead><tr><th>trial</th><th className="r">weight</th><th className="wide-only" style={{ width: "40%" }}><span className="hidden">share</span></th><th className="r">RMSE alone (px)</th></tr></thead>
          <tbody>
            {of.members.map((member) => (
              <tr key={member.trial_id}>
                <td><Link href={`/trials/${member.trial_id}`}>{member.trial}</Link></td>
                <td className="r" title={`counts ${member.weight} of ${all} times`}>{percent(member.weight / all)}</td>
                <td className="wide-only"><div className="meter"><span style={{ width: `${(100 * member.weight) / all}%` }} /></div></td>
                <td className={member === best ? "r best" : "r"}>{metric(member.rmse)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="body note" style={{ paddingTop: 10 }}>Predict with it: <code>sweepd predict {sweep.id}/{of.name} --test PATH</code></div>
    </Panel>
  );
}
