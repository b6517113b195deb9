import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddBytes, oddText } from "./chance.js";
import { batches, exportText, isBase64, parseExport } from "../page/lib/kv.js";

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

test("many operations go in portions that one transaction takes, in order and all of them", () => {
  const dice = chance(3);
  for (let round = 0; round < 200; round += 1) {
    const ops = Array.from({ length: below(dice, 300) }, (_, at) => ({ KV: { Verb: "set", Key: `k${at}`, Value: "A".repeat(below(dice, 3) ? 10 : 100_000) } }));
    const all = batches(/** @type {any} */ (ops));
    assert.deepEqual(all.flat(), ops);
    for (const batch of all) assert.ok(batch.length >= 1 && batch.length <= 64);
  }
});
