// Find anything: pages, services, nodes, keys, and what can be done anywhere. Names are loaded when it opens and not before.
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { get } from "../lib/api.js";
import { best, rank } from "../lib/filter.js";
import { keysPath } from "../lib/kv.js";
import { aclsEnabled, may } from "../lib/rights.js";
import { go, link, place } from "../lib/route.js";
import { agent, ours, readOnly, readOnlyChosen, theme } from "../lib/settings.js";
import { carried, levelOf, visible } from "../lib/tree.js";
import { views } from "../views/routes.js";
import { Dialog } from "./dialog.js";
import { datacenters } from "./shell.js";

/** @typedef {{ text: string, low: string, hint?: string, href?: string, run?: () => void }} Item */
/** @typedef {{ title: string, items: Item[] }} Group */

const SHOWN_MAX = 8;
const KEYS_AFTER_MS = 120;

/** @param {string} text @param {Partial<Item>} rest @returns {Item} */
const item = (text, rest) => ({ text, low: text.toLowerCase(), ...rest });

/** @returns {Item[]} the pages the reader can open */
function pages() {
  return views.filter((view) => view.group && (!view.ours || ours) && (!view.need || may(view.need) === true) && (view.group !== "Access" || aclsEnabled.value !== false))
    .map((view) => item(view.title, { href: link(view.id), hint: view.key ? `g ${view.key}` : "" }));
}

/** @returns {Item[]} */
function actions() {
  const { dc, view } = place.value;
  const themes = /** @type {const} */ (["auto", "light", "dark"]);
  return [
    ...themes.filter((name) => name !== theme.value).map((name) => item(`Theme: ${name}`, { run: () => { theme.value = name; } })),
    ...(agent.ReadOnly ? [] : [item(readOnly.value ? "Read-only: off" : "Read-only: on", { hint: "w", run: () => { readOnlyChosen.value = !readOnlyChosen.peek(); } })]),
    ...datacenters.value.filter((name) => name !== dc).map((name) => item(`Go to datacenter ${name}`, { href: link(view, "", {}, name) })),
    ...(aclsEnabled.value === false ? [] : [item("Log in or out", { href: link("login") })]),
  ];
}

/** Names of the catalog, once. @returns {{ services: Item[], nodes: Item[], trouble: string }} */
function useNames() {
  const [names, setNames] = useState(/** @type {{ services: Item[], nodes: Item[], trouble: string }} */ ({ services: [], nodes: [], trouble: "" }));
  useEffect(() => {
    const stop = new AbortController();
    const ask = { signal: stop.signal };
    Promise.allSettled([get("catalog/services", ask), get("catalog/nodes", ask)]).then(([services, nodes]) => {
      if (stop.signal.aborted) return;
      const failed = [services, nodes].find((one) => one.status === "rejected");
      setNames({
        services: services.status === "fulfilled" ? Object.keys(services.value ?? {}).map((name) => item(name, { href: link("services", [name]) })) : [],
        nodes: nodes.status === "fulfilled" ? (nodes.value ?? []).map((/** @type {any} */ node) => item(node.Node, { href: link("nodes", [node.Node]), hint: node.Address })) : [],
        trouble: failed?.status === "rejected" ? String(failed.reason?.message ?? failed.reason) : "",
      });
    });
    return () => stop.abort();
  }, []);
  return names;
}

/** Keys that begin with what is typed, one level. @param {string} typed @returns {Item[]} */
function useKeys(typed) {
  const [keys, setKeys] = useState(/** @type {Item[]} */ ([]));
  useEffect(() => {
    if (!typed || !carried(typed)) {
      setKeys([]);
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const found = await get(keysPath(typed, true), { signal: stop.signal, accept: [404] });
        const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
        const rows = levelOf(Array.isArray(found) ? found.filter((key) => key.startsWith(typed)) : [], folder);
        if (!stop.signal.aborted) setKeys(rows.slice(0, SHOWN_MAX).map((row) => item(row.key, { href: link(row.folder ? "kv" : "key", row.key), hint: row.folder ? "folder" : "" })));
      } catch {
        if (!stop.signal.aborted) setKeys([]);
      }
    }, KEYS_AFTER_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [typed]);
  return keys;
}

