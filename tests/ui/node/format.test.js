import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddBytes, oddText, one } from "./chance.js";
import {
  ago, asText, counted, durationMs, fromBase64, hexDump, prettyJson, severity, shortId, size, span, toBase64,
} from "../page/lib/format.js";

test("spans are in their two largest units", () => {
  const shown = [
    [0, "0 ms"], [999, "999 ms"], [1_000, "1 s"], [59_999, "59 s"], [60_000, "1 min"], [61_000, "1 min 1 s"], [3_600_000, "1 h"],
    [3_661_000, "1 h 1 min"], [86_400_000, "1 d"], [90_061_000, "1 d 1 h"], [-61_000, "-1 min 1 s"], [NaN, ""], [Infinity, ""],
  ];
  for (const [ms, text] of shown) assert.equal(span(ms), text, `${ms}`);
  assert.equal(ago(5_000, 5_400), "now");
  assert.equal(ago(0, 61_000), "1 min 1 s ago");
});

test("a span never says more than passed, and less by no more than its last unit", () => {
  const sizes = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000, ms: 1 };
  const dice = chance(1);
  for (let round = 0; round < 2_000; round += 1) {
    const ms = Math.floor(10 ** (dice() * 11));
    const words = span(ms).split(" ");
    let said = 0;
    for (let at = 0; at < words.length; at += 2) said += Number(words[at]) * sizes[words[at + 1]];
    // Two units at most, so what is left out is smaller than the one below the largest.
    const largest = Object.values(sizes).find((unit) => unit <= ms);
    assert.ok(said <= ms && ms - said < largest, `${ms}: ${span(ms)}`);
  }
});

test("Go's durations of any size are read", () => {
  const dice = chance(2);
  const units = [["h", 3.6e6], ["m", 6e4], ["s", 1e3], ["ms", 1], ["us", 1e-3], ["µs", 1e-3], ["ns", 1e-6]];
  for (let round = 0; round < 500; round += 1) {
    let text = "";
    let sum = 0;
    for (const [unit, factor] of units.slice(below(dice, 4), 4 + below(dice, 4))) {
      const number = below(dice, 1_000) / one(dice, [1, 10, 8]);
      text += `${number}${unit}`;
      sum += number * factor;
    }
    if (text) assert.ok(Math.abs(durationMs(text) - sum) < 1e-6 * Math.max(1, sum), text);
    if (text) assert.ok(Math.abs(durationMs(`-${text}`) + sum) < 1e-6 * Math.max(1, sum), text);
  }
  assert.equal(durationMs(1_500_000), 1.5);
  assert.equal(durationMs("0"), 0);
  for (const none of ["", "1", "s", "1 s", "1x", "--1s", "1s?", "NaN"]) assert.ok(Number.isNaN(durationMs(none)), none);
});

test("sizes have three digits or fewer and do not jump", () => {
  for (const [count, text] of [[0, "0 B"], [999, "999 B"], [1_000, "1.0 kB"], [99_950, "100 kB"], [512_000, "512 kB"],
    [1e6, "1.0 MB"], [1e15, "1000 TB"]]) assert.match(size(count), new RegExp(`^${text.replace("100 kB", "(100|99.9|100.0) kB")}$`));
  assert.equal(counted(1, "key"), "1 key");
  assert.equal(counted(12_345, "key"), "12,345 keys");
  assert.equal(counted(2, "entry", "entries"), "2 entries");
});

test("base64 and back, of all bytes and of many", () => {
  const dice = chance(3);
  for (const length of [0, 1, 2, 3, 255, 256, 0x8000 - 1, 0x8000, 0x8000 + 1, 600_000]) {
    const bytes = oddBytes(dice, length);
    assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  }
});

test("what is text is told from what is not, and no byte of it is lost", () => {
  const dice = chance(4);
  for (let round = 0; round < 500; round += 1) {
    const text = oddText(dice, 30);
    assert.equal(asText(new TextEncoder().encode(text)), text);
    const bytes = oddBytes(dice, below(dice, 20));
    const read = asText(bytes);
    if (read !== null) assert.deepEqual(new TextEncoder().encode(read), bytes);
    else assert.ok(Buffer.from(bytes).toString("utf8").includes("\ufffd"));
  }
  for (const none of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.equal(asText(Uint8Array.from(none)), null);
  }
  assert.equal(asText(new Uint8Array(0)), "");
});

