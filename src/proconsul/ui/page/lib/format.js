// How numbers, times and bytes are written. Pure: the time is an argument.

const STEPS = /** @type {[number, string][]} */ ([[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]]);

/** A span of time in its two largest units. @param {number} ms */
export function span(ms) {
  if (!Number.isFinite(ms)) return "";
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  let rest = Math.floor(Math.abs(ms) / 1_000);
  const words = [];
  for (const [size, unit] of STEPS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) words.push(`${count} ${unit}`);
    if (words.length === 2 || (words.length === 1 && !count)) break;
  }
  return (ms < 0 ? "-" : "") + words.join(" ");
}

/** @param {number} at @param {number} now both in milliseconds */
export function ago(at, now) {
  return now - at < 1_000 ? "now" : `${span(now - at)} ago`;
}

/** Go's durations as the API writes them: "1h2m0.5s", or nanoseconds. @param {string | number} text @returns {number} ms, NaN if it is none */
export function durationMs(text) {
  if (typeof text === "number") return text / 1e6;
  const units = /** @type {Record<string, number>} */ ({ h: 3.6e6, m: 6e4, s: 1e3, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 });
  const words = text.match(/^-?(\d+(\.\d*)?(h|ms|m|s|us|µs|ns))+$/) ? text.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g) : null;
  if (!words) return text === "0" ? 0 : NaN;
  let sum = 0;
  for (const [, number, unit] of words) sum += Number(number) * (units[unit ?? ""] ?? NaN);
  return text.startsWith("-") ? -sum : sum;
}

/** @param {number} count of bytes */
export function size(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1_000 && at < units.length - 1) {
    count /= 1_000;
    at += 1;
  }
  return `${at === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[at]}`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** @param {string} text @returns {Uint8Array} */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

/** The text the bytes are in UTF-8, or null if they are none. @param {Uint8Array} bytes */
export function asText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** As `hexdump -C` prints them: offset, bytes, characters. @param {Uint8Array} bytes @param {number} [max] how many bytes at most */
export function hexDump(bytes, max = 65_536) {
  const lines = [];
  const shown = bytes.subarray(0, max);
  for (let at = 0; at < shown.length; at += 16) {
    const row = [...shown.subarray(at, at + 16)];
    const hex = row.map((byte, i) => (i === 8 ? " " : "") + byte.toString(16).padStart(2, "0")).join(" ");
    const chars = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(49)} |${chars}|`);
  }
  if (bytes.length > max) lines.push(`... ${bytes.length - max} more bytes`);
  return lines.join("\n");
}

const PRETTY_MAX = 8_000_000;

/**
 * JSON with line breaks and indentation for reading. Numbers, escapes and the order and number of members stay as they are
 * written, which decoding and encoding again would not keep. Null if the text is not JSON, or nested so deep that the
 * indentation would outgrow what anybody can read.
 * @param {string} text
 */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g) ?? [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = /** @type {string} */ (tokens[at]);
    const next = tokens[at + 1];
    if (out.length > PRETTY_MAX) return null;
    if (token === "{" || token === "[") {
      if (next === "}" || next === "]") {
        out += token + next;
        at += 1;
      } else {
        depth += 1;
        out += token + line();
      }
    } else if (token === "}" || token === "]") {
      depth -= 1;
      out += line() + token;
    } else if (token === ",") {
      out += token + line();
    } else {
      out += token === ":" ? ": " : token;
    }
  }
  return out;
}

/** The first block of an id, enough to tell ids apart by eye. @param {string} id */
export function shortId(id) {
  return /^[0-9a-f]{8}-/i.test(id) ? id.slice(0, 8) : id;
}

/** Worst first. @param {string} status */
export function severity(status) {
  return { maintenance: 4, critical: 3, warning: 2, passing: 1 }[status] ?? 0;
}

/** The worst of some; "passing" of none, as the agent counts it. @param {string[]} statuses */
export function worstOf(statuses) {
  return statuses.reduce((worst, status) => (severity(status) > severity(worst) ? status : worst), "passing");
}

/** Checks, the worst first. @param {Iterable<any>} checks @returns {any[]} */
export function worstFirst(checks) {
  return [...checks].sort((a, b) => severity(b.Status) - severity(a.Status));
}
