/** Stored values in the browser: fetched once, in slabs, and never again while they are in use. */

const TYPES = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array,
  int32: Int32Array, float32: Float32Array,
};
const AT_ONCE = 2;
const TRIES = 6;

export class Voxels {
  /**
   * @param spec shape [slices, rows, columns], channels (1 or 3), type, slopes and intercepts (one
   *   for all, or one a slice), range of stored values, reach of values in the unit, padding, slabs: [{url, first, count, bytes}].
   */
  constructor(spec) {
    this.spec = spec;
    [this.depth, this.rows, this.columns] = spec.shape;
    this.strides = [this.rows * this.columns, this.columns, 1];
    this.channels = spec.channels;
    this.loaded = new Uint8Array(this.depth);
    this.stored = null;
    this.mask = null;
    this.share = 0;
    this.problem = "";
    this.isUniform = spec.slopes.length === 1;
    this.hasTable = spec.type !== "float32" && spec.type !== "int32" && this.isUniform;
    this.stopper = new AbortController();
  }

  /** Fetch all slabs, the one with slice `start` first; `onSlab` is called after each. */
  async load(start, onSlab) {
    const Kind = TYPES[this.spec.type];
    const slice = this.rows * this.columns * this.channels;
    try {
      this.stored = new Kind(this.depth * slice);
    } catch {
      this.problem = "This browser has not enough memory for the volume.";
      onSlab();
      return;
    }
    const distance = (slab) => Math.abs(slab.first + (slab.count - 1) / 2 - start);
    const waiting = [...this.spec.slabs].sort((a, b) => distance(a) - distance(b));
    const whole = waiting.reduce((sum, slab) => sum + slab.bytes, 0) || 1;
    const one = async () => {
      for (let slab = waiting.shift(); slab; slab = waiting.shift()) {
        const bytes = await fetched(slab.url, this.stopper.signal);
        if (slab.mask) this.mask = new Uint8Array(bytes);
        else this.stored.set(new Kind(bytes), slab.first * slice);
        if (!slab.mask) this.loaded.fill(1, slab.first, slab.first + slab.count);
        this.share += slab.bytes / whole;
        onSlab();
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    } catch (error) {
      if (error.name !== "AbortError") {
        this.problem = "The picture could not be fetched. Reload the page.";
        onSlab();
      }
    }
  }

  slope(k) { return this.spec.slopes[this.isUniform ? 0 : k]; }

  intercept(k) { return this.spec.intercepts[this.isUniform ? 0 : k]; }

  /** Return what the file holds at a voxel: a value in the unit, three colours, or null. */
  value(k, j, i) {
    if (!this.loaded[k]) return null;
    const at = k * this.strides[0] + j * this.columns + i;
    if (this.channels === 3) return Array.from(this.stored.subarray(3 * at, 3 * at + 3));
    return this.stored[at] * this.slope(k) + this.intercept(k);
  }

  /** Return the stored number of a voxel, before any rescale; null in colour. */
  storedAt(k, j, i) {
    if (!this.loaded[k] || this.channels === 3) return null;
    return this.stored[k * this.strides[0] + j * this.columns + i];
  }

  isPadding(k, j, i) {
    const at = k * this.strides[0] + j * this.columns + i;
    const { padding } = this.spec;
    if (this.mask) return Boolean(this.mask[at]);
    return Boolean(padding) && this.stored[at] >= padding[0] && this.stored[at] <= padding[1];
  }

  free() {
    this.stopper.abort();
    this.stored = null;
    this.loaded.fill(0);
  }
}

/** Return the bytes of one gzip'd slab; another session's end may take it away for a moment. */
async function fetched(url, signal) {
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(url, { signal });
    if (answer.ok) {
      const plain = answer.body.pipeThrough(new DecompressionStream("gzip"));
      return new Response(plain).arrayBuffer();
    }
    if (attempt === TRIES) throw new Error(`answer ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, 150 * 2 ** attempt));
  }
}

// -- what is in use, by its name: a rerun of the page finds it here ---------------------------

const KEPT = new Map();
const LINGERS_MS = 20_000;

/** Return the voxels of a spec, loading them if nobody has. */
export function borrowed(spec, start, onSlab) {
  let held = KEPT.get(spec.id);
  if (!held) {
    held = { voxels: new Voxels(spec), users: new Set(), timer: 0 };
    KEPT.set(spec.id, held);
    held.users.add(onSlab);
    held.voxels.load(start, () => held.users.forEach((tell) => tell()));
  }
  clearTimeout(held.timer);
  held.users.add(onSlab);
  return held.voxels;
}

/** Say that a viewer is gone; what nobody uses is freed after a while. */
export function returned(spec, onSlab) {
  const held = KEPT.get(spec.id);
  if (!held) return;
  held.users.delete(onSlab);
  if (held.users.size) return;
  held.timer = setTimeout(() => {
    held.voxels.free();
    KEPT.delete(spec.id);
  }, LINGERS_MS);
}
