import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, oddText } from "./chance.js";
import { fromConsulPath, link, parsePlace } from "../page/lib/route.js";

test("what a link is made of is what its reader gets, whatever names are like", () => {
  const dice = chance(1);
  for (let round = 0; round < 5_000; round += 1) {
    const dc = oddText(dice, 3);
    const parts = Array.from({ length: below(dice, 4) }, () => oddText(dice, 4) || "x");
    const query = Object.fromEntries(Array.from({ length: below(dice, 3) }, (_, at) => [`q${at}`, oddText(dice, 6)]));
    const href = link("services", parts, query, dc);
    assert.ok(href.startsWith("#/") && !/[\s<>"]/.test(href), href);
    // As a browser has it: an address changes what is not escaped.
    const place = parsePlace(new URL(href, "http://localhost/ui/").hash);
    assert.equal(place.dc, dc);
    assert.equal(place.view, "services");
    assert.deepEqual(place.parts, parts);
    for (const [name, value] of Object.entries(query)) assert.equal(place.query.get(name) ?? "", value);
  }
});

test("a key is one address with its slashes", () => {
  const dice = chance(2);
  for (let round = 0; round < 2_000; round += 1) {
    const key = oddText(dice, 10);
    const place = parsePlace(new URL(link("key", key, {}, "dc1"), "http://localhost/ui/").hash);
    assert.equal(place.rest, key);
  }
  assert.equal(link("kv", "a/b c/", {}, "dc1"), "#/dc1/kv/a/b%20c/");
});

test("addresses by hand, or cut, mean something", () => {
  for (const [hash, dc, view, rest] of [["", "", "overview", ""], ["#", "", "overview", ""], ["#/", "", "overview", ""],
    ["#/dc1", "dc1", "overview", ""], ["#/dc1/", "dc1", "overview", ""], ["#dc1/nodes", "dc1", "nodes", ""],
    ["#/dc1/kv/100%/x", "dc1", "kv", "100%/x"], ["#/dc1/kv/a?", "dc1", "kv", "a"], ["#/dc1/services/?x", "dc1", "services", ""],
    ["#/%E0%A4%A/nodes", "%E0%A4%A", "nodes", ""]]) {
    const place = parsePlace(hash);
    assert.deepEqual([place.dc, place.view, place.rest], [dc, view, rest], hash);
  }
  const dice = chance(3);
  for (let round = 0; round < 2_000; round += 1) parsePlace(`#${oddText(dice, 10)}`);
});

test("bookmarks of Consul's page lead to ours", () => {
  for (const [path, place] of [
    ["", ""], ["/", ""], ["dc1", "#/dc1/services"], ["dc1/services", "#/dc1/services"], ["dc1/services/web", "#/dc1/services/web"],
    ["dc1/services/web/instances", "#/dc1/services/web"], ["dc1/services/web/n1/web-1/health-checks", "#/dc1/instance/web/n1/web-1"],
    ["dc1/services/web/instances/n1/web-1/upstreams", "#/dc1/instance/web/n1/web-1"],
    ["dc1/nodes", "#/dc1/nodes"], ["dc1/nodes/n1/health-checks", "#/dc1/nodes/n1"], ["dc1/kv", "#/dc1/kv"],
    ["dc1/kv/a/b/", "#/dc1/kv/a/b/"], ["dc1/kv/a/b%20c/edit", "#/dc1/key/a/b%20c"], ["dc1/intentions", "#/dc1/intentions"],
    ["dc1/acls/tokens", "#/dc1/tokens"], ["dc1/acls/policies/p", "#/dc1/policies/p"], ["dc1/acls/auth-methods", "#/dc1/methods"],
    ["dc1/acls", "#/dc1/tokens"],
  ]) assert.equal(fromConsulPath(path), place, path);
});
