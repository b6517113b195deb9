import test from "node:test";
import assert from "node:assert/strict";
import { chance, below, oddBytes, oddText } from "./chance.js";
import {
  areFlags, batches, bytesOf, casOp, cliOf, commonPrefix, deleteRequest, deleteTreeRequest, draftOf, exportText, isBase64, jsonTrouble, keysPath, parseExport,
  plainText, putRequest, sameBytes,
} from "../page/lib/kv.js";

/** @param {() => number} dice @param {number} at */
const oddPair = (dice, at) => ({
  key: `${at}/${oddText(dice, 5)}`, flags: String([0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n][below(dice, 4)]), bytes: oddBytes(dice, below(dice, 40)),
});

test("what is exported is imported as it was: bytes, odd names, flags of 64 bits", () => {
  const dice = chance(1);
  for (let round = 0; round < 300; round += 1) {
    const pairs = Array.from({ length: below(dice, 12) }, (_, at) => oddPair(dice, at));
    const text = exportText(/** @type {any} */ (pairs));
    assert.deepEqual(parseExport(text), pairs);
    // As the command line reads it: flags are numbers, values base64.
    for (const [at, row] of JSON.parse(text).entries()) {
      assert.equal(typeof row.flags, "number");
      assert.equal(Buffer.from(row.value, "base64").compare(Buffer.from(pairs[at].bytes)), 0);
    }
  }
});

test("what cannot be imported is refused with the place and the reason", () => {
  for (const [text, why] of [
    ["", /JSON/], ["{}", /array/], ["[1]", /Entry 1/], ["[{}]", /Entry 1.*key/], ['[{"key":""}]', /key/],
    ['[{"key":"a","value":"eA=="},{"key":"a"}]', /Entry 2.*twice/], ['[{"key":"a","value":"x"}]', /base64/],
    ['[{"key":"a","flags":-1}]', /flags/], ['[{"key":"a","flags":1.5}]', /flags/], ['[{"key":"a","flags":18446744073709551616}]', /flags/],
    ['[{"key":"a","value":1}]', /base64/], ["null", /array/],
  ]) assert.throws(() => parseExport(/** @type {string} */ (text)), /** @type {RegExp} */ (why), String(text));
  assert.deepEqual(parseExport("[]"), []);
  assert.deepEqual(parseExport('[{"Key":"a","Flags":7,"Value":null}]').map(({ key, flags }) => [key, flags]), [["a", "7"]]);
});

test("base64 is told from what only looks like it", () => {
  const dice = chance(2);
  for (let round = 0; round < 300; round += 1) assert.ok(isBase64(Buffer.from(oddBytes(dice, below(dice, 30))).toString("base64")));
  for (const none of ["a", "ab", "abc", "a===", "ab==c", "a b=", "_-8="]) assert.equal(isBase64(none), false, none);
});

test("transactions hold 64 operations, and no more than an agent takes", () => {
  const ops = (/** @type {number} */ count, /** @type {number} */ size) => Array.from({ length: count }, (_, at) => casOp(`k${at}`, new Uint8Array(size), "0", 0));
  assert.deepEqual(batches(ops(130, 1)).map((batch) => batch.length), [64, 64, 2]);
  assert.deepEqual(batches(ops(3, 250_000)).map((batch) => batch.length), [1, 1, 1]);
  assert.deepEqual(batches([]), []);
  for (const batch of batches(ops(100, 9_000))) assert.ok(JSON.stringify(batch).length < 512 * 1024);
});

test("what names begin with", () => {
  assert.equal(commonPrefix([]), "");
  assert.equal(commonPrefix(["a/b"]), "a/b");
  assert.equal(commonPrefix(["a/b", "a/bc", "a/b/d"]), "a/b");
  assert.equal(commonPrefix(["a", "b"]), "");
  assert.equal(commonPrefix(["a", ""]), "");
  assert.equal(commonPrefix(["a😀", "a😁"]), "a");
});

test("JSON that is none is told of, other text is not", () => {
  assert.notEqual(jsonTrouble('{"a":', "k"), "");
  assert.notEqual(jsonTrouble("a: 1", "k.json"), "");
  assert.equal(jsonTrouble("a: 1", "k.yaml"), "");
  assert.equal(jsonTrouble(' {"a":1}', "k"), "");
});

test("as the command line has it", () => {
  const pair = { key: "it's", flags: "7", bytes: bytes("x"), session: "", created: 1, modified: 9, locks: 0 };
  assert.equal(cliOf(pair), "consul kv put -cas -modify-index=9 -flags=7 'it'\\''s' @value");
  assert.equal(cliOf(pair, true), "consul kv delete -cas -modify-index=9 'it'\\''s'");
});
