import { html } from "../lib/ui.js";
import { useLive } from "../lib/live.js";
import { encodePath, } from "../lib/api.js";
import { Page } from "../parts/bits.js";

/** One service: its instances and their checks. @param {{ name: string }} props */
export function Service({ name }) {
  const live = useLive(`health/service/${encodePath(name)}`).value;
  return html`<${Page} view="service" title=${name} ready=${live.data !== undefined} live=${live}><pre>${JSON.stringify(live.data, null, 1)}</pre><//>`;
}
