// Names with units.
import type { SweepSummary } from "../lib/types";

const UNITS: Record<string, string> = {
  rmse: "px", train_rmse: "px", seconds: "s", images_per_second: "1/s", resident_bytes: "B", device_memory_bytes: "B",
  epoch_ms: "ms", epochs: "steps", augment_rotation: "°", loss_beta_px: "px", parameters: "weights", timeout_s: "s",
};

/** `rmse (px)`: the unit where there is one, else that there is none. */
export function named(name: string, keypoints = true): string {
  const given = UNITS[name];
  return given && (keypoints || given !== "px") ? `${name} (${given})` : `${name} (no unit)`;
}

export function metricName(sweep: SweepSummary): string {
  return named(sweep.spec.objective.metric, sweep.spec.objective.kind === "keypoints");
}

/** The unit that follows a value of the sweep's metric, if it has one. */
export function metricUnit(sweep: SweepSummary): string {
  return sweep.spec.objective.kind === "keypoints" ? (UNITS[sweep.spec.objective.metric] ?? "") : "";
}
