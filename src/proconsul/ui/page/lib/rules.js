// The rules of policies, in HCL 1 or JSON: parsed with line and reason for what is wrong, and which rule decides. Pure.
// The agent's own word counts; this one comes while typing and says where.

/** @typedef {{ line: number, column: number, text: string, error: boolean }} Problem an `error` is refused, the rest is ignored */

/**
 * @typedef {object} Rule
 * @property {string} resource like "key"
 * @property {boolean} prefix whether `name` is how names begin
 * @property {string} name "" for resources without names
 * @property {string} level deny, read, list or write
 * @property {string} [intentions]
 * @property {number} line
 * @property {string} [source] where it is from, for people
 */

/** Resources without names. */
export const BARE = ["acl", "keyring", "operator", "mesh", "peering"];
export const NAMED = ["agent", "event", "key", "node", "query", "service", "session"];
/** What /v1/internal/acl/authorize can be asked about in every release. */
export const ASKED = ["acl", "agent", "event", "intention", "key", "keyring", "node", "operator", "query", "service", "session"];
const STRENGTH = ["read", "list", "write", "deny"];

/** @param {string} resource */
export function levelsOf(resource) {
  return resource === "key" ? ["deny", "read", "list", "write"] : ["deny", "read", "write"];
}

/** @typedef {{ kind: string, text: string, at: number }} Token kind: word, text, mark, number, end or bad */
/** @typedef {{ kind: "text" | "list" | "object" | "other", text: string, items: Value[], entries: Entry[], at: number }} Value */
/** @typedef {{ keys: Token[], assigned: boolean, value: Value }} Entry */

const TOKEN = /(\s+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|<<(-?)(\w+)\n([^]*?)\n[ \t]*\3(?=\n|$)|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w.-]*)|(-?\d[\w.+-]*)|([{}[\]=:,])|([^])/gy;

/** @param {string} text @returns {Token[]} */
function tokens(text) {
  /** @type {Token[]} */
  const found = [];
  for (const match of text.matchAll(TOKEN)) {
    const [all, blank, , heredoc, body, quoted, word, number, mark] = match;
    const at = match.index;
    if (blank !== undefined) continue;
    if (heredoc !== undefined) found.push({ kind: "text", text: `${body}\n`, at });
    else if (quoted !== undefined) found.push({ kind: "text", text: unescaped(quoted), at });
    else if (word !== undefined) found.push({ kind: "word", text: word, at });
    else if (number !== undefined) found.push({ kind: "number", text: number, at });
    else found.push({ kind: mark === undefined ? "bad" : "mark", text: all, at });
  }
  found.push({ kind: "end", text: "the end", at: text.length });
  return found;
}

