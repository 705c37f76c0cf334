/** @import { Snapshot } from "../wire.d.ts" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { ago, count, many } from "../format.js";
import { panel } from "./parts.js";

/**
 * The connection pools, the fleet and the health of the telemetry itself.
 * @param {Snapshot} snap
 */
export function pools(snap) {
  const { fleet } = snap;
  const rows = [
    ...snap.pools.map(p => line(`${p.kind} ${p.name}`, html`${count(p.used)} used · ${count(p.idle)} idle${p.max ? html` <span class="soft">of ${count(p.max)}</span>` : nothing}`, p.max && p.used >= p.max ? "warn" : "")),
    ...(fleet ? [line("Fleet", [fleet.workers === null ? "" : many(fleet.workers, "worker"), fleet.lost === null ? "" : `${count(fleet.lost)} lost`, ago(snap.now, fleet.at) + " ago"].filter(Boolean).join(" · "), fleet.lost ? "warn" : "")] : []),
    ...(snap.telemetry?.rows ?? []).map(r => line(r.name, r.value, r.state ?? "")),
  ];
  return panel({ id: "pools", title: "Pools and telemetry" },
    rows.length ? html`<div class="pad"><dl class="kv">${rows}</dl></div>` : html`<div class="empty"><span>No pool is observed.</span></div>`);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} look
 */
const line = (name, value, look) => html`<dt>${name}</dt><dd class=${look}>${value}</dd>`;
