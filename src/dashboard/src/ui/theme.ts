// Light or dark: the system's choice unless the user makes one.
import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";

const KEY = "sweepd.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();
let version = 0;

function read(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

let theme = read();

function apply(): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  version += 1;
  for (const watcher of watchers) watcher();
}

apply();
system.addEventListener("change", apply);

export function setTheme(next: Theme): void {
  theme = next;
  if (next === "auto") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  apply();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useTheme(): Theme {
  useSyncExternalStore(subscribe, () => version);
  return theme;
}

/** What is drawn now. */
export function isDark(): boolean {
  return theme === "auto" ? system.matches : theme === "dark";
}

/** A custom property of styles.css as a colour that a canvas understands. */
export function colour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