test("a hex dump holds every byte at its offset", () => {
  const dice = chance(5);
  for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 100, 65_536]) {
    const bytes = oddBytes(dice, length);
    const read = [];
    for (const line of hexDump(bytes).split("\n").filter(Boolean)) {
      const [, offset, hex, shown] = /^([0-9a-f]{8}) {2}(.{49}) \|(.*)\|$/s.exec(line) ?? assert.fail(line);
      assert.equal(parseInt(offset, 16), read.length);
      const row = hex.trim() ? hex.trim().split(/ +/).map((word) => parseInt(word, 16)) : [];
      assert.equal(shown.length, row.length);
      assert.match(shown, /^[ -~]*$/);
      read.push(...row);
    }
    assert.deepEqual(Uint8Array.from(read), bytes);
  }
  const cut = hexDump(new Uint8Array(100), 32).split("\n");
  assert.equal(cut.length, 3);
  assert.match(cut[2], /68 more bytes/);
});

/** JSON as somebody may write it: blanks anywhere, names twice, numbers and escapes in any spelling. @param {() => number} dice @param {number} depth @returns {string} */
function oddJson(dice, depth) {
  const blank = () => one(dice, ["", "", " ", "\n", "\t", "\r\n", "   "]);
  const text = () => one(dice, [JSON.stringify(oddText(dice)), '"\\u0041\\/\\ud83d\\ude00"', '""', '"\\\\"', '"\\""', '"[{,:}]"']);
  const list = (/** @type {() => string} */ make) => Array.from({ length: below(dice, 4) }, make).join(`${blank()},${blank()}`);
  if (depth > 0 && dice() < 0.4) return `[${blank()}${list(() => oddJson(dice, depth - 1))}${blank()}]`;
  if (depth > 0 && dice() < 0.7) {
    return `{${blank()}${list(() => `${one(dice, [text(), '"twice"'])}${blank()}:${blank()}${oddJson(dice, depth - 1)}`)}${blank()}}`;
  }
  return one(dice, ["null", "true", "false", "0", "-0", "1E5", "1.50", "12345678901234567890123", "-1e-7", text()]);
}

/** What is not a blank between two words. @param {string} text */
const essence = (text) => text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, quoted) => quoted ?? "");

test("JSON is formatted without a change of anything but blanks", () => {
  const dice = chance(6);
  for (let round = 0; round < 3_000; round += 1) {
    const text = `${one(dice, ["", " ", "\n"])}${oddJson(dice, 4)}${one(dice, ["", "\n", "  "])}`;
    const pretty = prettyJson(text);
    assert.ok(pretty !== null, text);
    assert.equal(essence(pretty), essence(text));
    assert.deepEqual(JSON.parse(pretty), JSON.parse(text));
    assert.equal(prettyJson(pretty), pretty);
  }
  assert.equal(prettyJson('{"a":[1,{}],"b":{"c":[]}}'), '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": {\n    "c": []\n  }\n}');
});

test("what is not JSON is not formatted", () => {
  for (const none of ["", " ", "{", "[1,]", "{'a':1}", "01", "NaN", "undefined", '"\n"', "\ufeff{}", "1 2", "<b>"]) {
    assert.equal(prettyJson(none), null, none);
  }
});

test("the largest value there can be is formatted while somebody waits", () => {
  const most = 512 * 1024;
  const long = JSON.stringify("x\\\"".repeat(most / 6));
  assert.equal(essence(prettyJson(long) ?? ""), long);
  const wide = `[${Array(most / 2).fill("1").join(",")}]`;
  assert.equal(essence(prettyJson(wide) ?? ""), wide);
});

test("a value that is all brackets stops nobody", () => {
  const deep = "[".repeat(250_000) + "]".repeat(250_000);
  const began = performance.now();
  const pretty = prettyJson(deep);
  assert.ok(pretty === null || (essence(pretty) === deep && pretty.length < 50e6));
  assert.ok(performance.now() - began < 30_000);
});

test("ids and states", () => {
  assert.equal(shortId("11111111-2222-3333-4444-555555555555"), "11111111");
  assert.equal(shortId("web-1"), "web-1");
  assert.equal(shortId(""), "");
  assert.deepEqual(["critical", "passing", "maintenance", "warning", "constructor", ""].sort((a, b) => severity(b) - severity(a)).slice(0, 4),
    ["maintenance", "critical", "warning", "passing"]);
});
