import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText, one } from "./chance.js";
import { diffLines, nearChanges } from "../page/lib/diff.js";

/** One side of a difference, as it was. @param {ReturnType<typeof diffLines>} diff @param {string} other */
const side = (diff, other) => diff.lines.filter((line) => line.kind !== other).map((line) => line.text + (line.open ? "" : "\n")).join("");

/** How few lines must change, by trying all: the slow way. @param {string[]} a @param {string[]} b */
function least(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let x = 1; x <= a.length; x += 1) {
    const next = [x];
    for (let y = 1; y <= b.length; y += 1) next.push(a[x - 1] === b[y - 1] ? row[y - 1] : 1 + Math.min(row[y], next[y - 1]));
    row = next;
  }
  return row[b.length];
}

/** @param {string} text */
const lines = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

test("both sides can be read from a difference, and no shorter one is there", () => {
  const dice = chance(1);
  for (let round = 0; round < 3_000; round += 1) {
    const text = () => Array.from({ length: below(dice, 12) }, () => one(dice, ["a\n", "b\n", "c\n", "\n", "a", "\r\n", oddText(dice, 2)])).join("");
    const [before, after] = [text(), text()];
    const diff = diffLines(before, after);
    assert.equal(side(diff, "add"), before);
    assert.equal(side(diff, "del"), after);
    assert.ok(diff.exact);
    assert.equal(diff.added + diff.removed, least(lines(before), lines(after)), JSON.stringify([before, after]));
  }
});

test("nothing, and a missing line end", () => {
  assert.deepEqual(diffLines("", ""), { lines: [], added: 0, removed: 0, exact: true });
  assert.deepEqual([diffLines("", "a\n").added, diffLines("a\n", "").removed], [1, 1]);
  const end = diffLines("a\nb\n", "a\nb");
  assert.deepEqual([end.added, end.removed], [1, 1]);
  assert.ok(end.lines.some((line) => line.kind === "add" && line.open));
});

test("large values are compared while somebody waits, and both sides are still there", () => {
  const dice = chance(2);
  const many = Array.from({ length: 60_000 }, (_, at) => `line ${at}\n`);
  const changed = many.map((line) => (dice() < 0.01 ? `other ${dice()}\n` : line));
  const strange = Array.from({ length: 60_000 }, () => `${dice()}\n`);
  const began = performance.now();
  for (const [a, b] of [[many, changed], [many, strange], [["x\n".repeat(200_000)], ["y\n".repeat(200_000)]], [many, many]]) {
    const diff = diffLines(a.join(""), b.join(""));
    assert.equal(side(diff, "add"), a.join(""));
    assert.equal(side(diff, "del"), b.join(""));
  }
  assert.ok(performance.now() - began < 60_000);
});

test("only what is near a change is shown, and the rest is counted", () => {
  const dice = chance(3);
  for (let round = 0; round < 500; round += 1) {
    const all = Array.from({ length: below(dice, 60) }, () => ({ kind: one(dice, ["same", "same", "same", "same", "same", "same", "add", "del"]), text: "x" }));
    const around = below(dice, 4);
    const shown = nearChanges(all, around);
    assert.equal(shown.reduce((sum, one) => sum + (one.kind === "skip" ? one.count : 1), 0), all.length);
    assert.deepEqual(shown.filter((one) => ["add", "del"].includes(one.kind)), all.filter((one) => one.kind !== "same"));
    let at = 0;
    for (const one of shown) {
      if (one.kind === "skip") {
        for (const line of all.slice(at, at + one.count)) assert.equal(line.kind, "same");
        at += one.count;
      } else {
        assert.ok(all.slice(Math.max(0, at - around), at + around + 1).some((line) => line.kind !== "same"));
        at += 1;
      }
    }
  }
});
