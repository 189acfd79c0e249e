// Datasets: their faces, which labels are missing, and what augmentation does to them.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { Bars } from "../charts/Bars";
import { get } from "../lib/api";
import { count, metric, percent } from "../lib/format";
import type { Dataset, DatasetFaces } from "../lib/types";
import { Answer, Empty, Facts, Panel } from "../ui/parts";
import { FaceView } from "../ui/Face";
import { useAsk } from "../ui/use";
import { AugmentPanel } from "./Augment";

export default function DataPage({ name }: { name?: string }) {
  const asked = useAsk<Dataset[]>(["datasets"], "/datasets");
  const [, go] = useLocation();
  return (
    <Answer of={asked}>
      {(all) => {
        const shown = all.find((d) => d.name === name) ?? all[0];
        return (
          <>
            <div className="head">
              <h1>Data</h1>
              {all.length > 0 && <select aria-label="dataset" value={shown?.name} onChange={(e) => go(`/data/${encodeURIComponent(e.target.value)}`)}>{all.map((d) => <option key={d.name}>{d.name}</option>)}</select>}
            </div>
            {shown ? <One key={shown.name} data={shown} /> : (
              <Panel label="No data"><Empty title="No dataset yet"><p>Import the Kaggle archive, or draw faces to begin with:</p><pre>sweepd data import faces facial-keypoints-detection.zip{"\n"}sweepd data synth synthetic --rows 3000</pre></Empty></Panel>
            )}
          </>
        );
      }}
    </Answer>
  );
}

function One({ data }: { data: Dataset }) {
  const columns = Object.entries(data.missing);
  const missing = columns.reduce((sum, [, n]) => sum + n, 0);
  const share = columns.length && data.rows ? missing / (columns.length * data.rows) : 0;
  // x and y of a point are nearly always missing together: one bar per point.
  const points = data.keypoints.map((name) => {
    const [x, y] = [data.missing[`${name}_x`] ?? 0, data.missing[`${name}_y`] ?? 0];
    return { name: name.replaceAll("_", " "), value: Math.max(x, y), more: [["x missing", count(x)], ["y missing", count(y)], ["of", `${count(data.rows)} rows`]] as [string, string][] };
  });
  return (
    <>
      <Facts facts={[["Rows", count(data.rows)], ["Complete rows", count(data.complete_rows), percent(data.complete_rows / Math.max(1, data.rows))], ["Missing labels", percent(share, 1)], ["Mean face", metric(data.baseline), "px rmse"], ...(data.numbers.length ? [["Further columns", data.numbers.join(", ")] as [string, string]] : [])]} />
      <div className="split">
        <Faces name={data.name} />
        <Panel title="Missing labels" hint="by keypoint">
          {missing === 0 ? <Empty title="Nothing is missing">Every row has every label.</Empty> : <Bars label="Missing labels of each keypoint" x="missing (rows)" bars={points} />}
        </Panel>
      </div>
      <AugmentPanel name={data.name} />
    </>
  );
}

function Faces({ name }: { name: string }) {
  const asked = useInfiniteQuery({
    queryKey: ["faces", name],
    queryFn: ({ pageParam, signal }) => get<DatasetFaces>(`/datasets/${encodeURIComponent(name)}/faces?offset=${pageParam}&limit=24`, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const seen = pages.reduce((sum, p) => sum + p.faces.length, 0);
      return seen < last.rows && last.faces.length ? seen : undefined;
    },
    placeholderData: keepPreviousData,
  });
  return (
    <Panel title="Faces" tools={<span className="key truth">label</span>}>
      <Answer of={asked}>
        {({ pages }) => (
          <>
            <div className="faces small">
              {pages.flatMap((p) => p.faces).map((f) => <FaceView key={f.row} pixels={f.pixels} truth={f.truth} left={`row ${f.row}`} right={`${f.truth.filter(Boolean).length} of ${f.truth.length}`} label={`face ${f.row}`} />)}
            </div>
            {asked.hasNextPage && <p style={{ textAlign: "center", marginTop: 12 }}><button disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>More faces</button></p>}
          </>
        )}
      </Answer>
    </Panel>
  );
}
