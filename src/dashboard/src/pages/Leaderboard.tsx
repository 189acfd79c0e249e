// The leaderboard: sorted and filtered by the daemon, paged by cursor, drawn only where it is looked at.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, get } from "../lib/api";
import { query } from "../lib/query";
import { type BoardColumn, boardColumns, firstColumns } from "../lib/columns";
import { paths } from "../lib/early";
import { count } from "../lib/format";
import type { SweepSummary, TrialPage, TrialSummary } from "../lib/types";
import { both, tagged } from "../lib/where";
import { Empty, Failure, Loading, Menu, Panel, StateMark, TrialLink } from "../ui/parts";
import { useKept, useSettled } from "../ui/use";
import { Compare } from "./CompareTrials";

const ROW_PX = 34;
const MOST_COMPARED = 8;

interface Props { sweep: SweepSummary; brushed: string; onWhere: (where: string) => void }

export function Leaderboard({ sweep, brushed, onWhere }: Props) {
  const all = useMemo(() => boardColumns(sweep), [sweep]);
  const [chosenKeys, setChosenKeys] = useKept(`columns.${sweep.name}`, firstColumns(sweep));
  const columns = all.filter((c) => chosenKeys.includes(c.key));
  const [typed, setTyped] = useState("");
  const settled = useSettled(typed, 350);
  const where = both(settled, brushed);
  const [sort, setSort] = useState<{ by: string; descending: boolean } | null>(null);
  const [compared, setCompared] = useState<Map<number, TrialSummary>>(new Map());
  const shape = { where, sort: sort?.by, descending: sort?.descending };

  const found = useInfiniteQuery({
    queryKey: ["trials", sweep.id, shape],
    queryFn: ({ pageParam, signal }) => get<TrialPage>(paths.trials(sweep.id, { ...shape, cursor: pageParam }), signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const refused = found.error instanceof ApiError && found.error.status >= 400 && found.error.status < 500 ? found.error : null;
  // Only what the daemon understood filters the charts too.
  useEffect(() => {
    if (!refused && !found.isPlaceholderData && found.isSuccess) onWhere(where);
  }, [refused, found.isPlaceholderData, found.isSuccess, where]);

  const rows = found.data?.pages.flatMap((p) => p.trials) ?? [];
  const toggle = (t: TrialSummary) => {
    const next = new Map(compared);
    if (!next.delete(t.trial_id) && next.size < MOST_COMPARED) next.set(t.trial_id, t);
    setCompared(next);
  };
  const turn = (column: BoardColumn) => {
    const by = column.sort!;
    setSort(sort?.by !== by ? { by, descending: false } : sort.descending ? null : { by, descending: true });
  };
  const example = `${sweep.spec.objective.metric} < 2.5 and state = completed`;
  const total = Object.values(sweep.trials).reduce((a, b) => a + b, 0);

  return (
    <>
      {compared.size > 1 && <Compare sweep={sweep} trials={[...compared.values()]} onClose={() => setCompared(new Map())} onDrop={toggle} />}
      <Panel title="Trials" flush
        hint={<>{where ? `${count(rows.length)}${found.hasNextPage ? "+" : ""} match` : count(total)}{compared.size > 0 && ` · ${compared.size} to compare${compared.size === 1 ? ": tick another" : ""}`}</>}
        tools={
          <>
            <input className="filter" type="search" size={34} aria-label="filter" aria-invalid={refused !== null} placeholder={`filter: ${example}`} value={typed} onChange={(e) => setTyped(e.target.value)} spellCheck={false} />
            <Menu label="Columns">
              {all.map((c) => (
                <label key={c.key}>
                  <input type="checkbox" checked={chosenKeys.includes(c.key)} onChange={(e) => setChosenKeys(e.target.checked ? [...chosenKeys, c.key] : chosenKeys.filter((k) => k !== c.key))} />{c.title}
                </label>
              ))}
              <button className="plain" onClick={() => setChosenKeys(firstColumns(sweep))}>as at first</button>
            </Menu>
            <a className="button" href={`/api/v1/sweeps/${sweep.id}/trials.csv${query(shape)}`} download={`${sweep.name}.csv`}>CSV</a>
          </>
        }>
        {brushed && <div className="body note">Brushed: <code>{brushed}</code></div>}
        {refused && <div className="body"><Failure error={refused} /></div>}
        {found.error && !refused ? <div className="body"><Failure error={found.error} retry={() => void found.refetch()} /></div>
          : found.isPending && !refused ? <Loading />
          : rows.length === 0 ? (refused ? null : <Empty title={where ? "No trial matches" : "No trial yet"}>{where ? "Change the filter, or clear the brush." : "The first one comes as soon as a slot is free."}</Empty>)
          : <Table rows={rows} columns={columns} best={sweep.best_trial} sort={sort} turn={turn} compared={compared} toggle={toggle} find={(tag) => setTyped(both(typed, tagged(tag)))} more={found.hasNextPage && !found.isFetchingNextPage ? () => void found.fetchNextPage() : undefined} />}
      </Panel>
    </>
  );
}

interface TableProps {
  rows: TrialSummary[];
  columns: BoardColumn[];
  best: number | null;
  sort: { by: string; descending: boolean } | null;
  turn: (column: BoardColumn) => void;
  compared: Map<number, TrialSummary>;
  toggle: (t: TrialSummary) => void;
  /** Shows those with a tag. */
  find: (tag: string) => void;
  more?: () => void;
}

function Table({ rows, columns, best, sort, turn, compared, toggle, find, more }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 12 });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 20) more?.();
  }, [last, rows.length, more]);
  const above = shown[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const fit = Math.min(520, rows.length * ROW_PX + 48);
  return (
    <div className="board" ref={box} style={{ height: fit }} tabIndex={0} role="region" aria-label="trials, scrollable">
      <table>
        <thead>
          <tr>
            <th><span className="hidden">compare</span></th>
            <th><button onClick={() => turn({ key: "number", title: "trial", sort: "number", text: () => "" })}>trial</button></th>
            {columns.map((c) => {
              const here = c.sort !== undefined && sort?.by === c.sort;
              return (
                <th key={c.key} className={c.right ? "r" : undefined} aria-sort={here ? (sort.descending ? "descending" : "ascending") : undefined}>
                  {c.sort ? <button onClick={() => turn(c)}>{c.title}{here ? (sort.descending ? " ↓" : " ↑") : ""}</button> : c.title}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr className="filler"><td colSpan={columns.length + 2} style={{ height: above }} /></tr>}
          {shown.map(({ index }) => {
            const t = rows[index]!;
            return (
              <tr key={t.trial_id} className={compared.has(t.trial_id) ? "chosen" : undefined}>
                <td><input type="checkbox" aria-label={`compare trial ${t.number}`} checked={compared.has(t.trial_id)} onChange={() => toggle(t)} /></td>
                <td className="trial">
                  <TrialLink id={t.trial_id} number={t.number} />
                  {(t.tags ?? []).map((tag) => <button key={tag} className="tag" title={`show the trials with the tag ${tag}`} onClick={() => find(tag)}>{tag}</button>)}
                </td>
                {columns.map((c) => {
                  const text = c.text(t);
                  const kind = [c.right ? "r" : "", c.key === "value" && t.number === best ? "best" : "", c.key === "ended" || c.key === "suggested" ? "why" : ""].join(" ").trim();
                  return <td key={c.key} className={kind || undefined} title={text.length > 24 ? text : undefined}>{c.key === "state" ? <StateMark state={t.state} /> : text}</td>;
                })}
              </tr>
            );
          })}
          {below > 0 && <tr className="filler"><td colSpan={columns.length + 2} style={{ height: below }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
