import test from "node:test";
import assert from "node:assert/strict";
import { below, chance, one } from "./chance.js";
import { nextIndex, POLL_MS, RETRY_FIRST_MS, RETRY_MAX_MS, retryAfter, WAIT, watch } from "../page/lib/watch.js";

/** @typedef {{ data?: any, index?: number | bigint, fail?: number }} Answer `fail`: the status of an error, 0: no answer came */

/**
 * An agent that answers what is written down, a clock that does not pass by itself, and what was asked of both.
 * @param {(at: number) => Answer | "end"} answers
 * @param {{ dice?: () => number, blocks?: (at: number) => boolean, quick?: boolean }} [options] `quick`: no time passes
 */
async function played(answers, { dice = () => 0.5, blocks = () => true, quick = false } = {}) {
  const controller = new AbortController();
  const { signal } = controller;
  const asked = /** @type {Record<string, string>[]} */ ([]);
  const slept = /** @type {number[]} */ ([]);
  const events = /** @type {any[]} */ ([]);
  const slots = { taken: 0, most: 0 };
  const transport = {
    async ask(/** @type {string} */ path, /** @type {Record<string, string>} */ params) {
      assert.equal(path, "catalog/nodes");
      assert.equal(slots.taken, 1, "asked without a slot");
      const answer = answers(asked.length);
      asked.push(params);
      if (answer === "end") {
        controller.abort();
        throw new DOMException("over", "AbortError");
      }
      if (answer.fail !== undefined) throw Object.assign(new Error("no"), { status: answer.fail });
      return { data: answer.data ?? null, index: BigInt(answer.index ?? 0), status: 200 };
    },
    async sleep(/** @type {number} */ ms) {
      assert.equal(slots.taken, 0, "a slot is kept while nothing is asked");
      slept.push(ms);
    },
    now: () => (quick ? 0 : asked.length * 60_000),
    random: dice,
    async slot() {
      slots.taken += 1;
      slots.most = Math.max(slots.most, slots.taken);
      let mine = true;
      return { blocks: blocks(asked.length), free() { slots.taken -= mine ? 1 : 0; mine = false; } };
    },
  };
  for await (const event of watch("catalog/nodes", transport, signal)) events.push(event);
  assert.equal(slots.taken, 0);
  assert.ok(slots.most <= 1);
  return { asked, slept, events };
}

/** @param {Answer[]} list */
const listed = (list) => (/** @type {number} */ at) => list[at] ?? "end";

test("the first question waits for nothing, the next one for what is newer", async () => {
  const { asked, events } = await played(listed([{ data: "a", index: 5 }, { data: "b", index: 9 }, { data: "b", index: 9 }]));
  assert.deepEqual(asked, [{}, { index: "5", wait: WAIT }, { index: "9", wait: WAIT }, { index: "9", wait: WAIT }]);
  assert.deepEqual(events.map((event) => [event.kind, event.data, Number(event.index)]), [["data", "a", 5], ["data", "b", 9]]);
});

test("an index that goes back, or is none, starts anew", async () => {
  const back = await played(listed([{ index: 9, data: "a" }, { index: 4, data: "b" }, { index: 4, data: "c" }]));
  assert.deepEqual(back.asked.map((params) => params.index), [undefined, "9", undefined, "4"]);
  assert.deepEqual(back.events.map((event) => event.data), ["a", "b", "c"]);
  const none = await played(listed([{ index: 0, data: "a" }, { index: 0, data: "b" }]));
  assert.deepEqual(none.asked.map((params) => params.index), [undefined, undefined, undefined]);
  assert.deepEqual(none.events.map((event) => event.data), ["a", "b"]);
  assert.ok(none.slept.every((ms) => ms >= POLL_MS), "asked as often as it could");
  assert.deepEqual([nextIndex(0n, 7n), nextIndex(7n, 7n), nextIndex(7n, 9n), nextIndex(9n, 7n), nextIndex(9n, 0n), nextIndex(3n, -1n)],
    [7n, 7n, 9n, 0n, 0n, 0n]);
});

test("indexes of 64 bits are not rounded", async () => {
  const last = 2n ** 64n - 1n;
  const seen = await played(listed([{ index: last - 2n, data: "a" }, { index: last - 1n, data: "b" }, { index: last, data: "c" }]));
  assert.deepEqual(seen.asked.map((params) => params.index), [undefined, `${last - 2n}`, `${last - 1n}`, `${last}`]);
  assert.deepEqual(seen.events.map((event) => event.data), ["a", "b", "c"]);
});

test("who is answered at once without news waits before the next question", async () => {
  const { slept } = await played(listed(Array(6).fill({ index: 5, data: "a" })), { quick: true });
  assert.ok(slept.slice(1).every((ms) => ms >= POLL_MS), `${slept}`);
});

