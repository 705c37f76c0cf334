/** @import { Job, Snapshot } from "../wire.d.ts" */
/** @import { Only, State } from "../state.js" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { repeat } from "../lib/lit-html/directives/repeat.js";
import { about, count, hundredths, length, percent, range, roughly, times, usd } from "../format.js";
import { rows, stageLeft } from "../state.js";
import { axis, lane, legend, sharedScale } from "./lane.js";
import { cost, link, marks, meter } from "./parts.js";

/** @type {[Only, string][]} */
const CHIPS = [["all", "All"], ["stalled", "Stalled"], ["overdue", "Overdue"], ["budget", "Budget > 80 %"]];

/**
 * The running jobs.
 * @param {Readonly<State>} s with a snapshot
 * @param {Act} act
 */
export function jobs(s, act) {
  const { snap } = s;
  if (!snap) return nothing;
  const list = rows(s);
  return html`<section class="card" aria-labelledby="h-run">
    <div class="head"><h2 id="h-run">Running jobs</h2>
      <span class="soft">${list.length === snap.running ? count(snap.running) : `${list.length} of ${count(snap.running)}`}</span><span class="grow"></span>
      <div class="chips" role="group" aria-label="Show">${CHIPS.map(([only, text]) => html`<button aria-pressed=${s.only === only} @click=${() => act.only(only)}>${text}</button>`)}</div>
      <input type="search" id="filter" placeholder="Filter by id or stage  ( / )" aria-label="Filter jobs by id or stage" autocomplete="off" spellcheck="false"
        .value=${s.filter} @input=${(/** @type {InputEvent} */ e) => act.filter(/** @type {HTMLInputElement} */ (e.target).value)}></div>
    ${snap.running === 0 ? idle(snap) : list.length === 0 ? none(s, snap, act) : board(s, snap, list, act)}</section>`;
}

/**
 * @param {Readonly<State>} s
 * @param {Snapshot} snap
 * @param {Job[]} list
 * @param {Act} act
 */
function board(s, snap, list, act) {
  const sc = sharedScale(list, snap.now);
  const selected = list.some(j => j.run === s.selected) ? s.selected : list[0]?.run;
  const left = snap.running - list.length;
  return html`<table class="jobs">
    <thead><tr><th scope="col" class="c-id">Job</th><th scope="col" class="c-prog">Progress</th><th scope="col" class="c-eta">Time to go</th>
      <th scope="col" class="c-cost">Spent</th><th scope="col">${axis(sc, snap.now)}<span class="vh">Timeline</span></th></tr></thead>
    <tbody>${repeat(list, j => j.run, j => html`<tr class=${j.run === selected ? "sel" : ""}>
      <th scope="row" class="c-id">${link(j, act)}<div class="sub"><span>${length(snap.now - j.start)}</span>${j.video ? html`<span>· ${length(j.video)} video</span>` : nothing}${marks(j, snap.now)}</div></th>
      <td class="c-prog">${progress(j)}</td><td class="c-eta">${eta(j)}</td><td class="c-cost">${money(j)}</td><td class="c-lane">${lane(j, snap, sc)}</td></tr>`)}</tbody></table>
    ${legend(snap.stages, html`<span><i class="w"></i>stalled</span><span><i class="e"></i>expected</span>
      ${left > 0 && !s.filter && s.only === "all" ? html`<span>… ${count(left)} more: filter to find them</span>` : nothing}`)}`;
}

/** @param {Job} j */
function progress(j) {
  const under = j.stages.filter(g => !g.end);
  const stage = under.at(-1);
  const known = j.progress !== null;
  const words = !stage ? "" : [
    "· " + stage.name + (under.filter(g => (g.depth ?? 0) === (stage.depth ?? 0)).length > 1 ? " and others" : ""),
    stage.progress !== null ? " " + percent(stage.progress) : "",
    stage.speed ? " · " + times(stage.speed) : "",
  ].join("");
  const share = known ? hundredths(j.progress ?? 0) : nothing;
  return html`<div class="bar ${j.stalled ? "warn" : ""} ${known ? "" : "unknown"}" role="progressbar" aria-label="Progress of ${j.id}" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share}>
      <i .style=${known ? `transform:translateX(${(j.progress ?? 0) * 100 - 100}%)` : ""}></i></div>
    <div class="sub"><span>${known ? percent(j.progress ?? 0) : "working"}</span>${words ? html`<span>${words}</span>` : nothing}</div>`;
}

/** @param {Job} j */
function eta(j) {
  if (j.stalled) return html`<span class="soft" title="it makes no progress">–</span>`;
  if (!j.eta) {
    const left = stageLeft(j);
    const why = "no earlier run tells how long the stages to come take";
    return left === null ? html`<span class="soft" title=${why}>not known yet</span>`
      : html`<div class="nw">stage ${roughly(left)}</div><div class="sub" title=${why}>then unknown</div>`;
  }
  const { left, least, most } = j.eta;
  return html`<div class="nw">${roughly(left)}</div>
    <div class="sub" title="${range(least, most)}, by ${basis(j.eta)}">${about(most) !== about(left) ? `up to ${about(most)}` : "steady"}</div>`;
}

/**
 * What an estimate rests on.
 * @param {{ runs: number, scaled?: boolean }} e
 */
export const basis = e => e.runs ? `${count(e.runs)} earlier ${e.runs === 1 ? "run" : "runs"}${e.scaled ? ", scaled by video length" : ""}` : "its own speed so far";

/**
 * What a job has cost, of its budget.
 * @param {Job} j
 */
export function money(j) {
  if (!j.budget) return html`<div>${cost(j)}</div><div class="sub">no budget</div>`;
  return html`<div>${cost({ spent: j.budget.spent, unpriced: j.unpriced ?? 0 })} <span class="soft nw">of ${usd(j.budget.limit)}</span></div>${meter(j.budget, "spent of the budget")}`;
}

/** @param {Snapshot} snap */
const idle = snap => html`<div class="empty"><b>No job is running</b>
  <span>Jobs appear here as soon as the program calls <code>StartJob</code>. ${snap.kept ? "The last ones are below." : "None has run since this process started."}</span>
  ${snap.kept ? nothing : html`<pre tabindex="0">ctx, job := instrument.StartJob(ctx, id, instrument.WithBudget(2*instrument.Dollar))
defer job.End(&err)</pre>`}</div>`;

/**
 * @param {Readonly<State>} s
 * @param {Snapshot} snap
 * @param {Act} act
 */
const none = (s, snap, act) => html`<div class="empty"><b>No job matches</b><span>${count(snap.running)} ${snap.running === 1 ? "is" : "are"} running.</span>
  <button class="btn" @click=${() => { act.filter(""); act.only("all"); }}>Show all</button></div>`;
