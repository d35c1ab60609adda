/** The three planes of a volume: which axes they show, which way up, and their millimetres. */

const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", S: "I", I: "S" };
const NAMES = { S: "Axial", I: "Axial", A: "Coronal", P: "Coronal", L: "Sagittal", R: "Sagittal" };
const AXES = ["slice", "row", "column"];

/** Return the planes of a volume; a picture, a cine and a volume in colour have one. */
export function planesOf(spec) {
  const all = [plane(spec, 0, 1, 2), plane(spec, 1, 0, 2), plane(spec, 2, 0, 1)];
  return spec.shape[0] > 1 && !spec.isTime ? all : all.slice(0, 1);
}

function plane(spec, normal, down, across) {
  const letters = spec.directions;
  const spacing = spec.spacing ?? [null, null, null];
  // Heads are up and the front is left or up; the plane of the file itself stays as it is stored.
  const flipDown = normal !== 0 && ["S", "A"].includes(letters[down]);
  const known = spacing[down] > 0 && spacing[across] > 0;
  const aspect = normal === 0 ? spec.aspect : 1;
  return {
    normal, down, across, flipDown, known,
    distances: spec.distances,
    name: NAMES[letters[normal]] ?? (normal === 0 ? "" : `Along ${AXES[normal]}s`),
    sizeDown: spec.shape[down],
    sizeAcross: spec.shape[across],
    sizeNormal: spec.shape[normal],
    mmDown: known ? spacing[down] : aspect,
    mmAcross: known ? spacing[across] : 1,
    edges: edges(letters[down], letters[across], flipDown),
  };
}

function edges(down, across, flipDown) {
  const below = flipDown ? OPPOSITE[down] : down;
  return {
    top: OPPOSITE[below] ?? "", bottom: below ?? "",
    left: OPPOSITE[across] ?? "", right: across ?? "",
  };
}

/** Return the voxel [slice, row, column] at whole numbers across and down a plane; null: outside. */
export function voxelAt(plane, position, across, down) {
  const u = Math.floor(across);
  const v = Math.floor(down);
  if (u < 0 || v < 0 || u >= plane.sizeAcross || v >= plane.sizeDown) return null;
  const voxel = [...position];
  voxel[plane.across] = u;
  voxel[plane.down] = plane.flipDown ? plane.sizeDown - 1 - v : v;
  return voxel;
}

/** Return where a voxel lies in a plane, in whole pixels across and down. */
export function placeOf(plane, voxel) {
  const v = voxel[plane.down];
  return [voxel[plane.across], plane.flipDown ? plane.sizeDown - 1 - v : v];
}

/** Return the length of a line between two places of a plane, in millimetres or pixels. */
export function lengthOf(plane, from, to) {
  const across = (to[0] - from[0]) * plane.mmAcross;
  const down = (to[1] - from[1]) * plane.mmDown;
  return Math.hypot(across, down);
}
