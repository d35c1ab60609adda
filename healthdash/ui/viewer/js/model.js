/** What the network saw, beside the picture: its own input, slice by slice where there are many. */

import { element } from "./dom.js";
import { borrowed, returned } from "./voxels.js";

export class ModelPane {
  /** @param model {voxels, slices}: the slice of the picture that each input was made from. */
  constructor(model, onSlab) {
    this.spec = model.voxels;
    this.slices = model.slices;
    this.onSlab = onSlab;
    this.voxels = borrowed(model.voxels, 0, onSlab);
    const [, rows, columns] = this.spec.shape;
    this.canvas = element("canvas", {
      width: columns, height: rows, role: "img", "aria-label": "What the network saw",
    });
    this.corner = element("span", { class: "corner" });
    this.box = element(
      "div", { class: "pane model" }, this.canvas, this.corner,
      element("span", { class: "notice", text: "For research and education, not for clinical use" }),
    );
  }

  draw(slice) {
    const [, rows, columns] = this.spec.shape;
    const at = this.slices.indexOf(slice);
    const pen = this.canvas.getContext("2d");
    const size = `${columns} x ${rows}`;
    this.corner.textContent = at < 0 ? "This slice was not analysed" : `Model's input, ${size}`;
    pen.clearRect(0, 0, columns, rows);
    if (at < 0 || !this.voxels.loaded[at]) return;
    const image = new ImageData(columns, rows);
    const out = new Uint32Array(image.data.buffer);
    const grey = this.voxels.stored.subarray(at * rows * columns, (at + 1) * rows * columns);
    grey.forEach((level, n) => { out[n] = (0xff000000 | (level << 16) | (level << 8) | level) >>> 0; });
    pen.putImageData(image, 0, 0);
  }

  dispose() {
    returned(this.spec, this.onSlab);
    this.box.remove();
  }
}
