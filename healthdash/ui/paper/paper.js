/**
 * ECG paper: draws what Python laid out, in true millimetres, with a caliper.
 *
 * The sheet is an SVG whose unit is the millimetre. How long a CSS millimetre is on this screen the reader
 * sets once, with a bank card (85.60 mm wide, ISO/IEC 7810 ID-1); the browser keeps it.
 */

const SVG = "http://www.w3.org/2000/svg";
const CARD_MM = 85.6;
const KEPT = "healthdash:mm";
// How near a finger takes hold of a leg of the caliper, and how near the edge a leg moves the paper along.
const REACH_MM = 6;
const EDGE_PX = 24;
// A wave that the lane cuts so short has no room for its letter.
const NARROW_MM = 1;
const HOW = matchMedia("(pointer: coarse)").matches ? "Press Caliper and drag a line of it" : "Drag on the paper, or press Caliper";
const SHEETS = new WeakMap();

const clamped = (value, most) => Math.min(Math.max(value, 0), most);

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Text is set as text: what a file says is never read as markup. */
function words(x, y, text, attributes = {}) {
  const made = svg("text", { x, y, "font-size": 3, ...attributes });
  made.textContent = text;
  return made;
}

function keptScale() {
  try {
    const value = Number(localStorage.getItem(KEPT));
    return value > 0.5 && value < 2 ? value : 1;
  } catch {
    return 1;
  }
}

function keepScale(value) {
  try {
    localStorage.setItem(KEPT, String(value));
  } catch {
    // A browser that keeps nothing asks again.
  }
}

/** Return a caliper with one leg, "0" or "1", moved by millimetres. */
function shifted(caliper, leg, across, down) {
  return { ...caliper, [`x${leg}`]: caliper[`x${leg}`] + across, [`y${leg}`]: caliper[`y${leg}`] + down };
}

function squares(id, step, color, width) {
  const line = svg("path", { d: `M${step} 0H0V${step}`, fill: "none", stroke: color, "stroke-width": width });
  return svg("pattern", { id, width: step, height: step, patternUnits: "userSpaceOnUse" }, line);
}

class Sheet {
  constructor(root, data, tell) {
    this.tell = tell;
    this.scale = keptScale();
    this.caliper = null;
    this.box = element("div", { class: "ecg" });
    root.append(this.box);
    this.update(data);
  }

  update(data) {
    const same = this.data && this.data.startS === data.startS && this.data.width === data.width && this.data.mmPerMv === data.mmPerMv;
    const left = this.scroll?.scrollLeft ?? 0;
    const focused = this.drawn?.getRootNode().activeElement ?? null;
    const held = focused && [this.drawn, this.whole].indexOf(focused);
    const opened = this.box.querySelector("details")?.open ?? false;
    if (!same) this.caliper = null;
    this.data = data;
    this.read = element("div", { class: "read", "aria-live": "polite" });
    this.drawn = this.paper();
    this.scroll = element("div", { class: "scroll" }, this.drawn);
    const clear = element("button", { type: "button", onclick: () => this.measure(null) }, "Clear caliper");
    const begin = element("button", { type: "button", onclick: () => this.start() }, "Caliper");
    const bar = element("div", { class: "bar" }, this.read, element("span", {}, begin, " ", clear));
    this.whole = data.strip ? this.strip() : null;
    this.box.replaceChildren(this.scroll, bar, ...(this.whole ? [this.whole] : []), this.screen(opened));
    this.resize();
    this.scroll.scrollLeft = left;
    this.measure(this.caliper);
    // What had the focus is made anew with the rest: the next key is heard again.
    if (focused) [this.drawn, this.whole][held]?.focus();
  }

  resize() {
    this.drawn.setAttribute("width", `${this.data.width * this.scale}mm`);
    this.drawn.setAttribute("height", `${this.data.height * this.scale}mm`);
  }

