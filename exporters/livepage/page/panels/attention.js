/** @import { Snapshot } from "../wire.d.ts" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { link, reason } from "./parts.js";

const SHOWN = 4;

/**
 * The jobs that need a look, each with the reason.
 * @param {Snapshot} snap
 * @param {Pick<Act, "open">} act
 */
export function attention(snap, act) {
  const all = snap.attention;
  if (all.length === 0) return nothing;
  return html`<section class="card attention" aria-label="Needs attention">
    ${all.slice(0, SHOWN).map(n => reason(n, link({ run: n.run, id: n.job }, act, "inline")))}
    ${all.length > SHOWN ? html`<div class="soft">and ${all.length - SHOWN} more, marked below</div>` : nothing}</section>`;
}
