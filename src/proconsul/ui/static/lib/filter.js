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
  const word = /\s/.test(term) ? term.replace(/^([\w.-]+:)?(.*)$/, '$1"$2"') : term;
  /** @type {string[]} */
  const words = filter.match(/-?(?:[\w.-]+:)?(?:"[^"]*"?|\S+)/g) ?? [];
  return words.includes(word) ? words.filter((other) => other !== word).join(" ") : [...words, word].join(" ");
}

/** Order names as people do: "web-2" before "web-10". */
export const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
