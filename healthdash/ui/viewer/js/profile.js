/** The estimated probability along the slices: a line to click, and the highest slices as buttons. */

import { button, clamped, element } from "./dom.js";

const HEIGHT = 84;
const MOST_BUTTONS = 5;

export class Profile {
  /** @param told {label, slices, values, threshold}; `jump` is called with a slice. */
  constructor(told, depth, jump) {
    Object.assign(this, { told, depth });
    this.canvas = element("canvas", {
      class: "profile", role: "img", title: "Click to go to a slice",
      "aria-label": `Estimated probability of ${told.label} along the slices; the highest are listed below`,
      onclick: (event) => jump(this.sliceAt(event)),
    });
    this.words = element("span", { class: "words" });
    const order = told.values.map((_, n) => n).sort((a, b) => told.values[b] - told.values[a]);
    const tops = order.slice(0, MOST_BUTTONS).map((n) => button(
      `${told.slices[n] + 1}: ${percent(told.values[n])}`, `Go to slice ${told.slices[n] + 1}`,
      () => jump(told.slices[n]),
    ));
    this.box = element(
      "div", { class: "along" },
      element("div", { class: "row" },
        element("strong", { text: `Estimated probability of ${told.label}, slice by slice` }), this.words),
      this.canvas,
      element("div", { class: "row", role: "group", "aria-label": "Most suspicious slices first" },
        element("span", { text: "Highest first:" }), ...tops),
    );
  }

  sliceAt(event) {
    const frame = this.canvas.getBoundingClientRect();
    const share = (event.clientX - frame.left) / Math.max(frame.width, 1);
    return clamped(Math.floor(share * this.depth), 0, this.depth - 1);
  }

  draw(slice) {
    const { told, canvas } = this;
    const dots = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * dots));
    canvas.height = Math.round(HEIGHT * dots);
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const x = (k) => ((k + 0.5) / this.depth) * canvas.width;
    const y = (p) => (1 - p) * (canvas.height - 8 * dots) + 4 * dots;
    line(pen, style.getPropertyValue("--faint"), dots, [[0, y(0)], [canvas.width, y(0)]]);
    if (told.threshold != null) {
      pen.setLineDash([5 * dots, 4 * dots]);
      line(pen, style.getPropertyValue("--ink"), dots, [[0, y(told.threshold)], [canvas.width, y(told.threshold)]]);
      pen.setLineDash([]);
    }
    line(pen, style.getPropertyValue("--accent"), 2 * dots, told.values.map((p, n) => [x(told.slices[n]), y(p)]));
    line(pen, "#D55E00", 2 * dots, [[x(slice), 0], [x(slice), canvas.height]]);
    const at = told.slices.indexOf(slice);
    this.words.textContent = at < 0 ? `slice ${slice + 1}: not analysed`
      : `slice ${slice + 1}: ${percent(told.values[at])}`;
  }
}

function line(pen, colour, width, places) {
  pen.strokeStyle = colour || "#888";
  pen.lineWidth = width;
  pen.beginPath();
  places.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