/** @param {string} text */
function unescaped(text) {
  try {
    return /** @type {string} */ (JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

class Wrong extends Error {
  /** @param {number} at @param {string} text */
  constructor(at, text) {
    super(text);
    this.at = at;
  }
}

/** Reads tokens into entries. */
class Reader {
  /** @param {string} text */
  constructor(text) {
    this.tokens = tokens(text);
    this.next = 0;
  }

  /** @returns {Token} */
  peek() {
    return /** @type {Token} */ (this.tokens[this.next]);
  }

  take() {
    const token = this.peek();
    if (token.kind !== "end") this.next += 1;
    return token;
  }

  /** @param {string} mark */
  has(mark) {
    const token = this.peek();
    return token.kind === "mark" && token.text === mark;
  }

  /** Entries up to a closing brace, or the end at the top. @param {boolean} top @returns {Entry[]} */
  entries(top) {
    /** @type {Entry[]} */
    const found = [];
    for (;;) {
      while (this.has(",")) this.take();
      const token = this.peek();
      if (this.has("}") && !top) {
        this.take();
        return found;
      }
      if (token.kind === "end") {
        if (top) return found;
        throw new Wrong(token.at, "A closing brace } is missing at the end.");
      }
      found.push(this.entry());
    }
  }

  /** @returns {Entry} */
  entry() {
    /** @type {Token[]} */
    const keys = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === "word" || token.kind === "text") keys.push(this.take());
      else if (keys.length && (this.has("=") || this.has(":"))) {
        if (keys.length > 1) throw new Wrong(token.at, `${keys.map((key) => key.text).join(" ")} is followed by a block { policy = "..." }, without =.`);
        this.take();
        return { keys, assigned: true, value: this.value() };
      } else if (keys.length && this.has("{")) return { keys, assigned: false, value: this.value() };
      else if (token.kind === "bad" && token.text === '"') throw new Wrong(token.at, "This text has no closing quote.");
      else if (keys.length) throw new Wrong(token.at, `${token.text} cannot stand here: after ${keys.at(-1)?.text} a block { or = is expected.`);
      else throw new Wrong(token.at, `${token.text} cannot stand here: a resource like key_prefix is expected.`);
    }
  }

  /** @returns {Value} */
  value() {
    const token = this.take();
    const value = /** @type {Value} */ ({ kind: "other", text: token.text, items: [], entries: [], at: token.at });
    if (token.kind === "text") return { ...value, kind: "text" };
    if (token.kind === "number" || (token.kind === "word" && /^(true|false|null)$/.test(token.text))) return value;
    if (token.kind === "mark" && token.text === "{") return { ...value, kind: "object", entries: this.entries(false) };
    if (token.kind === "mark" && token.text === "[") {
      while (!this.has("]")) {
        if (this.peek().kind === "end") throw new Wrong(token.at, "This list has no closing bracket ].");
        if (this.has(",")) this.take();
        else value.items.push(this.value());
      }
      this.take();
      return { ...value, kind: "list" };
    }
    if (token.kind === "word") throw new Wrong(token.at, `${token.text} must be in quotes.`);
    if (token.kind === "bad" && token.text === '"') throw new Wrong(token.at, "This text has no closing quote.");
    throw new Wrong(token.at, `${token.text} cannot stand here: a value is expected.`);
  }
}

/**
 * Tells the line and column, from 1, of places in a text. @param {string} text @returns {(at: number) => [number, number]}
 */
export function placesIn(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (at) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return [low + 1, at - (starts[low] ?? 0) + 1];
  };
}

/**
 * The rules of a policy and what is wrong with them. What is not known is ignored by Consul, so it is no error, but said.
 * @param {string} text HCL 1 or JSON
 * @param {string} [source] @returns {{ rules: Rule[], problems: Problem[] }}
 */
export function parseRules(text, source) {
  /** @type {Rule[]} */
  const rules = [];
  /** @type {Problem[]} */
  const problems = [];
  const placeOf = placesIn(text);
  const tell = (/** @type {number} */ at, /** @type {string} */ what, error = true) => {
    const [line, column] = placeOf(at);
    problems.push({ line, column, text: what, error });
  };
  /** @type {Entry[]} */
  let entries;
  try {
    const reader = new Reader(text);
    if (reader.has("{")) {
      entries = reader.value().entries;
      const rest = reader.peek();
      if (rest.kind !== "end") throw new Wrong(rest.at, `${rest.text} cannot stand after the closing brace.`);
    } else entries = reader.entries(true);
  } catch (thrown) {
    if (!(thrown instanceof Wrong)) throw thrown;
    tell(thrown.at, thrown.message);
    return { rules, problems };
  }
  const bare = new Map(entries.map((entry) => [(entry.keys[0]?.text ?? "").toLowerCase(), entry]));
  for (const entry of entries) {
    const word = (entry.keys[0]?.text ?? "").toLowerCase();
    if (BARE.includes(word) && entry.value.kind === "text" && bare.get(word) !== entry) {
      tell(entry.value.at, `${word} is said again below: that counts.`, false);
      continue;
    }
    for (const rule of rulesOf(entry, tell)) rules.push({ ...rule, line: placeOf(rule.line)[0], source });
  }
  const seen = new Map();
  for (const rule of rules) {
    const key = `${rule.resource}\n${rule.prefix}\n${rule.name}`;
    const first = seen.get(key);
    if (first) problems.push({ line: rule.line, column: 1, error: false, text: `Line ${first.line} is about the same name: deny counts, else the one that grants more.` });
    else seen.set(key, rule);
  }
  return { rules, problems };
}

