/** One plane of the voxels to pixels of an ImageData. */

import { BLACK, pixelsOf, tableOf } from "./grey.js";

const FOR = [213, 94, 0];
const AGAINST = [0, 114, 178];

/** Remembers the table of a look: scrolling uses the same one again. */
export class Painter {
  constructor(voxels) {
    this.voxels = voxels;
    this.key = "";
    this.table = null;
  }

  /** Write the plane at `position` into `out`, Uint32Array of sizeAcross x sizeDown. */
  paint(plane, position, look, out) {
    const { voxels } = this;
    const { strides, stored } = voxels;
    const start = position[plane.normal] * strides[plane.normal];
    const step = strides[plane.across];
    const row = this.rowPainter(look);
    for (let v = 0; v < plane.sizeDown; v++) {
      const j = plane.flipDown ? plane.sizeDown - 1 - v : v;
      const k = plane.normal === 0 ? position[0] : j;
      const to = v * plane.sizeAcross;
      if (voxels.loaded[k] && stored) row(k, start + j * strides[plane.down], step, out, to, plane.sizeAcross);
      else out.fill(0, to, to + plane.sizeAcross);
    }
  }

  rowPainter(look) {
    const { voxels } = this;
    if (voxels.channels === 3) return colourRow(voxels.stored, look.invert);
    if (!voxels.hasTable) return valueRow(voxels, look);
    const row = tableRow(voxels.stored, this.lookedUp(look), voxels.spec.range[0]);
    return voxels.mask ? masked(row, voxels.mask) : row;
  }

  lookedUp(look) {
    const key = `${look.curve}/${look.center}/${look.width}/${look.invert}`;
    if (key !== this.key) {
      const { spec } = this.voxels;
      const [low, high] = spec.range;
      this.table = tableOf(look, spec.slopes[0], spec.intercepts[0], low, high, spec.padding);
      this.key = key;
    }
    return this.table;
  }
}

function tableRow(stored, table, low) {
  return (k, from, step, out, to, count) => {
    for (let u = 0, at = from; u < count; u++, at += step) out[to + u] = table[stored[at] - low];
  };
}

function masked(row, mask) {
  return (k, from, step, out, to, count) => {
    row(k, from, step, out, to, count);
    for (let u = 0, at = from; u < count; u++, at += step) if (mask[at]) out[to + u] = BLACK;
  };
}

function valueRow(voxels, look) {
  const pixel = pixelsOf(look);
  const { stored, mask } = voxels;
  const padding = voxels.spec.padding;
  return (k, from, step, out, to, count) => {
    const slope = voxels.slope(k);
    const intercept = voxels.intercept(k);
    for (let u = 0, at = from; u < count; u++, at += step) {
      const value = stored[at];
      const isPadding = mask ? mask[at] : padding && value >= padding[0] && value <= padding[1];
      out[to + u] = isPadding ? BLACK : pixel(value * slope + intercept);
    }
  };
}

function colourRow(stored, invert) {
  const flip = invert ? 0xffffff : 0;
  return (k, from, step, out, to, count) => {
    for (let u = 0, at = 3 * from; u < count; u++, at += 3 * step) {
      const colour = stored[at] | (stored[at + 1] << 8) | (stored[at + 2] << 16);
      out[to + u] = (0xff000000 | (colour ^ flip)) >>> 0;
    }
  };
}

/**
 * Write an attribution as colours: orange speaks for the class, blue against it (Okabe and Ito).
 * Weak places are clear; those under `threshold` of full colour vanish.
 */
export function paintHeat(heat, full, opacity, threshold, out) {
  for (let at = 0; at < heat.length; at++) {
    const strength = Math.min(Math.abs(heat[at]) / full, 1);
    const [red, green, blue] = heat[at] > 0 ? FOR : AGAINST;
    const alpha = strength < threshold ? 0 : Math.round(255 * opacity * strength);
    out[at] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
}
