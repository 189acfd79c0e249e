// Questions to the daemon, under the keys that src/lib/live.ts marks as outdated.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { get, send } from "../lib/api";
import type { Session, SweepSummary, TrialDetail } from "../lib/types";

/** GET of a path, kept under a key; what was shown stays until the new answer is there. */
export function useAsk<T>(key: string[], path: string, enabled = true) {
  return useQuery<T>({ queryKey: [...key, path], queryFn: ({ signal }) => get<T>(path, signal), placeholderData: keepPreviousData, enabled });
}

export function useSweeps() {
  return useQuery({ queryKey: ["sweeps"], queryFn: ({ signal }) => get<SweepSummary[]>("/sweeps", signal) });
}

export function useSweep(id: string) {
  return useQuery({ queryKey: ["sweep", id], queryFn: ({ signal }) => get<SweepSummary>(`/sweeps/${encodeURIComponent(id)}`, signal) });
}

export function useTrial(id: string) {
  return useQuery({ queryKey: ["trial", id], queryFn: ({ signal }) => get<TrialDetail>(`/trials/${encodeURIComponent(id)}`, signal) });
}

/** Whether this browser may change things. */
export function useMay(): boolean {
  const session = useQuery({ queryKey: ["session"], queryFn: ({ signal }) => get<Session>("/session", signal), staleTime: Infinity });
  return session.data?.may === "write";
}

/** A call that changes something; what it touches is asked for again. */
export function useSend(touches: string[][]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (call: { method: "POST" | "PUT" | "DELETE"; path: string; body?: unknown }) => send(call.method, call.path, call.body),
    onSuccess: () => Promise.all(touches.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

/** The time now, moving on every second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A value that follows another once that has rested. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** State that outlives the page. */
export function useKept<T>(key: string, first: T): [T, (value: T) => void] {
  const name = `sweepd.${key}`;
  const [value, setValue] = useState<T>(() => {
    const kept = localStorage.getItem(name);
    try {
      return kept === null ? first : (JSON.parse(kept) as T);
    } catch {
      return first;
    }
  });
  return [value, (next) => {
    setValue(next);
    localStorage.setItem(name, JSON.stringify(next));
  }];
}
