// Questions before a change, and word of what became of it. A change is made in one place, `change`: it says what it will do,
// shows the request, waits for the answer and tells of it.
import { html, signal, useEffect, useRef, useState } from "../lib/ui.js";
import { asCurl, call, pathOf } from "../lib/api.js";
import { nudge } from "../lib/live.js";
import { Copy } from "./bits.js";

/**
 * @typedef {object} Question
 * @property {string} title what will be done, as a heading: "Delete key app/config"
 * @property {unknown} [body] what it means, as text or markup
 * @property {string} [confirm] the button's word: "Delete"
 * @property {string} [cancel]
 * @property {string} [typed] what must be typed before the button can be pressed
 * @property {boolean} [danger]
 * @property {string} [curl] the request, for a terminal
 */

/** @type {import("../vendor/signals.js").Signal<(Question & { resolve: (yes: boolean) => void }) | null>} */
const question = signal(null);
/** @typedef {{ text: string, bad: boolean, id: number }} Word */
const words = signal(/** @type {Word[]} */ ([]));
let wordId = 0;

/** Ask the reader. @param {Question} asked @returns {Promise<boolean>} */
export function ask(asked) {
  question.peek()?.resolve(false);
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      resolve(yes) {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

/** Tell the reader something that has happened. @param {string} text @param {boolean} [bad] */
export function tell(text, bad = false) {
  wordId += 1;
  const word = { text, bad, id: wordId };
  words.value = [...words.peek().slice(-3), word];
  setTimeout(() => {
    words.value = words.peek().filter((other) => other !== word);
  }, bad ? 15_000 : 5_000);
}

/**
 * @typedef {object} Change
 * @property {string} method
 * @property {string} path without `/v1/`, its parts encoded
 * @property {import("../lib/api.js").Ask["params"]} [params]
 * @property {unknown} [body]
 * @property {unknown} [shown] the body as it is shown, where it holds secrets
 * @property {string} done what to tell when it is done: "Key app/config deleted."
 * @property {Omit<Question, "curl">} [question] asked first; without it the change is made at once
 * @property {(answer: import("../lib/api.js").Answer) => string | undefined} [refused] an answer that means no, in words: cas
 */

/**
 * Make a change, after the question. Errors are told of here.
 * @param {Change} change
 * @returns {Promise<import("../lib/api.js").Answer | null>} null: not made
 */
export async function change({ method, path, params, body, shown = body, done, question: asked, refused }) {
  if (asked && !(await ask({ ...asked, curl: asCurl(method, pathOf(path, params), shown) }))) return null;
  try {
    const answer = await call(method, path, { params, body });
    const no = refused?.(answer);
    tell(no ?? done, no !== undefined);
    nudge(); // what is asked for from time to time only is seen at once
    return no === undefined ? answer : null;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), true);
    return null;
  }
}

/**
 * A window over the page: focus stays inside, Escape closes it.
 * @param {{ title: string, close: () => void, children?: any, wide?: boolean, class?: string }} props
 */
export function Dialog({ title, close, children, wide = false, class: extra = "" }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const node = ref.current;
    node?.showModal();
    return () => node?.close();
  }, []);
  return html`
    <dialog ref=${ref} class=${`dialog ${wide ? "wide" : ""} ${extra}`} aria-label=${title}
        onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}
        onClick=${(/** @type {MouseEvent} */ event) => { if (event.target === ref.current) close(); }}>
      <div class="dialog-inside">
        <header><h2>${title}</h2><button type="button" class="quiet" aria-label="Close" onClick=${close}>✕</button></header>
        ${children}
      </div>
    </dialog>`;
}

/** @param {{ asked: Question & { resolve: (yes: boolean) => void } }} props */
function Asked({ asked }) {
  const [typed, setTyped] = useState("");
  const ready = !asked.typed || typed === asked.typed;
  return html`
    <${Dialog} title=${asked.title} close=${() => asked.resolve(false)}>
      <form onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (ready) asked.resolve(true); }}>
        ${asked.body ? html`<div class="prose">${asked.body}</div>` : null}
        ${asked.typed ? html`<label class="field"><span>Type <code>${asked.typed}</code> to go on</span>
          <input value=${typed} autocomplete="off" spellcheck=${false}
            onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></label>` : null}
        ${asked.curl ? html`<details><summary>The request</summary><${Copy} text=${asked.curl} block /></details>` : null}
        <div class="buttons">
          <button type="button" onClick=${() => asked.resolve(false)}>${asked.cancel ?? "Cancel"}</button>
          <button type="submit" disabled=${!ready} class=${asked.danger ? "danger" : "primary"}>${asked.confirm ?? "OK"}</button>
        </div>
      </form>
    <//>`;
}

/** Where questions and words appear: once in the shell. */
export function Asking() {
  const asked = question.value;
  return html`
    ${asked ? html`<${Asked} key=${asked.title} asked=${asked} />` : null}
    <div class="words" role="status" aria-live="polite">
      ${words.value.map((word) => html`<div key=${word.id} class=${word.bad ? "word bad" : "word"}>
        <span>${word.text}</span>
        <button type="button" class="quiet" aria-label="Dismiss"
          onClick=${() => { words.value = words.peek().filter((other) => other !== word); }}>✕</button></div>`)}
    </div>`;
}
