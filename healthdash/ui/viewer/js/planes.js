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
  const mmDown = known ? spacing[down] : aspect;
  const mmAcross = known ? spacing[across] : 1;
  // Where slices are tilted their steps are not at right angles; the plane is drawn as if they were.
  const steps = known && spec.steps;
  const stepDown = steps ? steps[down] : [0, mmDown, 0];
  return {
    normal, down, across, flipDown, known,
    distances: spec.distances,
    name: NAMES[letters[normal]] ?? (normal === 0 ? "" : `Along ${AXES[normal]}s`),
    sizeDown: spec.shape[down],
    sizeAcross: spec.shape[across],
    sizeNormal: spec.shape[normal],
    mmDown, mmAcross,
    stepDown: stepDown.map((part) => (flipDown ? -part : part)),
    stepAcross: steps ? steps[across] : [mmAcross, 0, 0],
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
  const [across, down] = [to[0] - from[0], to[1] - from[1]];
  return Math.hypot(...plane.stepAcross.map((part, n) => part * across + plane.stepDown[n] * down));
}
