/** Verbs of the viewer that a pointer calls: what dragging does with each tool, wheel and hover. */

import { clamped } from "./dom.js";
import { placeInWords } from "./controls.js";
import { rulerWords } from "./pane.js";
import { placeOf, voxelAt } from "./planes.js";

const WHEEL_PX = 40;

/** Return the middle of a voxel in a plane. */
function middleOf(pane, voxel) {
  return placeOf(pane.plane, voxel).map((n) => n + 0.5);
}

export const gestures = {
  begin(pane, event) {
    this.doing = event.button === 1 ? "pan" : event.button === 2 ? "zoom" : this.state.tool;
    const { look, preset, stated } = this.state;
    this.before = { look, preset, stated };
    if (this.doing === "cross") this.setCross(pane, event);
    if (this.doing !== "measure") return;
    const place = pane.toPlane(event);
    const slice = this.state.position[pane.plane.normal];
    this.state.rulers.push({ plane: pane.plane, slice, from: place, to: place });
  },

  drag(pane, event, by) {
    if (this.doing === "window") this.dragWindow(by);
    if (this.doing === "pan") this.panBy(pane, by);
    if (this.doing === "zoom") this.zoomBy(pane, Math.exp(-by[1] / 150));
    if (this.doing === "cross") this.setCross(pane, event);
    if (this.doing === "measure" && this.state.rulers.length) this.state.rulers.at(-1).to = pane.toPlane(event);
    this.redraw();
  },

  /** Stop; without an event it was no drag after all, but a scroll or two fingers. */
  end(pane, event, isClick) {
    if (this.doing === "window" && !event) Object.assign(this.state, this.before);
    if (this.doing === "measure" && (isClick || !event)) this.state.rulers.pop();
    if (this.doing === "window" && isClick && this.state.layout === "three") this.setCross(pane, event);
    this.doing = null;
    this.redraw();
  },

  hover(pane, event) {
    this.pointed = event && { pane, place: pane.toPlane(event) };
    this.showProbe(false);
    const voxel = event && voxelAt(pane.plane, this.state.position, ...this.pointed.place);
    this.controls.value.textContent = placeInWords(this.data, this.voxels, voxel, pane.plane);
  },

  clearRulers() {
    this.state.rulers.length = 0;
    // The button goes with the lines.
    this.panes[0].canvas.focus({ preventScroll: true });
    this.redraw();
  },

  wheel(pane, event) {
    if (event.ctrlKey || pane.plane.sizeNormal === 1) {
      this.zoomBy(pane, Math.exp(-clamped(event.deltaY, -200, 200) / 400), event);
      return;
    }
    this.wheeled += event.deltaMode === 0 ? event.deltaY : event.deltaY * WHEEL_PX;
    const steps = Math.trunc(this.wheeled / WHEEL_PX);
    this.wheeled -= steps * WHEEL_PX;
    if (steps) this.step(steps, pane);
  },

  probe(pane, [across, down]) {
    const [u, v] = placeOf(pane.plane, this.state.position);
    const voxel = voxelAt(pane.plane, this.state.position, u + across, v + down);
    if (!voxel) return;
    this.pointed = { pane, place: placeOf(pane.plane, voxel) };
    this.moveTo(voxel, pane);
    const begun = this.unended(pane);
    if (begun) begun.to = middleOf(pane, voxel);
    this.showProbe(true);
  },

  /** Draw the cross where keys probe; the pointer needs none. */
  showProbe(isByKey) {
    if (this.state.probed === isByKey) return;
    this.state.probed = isByKey;
    this.redraw();
  },

  /** Begin a line where the cross is, or end there the one that was begun. */
  rule(pane) {
    const { state } = this;
    const begun = this.unended(pane);
    this.begun = null;
    this.showProbe(true);
    if (begun) {
      this.controls.value.textContent = rulerWords(begun);
      return;
    }
    const place = middleOf(pane, state.position);
    this.begun = { plane: pane.plane, slice: state.position[pane.plane.normal], from: place, to: place };
    state.rulers.push(this.begun);
    this.redraw();
  },

  /** Return the line that keys began in the plane on view, and did not end. */
  unended(pane) {
    const { state, begun } = this;
    const isHere = begun?.plane === pane.plane && begun.slice === state.position[pane.plane.normal];
    return isHere && state.rulers.includes(begun) ? begun : null;
  },

  setCross(pane, event) {
    const voxel = voxelAt(pane.plane, this.state.position, ...pane.toPlane(event));
    if (voxel) this.moveTo(voxel, pane);
  },
};
