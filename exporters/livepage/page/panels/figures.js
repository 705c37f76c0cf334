/** @import { Snapshot } from "../wire.d.ts" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { exact, count, length, many, minus, NONE, usd } from "../format.js";
import { needy } from "../state.js";
import { meter, spark } from "./parts.js";

const NOTICES = 100; // are sent at most

/**
 * The six figures.
 * @param {Snapshot} snap
 */
export const figures = snap => html`<section class="figures" aria-label="Key figures">
  ${running(snap)}${finished(snap)}${spent(snap)}${budget(snap)}${errors(snap)}${telemetry(snap)}</section>`;

/**
 * @param {string} name
 * @param {unknown} value
 * @param {unknown} below
 * @param {unknown} [plot]
 */
export const figure = (name, value, below, plot = nothing) => html`<div class="card figure">
  <div class="k">${name}</div><div class="v">${value}</div><div class="s">${below}</div>${plot}</div>`;

/** @param {Snapshot} snap */
function running(snap) {
  const { fleet } = snap;
  const n = needy(snap);
  const more = snap.attention.length < NOTICES ? "" : "≥ ";
  const queued = fleet?.queued != null ? html`<small>+ ${count(fleet.queued)} queued</small>` : nothing;
  const text = n ? html`<b class="warn">${more}${count(n)} ${n === 1 ? "needs" : "need"} attention</b>` : snap.running ? "none stalled or overdue" : "idle";
  return figure("Running", html`${count(snap.running)} ${queued}`,
    html`${text}${fleet?.workers == null ? nothing : html`<br>fleet of ${many(fleet.workers, "worker")}`}${fleet?.lost ? html` · <b class="bad">${count(fleet.lost)} lost</b>` : nothing}`);
}

/** @param {Snapshot} snap */
function finished(snap) {
  const { completed, failed, canceled, whole, finished_each } = snap.hour;
  const all = completed + failed + canceled;
  const share = all ? html`<small>${Math.floor((completed * 100) / all)} % good</small>` : nothing;
  return figure("Finished, last hour", html`${whole ? "" : "≥ "}${count(all)} ${share}`,
    html`<span class=${failed ? "bad" : ""}>${count(failed)} failed</span> · ${count(canceled)} canceled`, spark(finished_each));
}

/** @param {Snapshot} snap */
function spent(snap) {
  const { spent, unpriced, whole, spent_each } = snap.hour;
  return figure("Spent, last hour", html`<span title=${exact(spent)}>${whole ? "" : "≥ "}${usd(spent)}</span>`,
    html`${usd(snap.spent)} since start${unpriced ? html` · <b class="warn nw">${count(unpriced)} unpriced</b>` : nothing}`, spark(spent_each.map(Number)));
}

/** @param {Snapshot} snap */
function budget(snap) {
  const b = snap.budget;
  if (!b) return figure("Budget left, running jobs", NONE, "no running job has a budget");
  return figure("Budget left, running jobs", html`<span title=${exact(minus(b.limit, b.spent))}>${usd(minus(b.limit, b.spent))}</span> <small>of ${usd(b.limit)}</small>`,
    html`${usd(b.held)} held · ${b.refused ? html`<b class="warn nw">${many(b.refused, "call")} refused</b>` : "no call refused"}`, meter(b, "spent of all budgets"));
}

/** @param {Snapshot} snap */
function errors(snap) {
  const { errors, top_error: top, errors_each } = snap.hour;
  return figure("Errors, last hour", count(errors), top ? html`most: <b>${top.type}</b>${top.stage ? ` in ${top.stage}` : ""}` : "none", spark(errors_each));
}

/** @param {Snapshot} snap */
function telemetry(snap) {
  const t = snap.telemetry;
  if (!t) return figure("Telemetry", NONE, `up ${length(snap.now - snap.service.started)}`);
  const word = t.ok ? html`<span class="ok">✓</span> <small>healthy</small>` : html`<span class="bad">✕</span> <small>failing</small>`;
  return figure("Telemetry", word, html`<span class="lines">${t.text.split(", ").map(line => html`<span>${line}</span>`)}</span>`);
}
