/** @import { Fault, Snapshot } from "../wire.d.ts" */

import { html } from "../lib/lit-html/lit-html.js";
import { ago, count } from "../format.js";
import { panel, soft, table } from "./parts.js";

/**
 * The errors of the last hour by type, the most frequent first.
 * @param {Snapshot} snap
 */
export const errors = snap => panel({ id: "errors", title: "Errors", note: "last hour", wide: true },
  table("", ["Type", "Stage", "#Count", "#Ago"], snap.errors.map(e => [...fault(e), soft(ago(snap.now, e.last))]), "none in the last hour"));

/**
 * The cells of an error: its type, its stage and how often it happened.
 * @param {Fault} e
 */
export const fault = e => [html`<span class="tag bad">${e.type}</span>`, e.stage || soft("the job"), count(e.count)];
