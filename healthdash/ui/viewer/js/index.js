/** The door to Streamlit (components v2): called at each change of the data or of the theme. */

import { Viewer } from "./viewer.js";

const VIEWERS = new WeakMap();

export default function mount({ data, parentElement, setTriggerValue }) {
  let viewer = VIEWERS.get(parentElement);
  // The id names all that a viewer takes when it is built (spec.py); `update` takes the rest.
  if (viewer && viewer.data.voxels.id !== data.voxels.id) {
    viewer.dispose();
    viewer = null;
  }
  if (viewer) {
    viewer.tell = setTriggerValue;
    viewer.update(data);
  } else {
    viewer = new Viewer(parentElement, data, setTriggerValue);
    VIEWERS.set(parentElement, viewer);
  }
  // Streamlit also cleans up after a call that a later one overtook: only one that is off the page goes.
  return () => setTimeout(() => {
    const host = parentElement.host ?? parentElement;
    if (host.isConnected) return;
    VIEWERS.get(parentElement)?.dispose();
    VIEWERS.delete(parentElement);
  }, 0);
}
