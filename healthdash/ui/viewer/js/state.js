/** The state of a viewer at first, and after Reset. */

import { clamped } from "./dom.js";

const USUAL_RATE = 15;

export function firstState(data) {
  const preset = data.presets[0];
  const table = data.table && { first: data.table.first, levels: floats(data.table.levels) };
  const [center, width] = preset?.slices?.[data.start] ?? [preset?.center ?? 127.5, preset?.width ?? 255];
  return {
    start: data.start,
    position: [data.start, ...data.voxels.shape.slice(1).map((n) => n >> 1)],
    look: { center, width, curve: preset?.curve ?? "LINEAR", table, invert: data.invert },
    stated: preset?.slices ? null : preset?.stated, table, preset: 0, zoom: 1, layout: "one", smooth: true, rulers: [], model: false,
    tool: data.voxels.channels === 3 ? "pan" : "window", isTime: data.voxels.isTime, playing: false, probed: false,
    rate: data.frameTime > 0 ? clamped(1000 / data.frameTime, 1, 60) : USUAL_RATE,
    opacity: 0.6, threshold: 0,
  };
}

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
