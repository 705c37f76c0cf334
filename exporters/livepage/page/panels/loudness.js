/** @import { Snapshot } from "../wire.d.ts" */

import { html, svg } from "../lib/lit-html/lit-html.js";
import { fixed } from "../format.js";
import { LOUD } from "./finished.js";
import { panel } from "./parts.js";

const SHOWN = 7;
const ROW = 20;

/**
 * The loudness spread of the last jobs that measured it, before and after.
 * @param {Snapshot} snap
 * @param {number} [shown] at most
 */
export function loudness(snap, shown = SHOWN) {
  const title = { id: "loud", title: "Loudness spread, before → after" };
  const list = snap.finished.flatMap(j => (j.quality?.before == null || j.quality.after == null ? [] : [{ id: j.id, before: j.quality.before, after: j.quality.after }])).slice(0, shown);
  if (list.length === 0) return panel(title, html`<div class="empty"><span>No job has measured its loudness yet.</span></div>`);
  const most = Math.max(12, Math.ceil(Math.max(...list.flatMap(q => [q.before, q.after])) / 6) * 6);
  const x = (/** @type {number} */ lu) => 8 + (Math.max(0, lu) / most) * 440;
  const bottom = list.length * ROW + 4;
  const words = list.map(q => `${fixed(q.before)} to ${fixed(q.after)} LU`).join(", ");
  return panel(title, html`<div class="pad">
    <svg class="plot" viewBox="0 0 460 ${bottom + 18}" role="img" aria-label="Loudness spread of the last ${list.length} jobs: ${words}">
      <rect class="zone" x=${x(0)} y="0" width=${x(LOUD) - x(0)} height=${bottom}></rect>
      ${[0, 1, 2, 3, 4].map(i => (i * most) / 4).map(v => svg`<line class="grid" x1=${x(v)} x2=${x(v)} y1="0" y2=${bottom}></line><text x=${x(v)} y=${bottom + 14} text-anchor="middle">${v}</text>`)}
      ${list.map((q, i) => dumbbell(x(q.before), x(q.after), i * ROW + 12, q))}</svg>
    <p class="sub">LU · the green zone ends at ${LOUD} LU · ○ before ● after</p></div>`);
}

/**
 * @param {number} before
 * @param {number} after
 * @param {number} y
 * @param {{ id: string, before: number, after: number }} q
 */
const dumbbell = (before, after, y, q) => svg`<g><title>${q.id}: ${fixed(q.before)} → ${fixed(q.after)} LU</title>
  <line class="l" x1=${after} x2=${before} y1=${y} y2=${y}></line><circle class="b" cx=${before} cy=${y} r="4.6"></circle>
  <circle class="f ${q.after > LOUD ? "off" : ""}" cx=${after} cy=${y} r="4.6"></circle></g>`;
