/**
 * Values to display grey, in the order of DICOM PS3.3 C.7.6.3 and C.11.2, as sample.py has it:
 * stored value, rescale, then the table or the window, then one inversion, then black padding.
 */

/** Return a function from a value to grey, 0 (black) to 1, before any inversion. */
export function greyOf(look) {
  const width = Math.max(look.width, 1e-6);
  const center = look.center;
  if (look.curve === "TABLE") {
    const { first, levels } = look.table;
    const last = levels.length - 1;
    return (value) => levels[Math.min(Math.max(Math.round(value - first), 0), last)];
  }
  if (look.curve === "SIGMOID") {
    return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  }
  return (value) => Math.min(Math.max((value - center) / width + 0.5, 0), 1);
}

/** Return a pixel for ImageData (little endian: alpha, blue, green, red) of a level, 0 to 255. */
function pixelOf(level) {
  return (0xff000000 | (level << 16) | (level << 8) | level) >>> 0;
}

export const BLACK = pixelOf(0);

/** Return a function from a value to a pixel. */
export function pixelsOf(look) {
  const grey = greyOf(look);
  return (value) => {
    const level = Math.round(255 * grey(value));
    if (Number.isNaN(level)) return BLACK;
    return pixelOf(look.invert ? 255 - level : level);
  };
}

/** Return a pixel for each stored whole number from `low` to `high`. */
export function tableOf(look, slope, intercept, low, high, padding) {
  const pixel = pixelsOf(look);
  const table = new Uint32Array(high - low + 1);
  for (let stored = low; stored <= high; stored++) {
    const isPadding = padding && stored >= padding[0] && stored <= padding[1];
    table[stored - low] = isPadding ? BLACK : pixel(stored * slope + intercept);
  }
  return table;
}
