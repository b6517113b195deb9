import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText, one } from "./chance.js";
import { BARE, NAMED, deciding, levelsOf, nodeIdentityRules, parseRules, placesIn, ruleText, serviceIdentityRules } from "../page/lib/rules.js";

/** @typedef {import("../page/lib/rules.js").Rule} Rule */

/** @param {string} text */
const told = (text) => parseRules(text).problems.map(({ line, column, error, text: what }) => `${line}:${column} ${error ? "error" : "note"} ${what}`);

/** @param {() => number} dice @returns {Rule} */
function someRule(dice) {
  if (below(dice, 4) === 0) return { resource: one(dice, BARE), prefix: false, name: "", level: one(dice, ["deny", "read", "write"]), line: 0 };
  const resource = one(dice, NAMED);
  const intentions = resource === "service" && below(dice, 2) ? one(dice, ["deny", "read", "write"]) : undefined;
  return { resource, prefix: below(dice, 2) === 1, name: oddText(dice), level: one(dice, levelsOf(resource)), intentions, line: 0 };
}

test("what a rule is written as means that rule, whatever its name", () => {
  const dice = chance(1);
  for (let round = 0; round < 300; round += 1) {
    const rules = Array.from({ length: below(dice, 6) }, () => someRule(dice));
    const once = rules.filter((rule, at) => !BARE.includes(rule.resource) || rules.findLastIndex((other) => other.resource === rule.resource) === at);
    const { rules: parsed, problems } = parseRules(rules.map((rule) => `# ${rule.resource} "\n${ruleText(rule)}\n`).join(""));
    assert.deepEqual(problems.filter((problem) => problem.error), []);
    assert.deepEqual(parsed.map(ruleText), once.map(ruleText));
  }
});

test("the same in JSON", () => {
  const text = JSON.stringify({ key_prefix: { "a/": { policy: "read" }, b: { policy: "list" } }, service: [{ web: { Policy: "write", intentions: "deny" } }], acl: "read" }, null, 1);
  const { rules, problems } = parseRules(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(rules.map((rule) => [ruleText(rule), rule.line]), [
    ['key_prefix "a/" { policy = "read" }', 3], ['key_prefix "b" { policy = "list" }', 6],
    ['service "web" { policy = "write" intentions = "deny" }', 12], ['acl = "read"', 18],
  ]);
});

test("what is wrong is said with its place", () => {
  assert.deepEqual(told('key "a" {\n  policy = "reed"\n}'), ['2:12 error "reed" is no level: deny, read, list or write.']);
  assert.deepEqual(told('node "a" { policy = "list" }'), ['1:21 error "list" is no level (list is for keys only): deny, read or write.']);
  assert.deepEqual(told('\n\nkeyz "a" { policy = "read" }'), ["3:1 note keyz is no resource: Consul ignores it. Is key meant?"]);
  assert.deepEqual(told("namespace \"a\" { acl = \"read\" }"), ["1:1 note namespace is no resource: Consul ignores it."]);
  assert.deepEqual(told('key "a" = { policy = "read" }'), ['1:9 error key a is followed by a block { policy = "..." }, without =.']);
  assert.deepEqual(told('key "a" { policy = read }'), ["1:20 error read must be in quotes."]);
  assert.deepEqual(told('key "a'), ["1:5 error This text has no closing quote."]);
  assert.deepEqual(told('key "a" {'), ["1:10 error A closing brace } is missing at the end."]);
  assert.deepEqual(told('acl { policy = "read" }'), ['1:1 error acl has no names: write acl = "read".']);
  assert.deepEqual(told('acl = "bad"\nacl = "read"'), ["1:7 note acl is said again below: that counts."]);
  assert.deepEqual(told('key "a" { policy = "read" }\nkey "a" { policy = "deny" }'), ["2:1 note Line 1 is about the same name: deny counts, else the one that grants more."]);
  assert.deepEqual(told('key "a" { policy = "read" foo = 1 }'), ["1:27 note foo is no field of a rule: ignored."]);
});

test("anything typed gets an answer, in reasonable time, and its place is in the text", () => {
  const dice = chance(2);
  const pieces = ['key "a" { policy = "read" }', "key", '"', "{", "}", "=", "[", "]", ",", "<<E\nread\nE\n", "/*", "*/", "#", "\n", ":", "5", "acl", "policy", ";"];
  for (let round = 0; round < 1_000; round += 1) {
    const text = Array.from({ length: below(dice, 12) }, () => (below(dice, 3) ? one(dice, pieces) : oddText(dice))).join(one(dice, ["", " ", "\n"]));
    for (const { line, column } of parseRules(text).problems) {
      const lines = text.split("\n");
      assert.ok(line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? "").length + 1, `${JSON.stringify(text)} ${line}:${column}`);
    }
  }
  assert.equal(parseRules('key "a" { policy = "read" }\n'.repeat(20_000)).rules.length, 20_000);
  assert.equal(parseRules("[".repeat(2_000)).problems.length, 1);
  assert.deepEqual([0, 1, 2, 3, 4].map(placesIn("a\nbc")), [[1, 1], [1, 2], [2, 1], [2, 2], [2, 3]]);
});

test("an exact name decides before prefixes, a longer prefix before a shorter one, deny before all of a name", () => {
  const { rules } = parseRules('key_prefix "" { policy = "read" }\nkey_prefix "a/" { policy = "write" }\nkey "a/b" { policy = "deny" }\nservice_prefix "" { policy = "write" }\nservice "x" { policy = "read" intentions = "write" }\noperator = "read"');
  const verdict = (/** @type {string} */ resource, /** @type {string} */ name, /** @type {string} */ access) => {
    const { rule, allow } = deciding(rules, resource, name, access);
    return [rule && ruleText(rule), allow];
  };
  assert.deepEqual(verdict("key", "a/b", "read"), ['key "a/b" { policy = "deny" }', false]);
  assert.deepEqual(verdict("key", "a/bc", "write"), ['key_prefix "a/" { policy = "write" }', true]);
  assert.deepEqual(verdict("key", "z", "list"), ['key_prefix "" { policy = "read" }', false]);
  assert.deepEqual(verdict("intention", "y", "write"), ['service_prefix "" { policy = "write" }', false], "what follows from a service is reading");
  assert.deepEqual(verdict("intention", "x", "write"), ['service "x" { policy = "read" intentions = "write" }', true]);
  assert.deepEqual(verdict("operator", "", "write"), ['operator = "read"', false]);
  assert.deepEqual(verdict("node", "n", "read"), [null, null], "the default decides");
  const both = [...rules, ...parseRules('key "q" { policy = "write" }', "one").rules, ...parseRules('key "q" { policy = "deny" }', "two").rules];
  const { rule, others } = deciding(both, "key", "q", "read");
  assert.equal(rule?.source, "two");
  assert.deepEqual(others.map((other) => other.source), ["one", undefined]);
});

test("identities grant what they grant", () => {
  assert.equal(deciding(serviceIdentityRules("web"), "service", "web-sidecar-proxy", "write").allow, true);
  assert.equal(deciding(serviceIdentityRules("web"), "service", "db", "write").allow, false);
  assert.equal(deciding(nodeIdentityRules("n"), "node", "n", "write").allow, true);
  assert.equal(deciding(nodeIdentityRules("n"), "key", "n", "read").rule, null);
});