  paper() {
    const { width, height, paper, left } = this.data;
    const root = svg("svg", {
      class: "sheet", viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "application", "aria-label": `${this.data.label}. ` +
        "Caliper: C sets it, arrow keys move its end, with Shift its beginning, up and down its height, Escape clears it.",
    });
    const defs = svg("defs", {}, squares("small", 1, paper.minor, 0.2), squares("large", 5, paper.major, 0.3));
    root.append(defs, svg("rect", { width, height, fill: paper.sheet }));
    for (const name of ["small", "large"]) {
      // Squares begin where the time does.
      root.append(svg("rect", { x: left % 5, width: width - (left % 5), height, fill: `url(#${name})` }));
    }
    this.spans(root);
    const line = { fill: "none", stroke: paper.ink, "stroke-width": 0.28, "stroke-linejoin": "round" };
    for (const d of this.data.pulses) root.append(svg("path", { d, ...line, class: "pulse" }));
    for (const lane of this.data.lanes) {
      root.append(svg("path", { d: lane.path, ...line, class: "lead" }));
      root.append(words(lane.x + 1, lane.top + 3.4, lane.name, { fill: paper.ink, "font-weight": 700, stroke: paper.sheet, "stroke-width": 0.6, "paint-order": "stroke" }));
      if (lane.flag) root.append(words(lane.x + 3 + 2.1 * lane.name.length, lane.top + 3.4, `⚠ ${lane.flag}`, { fill: paper.ink, "font-size": 2.6, class: "flag", stroke: paper.sheet, "stroke-width": 0.5, "paint-order": "stroke" }));
    }
    for (const mark of this.data.marks) {
      const letter = words(mark.x, 3.6, mark.label, { fill: paper.ink, "font-weight": 700, "text-anchor": "middle" });
      letter.append(svg("title"));
      letter.lastChild.textContent = mark.title;
      root.append(letter, svg("rect", { x: mark.x - 1.3, y: 4.2, width: 2.6, height: 0.8, fill: mark.color }));
    }
    for (const second of this.data.seconds) root.append(words(second.x, height - 4.4, second.label, { fill: paper.muted, "font-size": 2.4, "text-anchor": "middle" }));
    root.append(words(1, height - 1.2, this.data.scale, { fill: paper.muted, "font-size": 2.4, stroke: paper.sheet, "stroke-width": 0.6, "paint-order": "stroke" }));
    this.legs = svg("g", { class: "caliper" });
    root.append(this.legs);
    root.addEventListener("pointerdown", (event) => this.press(event));
    // The touch that has a leg moves this and not the page.
    root.addEventListener("touchstart", (event) => { if (this.leg) event.preventDefault(); }, { passive: false });
    root.addEventListener("keydown", (event) => this.key(event));
    return root;
  }

  spans(root) {
    for (const span of this.data.spans) {
      const band = svg("rect", { x: span.x, y: span.y, width: span.width, height: span.height, fill: span.color, opacity: 0.16, class: "wave" });
      band.append(svg("title"));
      band.lastChild.textContent = span.title;
      const edges = svg("path", { d: `M${span.x} ${span.y}v${span.height}m${span.width} 0v${-span.height}`, stroke: span.color, "stroke-width": 0.2 });
      root.append(band, edges);
      if (span.width < NARROW_MM) continue;
      const letter = words(span.x + span.width / 2, span.y + 2, span.label, { fill: this.data.paper.ink, "font-size": 2, "text-anchor": "middle" });
      root.append(letter);
    }
  }

