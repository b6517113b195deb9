import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText, one } from "./chance.js";
import { COVERED, REMEMBERED, dnsOf, expiresAt, flatten, hasSecrets, levelOf, linePoints, linesOf, masked, parsedObject, remember, shortNumber, uncovered, without } from "../page/lib/records.js";

/** @param {() => number} dice @param {number} deep @returns {any} */
function some(dice, deep) {
  const kind = below(dice, deep > 0 ? 7 : 4);
  if (kind === 0) return oddText(dice);
  if (kind === 1) return below(dice, 1_000);
  if (kind === 2) return one(dice, [true, false, null, ""]);
  if (kind === 3) return "a secret";
  if (kind === 4) return Array.from({ length: below(dice, 4) }, () => some(dice, deep - 1));
  const names = ["Name", "OIDCClientSecret", "ServiceAccountJWT", "Token", "PrivateKey", "JWTSupportedAlgs", "a", "b"];
  return Object.fromEntries(Array.from({ length: below(dice, 5) }, () => [one(dice, names), some(dice, deep - 1)]));
}

test("secrets are covered, and come back where nobody touched them", () => {
  const dice = chance(3);
  for (let round = 0; round < 500; round += 1) {
    const data = some(dice, 4);
    const shown = masked(data);
    assert.deepEqual(uncovered(shown, data), data);
    assert.equal(hasSecrets(data), JSON.stringify(shown) !== JSON.stringify(data));
    assert.deepEqual(masked(shown), shown);
  }
  const method = { Name: "m", Config: { OIDCClientSecret: "s3cret", ServiceAccountJWT: "jwt", BoundAudiences: ["x"], OIDCClientID: "id" } };
  assert.ok(!JSON.stringify(masked(method)).includes("s3cret"));
  assert.deepEqual(masked(method).Config, { OIDCClientSecret: COVERED, ServiceAccountJWT: COVERED, BoundAudiences: ["x"], OIDCClientID: "id" });
  assert.equal(uncovered({ Config: { OIDCClientSecret: "new" } }, method).Config.OIDCClientSecret, "new");
});

test("every leaf of the settings has its path", () => {
  assert.deepEqual(flatten({ a: { b: [1, "x"], c: {} }, d: null, e: [] }), [
    { name: "a.b[0]", value: "1" }, { name: "a.b[1]", value: "x" }, { name: "a.c", value: "{}" }, { name: "d", value: "null" }, { name: "e", value: "[]" },
  ]);
  const dice = chance(4);
  for (let round = 0; round < 200; round += 1) assert.ok(flatten(some(dice, 4)).every((row) => typeof row.value === "string"));
});

test("numbers are remembered once an interval, and only so many", () => {
  /** @type {Map<string, import("../page/lib/records.js").Series>} */
  const known = new Map();
  const answer = (/** @type {number} */ minute, /** @type {number} */ value) => ({
    Timestamp: `2026-01-01 00:${String(minute % 60).padStart(2, "0")}:00 +0000 UTC`, Gauges: [{ Name: "g", Value: value, Labels: {} }],
    Counters: [{ Name: "c", Count: value, Sum: 7, Labels: { a: "b" } }], Samples: [{ Name: "g", Count: 1, Mean: value / 2, Labels: {} }],
  });
  remember(known, answer(1, 1), 0);
  remember(known, answer(1, 5), 0);
  remember(known, answer(2, 6), 0);
  assert.deepEqual([...known.values()].map((row) => [row.kind, row.name, row.values]), [["gauge", "g", [5, 6]], ["counter", "c a=b", [5, 6]], ["sample", "g", [2.5, 3]]]);
  assert.equal(known.get("counter c a=b")?.last.Sum, 7);
  for (let at = 0; at < 3 * REMEMBERED; at += 1) remember(known, { Gauges: [{ Name: "g", Value: at }] }, at + 1);
  assert.equal(known.get("gauge g")?.values.length, REMEMBERED);
  remember(known, null, 5);
});

test("a line of numbers stays in its box", () => {
  for (const values of [[1], [1, 1], [1, 2, 3], [-5, 0, 1e9]]) {
    for (const point of linePoints(values, 160, 24).split(" ")) {
      const [x = NaN, y = NaN] = point.split(",").map(Number);
      assert.ok(x >= 0 && x <= 160 && y >= 0 && y <= 24, point);
    }
  }
  assert.deepEqual([0, 12, 1.5, 0.00012, 12_345, 2_500_000, -3e9].map(shortNumber), ["0", "12", "1.50", "0.0001", "12.3 k", "2.50 M", "-3.00 G"]);
});

test("the log is cut into whole lines, whose level is known", () => {
  assert.deepEqual(linesOf("a\nb\r\nc"), [["a", "b"], "c"]);
  assert.deepEqual(linesOf(""), [[], ""]);
  assert.equal(levelOf("2026-01-01T00:00:00.000Z [WARN]  agent: x", "info"), "warn");
  assert.equal(levelOf("[ERR] old", "info"), "error");
  assert.equal(levelOf("  goes on", "error"), "error");
});

test("small things", () => {
  assert.deepEqual(dnsOf(undefined), { domain: "consul", port: 8600 });
  assert.deepEqual(dnsOf({ DebugConfig: { DNSDomain: "x.", DNSPort: 53 } }), { domain: "x", port: 53 });
  assert.deepEqual(dnsOf({ DebugConfig: { DNSAddrs: ["tcp://[::1]:8653"], DNSPort: 1 } }), { domain: "consul", port: 8653 });
  assert.equal(expiresAt({ ExpirationTime: "0001-01-01T00:00:00Z" }), 0);
  assert.equal(expiresAt({ ExpirationTime: null }), 0);
  assert.equal(expiresAt({ ExpirationTime: "2026-01-01T00:00:00Z" }), Date.UTC(2026, 0, 1));
  assert.deepEqual(without({ a: 1, b: 2 }, ["b"]), { a: 1 });
  assert.deepEqual(without(null, []), {});
  assert.equal(parsedObject('{"a": 1}').problem, "");
  for (const text of ["", "[]", "1", "null", "{", '"x"']) assert.ok(parsedObject(text).problem, text);
});
