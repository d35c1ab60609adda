/** Verbs of the viewer that change the window: presets, typed numbers, dragging, inversion. */

export const windowVerbs = {
  preset(number) {
    this.state.preset = Number(number);
    this.applyPreset();
    this.redraw();
  },

  /** Windows of the file may differ from slice to slice. */
  applyPreset() {
    const { state, data } = this;
    const preset = data.presets[state.preset];
    if (!preset) return;
    const [center, width] = preset.slices?.[state.position[0]] ?? [preset.center, preset.width];
    state.look = { ...state.look, center, width, curve: preset.curve, table: state.table };
    // A file's LINEAR window reaches half a value less far than its numbers say; readers know the numbers.
    state.stated = preset.slices ? null : preset.stated;
  },

  typed(name, value) {
    if (!Number.isFinite(value) || (name === "width" && value <= 0)) return;
    this.ownWindow({ [name]: value });
  },

  ownWindow(change) {
    const { look } = this.state;
    this.state.preset = null;
    this.state.stated = null;
    this.state.look = { ...look, curve: look.curve === "TABLE" ? "LINEAR" : look.curve, ...change };
    this.redraw();
  },

  invert() {
    this.state.look = { ...this.state.look, invert: !this.state.look.invert };
    this.redraw();
  },

  dragWindow([across, down]) {
    if (this.data.voxels.channels === 3) return;
    const { look } = this.state;
    const step = Math.max(Math.min(this.span(), 8 * look.width) / 800, 1e-6);
    this.ownWindow({
      width: Math.max(look.width + across * step, step),
      center: look.center + down * step,
    });
  },

  /** Return the lowest and the highest value of the picture, in the unit. */
  reach() {
    const [low, high] = this.data.voxels.reach;
    return high > low ? [low, high] : [low, low + 1];
  },

  /** Return how far the values of the picture reach, in the unit. */
  span() {
    const [low, high] = this.reach();
    return high - low;
  },
};
