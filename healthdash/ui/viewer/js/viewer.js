/** A viewer: the state that its panes share, and the verbs that change it. */

import { clamped, element } from "./dom.js";
import { Controls, placeInWords } from "./controls.js";
import { ModelPane } from "./model.js";
import { Pane, rulerWords } from "./pane.js";
import { planesOf, voxelAt } from "./planes.js";
import { listen } from "./pointer.js";
import { Profile } from "./profile.js";
import { firstState } from "./state.js";
import { gestures } from "./gestures.js";
import { keyed } from "./keys.js";
import { windowVerbs } from "./window.js";
import { borrowed, returned } from "./voxels.js";

const LARGEST_ZOOM = 64;
// How each picture was last seen in this tab: a rerun that draws it anew changes nothing.
const SEEN = new Map();
const MOST_SEEN = 12;

/** A picture and its explanation stand on one page: each has its own state, begun as the other was seen. */
function seen(data) {
  const { id } = data.voxels;
  const key = data.heat ? `${id} explained` : id;
  const other = SEEN.get(id);
  const state = SEEN.get(key) ?? (other ? { ...other, position: [...other.position] } : firstState(data));
  SEEN.delete(key);
  SEEN.set(key, state);
  return state;
}

export class Viewer {
  constructor(root, data, tell) {
    Object.assign(this, { root, data, tell, drawn: 0, wheeled: 0, frame: 0 });
    this.state = seen(data);
    if (SEEN.size > MOST_SEEN) SEEN.delete(SEEN.keys().next().value);
    Object.assign(this.state, { playing: false, probed: false });
    this.startAt(data.start);
    this.state.planes = planesOf(data.voxels);
    this.state.rulers = [];
    this.onSlab = () => this.loaded();
    this.voxels = borrowed(data.voxels, this.state.position[0], this.onSlab);
    this.panes = this.state.planes.map((plane) => new Pane(this.voxels, plane, this.state));
    this.build();
    this.update(data);
    this.loaded();
  }

  build() {
    this.controls = new Controls(this);
    this.grid = element("div", { class: "panes" }, ...this.panes.map((pane) => pane.box));
    this.panes.forEach((pane) => listen(pane, this));
    this.along = element("div");
    this.box = element(
      "section", { class: "viewer", "aria-label": this.data.label },
      this.controls.top, this.grid, this.along, this.controls.bottom,
    );
    // What a test reads, and a reader of the console may: lengths, sizes on the screen, addresses.
    Object.assign(this.box, {
      rulers: () => this.state.rulers.map(rulerWords),
      extents: () => this.shownPanes().map((pane) => pane.extent()),
      addresses: () => this.data.voxels.slabs.map((slab) => slab.url),
    });
    this.root.append(this.box);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
  }

  /** Take what a rerun changes: the explanation, the model's input, the profile, a slice to go to. */
  update(data) {
    this.data = data;
    this.startAt(data.start);
    if (this.profileKey !== JSON.stringify(data.profile)) {
      this.profileKey = JSON.stringify(data.profile);
      this.profile = data.profile && new Profile(data.profile, data.voxels.shape[0], (k) => this.goTo(k));
      this.along.replaceChildren(...(this.profile ? [this.profile.box] : []));
    }
    this.takeHeat(data.heat);
    this.takeModel(data.model);
    this.resize();
  }

  /** Go to the slice that the page asks for, unless it asked for it before. */
  startAt(slice) {
    if (this.state.start === slice) return;
    this.state.start = slice;
    this.state.position[0] = slice;
    this.applyPreset();
  }

  takeHeat(heat) {
    if (this.heatVoxels?.spec.id === heat?.voxels.id) return;
    if (this.heatVoxels) returned(this.heatVoxels.spec, this.onHeat);
    this.onHeat = () => this.paintHeat();
    this.heatVoxels = heat ? borrowed(heat.voxels, 0, this.onHeat) : null;
    this.controls.setHeat(heat);
    this.paintHeat();
  }

  paintHeat() {
    const { state, data, heatVoxels } = this;
    const values = heatVoxels?.loaded[0] ? heatVoxels.stored : null;
    state.heatSlice = data.heat?.slice ?? 0;
    this.panes[0].setHeat(values, data.heat?.full, state.opacity, state.threshold);
    this.redraw();
  }

  takeModel(model) {
    if (this.modelPane?.spec.id === model?.voxels.id) return;
    this.modelPane?.dispose();
    this.modelPane = model ? new ModelPane(model, () => this.redraw()) : null;
    if (this.modelPane) this.grid.append(this.modelPane.box);
  }

  loaded() {
    this.controls.loading(this.voxels);
    this.box.setAttribute("aria-busy", String(this.voxels.share < 1 - 1e-6));
    this.redraw();
  }

  // -- drawing -------------------------------------------------------------------------------

