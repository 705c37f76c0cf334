/** @import { Snapshot } from "../wire.d.ts" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { count, length, NONE, times } from "../format.js";
import { link, panel, soft, table } from "./parts.js";

/**
 * The programs that jobs run: ffmpeg and its kin.
 * @param {Snapshot} snap
 * @param {Act} act
 */
export const processes = (snap, act) => panel({ id: "proc", title: "Processes", note: count(snap.processes.length), wide: true },
  table("processes", ["Pid", "Job", "#Speed", "#For"], snap.processes.map(p => [
    html`<span class="id">${p.pid}</span><div class="sub">${p.name}</div>`,
    html`${link({ run: p.run, id: p.job }, act)}<div class="sub">${p.stage}</div>`,
    html`${p.speed ? times(p.speed) : NONE}${p.cpu === null ? nothing : html`<div class="sub warn">${length(p.cpu)} CPU</div>`}`,
    soft(length(snap.now - p.start)),
  ]), "none runs", snap.processes.map(p => p.pid + p.run)));
