import test from "node:test";
import assert from "node:assert/strict";
import { chance, below, one } from "./chance.js";
import { best, rank } from "../page/lib/filter.js";

test("the name itself, its beginning, a word's, anywhere, its letters", () => {
  assert.deepEqual(["web", "web-1", "my-web", "cobweb", "w-e-b", "bew"].map((name) => rank("web", name)), [0, 1, 2, 3, 4, -1]);
  assert.equal(rank("web", "cobweb-web"), 2, "the second place counts");
  assert.equal(rank("a b", "xaxb"), 4, "blanks are left out");
  assert.equal(rank("web", "w-e-b", 3), -1);
});

test("the best of many are those that ranking all would give", () => {
  const dice = chance(5);
  const word = () => Array.from({ length: 1 + below(dice, 5) }, () => one(dice, ["a", "b", "-"])).join("");
  for (let turn = 0; turn < 300; turn += 1) {
    const items = Array.from({ length: below(dice, 60) }, (_, at) => ({ low: word(), at }));
    const typed = word();
    const all = items.map((item) => ({ item, level: rank(typed, item.low) })).filter(({ level }) => level >= 0)
      .sort((a, b) => a.level - b.level || a.item.low.length - b.item.low.length || a.item.at - b.item.at);
    assert.deepEqual(best(typed, items, 8), all.slice(0, 8).map(({ item }) => item));
  }
  assert.equal(best("  ", [{ low: "a" }, { low: "b" }], 1).length, 1);
});
