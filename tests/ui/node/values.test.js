import test from "node:test";
import assert from "node:assert/strict";
import { chance, below, oddBytes, oddText } from "./chance.js";
import {
  areFlags, batches, bytesOf, casOp, cliOf, commonPrefix, deleteRequest, deleteTreeRequest, draftOf, exportText, isBase64, jsonTrouble, keysPath, parseExport,
  plainText, putRequest, sameBytes,
} from "../page/lib/kv.js";

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);
const MOST = "18446744073709551615";

test("a value that is opened and left keeps its bytes", () => {
  const dice = chance(3);
  const values = ["", "a\r\nb\r\n", "a\nb", "a\rb\r", "a\r\nb\nc\r", "x\u0000y", "\ufeffbom\n", "é\t\u2028"].map(bytes);
  for (let turn = 0; turn < 500; turn += 1) values.push(turn % 2 ? bytes(oddText(dice)) : oddBytes(dice, below(dice, 40)));
  for (const value of values) {
    const draft = draftOf(value);
    assert.ok(!draft.text.includes("\r"), "an editor would drop it");
    assert.deepEqual(bytesOf(draft, value), value);
    // Without what it was read from, only mixed line ends are lost.
    if (draft.ends !== "mixed") assert.deepEqual(bytesOf(draft), value);
  }
});

test("line ends stay as they are when the text changes", () => {
  const edited = (/** @type {string} */ text) => {
    const value = bytes(text);
    const draft = draftOf(value);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf({ ...draft, text: draft.text.replace("b", "B\nB") }, value) ?? undefined);
  };
  assert.equal(edited("a\r\nb\r\n"), "a\r\nB\r\nB\r\n");
  assert.equal(edited("a\rb\r"), "a\rB\rB\r");
  assert.equal(edited("a\nb"), "a\nB\nB");
  assert.equal(edited("\ufeffa\r\nb\n"), "\ufeffa\nB\nB\n");
});

test("binary data is no text", () => {
  for (const value of [[0xff], [0], [0x1b, 0x5b], [0x7f]]) assert.equal(plainText(Uint8Array.from(value)), null);
  assert.equal(plainText(bytes("a\tb\r\n")), "a\tb\r\n");
  assert.equal(bytesOf({ mode: "base64", text: "AP8", ends: "\n" }), null);
  assert.deepEqual(bytesOf({ mode: "base64", text: "A P\n8Q", ends: "\n" }), Uint8Array.from([0, 255, 16]));
  assert.ok(!sameBytes(bytes("a"), bytes("ab")) && !sameBytes(bytes("a"), bytes("b")) && sameBytes(bytes("a"), bytes("a")));
  assert.ok(isBase64("") && isBase64("QQ==") && !isBase64("Q") && !isBase64("QQ=") && !isBase64("Q===") && !isBase64("Q-=="));
});

test("flags have 64 bits", () => {
  for (const good of ["0", "7", MOST]) assert.ok(areFlags(good), good);
  for (const bad of ["", "-1", "1.5", "0x1", "18446744073709551616", "1e3", " 1"]) assert.ok(!areFlags(bad), bad);
  assert.match(String(putRequest("a/../b", bytes("v"), MOST, 7).body), /"Flags":18446744073709551615,/);
});

test("requests for keys that a path carries, and for those that none does", () => {
  assert.deepEqual(putRequest("a b/%", bytes("v"), "0", 5), { method: "PUT", path: "kv/a%20b/%25", params: { cas: 5, flags: undefined }, body: bytes("v") });
  assert.deepEqual(deleteRequest("a", 5), { method: "DELETE", path: "kv/a", params: { cas: 5 } });
  assert.deepEqual(deleteTreeRequest("a/"), { method: "DELETE", path: "kv/a/?recurse" });
  for (const key of ["a//b", "../x", "/", "a\u0001"]) {
    for (const request of [putRequest(key, bytes("v"), "0", 5), deleteRequest(key, 5), deleteTreeRequest(key)]) {
      assert.equal(request.path, "txn");
      assert.equal(JSON.parse(String(request.body))[0].KV.Key, key);
    }
  }
  assert.equal(keysPath("a/", true), "kv/a/?keys&separator=/");
  assert.equal(keysPath("a/"), "kv/a/?keys");
  assert.equal(keysPath("a/../b/", true), "kv/a/?keys");
});

test("export is what the command line prints, and import takes it", () => {
  const dice = chance(9);
  const pairs = Array.from({ length: 50 }, (_, at) => ({
    key: `${at}${oddText(dice)}"flags": "12"`, flags: at % 2 ? MOST : String(at), bytes: oddBytes(dice, below(dice, 30)), session: "", created: 1, modified: 1, locks: 0,
  }));
  assert.deepEqual(parseExport(exportText(pairs)), pairs.map(({ key, flags, bytes: value }) => ({ key, flags, bytes: value })));
  const [first] = [{ key: "a", flags: "3", bytes: bytes("x"), session: "", created: 1, modified: 1, locks: 0 }];
  assert.equal(exportText([first]), '[\n\t{\n\t\t"key": "a",\n\t\t"flags": 3,\n\t\t"value": "eA=="\n\t}\n]\n');
  assert.equal(exportText([]), "[]\n");
});

test("import says what is wrong, and where", () => {
  const cases = /** @type {[string, RegExp][]} */ ([
    ["{}", /not an array/], ["[1]", /Entry 1 is not/], ['[{"key":"a"},{"key":""}]', /Entry 2 has no key/], ['[{"key":"a","value":"!"}]', /not base64/],
    ['[{"key":"a","flags":-1}]', /whole number/], ['[{"key":"a","flags":18446744073709551616}]', /whole number/], ['[{"key":"a"},{"key":"a"}]', /twice/], ["x", /JSON/],
  ]);
  for (const [text, why] of cases) assert.throws(() => parseExport(text), why, text);
  assert.deepEqual(parseExport('\ufeff[{"Key":"a"}]'), [{ key: "a", flags: "0", bytes: new Uint8Array() }]);
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
