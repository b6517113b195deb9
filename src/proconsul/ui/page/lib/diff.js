// What differs between two texts, line by line (Myers' shortest edit script). Pure, and bounded: texts that have very little in
// common are told apart as a whole instead.

/** @typedef {{ kind: "same" | "add" | "del", text: string, open?: boolean }} Line `open`: the last line, without a line end */
/** @typedef {{ lines: Line[], added: number, removed: number, exact: boolean }} Diff `exact`: the shortest there is */
/** @typedef {Line | { kind: "skip", count: number }} Shown */

/** Beyond so many changed lines the middle is shown as replaced. */
const EDITS_MAX = 1_500;
/** And beyond so much work: lines looked at times changes. */
const WORK_MAX = 20_000_000;

/** @param {string} text @returns {string[]} lines with their ends, so that a missing last one counts */
function linesOf(text) {
  return text === "" ? [] : text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** @param {string} before @param {string} after @returns {Diff} */
export function diffLines(before, after) {
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const script = edits(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  /** @type {Line[]} */
  const lines = [
    ...a.slice(0, head).map((text) => line("same", text)),
    ...script.lines,
    ...a.slice(a.length - tail).map((text) => line("same", text)),
  ];
  return {
    lines, exact: script.exact, added: lines.filter((one) => one.kind === "add").length,
    removed: lines.filter((one) => one.kind === "del").length,
  };
}

/** @param {Line["kind"]} kind @param {string} text @returns {Line} */
function line(kind, text) {
  return text.endsWith("\n") ? { kind, text: text.slice(0, -1) } : { kind, text, open: true };
}

/** @param {string[]} a @param {string[]} b @returns {{ lines: Line[], exact: boolean }} */
function edits(a, b) {
  const trace = a.length && b.length ? search(a, b) : null;
  if (!trace) {
    const exact = a.length === 0 || b.length === 0;
    return { lines: [...a.map((text) => line("del", text)), ...b.map((text) => line("add", text))], exact };
  }
  /** @type {Line[]} */
  const found = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const k = x - y;
    const reached = /** @type {Int32Array} */ (trace[d]);
    const down = k === -d || (k !== d && at(reached, d, k - 1) < at(reached, d, k + 1));
    const fromX = d === 0 ? 0 : at(reached, d, down ? k + 1 : k - 1);
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      found.push(line("same", /** @type {string} */ (a[x])));
    }
    if (d === 0) break;
    if (down) found.push(line("add", /** @type {string} */ (b[y - 1])));
    else found.push(line("del", /** @type {string} */ (a[x - 1])));
    [x, y] = [fromX, fromY];
  }
  return { lines: found.reverse(), exact: true };
}

/** The furthest line of `a` reached on a diagonal before step d. @param {Int32Array} reached @param {number} d @param {number} k */
function at(reached, d, k) {
  return reached[k + d] ?? -1;
}

/**
 * For each number of changes how far one gets with one less, by diagonal from -d to d; null: too far apart.
 * @param {string[]} a @param {string[]} b
 * @returns {Int32Array[] | null}
 */
function search(a, b) {
  const most = Math.min(a.length + b.length, EDITS_MAX);
  const middle = most + 1;
  const furthest = new Int32Array(2 * most + 3).fill(-1);
  furthest[middle + 1] = 0;
  const trace = [];
  let work = 0;
  for (let d = 0; d <= most; d += 1) {
    trace.push(furthest.slice(middle - d, middle + d + 1));
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [furthest[middle + k - 1] ?? -1, furthest[middle + k + 1] ?? -1];
      let x = k === -d || (k !== d && left < right) ? right : left + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
        work += 1;
      }
      furthest[middle + k] = x;
      if (x >= a.length && y >= b.length) return trace;
    }
    work += d;
    if (work > WORK_MAX) return null;
  }
  return null;
}

/**
 * Only what changed, with some lines around it. @param {Line[]} lines @param {number} [around] @returns {Shown[]}
 */
export function nearChanges(lines, around = 3) {
  const near = new Uint8Array(lines.length);
  lines.forEach((one, index) => {
    if (one.kind !== "same") near.fill(1, Math.max(0, index - around), index + around + 1);
  });
  /** @type {Shown[]} */
  const shown = [];
  lines.forEach((one, index) => {
    const last = shown.at(-1);
    if (near[index]) shown.push(one);
    else if (last?.kind === "skip") last.count += 1;
    else shown.push({ kind: "skip", count: 1 });
  });
  return shown;
}