  resize() {
    const { state, grid, panes } = this;
    const isThree = state.layout === "three";
    grid.classList.toggle("three", isThree);
    panes.forEach((pane, n) => { pane.box.hidden = n > 0 && !isThree; });
    if (this.modelPane) this.modelPane.box.hidden = !state.model;
    grid.classList.toggle("beside", Boolean(this.modelPane) && state.model);
    const shown = isThree ? state.planes : state.planes.slice(0, 1);
    const tall = Math.max(...shown.map((plane) => plane.sizeDown * plane.mmDown));
    const wide = Math.max(...shown.map((plane) => plane.sizeAcross * plane.mmAcross));
    grid.style.setProperty("--ratio", clamped(tall / wide, 0.4, 1.6));
    this.redraw();
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    if (!this.box.isConnected) return;
    const shown = this.shownPanes();
    shown.forEach((pane) => pane.measure());
    const scale = Math.min(...shown.map((pane) => pane.fit())) * this.state.zoom;
    shown.forEach((pane) => pane.draw(scale));
    this.modelPane?.draw(this.state.position[0]);
    this.profile?.draw(this.state.position[0]);
    this.controls.show();
    this.drawn += 1;
    Object.assign(this.box.dataset, {
      drawn: this.drawn, slice: this.state.position[0] + 1, scale: scale.toFixed(4),
      loaded: this.voxels.share.toFixed(3),
    });
  }

  shownPanes() {
    return this.state.layout === "three" ? this.panes : this.panes.slice(0, 1);
  }

  // -- place ---------------------------------------------------------------------------------

  goTo(number, axis = 0) {
    const { state } = this;
    const last = this.data.voxels.shape[axis] - 1;
    state.position[axis] = clamped(number, 0, last);
    if (axis === 0) this.applyPreset();
    this.say();
    this.redraw();
  }

  step(by, pane = null) {
    const axis = pane ? pane.plane.normal : 0;
    this.goTo(this.state.position[axis] + by, axis);
  }

  moveTo(voxel, pane) {
    const isElsewhere = this.state.position[0] !== voxel[0];
    this.state.position = voxel;
    if (isElsewhere) this.applyPreset();
    this.say(voxel, pane);
    this.redraw();
  }

  say(voxel, pane) {
    const plane = (pane ?? this.panes[0]).plane;
    const place = voxel ?? (this.pointed && voxelAt(this.pointed.pane.plane, this.state.position, ...this.pointed.place));
    this.controls.value.textContent = placeInWords(this.data, this.voxels, place, plane);
  }

  chosen() { this.tell("chosen", this.state.position[0]); }

  // -- zoom ----------------------------------------------------------------------------------

  zoomBy(pane, factor, at = null) {
    const { state } = this;
    const next = clamped(state.zoom * factor, 0.1, LARGEST_ZOOM);
    const by = next / state.zoom;
    state.zoom = next;
    for (const one of this.panes) {
      const place = one === pane && at ? one.fromMiddle(at) : [0, 0];
      one.pan = one.pan.map((p, n) => place[n] - by * (place[n] - p));
    }
    this.redraw();
  }

  panBy(pane, [across, down]) {
    pane.pan = [pane.pan[0] + across * pane.dots, pane.pan[1] + down * pane.dots];
    this.redraw();
  }

  fit() {
    this.state.zoom = 1;
    this.panes.forEach((pane) => { pane.pan = [0, 0]; });
    this.redraw();
  }

  oneToOne() {
    const fit = Math.min(...this.shownPanes().map((pane) => pane.fit()));
    this.state.zoom = 1 / (fit * this.panes[0].plane.mmAcross);
    this.redraw();
  }

  key(pane, event) { return keyed(this, pane, event); }

  choose(tool) {
    if (!this.controls.tools.has(tool)) return;
    this.state.tool = tool;
    this.panes.forEach((pane) => { pane.canvas.dataset.tool = tool; });
    this.redraw();
  }

  // -- the rest ------------------------------------------------------------------------------

  smooth() {
    this.state.smooth = !this.state.smooth;
    this.redraw();
  }

  layout() {
    this.state.layout = this.state.layout === "three" ? "one" : "three";
    this.fit();
    this.resize();
  }

  modelBeside() {
    this.state.model = !this.state.model;
    this.resize();
  }

  setHeatLook(name, value) {
    this.state[name] = value;
    this.paintHeat();
  }

  setRate(rate) {
    if (rate > 0) this.state.rate = Math.min(rate, 60);
  }

  playOrPause() {
    const { state } = this;
    state.playing = !state.playing && this.data.voxels.shape[0] > 1;
    this.played = performance.now();
    if (state.playing) requestAnimationFrame((now) => this.run(now));
    this.redraw();
  }

  run(now) {
    const { state } = this;
    if (!state.playing || !this.box.isConnected) return;
    const wait = 1000 / state.rate;
    if (now - this.played >= wait) {
      // A frame that came late is not made up for: no frame is left out.
      this.played = Math.max(this.played + wait, now - wait);
      this.goTo((state.position[0] + 1) % this.data.voxels.shape[0]);
    }
    requestAnimationFrame((later) => this.run(later));
  }

  reset() {
    const { planes } = this.state;
    Object.assign(this.state, firstState(this.data), { planes, rulers: [] });
    this.choose(this.state.tool);
    this.fit();
    this.resize();
    this.controls.setHeat(this.data.heat);
    this.paintHeat();
  }

  dispose() {
    this.state.playing = false;
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    returned(this.data.voxels, this.onSlab);
    if (this.heatVoxels) returned(this.heatVoxels.spec, this.onHeat);
    this.modelPane?.dispose();
    this.box.remove();
  }
}

Object.assign(Viewer.prototype, windowVerbs, gestures);
