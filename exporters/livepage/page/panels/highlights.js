/** @import { Snapshot } from "../wire.d.ts" */

import { html, svg } from "../lib/lit-html/lit-html.js";
import { many } from "../format.js";
import { panel } from "./parts.js";

/**
 * How the scores of the finished jobs' segments are spread.
 * @param {Snapshot} snap
 */
export function highlights(snap) {
  const list = snap.highlight;
  const all = list.reduce((sum, n) => sum + n, 0);
  const title = { id: "high", title: "Highlight scores", note: many(all, "segment") };
  if (all === 0) return panel(title, html`<div class="empty"><span>No highlight has been scored yet.</span></div>`);
  const most = Math.max(...list);
  return panel(title, html`<div class="pad">
    <svg class="plot" viewBox="0 0 460 116" role="img" aria-label="Segments by score, in tenths from 0 to 1: ${list.join(", ")}">
    ${list.map((n, i) => svg`<g><title>${many(n, "segment")} from ${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}</title>
      <rect class="dot" x=${i * 44 + 12} width="39" y=${94 - (n / most) * 88} height=${(n / most) * 88} rx="3"></rect></g>
      <text x=${i * 44 + 9} y="110" text-anchor="middle">${(i / 10).toFixed(1)}</text>`)}
    <text x="449" y="110" text-anchor="middle">1.0</text></svg></div>`);
}
