// The small parts that every page is made of.
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Link } from "wouter";
import { ApiError } from "../lib/api";
import { count } from "../lib/format";
import type { TrialState } from "../lib/types";

export function StateMark({ state }: { state: string }) {
  return <span className={`state ${state}`}>{state}</span>;
}

export function Panel(props: { title?: ReactNode; hint?: ReactNode; tools?: ReactNode; wide?: boolean; flush?: boolean; children: ReactNode; label?: string }) {
  const id = useId();
  return (
    <section className={`panel${props.wide ? " wide" : ""}`} aria-labelledby={props.title ? id : undefined} aria-label={props.label}>
      {(props.title || props.tools) && (
        <header>
          {props.title && <h2 id={id}>{props.title}</h2>}
          {props.hint && <span className="note">{props.hint}</span>}
          {props.tools && <div className="tools">{props.tools}</div>}
        </header>
      )}
      {props.flush ? props.children : <div className="body">{props.children}</div>}
    </section>
  );
}

export function Facts({ facts }: { facts: ([name: string, value: ReactNode, small?: ReactNode] | null)[] }) {
  return (
    <dl className="facts">
      {facts.filter((f) => f !== null).map(([name, shown, small]) => (
        <div key={name} className={name === "Trials" ? "progress-fact" : undefined}>
          <dt>{name}</dt>
          <dd>{shown}{small !== undefined && small !== null && <small>{small}</small>}</dd>
        </div>
      ))}
    </dl>
  );
}

const ORDER: TrialState[] = ["completed", "stopped", "failed", "cancelled", "running", "stopping", "paused", "queued"];

/** How many trials are in each state, of all that are planned. */
export function Progress({ trials, planned, legend }: { trials: Record<TrialState, number>; planned: number | null; legend?: boolean }) {
  const made = ORDER.reduce((sum, s) => sum + trials[s], 0);
  const whole = Math.max(planned ?? made, made, 1);
  const there = ORDER.filter((s) => trials[s] > 0);
  const words = there.map((s) => `${count(trials[s])} ${s}`).join(", ") || "none yet";
  return (
    <>
      <div className="progress" role="img" aria-label={words} title={words}>
        {there.map((s) => <span key={s} className={s === "stopping" ? "running" : s} style={{ width: `${(100 * trials[s]) / whole}%` }} />)}
      </div>
      {legend && (
        <div className="legend">
          {there.map((s) => <span key={s} className={`state ${s}`}><span className="num">{count(trials[s])}</span> {s}</span>)}
        </div>
      )}
    </>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return <div className="empty"><strong>{title}</strong>{children}</div>;
}

export function Loading() {
  return <div className="loading" role="status">loading …</div>;
}

/** What went wrong and what to do next. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  if (error instanceof ApiError && error.status === 401) return <NoEntry />;
  const message = error instanceof Error ? error.message : String(error);
  const problems = error instanceof ApiError ? error.problems.filter((p) => p !== message) : [];
  return (
    <div className="alert" role="alert">
      <span className="grow">{message}</span>
      {retry && <button onClick={retry}>Try again</button>}
      {problems.length > 0 && <ul>{problems.map((p) => <li key={p}>{p}</li>)}</ul>}
    </div>
  );
}

export function NoEntry() {
  return (
    <Empty title="This browser has no key yet">
      <p>On the machine where the daemon runs, as its user:</p>
      <pre>sweepd open</pre>
      <p>It prints a link that works once and lets this browser in.</p>
    </Empty>
  );
}

/** The three ways a question can stand. */
export function Answer<T>(props: {
  of: { data: T | undefined; error: unknown; refetch: () => unknown };
  quiet?: (error: ApiError) => ReactNode | undefined;
  children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = props.of;
  if (data !== undefined) return <>{props.children(data)}</>;
  if (error) {
    const said = error instanceof ApiError ? props.quiet?.(error) : undefined;
    return said !== undefined ? <>{said}</> : <Failure error={error} retry={() => void refetch()} />;
  }
  return <Loading />;
}

export function Tabs({ tabs, at, go }: { tabs: [key: string, label: string][]; at: string; go: (key: string) => void }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Where they do not fit, the one that is open is in sight.
    const [box, tab] = [list.current!, list.current!.querySelector<HTMLElement>(`[data-tab="${at}"]`)];
    if (tab && tab.offsetLeft + tab.offsetWidth > box.scrollLeft + box.clientWidth - 32) box.scrollLeft = tab.offsetLeft - 16;
    else if (tab && tab.offsetLeft < box.scrollLeft) box.scrollLeft = tab.offsetLeft - 16;
  }, [at]);
  const move = (by: number) => {
    const next = tabs[(tabs.findIndex(([key]) => key === at) + by + tabs.length) % tabs.length]!;
    go(next[0]);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next[0]}"]`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" ref={list} onKeyDown={(e) => {
      if (e.key === "ArrowRight") move(1);
      if (e.key === "ArrowLeft") move(-1);
    }}>
      {tabs.map(([key, label]) => (
        <button key={key} role="tab" data-tab={key} aria-selected={key === at} tabIndex={key === at ? 0 : -1} onClick={() => go(key)}>{label}</button>
      ))}
    </div>
  );
}

