// What augmentation does: a few faces, each changed some ways.
import { useState } from "react";
import { send } from "../lib/api";
import type { Augmented } from "../lib/types";
import { Answer, Panel } from "../ui/parts";
import { FaceView } from "../ui/Face";
import { useSettled } from "../ui/use";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

interface Knob { name: string; title: string; max: number; step: number; first: number; unit: string }

const KNOBS: Knob[] = [
  { name: "augment_flip", title: "flip", max: 1, step: 0.05, first: 0.5, unit: "" },
  { name: "augment_rotation", title: "rotation", max: 45, step: 1, first: 14, unit: "°" },
  { name: "augment_zoom", title: "zoom", max: 0.5, step: 0.01, first: 0.15, unit: "" },
  { name: "augment_shift", title: "shift", max: 0.3, step: 0.01, first: 0.06, unit: "" },
  { name: "augment_crop", title: "crop", max: 0.5, step: 0.01, first: 0, unit: "" },
  { name: "augment_distortion", title: "distortion", max: 0.5, step: 0.01, first: 0, unit: "" },
  { name: "augment_brightness", title: "brightness", max: 1, step: 0.05, first: 0.2, unit: "" },
  { name: "augment_contrast", title: "contrast", max: 1, step: 0.05, first: 0.2, unit: "" },
  { name: "augment_noise", title: "noise", max: 0.5, step: 0.01, first: 0, unit: "" },
  { name: "augment_blur", title: "blur", max: 3, step: 0.1, first: 0, unit: "px" },
  { name: "augment_erase", title: "erase", max: 0.5, step: 0.01, first: 0, unit: "" },
];

export function AugmentPanel({ name }: { name: string }) {
  const [values, setValues] = useState(() => Object.fromEntries(KNOBS.map((k) => [k.name, k.first])));
  const [seed, setSeed] = useState(1);
  const params = useSettled(Object.fromEntries(Object.entries(values).filter(([, v]) => v > 0)), 250);
  const body = { params, rows: null, seed };
  const asked = useQuery({
    queryKey: ["augment", name, body],
    // It changes nothing, but is asked for with POST: its parameters fill a body.
    queryFn: () => send<Augmented>("POST", `/datasets/${encodeURIComponent(name)}/augment`, body),
    placeholderData: keepPreviousData,
  });
  return (
    <Panel title="Augmentation" hint="the first of each row is as it was" tools={<button onClick={() => setSeed(seed + 1)}>Draw again</button>}>
      <div className="augment">
        <div className="sliders">
          {KNOBS.map((k) => (
            <label key={k.name} style={{ display: "contents" }}>
              <span title={k.name}>{k.title}</span>
              <input type="range" min={0} max={k.max} step={k.step} value={values[k.name]} onChange={(e) => setValues({ ...values, [k.name]: Number(e.target.value) })} aria-label={k.name} />
              <output>{values[k.name]}{k.unit}</output>
            </label>
          ))}
        </div>
        <div className="grow">
          <Answer of={asked} quiet={(e) => (e.code === "no_trainer" ? <p className="note">{e.message}</p> : undefined)}>
            {({ faces }) => (
              <div className="stack" style={{ gap: 10 }}>
                {faces.slice(0, 4).map((f) => (
                  <div key={f.row} className="variants">
                    <FaceView pixels={f.pixels} truth={f.truth} label={`face ${f.row} as it was`} />
                    {f.variants.slice(0, 6).map((v, at) => <FaceView key={at} pixels={v.pixels} truth={v.truth} label={`face ${f.row}, variant ${at + 1}`} />)}
                  </div>
                ))}
              </div>
            )}
          </Answer>
        </div>
      </div>
    </Panel>
  );
}