/** @typedef {(at: number, what: string, error?: boolean) => void} Tell */

/** What one entry at the top says; `line` is still an offset. @param {Entry} entry @param {Tell} tell @returns {Rule[]} */
function rulesOf({ keys, value }, tell) {
  const first = /** @type {Token} */ (keys[0]);
  const word = first.text.toLowerCase();
  const prefix = word.endsWith("_prefix");
  const resource = prefix ? word.slice(0, -"_prefix".length) : word;
  if (BARE.includes(word)) {
    if (keys.length > 1 || value.kind !== "text") {
      tell(first.at, `${word} has no names: write ${word} = "read".`);
      return [];
    }
    if (value.text === "") return []; // says nothing
    return level(word, value, tell) ? [{ resource: word, prefix: false, name: "", level: value.text.toLowerCase(), line: first.at }] : [];
  }
  if (!NAMED.includes(resource)) {
    const near = nearest(word);
    tell(first.at, `${first.text} is no resource: Consul ignores it.${near ? ` Is ${near} meant?` : ""}`, false);
    return [];
  }
  if (keys.length > 2) {
    tell(first.at, `A rule has one name, this one has ${keys.length - 1}.`);
    return [];
  }
  const named = keys[1];
  if (named) return one(resource, prefix, named, value, tell);
  else if (value.kind === "object" || value.kind === "list") return jsonRules(resource, prefix, first, value, tell);
  else tell(first.at, `${word} needs a name and a block: ${word} "name" { policy = "${value.text}" }.`);
  return [];
}

/** `"key": {"a": {"policy": "read"}}`, also in lists. @param {string} resource @param {boolean} prefix @param {Token} first @param {Value} value @param {Tell} tell @returns {Rule[]} */
function jsonRules(resource, prefix, first, value, tell) {
  if (value.kind === "list") return value.items.flatMap((item) => jsonRules(resource, prefix, first, item, tell));
  /** @type {Rule[]} */
  const rules = [];
  for (const { keys: [name], value: body } of value.entries) {
    const bodies = body.kind === "list" ? body.items : [body];
    if (bodies.some((each) => each.kind !== "object")) {
      tell(first.at, `${first.text} has no name: write ${first.text} "name" { policy = "..." }.`);
      return [];
    }
    for (const each of bodies) rules.push(...one(resource, prefix, /** @type {Token} */ (name), each, tell));
  }
  return rules;
}

/** @param {string} resource @param {boolean} prefix @param {Token} name @param {Value} body @param {Tell} tell @returns {Rule[]} */
function one(resource, prefix, name, body, tell) {
  /** @type {Record<string, Value>} */
  const fields = {};
  for (const { keys: [key], value } of body.entries) {
    const field = (key?.text ?? "").toLowerCase();
    if (field === "policy" || (field === "intentions" && resource === "service")) fields[field] = value;
    else tell(key?.at ?? name.at, field === "sentinel" ? "Sentinel is of the enterprise edition: ignored." : `${field} is no field of a rule: ignored.`, false);
  }
  if (!fields.policy) {
    tell(name.at, `The rule for "${name.text}" says nothing: policy is missing.`);
    return [];
  }
  const good = level(resource, fields.policy, tell);
  if (fields.intentions && fields.intentions.text !== "" && !level("intentions", fields.intentions, tell)) return [];
  if (!good) return [];
  return [{ resource, prefix, name: name.text, level: fields.policy.text.toLowerCase(), intentions: fields.intentions?.text.toLowerCase() || undefined, line: name.at }];
}

