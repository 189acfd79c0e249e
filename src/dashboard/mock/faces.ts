// Faces as smooth shapes, with keypoints where the shapes are.
import type { Face, Point } from "../src/lib/types";
import { dice } from "./world.ts";

export const KEYPOINTS = [
  "left_eye_center", "right_eye_center", "left_eye_inner_corner", "left_eye_outer_corner", "right_eye_inner_corner",
  "right_eye_outer_corner", "left_eyebrow_inner_end", "left_eyebrow_outer_end", "right_eyebrow_inner_end",
  "right_eyebrow_outer_end", "nose_tip", "mouth_left_corner", "mouth_right_corner", "mouth_center_top_lip", "mouth_center_bottom_lip",
];
const PLACES: Point[] = [
  [66, 38], [30, 38], [59, 39], [73, 39], [37, 39], [23, 39], [56, 29], [79, 31], [40, 29], [16, 31], [48, 58], [63, 74], [33, 74], [48, 71], [48, 80],
];

export function pixels(row: number, turn = 0, light = 0): string {
  const out = Buffer.alloc(96 * 96);
  const [dx, dy] = [(dice(row, "dx") - 0.5) * 8, (dice(row, "dy") - 0.5) * 6];
  const tone = 120 + 90 * dice(row, "tone");
  const blob = (x: number, y: number, cx: number, cy: number, rx: number, ry: number) => Math.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2);
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  for (let y = 0; y < 96; y += 1) {
    for (let x = 0; x < 96; x += 1) {
      const u = cos * (x - 48) + sin * (y - 48) + 48 - dx;
      const v = -sin * (x - 48) + cos * (y - 48) + 48 - dy;
      let g = 40 + 30 * (v / 96) + tone * Math.min(1, 1.6 * blob(u, v, 48, 50, 38, 48));
      g -= 95 * (blob(u, v, 30, 38, 8, 4) + blob(u, v, 66, 38, 8, 4)) + 60 * (blob(u, v, 28, 30, 13, 3) + blob(u, v, 68, 30, 13, 3));
      g -= 45 * blob(u, v, 48, 60, 6, 3) + 75 * blob(u, v, 48, 75, 16, 3.4);
      g += 22 * blob(u, v, 48, 50, 4, 12) + (dice(row, x, y) - 0.5) * 14 + light * 90;
      out[y * 96 + x] = Math.max(0, Math.min(255, Math.round(g)));
    }
  }
  return out.toString("base64");
}

export function truth(row: number, turn = 0): (Point | null)[] {
  const [dx, dy] = [(dice(row, "dx") - 0.5) * 8, (dice(row, "dy") - 0.5) * 6];
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  const sparse = row % 3 === 1;
  return PLACES.map(([px, py], k) => {
    if (sparse && ![0, 1, 10, 14].includes(k)) return null;
    const [x, y] = [px + dx - 48, py + dy - 48];
    return [cos * x - sin * y + 48, sin * x + cos * y + 48];
  });
}

export function face(row: number, off?: number): Face {
  const points = truth(row);
  const plain: Face = { row, pixels: pixels(row), truth: points };
  if (off === undefined) return plain;
  const predicted = PLACES.map(([px, py], k): Point => {
    const [x, y] = points[k] ?? [px, py];
    return [x + (dice(row, k, "x") - 0.5) * off * 2, y + (dice(row, k, "y") - 0.5) * off * 2];
  });
  return { ...plain, rmse: off * 0.6, predicted };
}
