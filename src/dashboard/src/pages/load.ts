// The pages, each in a file of its own that is loaded with the first look at it.
export const load = {
  sweeps: () => import("./Sweeps"),
  newSweep: () => import("./NewSweep"),
  sweep: () => import("./Sweep"),
  editSweep: () => import("./EditSweep"),
  trial: () => import("./Trial"),
  data: () => import("./Data"),
  workers: () => import("./Workers"),
};

/** How to load the page of a path. */
export function pageAt(path: string): (() => Promise<unknown>) | undefined {
  if (path === "/") return load.sweeps;
  if (path === "/sweeps/new") return load.newSweep;
  if (/^\/sweeps\/[^/]+\/edit$/.test(path)) return load.editSweep;
  if (path.startsWith("/sweeps/")) return load.sweep;
  if (path.startsWith("/trials/")) return load.trial;
  if (path.startsWith("/data")) return load.data;
  return path === "/workers" ? load.workers : undefined;
}
