/** Mouse, pen, fingers and keys on a pane, as calls of the viewer's verbs. */

const FEW_PX = 4;

/** Connect a pane; `viewer` has begin, drag, end, hover, step, zoomBy, key. */
export function listen(pane, viewer) {
  const { canvas } = pane;
  const fingers = new Map();
  let pinch = null;
  let moved = 0;

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    moved = 0;
    if (fingers.size === 2) {
      viewer.end(pane, null, false);
      pinch = pinched(fingers);
    } else if (fingers.size === 1) viewer.begin(pane, event);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      viewer.hover(pane, event);
      return;
    }
    fingers.set(event.pointerId, event);
    const by = [event.clientX - before.clientX, event.clientY - before.clientY];
    moved += Math.abs(by[0]) + Math.abs(by[1]);
    if (fingers.size === 2 && pinch) {
      const now = pinched(fingers);
      viewer.zoomBy(pane, now.distance / pinch.distance, now);
      viewer.panBy(pane, [now.clientX - pinch.clientX, now.clientY - pinch.clientY]);
      pinch = now;
    } else if (fingers.size === 1) viewer.drag(pane, event, by);
    viewer.hover(pane, event);
  });
  const lifted = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size === 0) viewer.end(pane, event, moved < FEW_PX);
    pinch = null;
  };
  canvas.addEventListener("pointerup", lifted);
  canvas.addEventListener("pointercancel", (event) => {
    // The browser scrolls the page with this finger.
    viewer.end(pane, null, false);
    fingers.delete(event.pointerId);
    pinch = null;
  });
  canvas.addEventListener("pointerleave", () => viewer.hover(pane, null));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    viewer.wheel(pane, event);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (!viewer.key(pane, event)) return;
    // Streamlit has keys of its own (r runs the page again, c clears).
    event.preventDefault();
    event.stopPropagation();
  });
}

function pinched(fingers) {
  const [a, b] = [...fingers.values()];
  return {
    distance: Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1),
    clientX: (a.clientX + b.clientX) / 2,
    clientY: (a.clientY + b.clientY) / 2,
  };
}
