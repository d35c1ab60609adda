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
    this.refused = new Set(told.refused);
    const order = told.values.map((_, n) => n).filter((n) => !this.refused.has(n))
      .sort((a, b) => told.values[b] - told.values[a]);
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
        element("span", { text: tops.length ? "Highest first:" : "No slice that the model may judge." }), ...tops),
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
    pen.fillStyle = style.getPropertyValue("--accent");
    told.values.forEach((p, n) => {
      // Faint where the model may not judge, so that nobody takes such a height for a finding.
      pen.globalAlpha = this.refused.has(n) ? 0.2 : 1;
      const left = (told.slices[n] / this.depth) * canvas.width;
      pen.fillRect(left, y(p), Math.max(canvas.width / this.depth - 0.5, dots), y(0) - y(p));
    });
    pen.globalAlpha = 1;
    line(pen, "#D55E00", 2 * dots, [[x(slice), 0], [x(slice), canvas.height]]);
    const at = told.slices.indexOf(slice);
    const value = at < 0 ? "not analysed" : percent(told.values[at]);
    const doubt = this.refused.has(at) ? ", which the model may not judge" : "";
    this.words.textContent = `slice ${slice + 1}: ${value}${doubt}`;
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
