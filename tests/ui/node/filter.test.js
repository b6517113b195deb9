import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText, one } from "./chance.js";
import { byName, matcher, parseFilter, toggled } from "../page/lib/filter.js";

/** @typedef {{ name: string, tags: string[] }} Row */
const fields = { "": (/** @type {Row} */ row) => [row.name, ...row.tags], name: (/** @type {Row} */ row) => row.name, tag: (/** @type {Row} */ row) => row.tags };
const rows = [
  { name: "web", tags: ["v1", "blue green"] }, { name: "web-2", tags: [] }, { name: "DB", tags: ["v1", "primary"] },
  { name: "a:b", tags: ["tag:x", "constructor"] },
];
/** @param {string} text */
const found = (text) => rows.filter(matcher(parseFilter(text), fields)).map((row) => row.name);

test("words are looked for everywhere, and all of them must be there", () => {
  assert.deepEqual(found(""), ["web", "web-2", "DB", "a:b"]);
  assert.deepEqual(found("   "), ["web", "web-2", "DB", "a:b"]);
  assert.deepEqual(found("web"), ["web", "web-2"]);
  assert.deepEqual(found("v1 web"), ["web"]);
  assert.deepEqual(found("WEB db"), []);
  assert.deepEqual(found("db"), ["DB"]);
});

test("a field, a minus, quotes", () => {
  assert.deepEqual(found("tag:v1"), ["web", "DB"]);
  assert.deepEqual(found("-tag:v1"), ["web-2", "a:b"]);
  assert.deepEqual(found("TAG:V1 -web"), ["DB"]);
  assert.deepEqual(found('tag:"blue green"'), ["web"]);
  assert.deepEqual(found('"blue green'), ["web"]);
  assert.deepEqual(found("-web"), ["DB", "a:b"]);
  assert.deepEqual(found("web -2"), ["web"]);
});

test("a field that is none is part of the word", () => {
  assert.deepEqual(found("a:b"), ["a:b"]);
  assert.deepEqual(found("constructor:x"), []);
  assert.deepEqual(found("__proto__:x"), []);
  assert.deepEqual(found("toString:"), []);
  assert.deepEqual(found("constructor"), ["a:b"]);
});

test("half a filter, as it is while somebody types, finds no error", () => {
  const whole = 'tag:"blue green" -name:web-2 -"x y" :: -- -: "';
  for (let end = 0; end <= whole.length; end += 1) matcher(parseFilter(whole.slice(0, end)), fields)(rows[0]);
  const dice = chance(1);
  for (let round = 0; round < 3_000; round += 1) {
    const text = oddText(dice, 12);
    for (const term of parseFilter(text)) assert.ok(term.text !== "" && term.text === term.text.toLowerCase());
    matcher(parseFilter(text), fields)({ name: oddText(dice), tags: [oddText(dice)] });
  }
});

test("more words never find more, and a minus finds the others", () => {
  const dice = chance(2);
  const words = ["web", "v1", "2", "tag:v1", "name:b", "-primary", '"blue green"'];
  for (let round = 0; round < 500; round += 1) {
    const filter = Array.from({ length: below(dice, 3) }, () => one(dice, words)).join(" ");
    const word = one(dice, words);
    const [few, many] = [found(`${filter} ${word}`), found(filter)];
    assert.ok(few.every((name) => many.includes(name)));
    const other = word.startsWith("-") ? word.slice(1) : `-${word}`;
    assert.deepEqual([...few, ...found(`${filter} ${other}`)].sort(), many.sort());
  }
});

test("a click on a tag shows what has it, a second one all again", () => {
  const dice = chance(3);
  for (let round = 0; round < 2_000; round += 1) {
    const tag = oddText(dice, 4).replaceAll('"', "").trim();
    if (!tag) continue;
    const filter = toggled("", `tag:${tag}`);
    const show = matcher(parseFilter(filter), fields);
    assert.ok(show({ name: "x", tags: ["other", tag] }), JSON.stringify([tag, filter]));
    assert.ok(!show({ name: `tag:${tag}`, tags: [] }), JSON.stringify([tag, filter]));
    assert.equal(toggled(filter, `tag:${tag}`), "", JSON.stringify([tag, filter]));
    const both = toggled("web -tag:v1", `tag:${tag}`);
    assert.equal(toggled(both, `tag:${tag}`), "web -tag:v1", both);
  }
});

test("a long filter takes no long time", () => {
  const began = performance.now();
  for (const piece of ["a", "a:", "-", '"', "a-.", ": "]) parseFilter(piece.repeat(100_000));
  assert.ok(performance.now() - began < 20_000);
});

test("names are in the order of people", () => {
  assert.deepEqual(["web-10", "Web-2", "web-1", "a", "", "é"].sort(byName), ["", "a", "é", "web-1", "Web-2", "web-10"]);
});
