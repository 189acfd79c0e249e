// Submit a sweep: write its file, see mistakes where they are, hand it in.
import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { get, getText, send } from "../lib/api";
import { value } from "../lib/format";
import { fileType, mistakesOf, type Problem } from "../lib/problems";
import type { Dataset, Params } from "../lib/types";
import { Editor } from "../ui/Editor";
import { Mistakes } from "../ui/Mistakes";
import { Empty, Failure, Loading, Panel } from "../ui/parts";
import { useMay, useSettled } from "../ui/use";

const FIRST = `# A sweep: what to search, how, and what to train. docs/trainer.md names every parameter.
name = "my-sweep"
seed = 7

[objective]
kind = "keypoints"          # the built-in trainer; or "command", "external", "toy"
dataset = "faces"
metric = "rmse"

[search]
sampler = "auto"
stopper = "asha"
trials = 50

[space]
family        = { type = "fixed", value = "cnn" }
blocks        = { type = "int", low = 3, high = 5 }
filters       = { type = "choice", values = [8, 16, 32] }
activation    = { type = "choice", values = ["relu", "leaky_relu", "silu"] }
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
batch_size    = { type = "choice", values = [32, 64] }
epochs        = { type = "fixed", value = 27 }
`;

const DRAFT = "sweepd.draft";

type Verdict = { kind: "fine"; first: Params | undefined } | { kind: "mistakes"; problems: Problem[] } | { kind: "unknown"; error: unknown } | null;

async function check(text: string): Promise<Verdict> {
  try {
    const found = await send<{ first_params?: Params } | undefined>("POST", "/sweeps/check", text, fileType(text));
    return { kind: "fine", first: found?.first_params };
  } catch (error) {
    return refusal(error, text);
  }
}

function refusal(error: unknown, text: string): Verdict {
  const problems = mistakesOf(error, text);
  return problems ? { kind: "mistakes", problems } : { kind: "unknown", error };
}

export default function NewSweepPage() {
  const clone = new URLSearchParams(useSearch()).get("clone");
  const [text, setText] = useState<string | null>(clone ? null : sessionStorage.getItem(DRAFT));
  const [failed, setFailed] = useState<unknown>(null);
  useEffect(() => {
    if (clone) getText(`/sweeps/${clone}/source`).then((source) => setText(renamed(source)), setFailed);
    else if (text === null) get<Dataset[]>("/datasets").then((all) => setText(firstFile(all)), () => setText(FIRST));
  }, [clone]);
  if (failed) return <Failure error={failed} />;
  if (text === null) return <Loading />;
  return <Form first={text} clone={clone} />;
}

/** The first file names a dataset that is there. */
function firstFile(all: Dataset[]): string {
  const there = all.find((d) => d.name === "faces") ?? all[0];
  return there ? FIRST.replace('"faces"', `"${there.name}"`) : FIRST;
}

/** A clone gets a name of its own. */
function renamed(source: string): string {
  return source.replace(/^(name\s*=\s*")([^"]*)(")/m, (_, a: string, name: string, b: string) => {
    const found = /^(.*)-(\d+)$/.exec(name);
    return `${a}${found ? `${found[1]}-${Number(found[2]) + 1}` : `${name}-2`}${b}`;
  });
}

function Form({ first, clone }: { first: string; clone: string | null }) {
  const [text, setText] = useState(first);
  const settled = useSettled(text, 400);
  const [verdict, setVerdict] = useState<Verdict>(null);
  const [sending, setSending] = useState(false);
  const may = useMay();
  const [, go] = useLocation();

  useEffect(() => {
    let current = true;
    if (!clone) sessionStorage.setItem(DRAFT, settled);
    if (may) void check(settled).then((found) => current && setVerdict(found));
    return () => void (current = false);
  }, [settled, may, clone]);

  const submit = async () => {
    setSending(true);
    try {
      const { id } = await send<{ id: string }>("POST", "/sweeps", text, fileType(text));
      sessionStorage.removeItem(DRAFT);
      go(`/sweeps/${id}`);
    } catch (error) {
      setVerdict(refusal(error, text));
    } finally {
      setSending(false);
    }
  };
  const problems = verdict?.kind === "mistakes" ? verdict.problems : [];
  return (
    <>
      <p className="crumbs"><Link href="/">Sweeps</Link></p>
      <div className="head">
        <h1>{clone ? "Clone a sweep" : "New sweep"}</h1>
        <div className="actions">
          {!clone && <button className="plain" onClick={() => { sessionStorage.removeItem(DRAFT); void get<Dataset[]>("/datasets").then((all) => setText(firstFile(all)), () => setText(FIRST)); }}>Start over</button>}
          <button className="primary" disabled={!may || sending || verdict?.kind === "mistakes"} title={may ? undefined : "This browser may only read"} onClick={() => void submit()}>Submit</button>
        </div>
      </div>
      <div className="split">
        <Panel title="Sweep file" hint="TOML" flush><Editor text={text} onChange={setText} problems={problems} /></Panel>
        <Panel title="Check">
          {!may && <p className="note">A read-only token cannot submit: run <code>sweepd open</code> for a link that may.</p>}
          {verdict === null && may && <p className="note">checking …</p>}
          {verdict?.kind === "fine" && <Fine first={verdict.first} />}
          {verdict?.kind === "unknown" && <Failure error={verdict.error} />}
          {verdict?.kind === "mistakes" && <Mistakes of={problems} />}
        </Panel>
      </div>
    </>
  );
}

function Fine({ first }: { first: Params | undefined }) {
  return (
    <>
      <p><span className="state completed">It can be submitted.</span></p>
      {first ? (
        <>
          <h3 style={{ margin: "14px 0 6px" }}>Its first trial would be</h3>
          <dl className="pairs">{Object.entries(first).map(([name, v]) => <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd>{value(v)}</dd></div>)}</dl>
        </>
      ) : <Empty title="" />}
    </>
  );
}