  point(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.drawn.getScreenCTM().inverse());
    return { x: clamped(at.x, this.data.width), y: clamped(at.y, this.data.height) };
  }

  /** Return which leg a finger takes hold of, "0" or "1"; null: none is near, and the paper scrolls. */
  held({ x }) {
    if (!this.caliper) return null;
    const [first, second] = [this.caliper.x0, this.caliper.x1].map((leg) => Math.abs(leg - x));
    if (Math.min(first, second) > REACH_MM) return null;
    return first < second ? "0" : "1";
  }

  press(event) {
    const isFinger = event.pointerType === "touch";
    if (event.button !== 0 || isFinger && !event.isPrimary) return;
    const from = this.point(event);
    const before = this.caliper;
    this.leg = isFinger ? this.held(from) : null;
    if (isFinger && !this.leg) return;
    const move = (moved) => {
      const to = this.point(moved);
      if (Math.hypot(to.x - from.x, to.y - from.y) < 0.5) return;
      moved.preventDefault();
      if (this.leg) this.measure(shifted(before, this.leg, to.x - from.x, to.y - from.y));
      else this.measure({ x0: from.x, y0: from.y, x1: to.x, y1: to.y });
    };
    const end = (ended) => {
      this.drawn.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, end);
      // The browser took the pointer away, to scroll: nobody meant to measure.
      if (ended.type === "pointercancel") this.measure(before);
    };
    if (event.pointerType !== "pen") this.drawn.setPointerCapture(event.pointerId);
    this.drawn.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end);
  }

  start() {
    const middle = this.scroll.scrollLeft + this.scroll.clientWidth / 2;
    const x = Math.min((middle / this.drawn.clientWidth) * this.data.width, this.data.width);
    const y = this.data.lanes[0]?.y ?? this.data.height / 2;
    this.measure({ x0: x - 0.1 * this.data.mmPerS, y0: y, x1: x + 0.1 * this.data.mmPerS, y1: y - 0.5 * this.data.mmPerMv });
    this.drawn.focus();
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") this.measure(null);
    else if (event.key === "c" || event.key === "C") this.start();
    else if (steps && this.caliper) {
      const leg = event.shiftKey ? "0" : "1";
      const size = event.altKey ? 5 : 0.25;
      this.measure(shifted(this.caliper, leg, size * steps[0], size * steps[1]));
      this.bring(this.caliper[`x${leg}`]);
    } else return;
    event.preventDefault();
  }

  onPaper({ x0, y0, x1, y1 }) {
    const { width, height } = this.data;
    return { x0: clamped(x0, width), y0: clamped(y0, height), x1: clamped(x1, width), y1: clamped(y1, height) };
  }

  /** Scroll the paper so far that a place on it is in sight. */
  bring(x) {
    const { scrollLeft, clientWidth } = this.scroll;
    const place = (x / this.data.width) * this.drawn.clientWidth;
    this.scroll.scrollLeft = Math.min(Math.max(scrollLeft, place + EDGE_PX - clientWidth), place - EDGE_PX);
  }

  measure(caliper) {
    this.caliper = caliper && this.onPaper(caliper);
    this.legs.replaceChildren();
    if (!caliper) {
      this.read.textContent = `${HOW}, to measure time, height and rate.`;
      return;
    }
    const { x0, y0, x1, y1 } = this.caliper;
    const { ink } = this.data.paper;
    const [left, right, top, low] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
    const line = { stroke: ink, "stroke-width": 0.3, "stroke-dasharray": "1 0.6" };
    this.legs.append(svg("rect", { x: left, y: 0, width: right - left, height: this.data.height, fill: "#009E73", opacity: 0.1 }));
    for (const x of [x0, x1]) this.legs.append(svg("line", { x1: x, x2: x, y1: 0, y2: this.data.height, ...line }));
    for (const y of [y0, y1]) this.legs.append(svg("line", { x1: left - 2, x2: right + 2, y1: y, y2: y, ...line }));
    const seconds = (right - left) / this.data.mmPerS;
    const rate = seconds > 0.1 ? ` · ${Math.round(60 / seconds)} /min` : "";
    this.read.textContent = `${Math.round(1000 * seconds)} ms${rate} · ${((low - top) / this.data.mmPerMv).toFixed(2)} mV`;
  }

  strip() {
    const { strip, paper, label } = this.data;
    const root = svg("svg", { class: "strip", viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "slider", tabindex: 0,
      "aria-label": `The whole recording: press to go there. ${label}`, "aria-valuemin": 0, "aria-valuemax": strip.durationS - strip.lengthS, "aria-valuenow": strip.startS,
      "aria-valuetext": `${strip.startS.toFixed(1)} to ${(strip.startS + strip.lengthS).toFixed(1)} s of ${Number(strip.durationS.toFixed(1))} s` });
    root.append(svg("rect", { width: 1000, height: 100, fill: paper.sheet }));
    root.append(svg("path", { d: strip.path, fill: "none", stroke: paper.muted, "stroke-width": 1, "vector-effect": "non-scaling-stroke" }));
    for (const kind of strip.events) {
      const d = kind.x.map((x) => `M${x} 0V12`).join("");
      root.append(svg("path", { d, stroke: kind.color, "stroke-width": 1.5, "vector-effect": "non-scaling-stroke", class: "event" }));
    }
    root.append(svg("rect", { x: strip.from, width: strip.width, height: 100, fill: "#0072B2", opacity: 0.3 }));
    const go = (seconds) => this.tell("at", Math.min(Math.max(seconds, 0), strip.durationS));
    root.addEventListener("click", (event) => {
      const place = root.getBoundingClientRect();
      go(((event.clientX - place.left) / place.width) * strip.durationS);
    });
    root.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
      if (!step) return;
      event.preventDefault();
      go(strip.startS + (step + 0.5) * strip.lengthS);
    });
    return root;
  }

  screen(opened) {
    const card = element("div", { class: "card" });
    const slider = element("input", { type: "range", min: 0.6, max: 1.8, step: 0.005, value: this.scale, "aria-label": "Width of the card on the screen" });
    const fit = () => { card.style.width = `${CARD_MM * this.scale}mm`; };
    slider.addEventListener("input", () => {
      this.scale = Number(slider.value);
      keepScale(this.scale);
      fit();
      this.resize();
    });
    fit();
    const text = element("div", {}, "Hold a bank card to the screen and make the frame as wide as it is (85.6 mm). One square is a millimetre then.");
    return element("details", opened ? { open: "" } : {}, element("summary", {}, "True millimetres on this screen"), text, card, slider);
  }
}

export default function mount({ data, parentElement, setTriggerValue }) {
  const known = SHEETS.get(parentElement);
  if (known) {
    known.tell = setTriggerValue;
    known.update(data);
  } else SHEETS.set(parentElement, new Sheet(parentElement, data, setTriggerValue));
}
