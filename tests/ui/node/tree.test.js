import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText, one } from "./chance.js";
import { carried, carriedPart, flatOf, levelOf, parentOf, pathTo, visible } from "../page/lib/tree.js";

/** Keys with shared beginnings, empty parts and odd characters. @param {() => number} dice */
function oddKeys(dice) {
  const part = () => one(dice, ["a", "b", "10", "9", "", " ", ".", "..", oddText(dice, 2)]);
  return [...new Set(Array.from({ length: below(dice, 30) }, () => Array.from({ length: 1 + below(dice, 4) }, part).join("/")))].filter(Boolean);
}

test("every key is found once by going down, and nothing else", () => {
  const dice = chance(1);
  for (let round = 0; round < 300; round += 1) {
    const keys = oddKeys(dice);
    const found = [];
    const left = [""];
    for (let prefix = left.pop(); prefix !== undefined; prefix = left.pop()) {
      const rows = levelOf(keys, prefix);
      assert.equal(new Set(rows.map((row) => row.key)).size, rows.length);
      assert.deepEqual(rows, [...rows.filter((row) => row.folder), ...rows.filter((row) => !row.folder)]);
      for (const row of rows) {
        assert.equal(prefix + row.name, row.key);
        if (row.folder) left.push(row.key);
        else found.push(row.key);
      }
    }
    assert.deepEqual(found.sort(), keys.sort());
  }
});

test("what the agent has cut at the next slash gives the same level", () => {
  const dice = chance(2);
  for (let round = 0; round < 300; round += 1) {
    const keys = oddKeys(dice);
    const prefix = one(dice, ["", "a/", "a/b/", "/"]);
    const cut = new Set(keys.filter((key) => key.startsWith(prefix)).map((key) => {
      const at = key.indexOf("/", prefix.length);
      return at < 0 ? key : key.slice(0, at + 1);
    }));
    // A key that ends with a slash is a folder's own name, not a key of the level above.
    assert.deepEqual(levelOf([...cut], prefix).map((row) => row.key).sort(), levelOf(keys, prefix).map((row) => row.key).sort());
    assert.deepEqual(flatOf(keys, prefix).map((row) => row.key), keys.filter((key) => key.startsWith(prefix)));
  }
});

test("the way to a key goes through its folders", () => {
  assert.deepEqual(pathTo("a/b/c"), [["a", "a/"], ["b", "a/b/"]]);
  assert.deepEqual(pathTo("a/b/"), [["a", "a/"]]);
  assert.deepEqual(pathTo("a"), []);
  assert.deepEqual(pathTo(""), []);
  assert.deepEqual(["a/b", "a/b/", "a", "a/", ""].map(parentOf), ["a/", "a/", "", "", ""]);
  const dice = chance(3);
  for (let round = 0; round < 1_000; round += 1) {
    for (const key of oddKeys(dice)) {
      const way = pathTo(key);
      assert.equal(way.at(-1)?.[1] ?? "", parentOf(key));
      assert.equal(way.map(([name]) => `${name}/`).join(""), parentOf(key));
      way.forEach(([, prefix], at) => assert.equal(parentOf(prefix), way[at - 1]?.[1] ?? ""));
    }
    if (round > 50) break;
  }
});

test("a path carries what comes back from it as it was", () => {
  const dice = chance(4);
  for (let round = 0; round < 3_000; round += 1) {
    const key = oddText(dice, 8);
    const part = carriedPart(key);
    assert.ok(key.startsWith(part));
    assert.equal(carried(part), true, JSON.stringify(part));
    if (!carried(key)) continue;
    const url = new URL(`http://localhost/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`);
    assert.equal(url.pathname.slice("/v1/kv/".length).split("/").map(decodeURIComponent).join("/"), key);
    assert.ok(!url.pathname.includes("//"));
  }
  for (const none of ["a//b", "/a", "a/./b", "a/../b", "..", "a\nb", "a\u0000"]) assert.equal(carried(none), false, none);
  for (const fine of ["", "a", "a/", "a b", "a/b.c", "...", "ä/日本"]) assert.equal(carried(fine), true, fine);
});

test("what cannot be seen is written out, and nothing else is changed", () => {
  assert.equal(visible("a\u202eb\n\u0000"), "a\\u{202e}b\\n\\u{0}");
  assert.equal(visible("a\tb\n", true), "a\tb\n");
  assert.equal(visible("grün 日本 😀"), "grün 日本 😀");
  const dice = chance(5);
  for (let round = 0; round < 1_000; round += 1) assert.ok(!/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(visible(oddText(dice, 20))));
});

test("a hundred thousand keys are a level soon", () => {
  const keys = Array.from({ length: 100_000 }, (_, at) => `dir-${at % 1_000}/key-${at}`);
  const began = performance.now();
  assert.equal(levelOf(keys, "").length, 1_000);
  assert.equal(levelOf(keys, "dir-7/").length, 100);
  assert.ok(performance.now() - began < 30_000);
});
