/** One plane on a canvas: drawn in millimetres, with crosshair and rulers over it. */

import { element, clamped } from "./dom.js";
import { Painter, paintHeat } from "./paint.js";
import { keysInWords } from "./keys.js";
import { placeOf, lengthOf } from "./planes.js";

const CROSS = ["#56B4E9", "#E69F00", "#009E73"];
const RULER = "#F0E442";
const DISCLAIMER = "For research and education, not for clinical use";

export class Pane {
  /** @param state what all panes share: position, look, zoom, rulers, heat... */
  constructor(voxels, plane, state) {
    Object.assign(this, { voxels, plane, state });
    this.painter = new Painter(voxels);
    this.pan = [0, 0];
    this.painted = "";
    this.source = new OffscreenCanvas(plane.sizeAcross, plane.sizeDown);
    this.image = new ImageData(plane.sizeAcross, plane.sizeDown);
    this.canvas = element("canvas", {
      tabindex: 0, role: "application", "aria-roledescription": "picture",
      "aria-label": `${plane.name ? `${plane.name} plane` : "Picture"}. ${keysInWords(plane)}`,
    });
    const { edges } = plane;
    this.corner = element("span", { class: "corner" });
    this.box = element(
      "div", { class: "pane" }, this.canvas, this.corner,
      ...Object.entries(edges).map(([side, text]) => element("span", { class: `edge ${side}`, text })),
      element("span", { class: "notice", text: DISCLAIMER }),
    );
  }

