/** @import { Snapshot } from "../wire.d.ts" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { count, NONE } from "../format.js";
import { alarm, cost, panel, table } from "./parts.js";

/**
 * The paid APIs: their calls and costs.
 * @param {Snapshot} snap
 */
export const apis = snap => panel({ id: "apis", title: "Paid APIs", note: "since start", wide: true },
  table("", ["API", "#Calls", "#Errors", "#Refused", "#Cost"], snap.apis.map(a => [
    a.api, html`${a.in_progress ? html`<span class="soft hide">${count(a.in_progress)} now · </span>` : nothing}${count(a.calls)}`, alarm(a.errors, "bad"), alarm(a.refused, "warn"),
    a.cost === null && !a.unpriced ? NONE : cost({ spent: a.cost, unpriced: a.unpriced }),
  ]), "none called"));
