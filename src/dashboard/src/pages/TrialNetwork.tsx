// A trial's network: how far off it is, face by face and point by point, and its layers.
import { Bars } from "../charts/Bars";
import { bytes, count, metric } from "../lib/format";
import type { Face, Faces, Layers } from "../lib/types";
import { Answer, Panel } from "../ui/parts";
import { useAsk } from "../ui/use";
import { FaceView } from "../ui/Face";

export function TrialFaces({ id }: { id: string }) {
  const asked = useAsk<Faces>(["trial-faces", id], `/trials/${id}/faces?most=12`);
  const quiet = (e: { status: number; message: string }) => (e.status === 409 || e.status === 404 || e.status === 503 ? <p className="note">{e.message}</p> : undefined);
  return (
    <>
      <Panel title="Faces" hint={asked.data && `validation rmse ${metric(asked.data.rmse)} px`} tools={<><span className="key truth">true</span><span className="key predicted">predicted</span></>}>
        <Answer of={asked} quiet={quiet}>
          {(faces) => (
            <div className="stack">
              <Row title="Worst" faces={faces.worst} side={faces.side_px} />
              <Row title="Best" faces={faces.best} side={faces.side_px} />
            </div>
          )}
        </Answer>
      </Panel>
      {asked.data && (
        <Panel title="Error per keypoint">
          <Bars label="RMSE of each keypoint" x="rmse (px)"
            bars={[...asked.data.per_keypoint].sort((a, b) => (b.rmse ?? 0) - (a.rmse ?? 0)).map((k) => ({ name: k.name.replaceAll("_", " "), value: k.rmse, more: [["rmse", `${metric(k.rmse)} px`], ["labels", count(k.labels)]] }))} />
        </Panel>
      )}
    </>
  );
}

function Row({ title, faces, side }: { title: string; faces: Face[]; side: number }) {
  return (
    <div>
      <h3 style={{ marginBottom: 6 }}>{title}</h3>
      <div className="faces small">
        {faces.map((f) => (
          <FaceView key={f.row} pixels={f.pixels} side={side} truth={f.truth} predicted={f.predicted} left={`row ${f.row}`} right={`${metric(f.rmse).slice(0, 4)} px`} label={`face ${f.row}, rmse ${metric(f.rmse)} px`} />
        ))}
      </div>
    </div>
  );
}

export function TrialLayers({ id }: { id: string }) {
  const asked = useAsk<Layers>(["trial-layers", id], `/trials/${id}/layers`);
  return (
    <Panel title="Layers" hint={asked.data && `${count(asked.data.parameter_count)} weights, about ${bytes(asked.data.memory_bytes)} to train`} flush>
      <Answer of={asked} quiet={(e) => (e.code === "no_network" || e.status === 404 ? <div className="body note">{e.message}</div> : undefined)}>
        {({ layers }) => (
          <div className="scroll flush" style={{ maxHeight: 420 }}>
            <table>
              <thead><tr><th>layer</th><th>kind</th><th className="r">output</th><th className="r">weights</th></tr></thead>
              <tbody>{layers.map((layer, at) => <tr key={at}><td className="mono">{layer.name}</td><td>{layer.kind}</td><td className="r">{layer.output.join(" × ")}</td><td className="r">{layer.parameters ? count(layer.parameters) : "–"}</td></tr>)}</tbody>
            </table>
          </div>
        )}
      </Answer>
    </Panel>
  );
}