  /** Fit the canvas to its box, in pixels of the screen. */
  measure() {
    const dots = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.box.clientWidth * dots));
    const height = Math.max(1, Math.round(this.box.clientHeight * dots));
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.dots = dots;
  }

  /** Return how many pixels of the screen a millimetre (or a pixel) takes, for all to be seen. */
  fit() {
    const { plane, canvas } = this;
    const across = canvas.width / (plane.sizeAcross * plane.mmAcross);
    return Math.min(across, canvas.height / (plane.sizeDown * plane.mmDown));
  }

  draw(scale) {
    const { plane, state, canvas } = this;
    this.scale = scale;
    this.repaint();
    // A picture that is seen whole needs no finger up and down: the page scrolls.
    const isWhole = plane.sizeNormal === 1 && state.zoom === 1 && ["window", "pan"].includes(state.tool);
    canvas.classList.toggle("whole", isWhole);
    const pen = canvas.getContext("2d", { alpha: false });
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const [left, top] = this.origin();
    const [wide, tall] = this.extent();
    pen.imageSmoothingEnabled = state.smooth;
    pen.imageSmoothingQuality = wide < plane.sizeAcross ? "high" : "low";
    pen.drawImage(this.source, left, top, wide, tall);
    if (this.heat && state.heatSlice === state.position[0]) pen.drawImage(this.heat, left, top, wide, tall);
    if (state.probed || (state.planes.length > 1 && state.layout === "three")) this.drawCross(pen);
    this.drawRulers(pen);
    this.corner.textContent = this.words();
  }

  /** Return width and height of the plane, in pixels of the screen. */
  extent() {
    const { plane, scale } = this;
    return [plane.sizeAcross * plane.mmAcross * scale, plane.sizeDown * plane.mmDown * scale];
  }

  /** Return where the plane's first pixel begins on the canvas, on whole pixels. */
  origin() {
    const { plane, canvas, pan, scale } = this;
    return [
      Math.round((canvas.width - plane.sizeAcross * plane.mmAcross * scale) / 2 + pan[0]),
      Math.round((canvas.height - plane.sizeDown * plane.mmDown * scale) / 2 + pan[1]),
    ];
  }

  /** Window the plane again, unless nothing changed. */
  repaint() {
    const { plane, state, voxels } = this;
    const { look } = state;
    const place = state.position[plane.normal];
    const key = [place, look.curve, look.center, look.width, look.invert, voxels.share].join();
    if (key === this.painted) return;
    this.painter.paint(plane, state.position, look, new Uint32Array(this.image.data.buffer));
    this.source.getContext("2d").putImageData(this.image, 0, 0);
    this.painted = key;
  }

  /** Take an attribution (values, full colour), or null. */
  setHeat(heat, full, opacity, threshold) {
    this.heat = null;
    if (!heat || this.plane.normal !== 0) return;
    const image = new ImageData(this.plane.sizeAcross, this.plane.sizeDown);
    paintHeat(heat, full, opacity, threshold, new Uint32Array(image.data.buffer));
    this.heat = new OffscreenCanvas(image.width, image.height);
    this.heat.getContext("2d").putImageData(image, 0, 0);
  }

  words() {
    const { plane, state } = this;
    const at = state.position[plane.normal] + 1;
    const place = plane.sizeNormal > 1 ? `${state.isTime ? "frame " : ""}${at} / ${plane.sizeNormal}` : "";
    return [plane.name, place].filter(Boolean).join(" ");
  }

  drawCross(pen) {
    const { plane, state, canvas } = this;
    const [u, v] = this.toScreen(placeOf(plane, state.position).map((n) => n + 0.5));
    pen.lineWidth = this.dots;
    const gap = 9 * this.dots;
    const lines = [
      [plane.down, [0, v, u - gap, v], [u + gap, v, canvas.width, v]],
      [plane.across, [u, 0, u, v - gap], [u, v + gap, u, canvas.height]],
    ];
    for (const [axis, ...parts] of lines) {
      pen.strokeStyle = CROSS[axis];
      for (const [x0, y0, x1, y1] of parts) {
        pen.beginPath();
        pen.moveTo(x0, y0);
        pen.lineTo(x1, y1);
        pen.stroke();
      }
    }
  }

  drawRulers(pen) {
    const { plane, state } = this;
    const mine = state.rulers.filter((r) => r.plane === plane && r.slice === state.position[plane.normal]);
    for (const ruler of mine) {
      const [from, to] = [ruler.from, ruler.to].map((place) => this.toScreen(place));
      pen.strokeStyle = RULER;
      pen.lineWidth = 2 * this.dots;
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
      pen.font = `600 ${13 * this.dots}px sans-serif`;
      pen.lineWidth = 3 * this.dots;
      pen.strokeStyle = "#000";
      const text = rulerWords(ruler);
      const x = clamped(to[0] + 8 * this.dots, 4, this.canvas.width - pen.measureText(text).width - 4);
      const y = clamped(to[1] - 6 * this.dots, 14 * this.dots, this.canvas.height - 6);
      pen.strokeText(text, x, y);
      pen.fillStyle = RULER;
      pen.fillText(text, x, y);
    }
  }

  /** From places in the plane (pixels, their left upper corner whole) to the canvas, and back. */
  toScreen([across, down]) {
    const [left, top] = this.origin();
    const { plane, scale } = this;
    return [left + across * plane.mmAcross * scale, top + down * plane.mmDown * scale];
  }

  /** Return where an event is, from the middle of the canvas. */
  fromMiddle(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [
      (event.clientX - frame.left - frame.width / 2) * this.dots,
      (event.clientY - frame.top - frame.height / 2) * this.dots,
    ];
  }

  toPlane(event) {
    const frame = this.canvas.getBoundingClientRect();
    const [left, top] = this.origin();
    const { plane, scale } = this;
    const ratio = this.canvas.width / Math.max(frame.width, 1);
    return [
      ((event.clientX - frame.left) * ratio - left) / (plane.mmAcross * scale),
      ((event.clientY - frame.top) * ratio - top) / (plane.mmDown * scale),
    ];
  }
}

/** Return the length of a ruler with what it is: in the patient, at the detector, or only in pixels. */
export function rulerWords(ruler) {
  const length = lengthOf(ruler.plane, ruler.from, ruler.to);
  if (!ruler.plane.known) return `${length.toFixed(1)} px (spacing unknown)`;
  return `${length.toFixed(1)} mm ${ruler.plane.distances}`.trim();
}
