/** The rows of buttons and sliders round the panes. They call the viewer, and show its state. */

import { button, element, labelled, told } from "./dom.js";

export const TOOLS = {
  window: ["Window", "Drag: left and right for the width, up and down for the level (w)"],
  pan: ["Move", "Drag the picture (p)"],
  zoom: ["Zoom", "Drag up and down; the wheel with Ctrl, two fingers, + and \u2212 do it always (z)"],
  measure: ["Measure", "Drag a line (m); Delete takes the last one away"],
  cross: ["Crosshair", "Click a place to see it in all planes (x)"],
};

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    const { data, state } = viewer;
    this.isVolume = data.voxels.shape[0] > 1;
    this.isColour = data.voxels.channels === 3;
    this.tools = new Map();
    this.top = element("div", { class: "bar" }, this.toolRow(state.planes.length > 1), this.viewRow());
    if (!this.isColour) this.top.append(this.windowRow());
    this.bottom = element("div", { class: "bar" });
    if (this.isVolume) this.bottom.append(this.sliceRow());
    this.heatRow = element("div", { class: "row" });
    this.bottom.append(this.heatRow);
    this.value = element("output", { class: "value", "aria-live": "polite", text: "\u00a0" });
    this.progress = element("progress", { max: 1, "aria-label": "Loading the picture" });
    this.bottom.append(element("div", { class: "row status" }, this.value, this.progress));
  }

  toolRow(hasPlanes) {
    const row = element("div", { class: "row joined", role: "group", "aria-label": "What dragging does" });
    for (const [tool, [text, title]] of Object.entries(TOOLS)) {
      if (tool === "cross" && !hasPlanes) continue;
      if (tool === "window" && this.isColour) continue;
      const made = button(text, title, () => this.viewer.choose(tool), { "aria-pressed": "false" });
      this.tools.set(tool, made);
      row.append(made);
    }
    return row;
  }

  windowRow() {
    const { viewer } = this;
    const { data } = viewer;
    this.preset = element("select", { "aria-label": "Window preset", onchange: () => viewer.preset(this.preset.value) });
    data.presets.forEach((preset, n) => this.preset.append(element("option", { value: n, text: preset.name })));
    this.preset.append(element("option", { value: "own", text: "own window", hidden: true }));
    const number = (name, label) => element("input", {
      type: "number", step: "any", "aria-label": `${label}, ${data.unit}`, onchange: (event) => viewer.typed(name, Number(event.target.value)),
    });
    const [low, high] = viewer.reach();
    const step = stepOf(high - low);
    const slider = (name, label, min, max) => element("input", {
      type: "range", min, max, step, "aria-label": `${label} by sliding, ${data.unit}`,
      oninput: (event) => viewer.typed(name, Number(event.target.value)),
    });
    this.center = number("center", "Level");
    this.width = number("width", "Width");
    this.sliders = { center: slider("center", "Level", low, high), width: slider("width", "Width", step, high - low) };
    return element(
      "div", { class: "row window" },
      labelled("Window", this.preset),
      element("span", { class: "pair" }, labelled(`Level, ${data.unit}`, this.center), this.sliders.center),
      element("span", { class: "pair" }, labelled(`Width, ${data.unit}`, this.width), this.sliders.width),
    );
  }

  viewRow() {
    const { viewer } = this;
    this.invert = button("Invert", "Black becomes white (i)", () => viewer.invert(), { "aria-pressed": "false" });
    this.smooth = button("Smooth", "Smooth between pixels, or show their edges", () => viewer.smooth(), { "aria-pressed": "true" });
    const row = element(
      "div", { class: "row", role: "group", "aria-label": "View" },
      button("\u2212", "Smaller (\u2212)", () => viewer.zoomBy(null, 1 / 1.25), { "aria-label": "Zoom out" }),
      button("+", "Larger (+)", () => viewer.zoomBy(null, 1.25), { "aria-label": "Zoom in" }),
      button("Fit", "Show all of it (0)", () => viewer.fit()),
      button("1:1", "One pixel of the picture is one of the screen (1)", () => viewer.oneToOne()),
      this.invert, this.smooth,
    );
    if (viewer.state.planes.length > 1) {
      this.three = button("Three planes", "Three planes side by side", () => viewer.layout(), { "aria-pressed": "false" });
      row.append(this.three);
    }
    this.model = button("Model's input", "What the network saw, beside the picture", () => viewer.modelBeside(), { "aria-pressed": "false" });
    row.append(this.model);
    this.rulers = button("Clear lines", "Take all measured lines away", () => viewer.clearRulers(), { hidden: true });
    row.append(this.rulers, button("Reset", "Window, zoom and place as at first", () => viewer.reset()));
    return row;
  }

  sliceRow() {
    const { viewer } = this;
    const { data, state } = viewer;
    const words = state.isTime ? "Frame" : "Slice";
    this.slice = element("input", {
      type: "range", min: 1, max: data.voxels.shape[0], step: 1, "aria-label": words,
      oninput: () => viewer.goTo(Number(this.slice.value) - 1),
    });
    this.at = element("output", { class: "at" });
    this.play = button("Play", "Run through them (space)", () => viewer.playOrPause(), { "aria-pressed": "false" });
    const rate = element("input", {
      type: "number", min: 1, max: 60, step: 1, value: Math.round(state.rate),
      onchange: () => viewer.setRate(Number(rate.value)),
    });
    const row = element(
      "div", { class: "row" },
      button("\u2039", `Previous ${words.toLowerCase()}`, () => viewer.step(-1), { "aria-label": `Previous ${words.toLowerCase()}` }),
      this.slice,
      button("\u203a", `Next ${words.toLowerCase()}`, () => viewer.step(1), { "aria-label": `Next ${words.toLowerCase()}` }),
      this.at, this.play, labelled("per second", rate),
    );
    this.choose = button("Result of this slice", "Show the model's output for the slice on view", () => viewer.chosen());
    row.append(this.choose);
    return row;
  }

  /** Offer opacity and threshold where there is an explanation. */
  setHeat(heat) {
    this.heatRow.replaceChildren();
    if (!heat) return;
    const { viewer } = this;
    const slider = (name, value) => element("input", {
      type: "range", min: 0, max: 1, step: 0.05, value,
      oninput: (event) => viewer.setHeatLook(name, Number(event.target.value)),
    });
    this.heatRow.append(
      labelled("Opacity of the explanation", slider("opacity", viewer.state.opacity)),
      labelled("Hide below, of full colour", slider("threshold", viewer.state.threshold)),
      element("span", { class: "legend" },
        element("b", { class: "for", text: "Orange" }), " speaks for, ",
        element("b", { class: "against", text: "blue" }), ` against: ${heat.label || "the class"}.`),
    );
  }

  show() {
    const { state } = this.viewer;
    const press = (control, is) => control?.setAttribute("aria-pressed", String(Boolean(is)));
    for (const [tool, control] of this.tools) press(control, tool === state.tool);
    press(this.invert, state.look.invert);
    press(this.smooth, state.smooth);
    press(this.three, state.layout === "three");
    press(this.model, state.model);
    press(this.play, state.playing);
    // Read out at each slice, a run through them would drown all else.
    for (const output of [this.at, this.value]) output?.setAttribute("aria-live", state.playing ? "off" : "polite");
    this.rulers.hidden = !state.rulers.length;
    this.model.hidden = !this.viewer.data.model;
    if (this.choose) this.choose.hidden = !this.viewer.data.choose;
    if (this.play) this.play.textContent = state.playing ? "Pause" : "Play";
    if (this.preset) {
      this.preset.value = state.preset == null ? "own" : String(state.preset);
      const [center, width] = state.stated ?? [state.look.center, state.look.width];
      keep(this.center, center);
      keep(this.width, width);
      this.sliders.center.value = center;
      this.sliders.width.value = width;
    }
    if (this.slice) {
      this.slice.value = state.position[0] + 1;
      this.at.textContent = `${state.position[0] + 1} of ${this.viewer.data.voxels.shape[0]}`;
    }
  }

  loading(voxels) {
    this.progress.hidden = voxels.share >= 1 - 1e-6 || Boolean(voxels.problem);
    this.progress.value = voxels.share;
    if (voxels.problem) this.value.textContent = voxels.problem;
  }
}

