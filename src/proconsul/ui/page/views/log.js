// The agent's log as it is written: one stream of /v1/agent/monitor, for as long as the view is shown and can be seen.
import { html, signal, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { ApiError, pathOf, stream } from "../lib/api.js";
import { inAddress } from "../lib/route.js";
import { matcher, parseFilter } from "../lib/filter.js";
import { counted } from "../lib/format.js";
import { levelOf, linesOf } from "../lib/records.js";
import { token } from "../lib/settings.js";
import { tell } from "../parts/dialog.js";
import { Empty, Page, copyText } from "../parts/bits.js";
import { Choice } from "../parts/forms.js";

/** @typedef {import("../lib/records.js").LogLine} LogLine */

/** Lines kept. */
const KEPT = 5_000;
/** Lines drawn together, and drawn again only when they change. */
const BLOCK = 100;
/** How often new lines are shown, so that a busy log does not keep the browser busy. */
const SHOWN_MS = 200;
/** Another try after the stream has ended. */
const RETRY_MS = 3_000;
const LEVELS = ["trace", "debug", "info", "warn", "err"];

/** @typedef {{ lines: LogLine[], state: string, trouble: string }} Kept */

/**
 * The lines of the log at a level, newest last. @param {string} level
 * @returns {{ kept: import("../vendor/signals.js").Signal<Kept>, clear: () => void }}
 */
function useLog(level) {
  const kept = useMemo(() => signal(/** @type {Kept} */ ({ lines: [], state: "connecting", trouble: "" })), []);
  const nextId = useRef(0);
  useEffect(() => {
    let controller = new AbortController();
    let over = false;
    /** @type {LogLine[]} */
    let fresh = [];
    const show = (/** @type {Partial<Kept>} */ more = {}) => {
      const { lines } = kept.peek();
      kept.value = { ...kept.peek(), lines: fresh.length ? [...lines, ...fresh].slice(-KEPT) : lines, ...more };
      fresh = [];
    };
    const timer = setInterval(() => { if (fresh.length) show(); }, SHOWN_MS);
    const read = async (/** @type {AbortSignal} */ stop) => {
      const decoder = new TextDecoder();
      let rest = "";
      let last = "info";
      show({ state: "connecting", trouble: "" });
      try {
        const chunks = stream(pathOf("agent/monitor", { loglevel: level }, ""), stop);
        // The agent sends the head of its answer with the first line, which may be long in coming.
        setTimeout(() => { if (!stop.aborted && kept.peek().state === "connecting") show({ state: "open" }); }, 1_000);
        for await (const chunk of chunks) {
          const [lines, left] = linesOf(rest + decoder.decode(chunk, { stream: true }));
          rest = left;
          for (const text of lines) {
            if (!text) continue;
            last = levelOf(text, last);
            fresh.push({ id: nextId.current, text, level: last });
            nextId.current += 1;
          }
          if (kept.peek().state !== "open") show({ state: "open" });
        }
        if (!stop.aborted) show({ state: "ended", trouble: "The agent has ended the stream." });
      } catch (error) {
        if (stop.aborted) return;
        const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
        show({ state: refused ? "refused" : "ended", trouble: error instanceof ApiError ? error.message : "The agent does not answer." });
      }
      if (!stop.aborted && kept.peek().state !== "refused") setTimeout(() => { if (!stop.aborted) void read(stop); }, RETRY_MS);
    };
    const seen = () => {
      controller.abort();
      if (over) return;
      if (document.hidden) show({ state: "paused" });
      else {
        controller = new AbortController();
        void read(controller.signal);
      }
    };
    document.addEventListener("visibilitychange", seen);
    seen();
    return () => {
      over = true;
      controller.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [level, token.value]);
  return { kept, clear: () => { kept.value = { ...kept.peek(), lines: [] }; } };
}

export default function Log() {
  const level = useMemo(() => inAddress("level", "info"), []);
  const filter = useMemo(() => inAddress("filter"), []);
  const [held, setHeld] = useState(/** @type {LogLine[] | null} */ (null));
  const [follow, setFollow] = useState(true);
  const asked = LEVELS.includes(level.value) ? level.value : "info";
  const { kept, clear } = useLog(asked);
  const { lines: all, state, trouble } = kept.value;
  const shown = held ?? all;
  const lines = useMemo(() => {
    const terms = parseFilter(filter.value);
    const test = matcher(terms, { "": (/** @type {LogLine} */ line) => line.text, level: (/** @type {LogLine} */ line) => line.level });
    return terms.length ? shown.filter(test) : shown;
  }, [shown, filter.value]);
  const copy = async () => {
    await copyText(lines.map((line) => line.text).join("\n"));
    tell(`${counted(lines.length, "line")} copied.`);
  };
  const word = held ? `paused, ${counted(all.filter((line) => line.id > (held.at(-1)?.id ?? -1)).length, "new line")}` : { open: "live", connecting: "connecting", paused: "paused", ended: "interrupted", refused: "refused" }[state];
  return html`
    <${Page} view="log" title="Log" actions=${html`<span class="hint" role="status" data-log-state=${held ? "held" : state}>${word}</span>`}>
      ${trouble ? html`<div class="note bad" role="alert">${trouble}</div>` : null}
      <div class="list-tools">
        <input type="search" class="filter" data-filter value=${filter.value} placeholder="Filter" aria-label="Filter the log" title="Words that must all occur; level: for the level; a minus before what must not"
          onInput=${(/** @type {any} */ event) => { filter.value = event.target.value; }} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") filter.value = ""; }} />
        <${Choice} label="Level" value=${asked} set=${(/** @type {string} */ text) => { level.value = text; clear(); setHeld(null); }} options=${LEVELS.map((one) => [one, one === "err" ? "error" : `${one} and worse`])} />
        <button type="button" aria-pressed=${held !== null} onClick=${() => setHeld(held ? null : all)}>${held ? "Go on" : "Pause"}</button>
        <button type="button" aria-pressed=${follow} onClick=${() => setFollow(!follow)}>Follow</button>
        <button type="button" onClick=${copy} disabled=${!lines.length}>Copy</button>
        <button type="button" onClick=${() => { clear(); if (held) setHeld([]); }}>Clear</button>
        <span class="count">${lines.length === shown.length ? counted(lines.length, "line") : `${lines.length.toLocaleString("en")} of ${counted(shown.length, "line")}`}${all.length === KEPT ? ", the oldest are dropped" : ""}</span>
      </div>
      ${lines.length ? html`<${Lines} lines=${lines} follow=${follow && held === null} away=${() => setFollow(false)} />`
      : html`<${Empty}>${shown.length ? "No line matches." : "No line has come yet: the log tells what happens from now on."}<//>`}
    <//>`;
}

/** @param {{ lines: LogLine[], follow: boolean, away: () => void }} props */
function Lines({ lines, follow, away }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);
  const blocks = useMemo(() => {
    /** @type {Map<number, LogLine[]>} */
    const found = new Map();
    for (const line of lines) {
      const at = Math.floor(line.id / BLOCK);
      const block = found.get(at);
      if (block) block.push(line);
      else found.set(at, [line]);
    }
    return [...found];
  }, [lines]);
  const wheel = (/** @type {WheelEvent} */ event) => { if (follow && event.deltaY < 0) away(); };
  return html`<div class="log" ref=${box} role="log" aria-label="Log" aria-live="off" tabindex="0" onWheel=${wheel}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (["ArrowUp", "PageUp", "Home"].includes(event.key)) away(); }}>
    ${blocks.map(([at, block]) => html`<${Block} key=${at} lines=${block} />`)}</div>`;
}

/** @param {{ lines: LogLine[] }} props */
function Block({ lines }) {
  return useMemo(
    () => html`<div class="log-block">${lines.map((line) => html`<div key=${line.id} class=${`line l-${line.level}`}>${line.text}</div>`)}</div>`,
    [lines.length, lines[0]?.id, lines.at(-1)?.id],
  );
}