/** @param {string} resource @param {Value} value @param {Tell} tell */
function level(resource, value, tell) {
  const levels = levelsOf(resource);
  if (value.kind === "text" && levels.includes(value.text.toLowerCase())) return true;
  const list = value.text.toLowerCase() === "list" ? " (list is for keys only)" : "";
  tell(value.at, `"${value.text}" is no level${list}: ${levels.slice(0, -1).join(", ")} or ${levels.at(-1)}.`);
  return false;
}

/** The known resource closest to a word, if it is close. @param {string} word */
function nearest(word) {
  const known = [...BARE, ...NAMED, ...NAMED.map((name) => `${name}_prefix`)];
  const ranked = known.map((name) => /** @type {[number, string]} */ ([distance(word, name), name])).sort(([a], [b]) => a - b);
  const best = ranked[0];
  return best && best[0] <= 2 ? best[1] : "";
}

/** How many letters differ (Levenshtein). @param {string} a @param {string} b */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A rule as it is written. @param {{ resource: string, prefix: boolean, name: string, level: string, intentions?: string }} rule */
export function ruleText({ resource, prefix, name, level: granted, intentions }) {
  if (BARE.includes(resource)) return `${resource} = "${granted}"`;
  const more = intentions ? ` intentions = "${intentions}"` : "";
  return `${resource}${prefix ? "_prefix" : ""} ${JSON.stringify(name)} { policy = "${granted}"${more} }`;
}

/** What a service identity grants (Consul docs: security/acl). @param {string} name @returns {Rule[]} */
export function serviceIdentityRules(name) {
  const source = `service identity ${name}`;
  return [
    { resource: "service", prefix: false, name, level: "write", line: 0, source },
    { resource: "service", prefix: false, name: `${name}-sidecar-proxy`, level: "write", line: 0, source },
    { resource: "service", prefix: true, name: "", level: "read", line: 0, source },
    { resource: "node", prefix: true, name: "", level: "read", line: 0, source },
  ];
}

/** What a node identity grants. @param {string} name @returns {Rule[]} */
export function nodeIdentityRules(name) {
  const source = `node identity ${name}`;
  return [
    { resource: "node", prefix: false, name, level: "write", line: 0, source },
    { resource: "service", prefix: true, name: "", level: "read", line: 0, source },
  ];
}

/** What a rule says of a resource: of intentions what its service rule says, or what follows from it. @param {Rule} rule @param {string} resource */
function saidOf(rule, resource) {
  if (resource !== "intention") return rule.level;
  return rule.intentions ?? (rule.level === "deny" ? "deny" : "read");
}

/**
 * The rule that decides, first: an exact name before prefixes, a longer prefix before a shorter one; of several for the same
 * name deny, then the one that grants most. None: the default policy decides.
 * @param {Rule[]} rules of all policies together
 * @param {string} resource @param {string} name @param {string} access read, list or write
 * @returns {{ rule: Rule | null, allow: boolean | null, others: Rule[] }} `others` are about it too, but did not decide; null: not known
 */
export function deciding(rules, resource, name, access) {
  const kind = resource === "intention" ? "service" : resource;
  const about = rules.filter((rule) => rule.resource === kind && (BARE.includes(kind) || (rule.prefix ? name.startsWith(rule.name) : rule.name === name)));
  const rank = (/** @type {Rule} */ rule) => (rule.prefix ? rule.name.length : Infinity);
  about.sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left === right ? STRENGTH.indexOf(saidOf(b, resource)) - STRENGTH.indexOf(saidOf(a, resource)) : right - left;
  });
  const [rule = null, ...others] = about;
  if (!rule) return { rule, allow: null, others };
  const said = saidOf(rule, resource);
  const grants = /** @type {Record<string, string[]>} */ ({ read: ["read", "list", "write"], list: ["list", "write"], write: ["write"] });
  return { rule, allow: grants[access]?.includes(said) ?? false, others };
}
