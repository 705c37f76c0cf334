/** @import { Call, Job, Snapshot, Stage } from "../wire.d.ts" */
/** @import { State } from "../state.js" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { count, exact, fixed, length, minus, percent, range, roughly, times, usd } from "../format.js";
import { fault } from "./errors.js";
import { loudness } from "./finished.js";
import { basis } from "./jobs.js";
import { expected, scale, segment, tick } from "./lane.js";
import { cost, ending, flaw, ICON, marks, panel, reason, soft, table } from "./parts.js";

/** @typedef {import("./lane.js").Scale} Scale */

/**
 * One job from its start to its end.
 * @param {Readonly<State>} s with a snapshot
 * @param {Job | null | undefined} j null: forgotten; undefined: not known yet
 * @param {Act} act
 */
export function drawer(s, j, act) {
  if (!s.snap) return nothing;
  const close = html`<button class="btn" @click=${act.close}>Close <kbd class="hide">Esc</kbd></button>`;
  if (!j) {
    const [title, text] = j === undefined ? ["Looking for this job…", ""] : s.start && s.start !== s.snap.service.started
      ? ["The process has restarted", "The link is to a job of before. What happened then is in its metrics and traces."]
      : ["This job is no longer kept", `The process remembers the last ${count(s.snap.keep_most)} jobs.`];
    return html`<div class="detail"><div class="top"><div><h2 id="h-job" tabindex="-1" autofocus>${title}</h2><p class="soft">${text}</p></div>${close}</div></div>`;
  }
  const { snap } = s;
  const copy = (/** @type {string} */ text, /** @type {string} */ name) =>
    html`<button class="btn" @click=${() => act.copy(text)}>${s.copied === text ? "Copied ✓" : name}</button>`;
  return html`<div class="detail">
    <div class="top"><div><h2 class="id" id="h-job" tabindex="-1" autofocus>${j.id}</h2>
        <div class="sub">${j.end ? ending(j) : html`<span class="pill ${j.stalled ? "warn" : "ok"}">running</span>`}${marks(j, snap.now)}${j.type ? html`<span class="tag off">${j.type}</span>` : nothing}
          <span>started ${new Date(j.start).toLocaleString()}</span></div>
        ${j.trace ? html`<div class="sub">trace <code>${j.trace}</code></div>` : nothing}</div>
      ${copy(j.id, "Copy id")}${j.trace ? copy(j.trace, "Copy trace id") : nothing}${close}</div>
    ${sections(j, snap)}</div>`;
}

/**
 * What there is to say of a job.
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {string} [at] ends the ids of headings, where several jobs are on one page
 */
export const sections = (j, snap, at = "") => html`${reasons(j, snap)}${facts(j, snap)}${stages(j, snap, at)}${calls(j, at)}${errors(j, at)}`;

/**
 * @param {Job} j
 * @param {Snapshot} snap
 */
function reasons(j, snap) {
  const own = snap.attention.filter(n => n.run === j.run);
  return own.length ? html`<div class="card attention">${own.map(n => reason(n))}</div>` : nothing;
}

/**
 * @param {Job} j
 * @param {Snapshot} snap
 */