/**
 * What answers, group by group, the group with the best answer first.
 * @param {string} typed @param {{ services: Item[], nodes: Item[] }} names
 */
function grouped(typed, names) {
  const wanted = typed.trim().toLowerCase();
  const groups = [
    { title: "Pages", items: best(typed, pages(), wanted ? SHOWN_MAX : 99) }, { title: "Services", items: wanted ? best(typed, names.services, SHOWN_MAX) : [] },
    { title: "Nodes", items: wanted ? best(typed, names.nodes, SHOWN_MAX) : [] }, { title: "Actions", items: best(typed, actions(), SHOWN_MAX) },
  ];
  return groups.map((group) => ({ ...group, level: wanted && group.items[0] ? rank(wanted, group.items[0].low) : 0 })).sort((a, b) => a.level - b.level);
}

/** @param {{ close: () => void }} props */
export function Palette({ close }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const input = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => input.current?.focus(), []);
  const names = useNames();
  const keys = useKeys(typed);
  const still = [...pages(), ...actions()].map(({ text }) => text).join("\n");
  const found = useMemo(() => grouped(typed, names), [typed, names, still]);
  // Keys come later than the rest, so they may only push away what answers less well.
  const groups = [...found.filter(({ level }) => level < 4), { title: "Keys", items: keys }, ...found.filter(({ level }) => level === 4)].filter(({ items }) => items.length);
  const flat = groups.flatMap((group) => group.items);
  const active = Math.min(at, flat.length - 1);
  useEffect(() => { list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }); }, [active, groups]);
  /** @param {Item | undefined} chosen */
  const take = (chosen) => {
    if (!chosen) return;
    close();
    if (chosen.run) chosen.run();
    else if (chosen.href) go(chosen.href);
  };
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + SHOWN_MAX, PageUp: active - SHOWN_MAX }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const last = flat.length - 1;
      const step = Math.abs(to - active) === 1;
      setAt(step && to > last ? 0 : step && to < 0 ? last : Math.max(0, Math.min(last, to)));
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      take(flat[active]);
    }
  };
  return html`
    <${Dialog} title="Find" close=${close} class="palette">
      <input class="palette-input" type="text" role="combobox" aria-expanded=${flat.length > 0} aria-controls="palette-list" aria-autocomplete="list" aria-label="Find a page, service, node, key or action"
        aria-activedescendant=${flat.length ? `palette-${active}` : undefined} placeholder="Page, service, node, beginning of a key, action" autocomplete="off" spellcheck=${false} ref=${input}
        value=${typed} onInput=${(/** @type {any} */ event) => { setTyped(event.target.value); setAt(0); }} onKeyDown=${onKey} />
      <div id="palette-list" role="listbox" aria-label="Found" class="palette-list" ref=${list}>
        ${groups.map((group) => html`<${Found} key=${group.title} group=${group} from=${flat.indexOf(/** @type {Item} */ (group.items[0]))} active=${active} take=${take} />`)}
      </div>
      ${flat.length ? null : html`<p class="empty" role="status">Nothing of that name.</p>`}
      ${names.trouble ? html`<p class="hint">${names.trouble}</p>` : null}
    <//>`;
}

/** @param {{ group: Group, from: number, active: number, take: (item: Item) => void }} props */
function Found({ group, from, active, take }) {
  return html`
    <div role="group" aria-label=${group.title}>
      <div class="menu-title" aria-hidden="true">${group.title}</div>
      ${group.items.map((one, index) => html`
        <div role="option" key=${one.text} id=${`palette-${from + index}`} aria-selected=${from + index === active} onClick=${() => take(one)}>
          <span class="key-name">${visible(one.text)}</span>${one.hint ? html` <span class="dim">${one.hint}</span>` : null}</div>`)}
    </div>`;
}
