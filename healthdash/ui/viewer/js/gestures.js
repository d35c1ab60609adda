/** Verbs of the viewer that a pointer calls: what dragging does with each tool, wheel and hover. */

import { clamped } from "./dom.js";
import { placeInWords } from "./controls.js";
import { placeOf, voxelAt } from "./planes.js";

const WHEEL_PX = 40;

export const gestures = {
  begin(pane, event) {
    this.doing = event.button === 1 ? "pan" : event.button === 2 ? "zoom" : this.state.tool;
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

  end(pane, event, isClick) {
    if (this.doing === "measure" && (isClick || !event)) this.state.rulers.pop();
    if (this.doing === "window" && isClick && this.state.layout === "three") this.setCross(pane, event);
    this.doing = null;
    this.redraw();
  },

  hover(pane, event) {
    this.pointed = event && { pane, place: pane.toPlane(event) };
    const voxel = event && voxelAt(pane.plane, this.state.position, ...this.pointed.place);
    this.controls.value.textContent = placeInWords(this.data, this.voxels, voxel, pane.plane);
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
    if (voxel) this.moveTo(voxel, pane);
  },

  setCross(pane, event) {
    const voxel = voxelAt(pane.plane, this.state.position, ...pane.toPlane(event));
    if (voxel) this.moveTo(voxel, pane);
  },
};
