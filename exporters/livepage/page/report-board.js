/** @import { Job, Snapshot } from "./wire.d.ts" */
/** @import { Run } from "./report-run.js" */
/** @import { ReportAct } from "./report.js" */
/** @import { Scale } from "./panels/lane.js" */

import { html, nothing } from "./lib/lit-html/lit-html.js";
import { count, fixed, length, many, NONE, times } from "./format.js";
import { mark, step } from "./report-run.js";
import { loudness } from "./panels/finished.js";
import { money } from "./panels/jobs.js";
import { lane, legend, scale } from "./panels/lane.js";
import { ending, link, marks } from "./panels/parts.js";

const MARKS = 5; // of the ruler

/**
 * All jobs on the time of the run.
 * @param {Snapshot} snap
 * @param {Run} run
 * @param {ReportAct} act
 */
export function board(snap, run, act) {
  const { jobs } = run;
  const by = step(Math.max(1, run.to - run.from), MARKS);
  const sc = scale(run.from, run.to, by);
  return html`<section class="card" aria-labelledby="h-jobs">
    <div class="head"><h2 id="h-jobs">Jobs</h2><span class="soft">${note(snap, run)}</span></div>
    ${jobs.length === 0 ? html`<div class="empty"><b>No job was kept</b>
      <span>Call <code>KeepHistory</code> of the pipeline before its first job.</span></div>`
    : html`<table class="jobs run">
      <thead><tr><th scope="col" class="c-id">Job</th><th scope="col" class="c-took">Took</th><th scope="col" class="c-cost">Spent</th>
        <th scope="col" class="c-loud">Loudness, LU</th><th scope="col">${ruler(sc, by)}<span class="vh">Timeline</span></th></tr></thead>
      <tbody>${jobs.map(j => row(j, snap, sc, act))}</tbody></table>
      ${legend(snap.stages, nothing)}`}</section>`;
}

/**
 * How many jobs there are, and which may be missing.
 * @param {Snapshot} snap
 * @param {Run} run
 */
function note(snap, run) {
  const more = snap.running - snap.jobs.length + snap.kept - snap.finished.length;
  return [
    count(run.jobs.length),
    more > 0 ? `${count(more)} more are not in this file` : "",
    snap.forgotten ? "older jobs are not kept" : "",
  ].filter(Boolean).join("; ");
}

/**
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {Scale} sc
 * @param {ReportAct} act
 */
function row(j, snap, sc, act) {
  const took = (j.end ?? snap.now) - j.start;
  const q = j.quality;
  const below = [q?.segments == null ? "" : many(q.segments, "segment"), q?.best == null ? "" : "best " + fixed(q.best, 2)].filter(Boolean).join(" · ");
  return html`<tr>
    <th scope="row" class="c-id">${link(j, act)}<div class="sub">${ending(j)}${marks(j, snap.now)}</div></th>
    <td class="c-took"><div class="nw">${length(took)}</div><div class="sub">${j.video ? `${times(took / j.video, 2)} of ${length(j.video)}` : nothing}</div></td>
    <td class="c-cost">${money(j)}</td>
    <td class="c-loud ${q?.after == null && !below ? "none" : ""}"><div class="nw">${q ? loudness(q.before, q.after) : NONE}</div><div class="sub">${below}</div></td>
    <td class="c-lane"><div class="whole">${lane(j, snap, sc)}<div class="extent" .style=${`left:${sc.x(j.start)}%;right:${100 - sc.x(j.end ?? snap.now)}%`}></div></div></td></tr>`;
}

/**
 * The time since the start of the run, above the lanes.
 * @param {Scale} sc
 * @param {number} by
 */
function ruler(sc, by) {
  const all = [];
  for (let ms = 0; sc.from + ms <= sc.to; ms += by) {
    const at = sc.x(sc.from + ms);
    if (at < 96) all.push(html`<span class=${ms ? "" : "first"} .style=${`left:${at}%`}>${mark(ms)}</span>`);
  }
  return html`<div class="axis" aria-hidden="true">${all}</div>`;
}
