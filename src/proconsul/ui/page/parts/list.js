// A list of any length: only the rows in sight are in the document. Filter and order live in the address. A row that changed is
// marked for two seconds; while the pointer is over the list no row moves.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { byName, matcher, parseFilter } from "../lib/filter.js";
import { inAddress } from "../lib/route.js";
import { compact } from "../lib/settings.js";
import { counted } from "../lib/format.js";

const OVERSCAN = 8;
const MARK_MS = 2_000;
/** How long the scroll bar must rest after it was torn along. */
const SETTLED_MS = 100;

/**
 * @template T
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {(row: T) => any} cell
 * @property {(row: T) => string | number} [by] what the column is ordered by
 * @property {string} [width] of a grid's track: "2fr", "8rem"
 * @property {boolean} [wide] left out on narrow screens
 */

/**
 * @template T
 * @typedef {object} ListProps
 * @property {string} label what the list is of, for readers of the screen
 * @property {T[]} rows
 * @property {(row: T) => string} rowKey
 * @property {Column<T>[]} columns the first holds the row's link
 * @property {Record<string, (row: T) => string | string[]>} fields what the filter can look at; "" is all
 * @property {(row: T) => string} [stamp] changes when the row does
 * @property {string} [order] id of the column ordered by at first; "" as given. A leading minus turns it round
 * @property {any} [tools] beside the filter
 * @property {any} [empty] when there are no rows at all
 * @property {[string, string][]} [quick] filters that one click sets: word and its name
 * @property {Set<string>} [picked] keys of chosen rows; with `onPick` rows can be chosen
 * @property {(keys: Set<string>) => void} [onPick]
 */

/** @template T @param {ListProps<T>} props */
export function List(props) {
  const filter = useMemo(() => inAddress("filter"), []);
  const order = useMemo(() => inAddress("sort", props.order ?? ""), [props.order]);
  const hover = useRef(false);
  const lastOrder = useRef(/** @type {Map<string, number>} */ (new Map()));
  const terms = parseFilter(filter.value);
  // Ordered first, as the filter changes with every key stroke, and the order seldom.
  const all = useMemo(() => ordered(props.rows, props, order.value), [props.rows, order.value]);
  const rows = useMemo(
    () => (terms.length ? all.filter(matcher(terms, props.fields)) : [...all]), [all, filter.value],
  );
  const shownOrder = `${filter.value}\n${order.value}`;
  const orderOf = useRef(shownOrder);
  if (hover.current && orderOf.current === shownOrder) {
    const rank = lastOrder.current;
    const place = (/** @type {T} */ row) => rank.get(props.rowKey(row)) ?? Infinity;
    rows.sort((a, b) => {
      const [left, right] = [place(a), place(b)];
      return left === right ? 0 : left - right;
    });
  } else {
    orderOf.current = shownOrder;
    lastOrder.current = new Map(rows.map((row, at) => [props.rowKey(row), at]));
  }
  const marks = useMarks(props);
  return html`
    <div class="list-tools">
      <input type="search" class="filter" value=${filter.value} placeholder="Filter" aria-label=${`Filter ${props.label}`} title=${hint(props)}
        data-filter onInput=${(/** @type {any} */ event) => { filter.value = event.target.value; }}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") filter.value = ""; }} />
      ${(props.quick ?? []).map(([word, name]) => html`<button type="button" class="chip" aria-pressed=${filter.value.trim() === word}
        onClick=${() => { filter.value = filter.value.trim() === word ? "" : word; }}>${name}</button>`)}
      <span class="count" aria-live="polite">${rows.length === props.rows.length
        ? counted(rows.length, "row") : `${rows.length.toLocaleString("en")} of ${counted(props.rows.length, "row")}`}</span>
      <button type="button" class="quiet density" aria-pressed=${compact.value} title="Dense rows"
        onClick=${() => { compact.value = !compact.value; }}>${compact.value ? "Comfortable" : "Compact"}</button>
      ${props.tools}
    </div>
    ${props.rows.length === 0 && props.empty ? html`<p class="empty">${props.empty}</p>` : html`
      <${Window} list=${props} rows=${rows} order=${order} marks=${marks} onHover=${(/** @type {boolean} */ over) => { hover.current = over; }} />`}`;
}

