/** What the keyboard does on a pane. */

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PAN_PX = 24;
const LEAP = 10;
const LETTERS = { w: "window", p: "pan", z: "zoom", m: "measure", x: "cross" };

/** Return what the keys do, as it is read out with the picture. */
export function keysInWords(plane) {
  const along = plane.sizeNormal > 1 ? "arrows and Page Up and Down change the slice, with Shift arrows move the picture" : "arrows move the picture";
  return `Keys: ${along}, with Ctrl they read its values, with Alt they change the window; plus and minus zoom, 0 fits, I inverts; ` +
    "M measures: Enter begins a line and ends it, Delete takes it away.";
}

/** Do what a key asks for; return whether it asked for anything. */
export function keyed(viewer, pane, event) {
  const by = ARROWS[event.key];
  if (by) return arrow(viewer, pane, event, by);
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const depth = pane.plane.sizeNormal;
  const acts = {
    PageUp: () => viewer.step(-LEAP, pane),
    PageDown: () => viewer.step(LEAP, pane),
    Home: () => viewer.goTo(0, pane.plane.normal),
    End: () => viewer.goTo(depth - 1, pane.plane.normal),
  };
  if (acts[event.key] && depth === 1) return false;
  Object.assign(acts, {
    "+": () => viewer.zoomBy(pane, 1.25),
    "=": () => viewer.zoomBy(pane, 1.25),
    "-": () => viewer.zoomBy(pane, 1 / 1.25),
    0: () => viewer.fit(),
    1: () => viewer.oneToOne(),
    i: () => viewer.invert(),
    " ": () => viewer.playOrPause(),
    Delete: () => { viewer.state.rulers.pop(); viewer.redraw(); },
    Backspace: () => { viewer.state.rulers.pop(); viewer.redraw(); },
  });
  if (viewer.state.tool === "measure") acts.Enter = () => viewer.rule(pane);
  const tool = LETTERS[event.key];
  const act = acts[event.key] ?? (tool && (() => viewer.choose(tool)));
  act?.();
  return Boolean(act);
}

function arrow(viewer, pane, event, by) {
  if (event.altKey) viewer.dragWindow(by.map((n) => 8 * n));
  else if (event.ctrlKey || event.metaKey) viewer.probe(pane, by);
  else if (event.shiftKey || pane.plane.sizeNormal === 1) viewer.panBy(pane, by.map((n) => n * PAN_PX));
  else viewer.step(by[0] + by[1], pane);
  return true;
}
