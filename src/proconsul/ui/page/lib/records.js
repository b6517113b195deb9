// What the views of tokens, operations and the log do with what the agent answers: secrets covered, settings flattened, numbers
// remembered, log lines read. Pure.

const SECRET = /secret|password|^token$|jwt$|privatekey|pemkey|bearer/i;
const OPEN = /^(JWTSupportedAlgs|BoundAudiences|MaxTokenTTL)$/;
export const COVERED = "(hidden)";

/** The same without what nobody should read over a shoulder. @param {any} data @returns {any} */
export function masked(data) {
  if (Array.isArray(data)) return data.map(masked);
  if (data === null || typeof data !== "object") return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, SECRET.test(name) && !OPEN.test(name) && value ? COVERED : masked(value)]));
}

/** Whether `masked` covers anything. @param {any} data */
export function hasSecrets(data) {
  return JSON.stringify(data) !== JSON.stringify(masked(data));
}

/**
 * What was covered is put back where it still says so. @param {any} now @param {any} was before it was covered @returns {any}
 */
export function uncovered(now, was) {
  if (now === COVERED) return was;
  if (now === null || typeof now !== "object") return now;
  const inside = was !== null && typeof was === "object" ? was : {};
  if (Array.isArray(now)) return now.map((value, at) => uncovered(value, inside[at]));
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, uncovered(value, inside[name])]));
}

/** @typedef {{ name: string, value: string }} Setting */

/** Every leaf of an object with its path. @param {unknown} data @param {string} [path] @returns {Setting[]} */
export function flatten(data, path = "") {
  if (data !== null && typeof data === "object") {
    const parts = Object.entries(data);
    if (parts.length === 0) return [{ name: path, value: Array.isArray(data) ? "[]" : "{}" }];
    return parts.flatMap(([name, value]) => flatten(value, Array.isArray(data) ? `${path}[${name}]` : path ? `${path}.${name}` : name));
  }
  return [{ name: path, value: typeof data === "string" ? data : JSON.stringify(data) }];
}

/**
 * One number over time. @typedef {object} Series
 * @property {string} name with its labels
 * @property {"gauge" | "counter" | "sample"} kind
 * @property {number[]} times of the agent's intervals, in milliseconds
 * @property {number[]} values gauges: the value; counters: how often in the interval; samples: the mean
 * @property {Record<string, number>} last everything said of the last interval
 */

/** How many intervals are remembered: half an hour of ten seconds each. */
export const REMEMBERED = 180;

/**
 * Add an answer of /v1/agent/metrics to what is remembered. The same interval again replaces what was known of it.
 * @param {Map<string, Series>} known changed in place @param {any} answer @param {number} now milliseconds
 */
export function remember(known, answer, now) {
  const at = Date.parse(String(answer?.Timestamp ?? "").replace(" +0000 UTC", "Z").replace(" ", "T")) || now;
  /** @type {[Series["kind"], any[], string][]} */
  const groups = [["gauge", answer?.Gauges, "Value"], ["counter", answer?.Counters, "Count"], ["sample", answer?.Samples, "Mean"]];
  for (const [kind, rows, field] of groups) {
    for (const row of rows ?? []) {
      const labels = Object.entries(row.Labels ?? {}).map(([name, value]) => `${name}=${value}`).join(" ");
      const name = labels ? `${row.Name} ${labels}` : row.Name;
      const key = `${kind} ${name}`;
      const series = known.get(key) ?? /** @type {Series} */ ({ name, kind, times: [], values: [], last: {} });
      known.set(key, series);
      const value = Number(row[field]) || 0;
      if (series.times.at(-1) === at) series.values[series.values.length - 1] = value;
      else {
        series.times.push(at);
        series.values.push(value);
      }
      if (series.times.length > REMEMBERED) {
        series.times.shift();
        series.values.shift();
      }
      series.last = Object.fromEntries(Object.entries(row).filter(([, one]) => typeof one === "number"));
    }
  }
}

/**
 * The points of a line in a box, for SVG. @param {number[]} values @param {number} width @param {number} height
 */
export function linePoints(values, width, height) {
  const low = Math.min(...values);
  const room = Math.max(...values) - low;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const y = (/** @type {number} */ value) => (room ? height - 1 - ((value - low) / room) * (height - 2) : height / 2);
  return values.map((value, at) => `${(at * step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}

/** A number as short as it can be told. @param {number} value */
export function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return Number.isInteger(value) ? String(value) : value.toFixed(size < 1 ? 4 : 2);
}

/** @typedef {{ id: number, text: string, level: string }} LogLine */

/** The level a line of the log has; lines that go on have that of the line before. @param {string} text @param {string} before */
export function levelOf(text, before) {
  const found = /\[(TRACE|DEBUG|INFO|WARN|ERROR|ERR)\]/.exec(text);
  return found ? (found[1] === "ERR" ? "error" : /** @type {string} */ (found[1]).toLowerCase()) : before;
}

/** Whole lines of a stream of text, and what is left of the last. @param {string} text @returns {[string[], string]} */
export function linesOf(text) {
  const lines = text.split(/\r?\n/);
  return [lines.slice(0, -1), lines.at(-1) ?? ""];
}

/** When a token ends, in milliseconds, or 0. Go's zero time is none. @param {{ ExpirationTime?: string | null }} token */
export function expiresAt(token) {
  const at = Date.parse(token.ExpirationTime ?? "");
  return at > 0 ? at : 0;
}

/** Without the members that only the server sets. @param {any} record @param {string[]} names @returns {any} */
export function without(record, names) {
  return Object.fromEntries(Object.entries(record ?? {}).filter(([name]) => !names.includes(name)));
}

/** @param {string} text JSON of an object @returns {{ data: any, problem: string }} */
export function parsedObject(text) {
  try {
    const data = JSON.parse(text);
    return data !== null && typeof data === "object" && !Array.isArray(data)
      ? { data, problem: "" } : { data: null, problem: "This is not an object: it has to begin with { and end with }." };
  } catch (error) {
    return { data: null, problem: `This is not JSON: ${error instanceof Error ? error.message : error}` };
  }
}

/** Where an agent answers DNS, from its agent/self; what Consul does by default if that may not be read. @param {any} self */
export function dnsOf(self) {
  const debug = self?.DebugConfig ?? {};
  return {
    domain: (debug.DNSDomain || "consul.").replace(/\.$/, ""),
    port: Number(/:(\d+)$/.exec(String(debug.DNSAddrs?.[0] ?? ""))?.[1] ?? debug.DNSPort ?? 8600),
  };
}