test("without an answer it is stale, and asked anew ever less often", async () => {
  const { asked, slept, events } = await played(listed([{ index: 5 }, ...Array(12).fill({ fail: 0 }), { index: 5, data: "b" }, { fail: 0 }]));
  assert.deepEqual(events.map((event) => event.kind), ["data", ...Array(12).fill("stale"), "data", "stale"]);
  assert.deepEqual(asked.slice(2, 14).map((params) => params.index), Array(12).fill(undefined));
  const waits = slept.slice(1, 13);
  assert.equal(waits[0], RETRY_FIRST_MS);
  waits.forEach((ms, at) => assert.ok(ms <= RETRY_MAX_MS && (at === 0 || ms >= waits[at - 1])));
  assert.equal(waits.at(-1), RETRY_MAX_MS);
  assert.equal(slept.at(-1), RETRY_FIRST_MS, "who was there again is waited for as in the beginning");
});

test("an agent with another error is asked again like one that is away", async () => {
  for (const fail of [500, 502, 503, 504]) {
    const { events } = await played(listed([{ fail }]));
    assert.deepEqual(events.map((event) => event.kind), ["stale"]);
    assert.equal(events[0].error.status, fail);
  }
});

test("a refusal is told as one, and asked again much later", async () => {
  for (const fail of [400, 401, 403, 404, 429]) {
    const { events, slept } = await played(listed([{ fail }, { fail }]));
    assert.deepEqual(events.map((event) => event.kind), ["refused", "refused"]);
    assert.ok(slept.every((ms) => ms >= POLL_MS), `${slept}`);
  }
});

test("waits are spread, never short and never above the most", () => {
  const dice = chance(1);
  for (let round = 0; round < 2_000; round += 1) {
    const ms = retryAfter(1 + below(dice, 2_000), dice());
    assert.ok(ms >= RETRY_FIRST_MS * 0.75 && ms <= RETRY_MAX_MS);
  }
  assert.notEqual(retryAfter(1, 0), retryAfter(1, 1));
});

test("who may not wait at the agent asks every few seconds", async () => {
  const { asked, slept, events } = await played(listed([{ index: 5, data: "a" }, { index: 5, data: "a" }, { index: 6, data: "b" }]), { blocks: () => false });
  assert.ok(asked.every((params) => params.index === undefined && params.wait === undefined));
  assert.ok(slept.every((ms) => ms === POLL_MS));
  assert.deepEqual(events.map((event) => event.data), ["a", "b"]);
});

test("in any history, no change is missed and nothing is waited for that is over", async () => {
  const dice = chance(2);
  for (let round = 0; round < 400; round += 1) {
    // What the agent has: a version whose index grows, and now and then another agent in its place, whose index begins again.
    let [index, version] = [1 + below(dice, 50), 0];
    let last = /** @type {number | null} */ (null);
    const answered = /** @type {Answer[]} */ ([]);
    const { asked, events } = await played((at) => {
      if (at === 30) return "end";
      const what = dice();
      if (what < 0.15) {
        answered.push({ fail: one(dice, [0, 500, 403]) });
      } else {
        if (what < 0.5) [index, version] = [index + 1 + below(dice, 3), version + 1];
        else if (what < 0.6 && index > 1) [index, version] = [1 + below(dice, index - 1), version + 1];
        answered.push({ index: dice() < 0.05 ? 0 : index, data: version });
      }
      return answered[at];
    }, { dice, blocks: () => dice() < 0.8 });
    asked.forEach((params, at) => {
      if (params.index !== undefined) assert.equal(Number(params.index), last, "waits for what it has not seen");
      const answer = answered[at];
      last = answer?.index && answer.index >= Number(params.index ?? 0) ? answer.index : null;
    });
    // Whatever came with another index than before is told of, in order, and the last of it is what is there.
    const data = events.filter((event) => event.kind === "data").map((event) => event.data);
    const seen = answered.filter((answer) => answer.fail === undefined).map((answer) => answer.data);
    assert.deepEqual(data.filter((one, at) => one !== data[at - 1]), seen.filter((one, at) => one !== seen[at - 1]));
    assert.equal(events.filter((event) => event.kind !== "data").length, answered.filter((answer) => answer.fail !== undefined).length);
  }
});

test("who stops it while it sleeps or asks hears nothing more", async () => {
  for (const when of ["ask", "sleep", "slot"]) {
    const controller = new AbortController();
    let asked = 0;
    let taken = 0;
    const stop = (/** @type {string} */ at) => { if (at === when && asked > 0) controller.abort(); };
    const events = [];
    const transport = {
      async ask() { stop("ask"); asked += 1; return { data: asked, index: BigInt(asked), status: 200 }; },
      async sleep() { stop("sleep"); }, now: () => 0, random: () => 0.5,
      async slot() { stop("slot"); taken += 1; let mine = true; return { blocks: true, free() { taken -= mine ? 1 : 0; mine = false; } }; },
    };
    for await (const event of watch("x", transport, controller.signal)) events.push(event);
    assert.ok(asked <= 2 && taken === 0, `${when}: ${asked} ${taken}`);
  }
});
