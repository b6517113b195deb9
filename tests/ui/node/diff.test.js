import test from "node:test";
import assert from "node:assert/strict";
import { chance, below, one } from "./chance.js";
import { diffLines, nearChanges } from "../page/lib/diff.js";

/** @typedef {import("../page/lib/diff.js").Diff} Diff */

/** @param {Diff} diff @param {string} side */
const side = (diff, side) => diff.lines.filter((line) => line.kind === "same" || line.kind === side)
  .map((line) => line.text + (line.open ? "" : "\n")).join("");

/** The length of the longest common subsequence, the slow way. @param {string[]} a @param {string[]} b */
function common(a, b) {
  let before = new Array(b.length + 1).fill(0);
  for (const left of a) {
    const now = [0];
    b.forEach((right, at) => now.push(left === right ? before[at] + 1 : Math.max(before[at + 1], now[at])));
    before = now;
  }
  return before[b.length];
}

/** @param {string} text */
const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

test("one line changed", () => {
  const { lines, added, removed, exact } = diffLines("a\nb\nc\n", "a\nB\nc\n");
  assert.deepEqual(lines.map(({ kind, text }) => `${kind} ${text}`), ["same a", "del b", "add B", "same c"]);
  assert.deepEqual([added, removed, exact], [1, 1, true]);
});

test("a missing line end is a change", () => {
  assert.deepEqual(diffLines("a\n", "a").lines, [{ kind: "del", text: "a" }, { kind: "add", text: "a", open: true }]);
  assert.deepEqual(diffLines("", "").lines, []);
  assert.deepEqual(diffLines("", "\n").lines, [{ kind: "add", text: "" }]);
});

test("any texts: both come back whole, by the fewest changes", () => {
  const dice = chance(7);
  const text = () => Array.from({ length: below(dice, 14) }, () => one(dice, ["a", "b", "c", ""]) + (dice() < 0.9 ? "\n" : "")).join("");
  for (let turn = 0; turn < 3_000; turn += 1) {
    const [before, after] = [text(), text()];
    const diff = diffLines(before, after);
    assert.equal(side(diff, "del"), before);
    assert.equal(side(diff, "add"), after);
    assert.equal(diff.lines.filter((line) => line.kind === "same").length, common(linesOf(before), linesOf(after)));
    assert.ok(diff.exact);
  }
});

test("huge texts that have nothing in common end, whole", () => {
  const text = (/** @type {string} */ word) => Array.from({ length: 40_000 }, (_, at) => `${word} ${at}\n`).join("");
  const diff = diffLines(`same\n${text("a")}`, `same\n${text("b")}`);
  assert.equal(diff.exact, false);
  assert.equal(side(diff, "del"), `same\n${text("a")}`);
  assert.equal(side(diff, "add"), `same\n${text("b")}`);
  assert.equal(diff.lines[0]?.kind, "same");
});

test("only what is near a change is shown", () => {
  const text = Array.from({ length: 20 }, (_, at) => `${at}\n`).join("");
  const shown = nearChanges(diffLines(text, text.replace("10\n", "x\n")).lines, 1);
  assert.deepEqual(shown.map((line) => (line.kind === "skip" ? line.count : line.text)), [9, "9", "10", "x", "11", 8]);
  assert.deepEqual(nearChanges(diffLines(text, text).lines), [{ kind: "skip", count: 20 }]);
});