/** @param {ListProps<any>} props */
function hint(props) {
  const fields = Object.keys(props.fields).filter(Boolean);
  return `Words that must all occur${fields.length ? `; ${fields.map((name) => `${name}:`).join(" ")} for one column` : ""}; a minus before what must not`;
}

/** @template T @param {T[]} rows @param {ListProps<T>} props @param {string} order @returns {T[]} */
function ordered(rows, props, order) {
  const turned = order.startsWith("-");
  const by = props.columns.find((column) => column.id === order.replace(/^-/, ""))?.by;
  if (!by) return [...rows];
  const keyed = rows.map((row) => /** @type {[string | number, T]} */ ([by(row), row]));
  keyed.sort(([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : byName(String(a), String(b))));
  if (turned) keyed.reverse();
  return keyed.map(([, row]) => row);
}

/** Which rows have changed in the last two seconds. @template T @param {ListProps<T>} props @returns {Set<string>} */
function useMarks({ rows, rowKey, stamp }) {
  const [marks, setMarks] = useState(/** @type {Set<string>} */ (new Set()));
  const stamps = useRef(/** @type {Map<string, string> | null} */ (null));
  useEffect(() => {
    if (!stamp) return undefined;
    const before = stamps.current;
    stamps.current = new Map(rows.map((row) => [rowKey(row), stamp(row)]));
    if (!before?.size) return undefined; // what a view starts with is not news
    const changed = new Set([...stamps.current].filter(([key, text]) => before.get(key) !== text).map(([key]) => key));
    if (!changed.size) return undefined;
    setMarks(changed);
    const timer = setTimeout(() => setMarks(new Set()), MARK_MS);
    return () => clearTimeout(timer);
  }, [rows]);
  return marks;
}

/** @param {{ list: ListProps<any>, rows: any[], order: { value: string }, marks: Set<string>, onHover: (over: boolean) => void }} props */
function Window({ list, rows, order, marks, onHover }) {
  const { columns, rowKey, label, picked, onPick } = list;
  const height = compact.value ? 26 : 38;
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [view, setView] = useState({ top: 0, room: 900, rushing: false });
  const pending = useRef(0);
  useLayoutEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    let last = node.scrollTop;
    let settled = 0;
    const measure = () => {
      pending.current = 0;
      const [top, room] = [node.scrollTop, node.clientHeight || 900];
      // All rows are others than a frame ago: nobody reads them, so only their names are drawn until it slows down.
      const rushing = Math.abs(top - last) > room * 0.75;
      last = top;
      clearTimeout(settled);
      if (rushing) settled = /** @type {any} */ (setTimeout(measure, SETTLED_MS));
      setView({ top, room, rushing });
    };
    const later = () => { pending.current ||= requestAnimationFrame(measure); };
    node.addEventListener("scroll", later, { passive: true });
    const resized = new ResizeObserver(later);
    resized.observe(node);
    return () => {
      node.removeEventListener("scroll", later);
      resized.disconnect();
      clearTimeout(settled);
      cancelAnimationFrame(pending.current);
    };
  }, []);
  const first = Math.max(0, Math.min(Math.floor(view.top / height) - OVERSCAN, rows.length - 1));
  const last = Math.min(rows.length, Math.ceil((view.top + view.room) / height) + OVERSCAN);
  const shown = rows.slice(first, last);
  const elements = useElements(shown.map(rowKey), box.current);
  const tracks = columns.map((column) => column.width ?? "1fr").join(" ");
  const narrow = columns.filter((column) => !column.wide).map((column) => column.width ?? "1fr").join(" ");
  const pickTrack = onPick ? "2rem " : "";
  useLayoutEffect(() => {
    box.current?.style.setProperty("--tracks", pickTrack + tracks);
    box.current?.style.setProperty("--tracks-narrow", pickTrack + narrow);
    box.current?.style.setProperty("--row", `${height}px`);
  }, [tracks, narrow, height, pickTrack]);
  const turn = (/** @type {Column<any>} */ column) => {
    order.value = order.value === column.id ? `-${column.id}` : column.id;
  };
  const toggle = (/** @type {string} */ key) => {
    const next = new Set(picked);
    if (!next.delete(key)) next.add(key);
    onPick?.(next);
  };
  const all = onPick && rows.length > 0 && rows.every((row) => picked?.has(rowKey(row)));
  return html`
    <div class=${`list ${rows.length <= 12 ? "short" : ""}`} ref=${box} role="table" aria-label=${label} aria-rowcount=${rows.length + 1} tabindex="0" data-list
        onPointerEnter=${() => onHover(true)} onPointerLeave=${() => onHover(false)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => walk(event, height)}>
      <div role="rowgroup" class="list-head"><div role="row" class="row head" aria-rowindex="1">
        ${onPick ? html`<span role="columnheader"><input type="checkbox" aria-label="Choose all" checked=${all}
          onChange=${() => onPick(all ? new Set() : new Set(rows.map(rowKey)))} /></span>` : null}
        ${columns.map((column) => html`
          <span role="columnheader" class=${column.wide ? "wide" : ""} aria-sort=${sorted(order.value, column.id)}>
            ${column.by ? html`<button type="button" class="quiet" onClick=${() => turn(column)}>${column.title}<i aria-hidden="true">${
              ARROWS[sorted(order.value, column.id) ?? "none"]}</i></button>` : column.title}
          </span>`)}
      </div></div>
      <div role="rowgroup" class="list-rows" style=${{ height: `${rows.length * height}px` }}>
        ${shown.map((row, at) => {
          const key = rowKey(row);
          return html`
            <div role="row" key=${elements.get(key)} class=${`row ${marks.has(key) ? "changed" : ""}`} data-row=${key} aria-rowindex=${first + at + 2}
                style=${{ transform: `translateY(${(first + at) * height}px)` }} onClick=${open}>
              ${onPick ? html`<span role="cell"><input type="checkbox" aria-label=${`Choose ${key}`} checked=${picked?.has(key)} onChange=${() => toggle(key)} /></span>` : null}
              ${columns.map((column, which) => html`<span role="cell" class=${column.wide ? "wide" : ""}>${view.rushing && which ? null : column.cell(row)}</span>`)}
            </div>`;
        })}
      </div>
    </div>`;
}

