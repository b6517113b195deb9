// All services, or one. The list is Consul's own summary for its page, /v1/internal/ui/services.
import { html, useMemo } from "../lib/ui.js";
import { services, statusOf } from "../lib/memory.js";
import { inAddress, link } from "../lib/route.js";
import { toggled } from "../lib/filter.js";
import { severity } from "../lib/format.js";
import { Counts, Page, Tags } from "../parts/bits.js";
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
 * @property {string[] | null} [ProxyFor] until 1.8
 * @property {boolean} [ConnectedWithProxy] since 1.9
 * @property {boolean} [ConnectedWithGateway]
 */

/** @param {{ parts: string[] }} props */
export default function Services({ parts }) {
  return parts[0] ? html`<${Service} name=${parts.join("/")} />` : html`<${All} />`;
}

/** @param {Summary} row */
function kindOf(row) {
  return html`${row.Kind || ""}${(row.ProxyFor ?? []).map((name) => html` <span class="badge">for ${name}</span>`)}
    ${row.ConnectedWithProxy ? html` <span class="badge" title="Has a proxy of the mesh">proxied</span>` : null}
    ${row.ConnectedWithGateway ? html` <span class="badge" title="Behind a gateway">gateway</span>` : null}
    ${(row.ExternalSources ?? []).map((source) => html` <span class="badge" title="Registered from outside">${source}</span>`)}`;
}

/** @type {Record<string, (row: Summary) => string | string[]>} */
const FIELDS = {
  "": (row) => [row.Name, ...(row.Tags ?? [])], name: (row) => row.Name, tag: (row) => row.Tags ?? [], status: statusOf,
  kind: (row) => row.Kind ?? "", source: (row) => row.ExternalSources ?? [], node: (row) => row.Nodes ?? [],
};

function All() {
  const live = services().value;
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
    { id: "kind", title: "Kind", width: "11rem", by: (row) => row.Kind ?? "", wide: true, cell: kindOf },
    { id: "tags", title: "Tags", width: "minmax(6rem, 2fr)", wide: true, cell: (row) => html`<${Tags} tags=${row.Tags} max=${6} pick=${pick} />` },
  ];
  return html`
    <${Page} view="services" title="Services" ready=${live.data !== undefined || live.error !== null} live=${live}>
      <${List} label="services" rows=${rows} rowKey=${(/** @type {Summary} */ row) => row.Name} columns=${columns} order="name" fields=${FIELDS}
        stamp=${(/** @type {Summary} */ row) => `${row.InstanceCount} ${row.ChecksPassing} ${row.ChecksWarning} ${row.ChecksCritical} ${row.Tags}`}
        quick=${[["status:critical", "critical"], ["status:warning", "warning"], ["status:passing", "passing"]]}
        empty="No services are registered, or this token may see none." />
    <//>`;
}
