import test from "node:test";
import assert from "node:assert/strict";
import { chance, oddText } from "./chance.js";
import { ApiError, asDig, call, encodePath, pathOf, staysItself } from "../page/lib/api.js";
import { argumentOf, readKeys, runOps } from "../page/lib/kv.js";
import { PATIENCE_MS, startLive } from "../page/lib/live.js";
import { WAIT_MS } from "../page/lib/watch.js";
import { may } from "../page/lib/rights.js";
import { parsePlace, place } from "../page/lib/route.js";
import { agent, token } from "../page/lib/settings.js";

/** @typedef {{ method: string, url: URL, body: any, redirect: string }} Asked */

/**
 * Run `work` with an agent that answers as written down, and never to what has no answer. @param {(asked: Asked, at: number) => any} answer
 * @param {() => Promise<unknown>} work @returns {Promise<Asked[]>} what it was asked
 */
async function against(answer, work) {
  const asked = /** @type {Asked[]} */ ([]);
  const real = globalThis.fetch;
  Object.assign(globalThis, {
    location: { href: "http://agent/ui/#/dc1/kv" },
    async fetch(/** @type {string} */ url, /** @type {any} */ { method, body, redirect, signal }) {
      const one = { method, url: new URL(url), body: typeof body === "string" ? JSON.parse(body) : body, redirect };
      asked.push(one);
      const said = answer(one, asked.length - 1);
      return said ?? new Promise((_, reject) => { signal.addEventListener("abort", () => reject(new DOMException("over", "AbortError"))); });
    },
  });
  try {
    await work();
  } finally {
    globalThis.fetch = real;
  }
  return asked;
}

const goTo = (/** @type {string} */ hash) => { place.value = parsePlace(hash); };
agent.Datacenter = "dc1";
goTo("#/dc1/kv");

test("a request goes to the address it names, or is not sent", async () => {
  const names = ["../../leave", "..", ".", "a/../b", "a//b", "/a", "a/./b", "../leave", "web", "web/", "a b/%2e%2e/c", "..a/b..", "%", "日本"];
  const dice = chance(11);
  for (let turn = 0; turn < 400; turn += 1) names.push(oddText(dice));
  for (const name of names) {
    for (const path of [`agent/service/deregister/${encodePath(name)}`, `agent/force-leave/${encodeURIComponent(name)}`]) {
      const odd = name.split("/").some((part, at, all) => part === "." || part === ".." || (part === "" && at < all.length - 1));
      assert.equal(staysItself(path), !odd, name);
      const asked = await against(() => new Response("true"), () => call("PUT", path).catch((error) => {
        assert.ok(error instanceof ApiError && error.status === 400 && odd, String(error));
      }));
      assert.equal(asked.length, odd ? 0 : 1, name);
      if (asked[0]) assert.equal(asked[0].url.pathname, `/v1/${path}`);
    }
  }
});

test("a change that is sent on elsewhere is not made there", async () => {
  const sentOn = /** @type {any} */ ({ type: "opaqueredirect", ok: false, status: 0, text: async () => "" });
  const asked = await against(() => sentOn, () => assert.rejects(call("PUT", "agent/leave"), /sent on to another address/));
  assert.equal(asked[0]?.redirect, "manual");
});

test("what no header carries is no token, and is in no error", async () => {
  for (const secret of ["geheim\u2014x", "a\nb", "a\u0000", "é"]) {
    await against(() => new Response("{}"), () => assert.rejects(call("GET", "acl/token/self", { secret }), (error) => {
      assert.ok(error instanceof ApiError && error.status === 400 && /no token/.test(error.message));
      return !error.message.includes(secret) && !error.path.includes(secret);
    }));
  }
});

test("many keys are read and written in the datacenter it was begun in", async () => {
  const ops = Array.from({ length: 200 }, (_, at) => ({ KV: { Verb: "delete", Key: `k${at}` } }));
  const away = async (/** @type {() => Promise<unknown>} */ work) => {
    goTo("#/dc2/kv");
    const asked = await against((_, at) => {
      goTo(at % 2 ? "#/dc3/kv" : "#/dc1/kv");
      return new Response("[]", { headers: { "X-Consul-Index": "7" } });
    }, work);
    assert.ok(asked.length > 1);
    for (const { url } of asked) assert.equal(url.searchParams.get("dc"), "dc2", url.href);
  };
  await away(() => runOps(ops));
  await away(() => readKeys(["a", "b", "../c", "d//e"]));
  goTo("#/dc1/kv");
  assert.equal(pathOf("kv/a"), "kv/a");
});

test("what a terminal is given is one command, whoever made the name", () => {
  assert.equal(asDig("127.0.0.1", 8600, "web.service.consul"), "dig @127.0.0.1 -p 8600 web.service.consul SRV");
  assert.equal(asDig("h", 53, "x;reboot #.service.consul"), "dig @h -p 53 -q 'x;reboot #.service.consul' SRV");
  assert.equal(asDig("h", 53, "-fx'$(id).service.consul"), "dig @h -p 53 -q '-fx'\\''$(id).service.consul' SRV");
  assert.deepEqual(["a", "-http-addr=evil", "it's"].map(argumentOf), ["'a'", "-- '-http-addr=evil'", "'it'\\''s'"]);
});

test("rights are those of the token and datacenter they are asked for, and silence is no refusal", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const need = /** @type {const} */ ({ Resource: "key", Access: "write", Segment: "a" });
  const yes = () => new Response(JSON.stringify([{ Allow: true }]));
  const turns = async () => { for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
  token.value = "one";
  const asked = await against((_, at) => {
    if (at === 0) throw new TypeError("no answer");
    if (at === 2) goTo("#/dc2/kv"); // the answer comes when the reader has gone elsewhere
    return at === 3 ? new Response(JSON.stringify([{ Allow: false }])) : yes();
  }, async () => {
    assert.equal(may(need), undefined);
    await turns();
    assert.equal(may(need), undefined, "an agent that does not answer forbids nothing");
    t.mock.timers.tick(2_000);
    await turns();
    assert.equal(may(need), true);
    token.value = "two";
    assert.equal(may(need), undefined, "another token");
    await turns();
    assert.equal(may(need), undefined, "what dc1 said is not what dc2 says");
    await turns();
    assert.equal(may(need), false);
  });
  assert.deepEqual(asked.map(({ url }) => url.searchParams.get("dc")), [null, null, null, "dc2"]);
});

test("an agent that keeps its connections and says nothing is not taken for a quiet one", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = async () => { for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
  const first = () => new Response("[]", { headers: { "X-Consul-Index": "7" } });
  const asked = await against((_, at) => (at === 0 ? first() : undefined), async () => {
    const { live, stop } = startLive("catalog/nodes", "");
    await turns();
    assert.equal(live.value.state, "live");
    t.mock.timers.tick(1_000);
    await turns();
    t.mock.timers.tick(WAIT_MS + PATIENCE_MS - 1);
    await turns();
    assert.equal(live.value.state, "live", "a quiet agent may take its time");
    t.mock.timers.tick(1);
    await turns();
    assert.equal(live.value.state, "stale");
    t.mock.timers.tick(1_000);
    await turns();
    t.mock.timers.tick(PATIENCE_MS);
    await turns();
    assert.match(String(live.value.error?.message), /does not answer/);
    stop();
  });
  assert.deepEqual(asked.slice(0, 3).map(({ url }) => url.searchParams.get("index")), [null, "7", null]);
});
