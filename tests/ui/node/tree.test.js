import test from "node:test";
import assert from "node:assert/strict";
import { chance, below, oddText } from "./chance.js";
import { carried, carriedPart, flatOf, levelOf, parentOf, pathTo, visible } from "../page/lib/tree.js";

/** @param {string[]} keys @param {string} prefix */
const names = (keys, prefix) => levelOf(keys, prefix).map((row) => row.name);

test("a level has folders first, each once", () => {
  assert.deepEqual(names(["b10", "b2", "a", "a/", "a/b", "a/c/d"], ""), ["a/", "a", "b2", "b10"]);
  assert.deepEqual(names(["a", "a/", "a/b", "a/c/d", "ab"], "a/"), ["c/", "", "b"]);
  assert.deepEqual(names(["/", "//", "//x", "a//b"], ""), ["/", "a/"]);
  assert.deepEqual(names(["/", "//", "//x", "a//b"], "/"), ["/", ""]);
  assert.deepEqual(names(["a//b", "a/c"], "a/"), ["/", "c"]);
  assert.deepEqual(names(["../x", "."], ""), ["../", "."]);
  assert.deepEqual(names([], "a/"), []);
  assert.deepEqual(flatOf(["a/b", "b"], "a/").map((row) => row.name), ["b"]);
});

test("the way to a key", () => {
  assert.deepEqual(pathTo("a"), []);
  assert.deepEqual(pathTo("a/"), []);
  assert.deepEqual(pathTo("a/b/c"), [["a", "a/"], ["b", "a/b/"]]);
  assert.deepEqual(pathTo("a/b/"), [["a", "a/"]]);
  assert.deepEqual(pathTo("//x"), [["", "/"], ["", "//"]]);
  assert.equal(parentOf("a/b"), "a/");
  assert.equal(parentOf("a/b/"), "a/");
  assert.equal(parentOf("a//"), "a/");
  assert.equal(parentOf("a"), "");
  assert.equal(parentOf("/"), "");
  assert.deepEqual(pathTo("/"), []);
  assert.equal(parentOf(""), "");
});

test("any keys: every key is found by going down from the top", () => {
  const dice = chance(15);
  for (let turn = 0; turn < 300; turn += 1) {
    const keys = [...new Set(Array.from({ length: 1 + below(dice, 20) }, () => oddText(dice)))].filter(Boolean);
    /** @type {string[]} */
    const found = [];
    const go = (/** @type {string} */ prefix) => {
      for (const row of levelOf(keys, prefix)) {
        assert.equal(row.key, prefix + row.name);
        if (row.folder) go(row.key);
        else found.push(row.key);
        assert.equal(parentOf(row.name ? row.key : `${row.key}x`), prefix);
      }
    };
    go("");
    assert.deepEqual(found.sort(), keys.sort());
  }
});

test("what an address carries", () => {
  for (const key of ["a", "a/", "a b/%/c", "é/日本", "a/.x/...", "", "?#&+", "\\"]) assert.equal(carried(key), true, key);
  for (const key of ["/", "//a", "a//b", "a//", ".", "..", "a/..", "a/../b", "./a", "a\u0001", "a\n/b", "a\u200b", "a\u00a0b", "😀"]) {
    assert.equal(carried(key), false, key);
  }
  assert.equal(carriedPart("a/../b"), "a/");
  assert.equal(carriedPart("a/ctl\u0001x/y"), "a/ctl");
  assert.equal(carriedPart("a//b"), "a/");
  assert.equal(carriedPart("/a"), "");
  assert.equal(carriedPart(".\u0001"), "");
});

test("any key that is carried comes out of a URL as it went in", () => {
  const dice = chance(16);
  for (let turn = 0; turn < 3_000; turn += 1) {
    const key = oddText(dice, 6);
    const part = carriedPart(key);
    assert.ok(key.startsWith(part));
    assert.ok(carried(part), part);
    const url = new URL(`http://x/v1/kv/${part.split("/").map(encodeURIComponent).join("/")}?keys`);
    assert.equal(decodeURIComponent(url.pathname), `/v1/kv/${part}`);
  }
});

test("what cannot be seen is written out", () => {
  assert.equal(visible("a\tb\n\r\u0001\u202e\u200b"), "a\\tb\\n\\r\\u{1}\\u{202e}\\u{200b}");
  assert.equal(visible("a\tb\n\r\u0001", true), "a\tb\n\\r\\u{1}");
  assert.equal(visible("é 日本 😀"), "é 日本 😀");
});