export function Segmented<K extends string>({ label, choices, at, go }: { label: string; choices: [K, string][]; at: K; go: (key: K) => void }) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map(([key, word]) => <button key={key} type="button" aria-pressed={key === at} onClick={() => go(key)}>{word}</button>)}
    </div>
  );
}

/** Asks before something that cannot be taken back. */
export function Confirm(props: { title: string; text: string; yes: string; onYes: () => void; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={props.onClose} aria-label={props.title}>
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      <div className="actions">
        <button autoFocus onClick={() => dialog.current?.close()}>Keep it</button>
        <button className="danger" onClick={() => { props.onYes(); dialog.current?.close(); }}>{props.yes}</button>
      </div>
    </dialog>
  );
}

/** A button that opens a small menu; Escape and a click beside it close it. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (e: Event) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  return (
    <div className="anchor" ref={box} onKeyDown={(e) => e.key === "Escape" && setOpen(false)}>
      <button aria-expanded={open} onClick={() => setOpen(!open)}>{label}</button>
      {open && <div className="popover">{children}</div>}
    </div>
  );
}

export function TrialLink({ id, number }: { id: number; number: number }) {
  return <Link href={`/trials/${id}`} className="num">#{number}</Link>;
}

/** A line of text that is edited where it stands. */
export function EditableNote({ text, save, disabled }: { text: string; save: (text: string) => void; disabled: boolean }) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <span className="note">
        {text}{text && " "}
        {!disabled && <button className="plain" onClick={() => setDraft(text)}>{text ? "edit" : "add a note"}</button>}
      </span>
    );
  }
  return (
    <form className="row grow" onSubmit={(e) => { e.preventDefault(); save(draft); setDraft(null); }}>
      <input type="text" className="grow" aria-label="note" autoFocus value={draft} onChange={(e) => setDraft(e.target.value)} onKeyDown={(e) => e.key === "Escape" && setDraft(null)} />
      <button type="submit">Save</button>
    </form>
  );
}

/** Words to find something by, and a place for another one. */
export function Tags({ tags, save, disabled }: { tags: string[]; save: (tags: string[]) => void; disabled: boolean }) {
  const [draft, setDraft] = useState("");
  return (
    <span className="row">
      {tags.map((tag) => <span className="tag" key={tag}>{tag}{!disabled && <button aria-label={`remove tag ${tag}`} onClick={() => save(tags.filter((t) => t !== tag))}>×</button>}</span>)}
      {!disabled && (
        <form onSubmit={(e) => { e.preventDefault(); if (draft.trim()) save([...tags, draft.trim()]); setDraft(""); }}>
          <input type="text" size={7} placeholder="+ tag" aria-label="new tag" value={draft} onChange={(e) => setDraft(e.target.value)} style={{ height: 24, borderStyle: "dashed" }} />
        </form>
      )}
    </span>
  );
}
