import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, one } from "./chance.js";
import { KEPT_MS, note, statusOf } from "../page/lib/memory.js";

test("a history holds changes, the last state before the hour, and no more than it says", () => {
  const dice = chance(1);
  for (let round = 0; round < 200; round += 1) {
    /** @type {Map<string, { at: number, status: string }[]>} */
    const all = new Map();
    const seen = [];
    let at = 1;
    for (let step = 0; step < 60; step += 1) {
      at += below(dice, KEPT_MS / 10);
      const status = one(dice, ["passing", "warning", "critical"]);
      seen.push({ at, status });
      const before = all.get("dc1/web")?.at(-1)?.status;
      assert.equal(note(all, [["dc1/web", status]], at), before !== status);
      const kept = all.get("dc1/web") ?? [];
      assert.equal(kept.at(-1)?.status, status);
      kept.forEach((change, place) => assert.ok(place === 0 || (change.at > kept[place - 1].at && change.status !== kept[place - 1].status)));
      // What was so at any moment of the last hour can be told.
      for (const moment of [at - KEPT_MS + 1, at - KEPT_MS / 2, at]) {
        const truth = seen.filter((one) => one.at <= moment).at(-1);
        if (truth) assert.equal(kept.filter((change) => change.at <= moment).at(-1)?.status, truth.status);
      }
    }
  }
});

test("what is missing is gone, once, and only among its own", () => {
  const all = new Map();
  note(all, [["dc1/service/a", "passing"], ["dc1/service/b", "passing"], ["dc1/check/n/a", "passing"]], 1);
  assert.ok(note(all, [["dc1/service/a", "passing"]], 2, "dc1/service/"));
  assert.ok(!note(all, [["dc1/service/a", "passing"]], 3, "dc1/service/"));
  assert.deepEqual(all.get("dc1/service/b").map((change) => change.status), ["passing", "gone"]);
  assert.deepEqual(all.get("dc1/check/n/a").map((change) => change.status), ["passing"]);
});

test("however often it changes, the memory stays small", () => {
  const all = new Map();
  for (let at = 0; at < 5_000; at += 1) note(all, [["x", at % 2 ? "passing" : "critical"]], at);
  assert.ok(all.get("x").length <= 240);
});

test("the worst is what a service is", () => {
  assert.equal(statusOf({ ChecksCritical: 1, ChecksWarning: 5 }), "critical");
  assert.equal(statusOf({ ChecksCritical: 0, ChecksWarning: 5 }), "warning");
  assert.equal(statusOf({ ChecksCritical: 0, ChecksWarning: 0 }), "passing");
});
