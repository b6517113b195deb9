// What is typed into a list's filter: words that all must occur, `name:word` for one column, a minus before what must not
// occur, quotes around blanks. Pure.

/** @typedef {{ field: string, text: string, not: boolean }} Term */

/** @param {string} text @returns {Term[]} */
export function parseFilter(text) {
  const terms = [];
  for (const [, minus, field, quoted, bare] of text.matchAll(/(-?)(?:([\w.-]+):)?(?:"([^"]*)"?|(\S+))/g)) {
    const word = (quoted ?? bare ?? "").toLowerCase();
    if (word) terms.push({ field: (field ?? "").toLowerCase(), text: word, not: minus === "-" });
  }
  return terms;
}

/**
 * @template T
 * @param {Term[]} terms
 * @param {Record<string, (row: T) => string | string[]>} fields how a row's fields are read; `""` is all its text. A term
 *   with a field that is none of these looks for the whole term, colon and all.
 * @returns {(row: T) => boolean}
 */
export function matcher(terms, fields) {
  const tests = terms.map(({ field, text, not }) => {
    const read = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const wanted = read ? text : `${field}:${text}`;
    const of = read ?? fields[""];
    return (/** @type {T} */ row) => {
      const value = of?.(row) ?? "";
      const found = Array.isArray(value)
        ? value.some((part) => part.toLowerCase().includes(wanted))
        : value.toLowerCase().includes(wanted);
      return found !== not;
    };
  });
  return (row) => tests.every((test) => test(row));
}

/**
 * Put a term into a filter, or take it out if it is there: what a click on a tag does.
 * @param {string} filter @param {string} term
 */
export function toggled(filter, term) {
  const word = /\s/.test(term) ? term.replace(/^([\w.-]+:)?(.*)$/s, '$1"$2"') : term;
  /** @type {string[]} */
  const words = filter.match(/-?(?:[\w.-]+:)?(?:"[^"]*"?|\S+)/g) ?? [];
  return words.includes(word) ? words.filter((other) => other !== word).join(" ") : [...words, word].join(" ");
}

/** Order names as people do: "web-2" before "web-10". */
export const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;

/**
 * How well a name answers what is typed; lower is better, -1 not at all: the name itself, its beginning, the beginning of a
 * word in it, anywhere, and last its letters in this order.
 * @param {string} typed in lower case @param {string} name in lower case
 * @param {number} [worst] what is worse need not be told apart from -1
 */
export function rank(typed, name, worst = 4) {
  const at = name.indexOf(typed);
  if (at === 0) return name.length === typed.length ? 0 : 1;
  if (at > 0) {
    for (let next = at; next > 0; next = name.indexOf(typed, next + 1)) if (!/[\p{L}\p{N}]/u.test(name[next - 1] ?? "")) return 2;
    return 3;
  }
  if (worst < 4) return -1;
  let from = 0;
  for (const letter of typed) {
    if (letter === " ") continue;
    from = name.indexOf(letter, from) + 1;
    if (from === 0) return -1;
  }
  return 4;
}

/**
 * The best answers of many, best first; equals by length, then as given. @template {{ low: string }} T
 * @param {string} typed @param {T[]} items @param {number} max
 */
export function best(typed, items, max) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return items.slice(0, max);
  /** @type {{ item: T, worth: number }[]} */
  const found = [];
  for (const item of items) {
    const worst = found.length === max ? (found[max - 1]?.worth ?? 0) : Infinity;
    const level = rank(wanted, item.low, Math.floor(worst / 100_000));
    const worth = level * 100_000 + item.low.length;
    if (level < 0 || worth >= worst) continue;
    let at = found.length;
    while (at > 0 && worth < (found[at - 1]?.worth ?? 0)) at -= 1;
    found.splice(at, 0, { item, worth });
    if (found.length > max) found.pop();
  }
  return found.map(({ item }) => item);
}
