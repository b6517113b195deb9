import { html } from "../lib/ui.js";
import { Dialog } from "./dialog.js";
/** @param {{ close: () => void }} props */
export function Palette({ close }) {
  return html`<${Dialog} title="Find" close=${close}><//>`;
}
