// Inputs by chance that come again with the same seed.

/** @param {number} seed @returns {() => number} 0 to 1 */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {() => number} dice @param {number} below */
export const below = (dice, below) => Math.floor(dice() * below);

/** @template T @param {() => number} dice @param {T[]} from @returns {T} */
export const one = (dice, from) => from[below(dice, from.length)];

// What is special to somebody: paths, addresses, markup, JSON, filters, terminals, scripts of other directions.
const ODD = [
  "a", "B", "0", "9", " ", "  ", "\t", "\n", "/", "//", ".", "..", "%", "%2F", "%zz", "?", "#", "&", "=", "+", ":", "-", "_", "\\",
  "\"", "'", "`", "${x}", "<", ">", "<img src=x onerror=alert(1)>", "&amp;", "é", "ß", "İ", "ſ", "日本", "😀", "\u0000", "\u0007", "\u007f",
  "\u200e", "\u202e", "\ufeff", "\ufffd", "e\u0301", "true", "null", "__proto__", "constructor", "toString",
];

/** @param {() => number} dice @param {number} [most] how many pieces */
export function oddText(dice, most = 8) {
  let text = "";
  for (let left = below(dice, most + 1); left > 0; left -= 1) text += one(dice, ODD);
  return text;
}

/** @param {() => number} dice @param {number} length */
export function oddBytes(dice, length) {
  return Uint8Array.from({ length }, () => below(dice, 256));
}
