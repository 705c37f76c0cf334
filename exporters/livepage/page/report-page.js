// The report, from top to bottom.

/** @import { Job, Snapshot } from "./wire.d.ts" */
/** @import { Run } from "./report-run.js" */
/** @import { ReportAct } from "./report.js" */

import { html, nothing } from "./lib/lit-html/lit-html.js";
import { count, exact, fixed, length, many, NONE, times, usd } from "./format.js";
import { board } from "./report-board.js";
import { apis } from "./panels/apis.js";
import { attention } from "./panels/attention.js";
import { sections } from "./panels/drawer.js";
import { fault } from "./panels/errors.js";
import { figure } from "./panels/figures.js";
import { logo } from "./panels/header.js";
import { highlights } from "./panels/highlights.js";
import { loudness } from "./panels/loudness.js";
import { cost, ending, marks, panel, soft, table } from "./panels/parts.js";

/**
 * @param {Snapshot} snap
 * @param {Run} run
 * @param {Set<string>} open the runs of the jobs that are unfolded
 * @param {ReportAct} act
 */
export const report = (snap, run, open, act) => html`${header(snap, act)}
  <main id="main">
    ${figures(snap, run)}${attention(snap, act)}${board(snap, run, act)}
    <div class="two">
      <div class="stack">${apis(snap)}${errors(run)}</div>
      <div class="stack">${loudness({ ...snap, finished: run.jobs }, 20)}${highlights(snap)}</div>
    </div>
    ${run.jobs.length ? each(snap, run, open, act) : nothing}
  </main>
  <footer>Written by the process from its memory, ${moment(snap.now)}. This file fetches nothing.</footer>`;

/**
 * @param {Snapshot} snap
 * @param {ReportAct} act
 */
function header(snap, act) {
  const { service, now } = snap;
  const about = [service.instance, service.version].filter(Boolean).join(" · ");
  return html`<header>
    <h1>${logo}<span class="name">${service.name}</span></h1>
    <span class="soft hide">${about}</span><span class="grow"></span><span class="soft hide">${moment(now)}</span>
    <button class="btn" @click=${act.theme}><span aria-hidden="true">◐</span><span class="word"> Theme</span></button></header>`;
}

/** @param {number} ms */
const moment = ms => html`<time datetime=${new Date(ms).toISOString()}>${new Date(ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}</time>`;

/**
 * The six figures of a run.
 * @param {Snapshot} snap
 * @param {Run} run
 */
function figures(snap, run) {
  const { jobs, ended, errors } = run;
  const completed = ended.completed ?? 0;
  const over = jobs.length - (ended.unfinished ?? 0);
  const others = Object.entries(ended).filter(([status]) => status !== "completed").map(([status, n]) =>
    html`<span class=${status === "failed" ? "bad" : ""}>${count(n)} ${status}</span>`);
  const [top] = errors;
  const refused = snap.apis.reduce((sum, a) => sum + a.refused, 0);
  const l = run.loudness;
  return html`<section class="figures" aria-label="Key figures">
    ${figure("Jobs", html`${count(jobs.length)} ${over ? html`<small>${Math.floor((completed * 100) / over)} % good</small>` : nothing}`,
      others.length ? dotted(others) : jobs.length ? "all completed" : "none was kept")}
    ${figure("Took", jobs.length ? length(run.to - run.from) : NONE, jobs.length ? html`from ${moment(run.from)}` : "")}
    ${figure("Spent", html`<span title=${exact(snap.spent)}>${usd(snap.spent)}</span>`, dotted([
      run.mean === null ? "" : `${usd(run.mean)} a job`,
      run.unpriced ? html`<b class="warn">${many(run.unpriced, "call")} unpriced</b>` : "",
      refused ? html`<b class="warn">${count(refused)} refused</b>` : ""]))}
    ${figure("Video", run.video ? length(run.video) : NONE, run.ratio === null ? "" : `done in ${times(run.ratio, 2)} its length`)}
    ${figure("Errors", count(run.failures), top ? html`most: <b>${top.type}</b>${top.stage ? ` in ${top.stage}` : ""}` : "none")}
    ${figure("Loudness spread", l ? html`${fixed(l.after)} <small>LU</small>` : NONE, l ? `${fixed(l.before)} before${l.jobs > 1 ? `, medians of ${count(l.jobs)} jobs` : ""}` : "not measured")}
  </section>`;
}

/**
 * The parts that there are, with dots between them.
 * @param {unknown[]} parts
 */
const dotted = parts => parts.filter(Boolean).map((p, i) => html`${i ? " · " : ""}${p}`);

/** @param {Run} run */
const errors = run => panel({ id: "errors", title: "Errors", note: "of all jobs", wide: true },
  table("", ["Type", "Stage", "#Count", "#Last after"], run.errors.map(e => [...fault(e), soft(e.last ? length(e.last - run.from) : NONE)]), "none"));

/**
 * Each job, to unfold.
 * @param {Snapshot} snap
 * @param {Run} run
 * @param {Set<string>} open
 * @param {ReportAct} act
 */
function each(snap, run, open, act) {
  const all = run.jobs.every(j => open.has(j.run));
  return html`<section class="each" aria-labelledby="h-each">
    <div class="head"><h2 id="h-each">Each job</h2><span class="grow"></span>
      <button class="btn" @click=${() => act.unfold(!all)}>${all ? "Fold all" : "Unfold all"}</button></div>
    ${run.jobs.map(j => one(j, snap, open.has(j.run), act))}</section>`;
}

/**
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {boolean} open
 * @param {ReportAct} act
 */
const one = (j, snap, open, act) => html`<details class="card job" id="job-${j.run}" .open=${open}
    @toggle=${(/** @type {Event} */ e) => act.toggled(j.run, /** @type {HTMLDetailsElement} */ (e.target).open)}>
  <summary>${ending(j)}<h3 class="id">${j.id}</h3><span class="grow"></span>
    <span class="soft nw">${length((j.end ?? snap.now) - j.start)}</span><span class="nw">${cost(j)}</span></summary>
  ${open ? html`<div class="detail">
    <div class="sub">${marks(j, snap.now)}${j.type ? html`<span class="tag off">${j.type}</span>` : nothing}<span>started ${moment(j.start)}</span>
      ${j.error && j.status !== "failed" && j.status !== j.error ? html`<span class="tag bad">${j.error}</span>` : nothing}
      ${j.trace ? html`<span class="soft">trace <code>${j.trace}</code></span>` : nothing}</div>
    ${sections(j, snap, "-" + j.run)}</div>` : nothing}</details>`;
