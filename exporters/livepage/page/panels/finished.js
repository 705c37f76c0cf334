/** @import { Job, Snapshot } from "../wire.d.ts" */
/** @import { Act } from "../app.js" */

import { html } from "../lib/lit-html/lit-html.js";
import { ago, count, fixed, length, NONE, times } from "../format.js";
import { cost, ending, link, panel, soft, table } from "./parts.js";

const SHOWN = 12;
const COLUMNS = ["Job", "#Ago", "#Took", "#× video", "#Cost", "#Loudness spread, LU", "#Segments", "#Highlight"];

/** The loudness spread, in LU, that a finished video should not exceed. */
export const LOUD = 2;

/**
 * The jobs that ended last.
 * @param {Snapshot} snap
 * @param {Act} act
 */
export function finished(snap, act) {
  const list = snap.finished.slice(0, SHOWN);
  const note = `last ${list.length} of ${count(snap.kept)}, at most ${count(snap.keep_most)} are kept`;
  if (list.length === 0) return panel({ id: "fin", title: "Finished jobs" }, html`<div class="empty"><span>None yet.</span></div>`);
  return panel({ id: "fin", title: "Finished jobs", note, wide: true },
    table("fin", COLUMNS, list.map(j => row(j, snap.now, act)), "", list.map(j => j.run)));
}

/**
 * @param {Job} j
 * @param {number} now
 * @param {Act} act
 */
function row(j, now, act) {
  const took = (j.end ?? now) - j.start;
  const q = j.quality;
  return [
    html`${ending(j)} ${link(j, act, "inline")}`, soft(ago(now, j.end)), length(took), j.video ? times(took / j.video, 2) : NONE,
    cost(j), loudness(q?.before, q?.after), q?.segments ?? NONE, fixed(q?.best, 2),
  ];
}

/**
 * @param {number | null | undefined} before
 * @param {number | null | undefined} after
 */
export function loudness(before, after) {
  if (before == null && after == null) return NONE;
  return html`${fixed(before)} ${soft("→")} <b class=${after == null ? "" : after > LOUD ? "warn" : "ok"}>${fixed(after)}</b>`;
}
