// A face as a canvas: grey pixels, true points as rings, predicted ones as diamonds, and a line between the two.
import { useEffect, useRef } from "react";
import type { Point } from "../lib/types";

const SCALE = 3;

interface Props { pixels: string; side?: number; truth: (Point | null)[]; predicted?: Point[]; label: string; left?: string; right?: string }

export function FaceView({ pixels, side = 96, truth, predicted, label, left, right }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) draw(context, pixels, side, truth, predicted);
  }, [pixels, side, truth, predicted]);
  return (
    <figure className="face">
      <canvas ref={canvas} width={side * SCALE} height={side * SCALE} role="img" aria-label={label} />
      {(left || right) && <figcaption><span>{left}</span><span>{right}</span></figcaption>}
    </figure>
  );
}

function draw(context: CanvasRenderingContext2D, pixels: string, side: number, truth: (Point | null)[], predicted?: Point[]): void {
  const grey = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const image = new ImageData(side, side);
  grey.forEach((g, at) => image.data.set([g, g, g, 255], at * 4));
  const plain = new OffscreenCanvas(side, side);
  plain.getContext("2d")!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(plain, 0, 0, side * SCALE, side * SCALE);
  // A label counts from the centre of the first pixel.
  const at = ([x, y]: Point): Point => [(x + 0.5) * SCALE, (y + 0.5) * SCALE];
  context.lineWidth = 1.5;
  predicted?.forEach((p, k) => {
    const wanted = truth[k];
    if (!wanted) return;
    context.strokeStyle = "#ffffffb0";
    context.beginPath();
    context.moveTo(...at(wanted));
    context.lineTo(...at(p));
    context.stroke();
  });
  context.lineWidth = 2;
  context.strokeStyle = "#56b4e9";
  for (const p of truth) {
    if (!p) continue;
    context.beginPath();
    context.arc(...at(p), 4.5, 0, 2 * Math.PI);
    context.stroke();
  }
  context.fillStyle = "#f0a30a";
  context.strokeStyle = "#000000a0";
  context.lineWidth = 0.8;
  for (const p of predicted ?? []) {
    const [x, y] = at(p);
    context.beginPath();
    context.moveTo(x, y - 4.5);
    context.lineTo(x + 4.5, y);
    context.lineTo(x, y + 4.5);
    context.lineTo(x - 4.5, y);
    context.closePath();
    context.fill();
    context.stroke();
  }
}