/**
 * Which element each row in sight is drawn in. A row keeps its element; rows that come take those of rows that went, as changing
 * an element costs much less than making one. The one with the focus is not handed on: it would be on another row.
 * @param {string[]} keys @param {HTMLElement | null} box @returns {Map<string, number>}
 */
function useElements(keys, box) {
  const taken = useRef(/** @type {Map<string, number>} */ (new Map()));
  const made = useRef(0);
  const wanted = new Set(keys);
  const active = document.activeElement;
  const focused = box?.contains(active) ? active?.closest("[data-row]")?.getAttribute("data-row") : null;
  const free = [...taken.current].filter(([key]) => !wanted.has(key) && key !== focused).map(([, element]) => element).reverse();
  taken.current = new Map(keys.map((key) => [key, taken.current.get(key) ?? free.pop() ?? (made.current += 1)]));
  return taken.current;
}

const ARROWS = { ascending: " ↑", descending: " ↓", none: "" };

/** @param {string} order @param {string} id @returns {"ascending" | "descending" | undefined} */
function sorted(order, id) {
  return order === id ? "ascending" : order === `-${id}` ? "descending" : undefined;
}

/** A click anywhere in a row is one on its link. @param {MouseEvent} event */
function open(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("a, button, input, label, details") || globalThis.getSelection()?.toString()) return;
  const href = target.closest(".row")?.querySelector("a")?.getAttribute("href");
  if (href) globalThis.location.hash = href;
}

/** Arrow keys, j and k go from row to row; Enter on a link is the browser's. @param {KeyboardEvent} event @param {number} height */
function walk(event, height) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches("input:not([type=checkbox])") || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!step) return;
  const box = /** @type {HTMLElement} */ (event.currentTarget);
  const shown = /** @type {HTMLElement[]} */ ([...box.querySelectorAll(".list-rows .row")]);
  const at = shown.findIndex((row) => row.contains(document.activeElement));
  const inSight = shown.findIndex((row) => row.getBoundingClientRect().top >= box.getBoundingClientRect().top + height - 1);
  const next = shown[at < 0 ? Math.max(0, inSight) : at + step];
  if (!next) return;
  event.preventDefault();
  const link = /** @type {HTMLElement | null} */ (next.querySelector("a, button"));
  link?.focus({ preventScroll: true });
  const [row, frame] = [next.getBoundingClientRect(), box.getBoundingClientRect()];
  if (row.top < frame.top + height) box.scrollTop -= frame.top + height - row.top;
  else if (row.bottom > frame.bottom) box.scrollTop += row.bottom - frame.bottom;
}