function facts(j, snap) {
  const fact = (/** @type {string} */ name, /** @type {unknown} */ value, /** @type {unknown} */ below) =>
    html`<div class="card"><div class="soft">${name}</div><div class="v">${value}</div><div class="sub">${below}</div></div>`;
  const took = (j.end || snap.now) - j.start;
  const q = j.quality;
  const b = j.budget;
  const left = j.stalled ? null : j.eta;
  return html`<div class="facts">
    ${fact(j.end ? "Took" : "Running for", length(took), j.video ? `${times(took / j.video, 2)} the video's length` : "")}
    ${j.end ? fact("Loudness spread, LU", loudness(q?.before, q?.after), q?.segments == null ? "" : `${count(q.segments)} segments`)
      : fact("Time to go", left ? roughly(left.left) : "–", left ? `${range(left.least, left.most)}, by ${basis(left)}` : j.stalled ? "it makes no progress" : "nothing tells yet")}
    ${fact("Spent", cost(j), b ? html`<span title=${exact(minus(b.limit, b.spent))}>${usd(minus(b.limit, b.spent))} of ${usd(b.limit)} left${Number(b.held) ? ` · ${usd(b.held)} held` : ""}</span>` : "no budget")}
    ${fact("Video", j.video ? length(j.video) : "unknown", q?.best == null ? "" : `best highlight ${fixed(q.best, 2)}`)}</div>`;
}

/**
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {string} at
 */
function stages(j, snap, at) {
  const end = j.end || snap.now;
  const sc = scale(j.start, Math.max(end, snap.now * (j.end ? 0 : 1) + (j.stalled ? 0 : j.eta?.left ?? 0)));
  const runs = Math.max(0, ...j.stages.map(s => s.usual?.runs ?? 0));
  const note = runs ? html`<span class="usual-key" aria-hidden="true"></span>usual: the median of up to ${runs} earlier runs` : "no earlier runs to compare with yet";
  return panel({ id: "stages" + at, title: "Stages", note, part: Boolean(at) }, j.stages.length === 0 ? html`<div class="empty"><span>No stage yet.</span></div>`
    : html`<div class="waterfall">${j.stages.map(s => stage(s, j, snap, sc, end))}</div>
      ${j.more_stages ? html`<p class="pad soft">and ${count(j.more_stages)} more stages</p>` : nothing}`);
}

/**
 * @param {Stage} s
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {Scale} sc
 * @param {number} end
 */
function stage(s, j, snap, sc, end) {
  const took = (s.end || end) - s.start;
  const below = [
    s.error && `${flaw(s.error) ? "✕" : "⊘"} ${s.error}`,
    !s.end && s.progress !== null ? percent(s.progress) : "",
    !s.end && s.speed ? times(s.speed) : "",
    s.usual ? "usual " + length(s.usual.p50) : "",
  ].filter(Boolean).join(" · ");
  const left = s.end || j.end || j.stalled ? null : s.eta ?? j.eta;
  return html`<div class="n ${s.depth ? "in" : ""}" title=${s.name}>${s.name}</div>
    <div class="num">${length(took)}${s.stalled ? html` <b class="warn">${ICON.stalled}</b>` : nothing}${s.overdue ? html` <b class="warn">${ICON.overdue}</b>` : nothing}
      <div class="sub ${flaw(s.error) ? "bad" : ""}">${below}</div></div>
    <div class="lane">${segment(s, sc, end, snap.stages, false)}${left ? expected({ left: left.left, most: left.left }, snap.now, sc) : nothing}
      ${s.usual ? html`<div class="usual" .style=${`left:${sc.x(s.start)}%;width:${sc.x(s.start + s.usual.p50) - sc.x(s.start)}%`}></div>` : nothing}
      ${j.calls.filter(c => c.stage === s.name && c.start >= s.start && c.start <= (s.end || end)).map(c => tick(c, sc))}</div>`;
}

/**
 * @param {Job} j
 * @param {string} at
 */
const calls = (j, at) => panel({ id: "calls" + at, title: "Paid calls", note: count(j.calls.length + (j.more_calls ?? 0)), wide: true, part: Boolean(at) },
  html`${table("", ["API", "Stage", "#After", "#Took", "#Cost"], j.calls.map(c => [
    c.api, c.stage ?? "", soft(length(c.start - j.start)), c.end ? length(c.end - c.start) : "under way", price(c),
  ]), "none")}${j.more_calls ? html`<p class="pad soft">and ${count(j.more_calls)} more</p>` : nothing}`);

/** @param {Call} c */
function price(c) {
  if (c.error) return html`<span class=${flaw(c.error) ? "bad" : "soft"}>${c.error}</span>`;
  if (!c.end) return c.most === null ? "" : soft(`at most ${usd(c.most)}`);
  return html`<span class=${c.cost === null ? "warn" : ""} title=${c.unpriced || exact(c.cost)}>${usd(c.cost)}</span>`;
}

/**
 * @param {Job} j
 * @param {string} at
 */
const errors = (j, at) => j.errors?.length ? panel({ id: "job-errors" + at, title: "Errors", note: j.more_errors ? `and ${count(j.more_errors)} more` : "", wide: true, part: Boolean(at) },
  table("", ["Type", "Stage", "#Count"], j.errors.map(fault), "")) : nothing;