/** Return the step of a slider over so many units: whole ones where they are fine enough. */
function stepOf(span) {
  return span > 200 ? Math.max(1, Math.round(span / 2000)) : span / 200;
}

/** Show a number in a field, unless somebody is typing there. */
function keep(field, value) {
  if (field.getRootNode().activeElement !== field) field.value = Number(value.toFixed(2));
}

/** Return the words under the pointer: value with unit, and where it is, counted from 1. */
export function placeInWords(data, voxels, voxel, plane) {
  if (!voxel) return "\u00a0";
  const [k, j, i] = voxel;
  const value = voxels.value(k, j, i);
  if (value === null) return "not loaded yet";
  const parts = [`column ${i + 1}, row ${j + 1}`];
  if (voxels.depth > 1) parts.push(`${data.voxels.isTime ? "frame" : "slice"} ${k + 1}`);
  const { spacing } = data.voxels;
  if (plane.known && spacing) {
    const { distances } = data.voxels;
    const corner = [i * spacing[2], j * spacing[1]].map(told).join(", ");
    parts.push(`${corner} mm from the corner ${distances}`.trim());
  }
  const padding = voxels.isPadding(k, j, i) ? " (padding)" : "";
  return `${valueInWords(data, voxels, voxel, value)}${padding} at ${parts.join(", ")}`;
}

function valueInWords(data, voxels, [k, j, i], value) {
  if (Array.isArray(value)) return `red ${value[0]}, green ${value[1]}, blue ${value[2]}`;
  const stored = voxels.storedAt(k, j, i);
  const also = data.unit === "HU" && stored !== value ? ` (stored ${told(stored)})` : "";
  return `${told(value)} ${data.unit}${also}`;
}
