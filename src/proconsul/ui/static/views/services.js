// All services, or one. The list is Consul's own summary for its page, /v1/internal/ui/services.
import { html, useMemo } from "../lib/ui.js";
import { useLive } from "../lib/live.js";
import { inAddress, link } from "../lib/route.js";
import { toggled } from "../lib/filter.js";
import { severity } from "../lib/format.js";
import { Counts, Page, Status, Tags } from "../parts/bits.js";
import { List } from "../parts/list.js";
import { Service } from "./service.js";

/**
 * @typedef {object} Summary
 * @property {string} Name
 * @property {string} [Kind]
 * @property {string[] | null} Tags
 * @property {string[] | null} Nodes
 * @property {string[] | null} [ExternalSources]
 * @property {number} InstanceCount
 * @property {number} ChecksPassing
 * @property {number} ChecksWarning
 * @property {number} ChecksCritical
 * @property {boolean} [ConnectedWithProxy]
 * @property {boolean} [ConnectedWithGateway]
 */

/** @param {Summary} row */
export function statusOf(row) {
  return row.ChecksCritical ? "critical" : row.ChecksWarning ? "warning" : "passing";
}

/** @param {{ rest: string }} props */
export default function Services({ rest }) {
  return rest ? html`<${Service} name=${rest} />` : html`<${All} />`;
}

function All() {
  const live = useLive("internal/ui/services").value;
  const filter = useMemo(() => inAddress("filter"), []);
  /** @type {Summary[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  const pick = (/** @type {string} */ tag) => { filter.value = toggled(filter.value, `tag:${tag}`); };
  /** @type {import("../parts/list.js").Column<Summary>[]} */
  const columns = [
    { id: "name", title: "Service", width: "minmax(9rem, 2fr)", by: (row) => row.Name, cell: (row) => html`<a href=${link("services", [row.Name])}>${row.Name}</a>` },
    { id: "health", title: "Checks", width: "minmax(6.5rem, 1fr)", by: (row) => -severity(statusOf(row)),
      cell: (row) => html`<${Counts} passing=${row.ChecksPassing} warning=${row.ChecksWarning} critical=${row.ChecksCritical} />` },
    { id: "instances", title: "Instances", width: "5.5rem", by: (row) => row.InstanceCount, cell: (row) => row.InstanceCount, wide: true },
    { id: "kind", title: "Kind", width: "9rem", by: (row) => row.Kind ?? "", wide: true,
      cell: (row) => html`${row.Kind || ""}${row.ConnectedWithProxy ? html` <span class="badge" title="Has a proxy of the mesh">proxied</span>` : null}${row.ConnectedWithGateway ? html` <span class="badge">gateway</span>` : null}${(row.ExternalSources ?? []).map((source) => html` <span class="badge" title="Registered from outside">${source}</span>`)}` },
    { id: "tags", title: "Tags", width: "minmax(6rem, 2fr)", wide: true, cell: (row) => html`<${Tags} tags=${row.Tags} max=${6} pick=${pick} />` },
  ];
  return html`
    <${Page} view="services" title="Services" ready=${live.data !== undefined || live.error !== null} live=${live}>
      <${List} label="services" rows=${rows} rowKey=${(/** @type {Summary} */ row) => row.Name} columns=${columns} order="name"
        stamp=${(/** @type {Summary} */ row) => `${row.InstanceCount} ${row.ChecksPassing} ${row.ChecksWarning} ${row.ChecksCritical} ${row.Tags}`}
        fields=${{
          "": (/** @type {Summary} */ row) => [row.Name, ...(row.Tags ?? [])], name: (/** @type {Summary} */ row) => row.Name, tag: (/** @type {Summary} */ row) => row.Tags ?? [],
          status: statusOf, kind: (/** @type {Summary} */ row) => row.Kind ?? "", source: (/** @type {Summary} */ row) => row.ExternalSources ?? [], node: (/** @type {Summary} */ row) => row.Nodes ?? [],
        }}
        quick=${[["status:critical", "critical"], ["status:warning", "warning"], ["status:passing", "passing"]]}
        empty="No services are registered, or this token may see none." />
    <//>`;
}
