// What several panels are made of.

/** @import { Amount, Job, Notice } from "../wire.d.ts" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { repeat } from "../lib/lit-html/directives/repeat.js";
import { count, exact, length, many, part, times, usd } from "../format.js";

/** Marks beside a word and a color, never instead of a word. */
export const ICON = { stalled: "‖", overdue: "◔", over_budget: "$" };

/**
 * Why a job needs a look.
 * @param {Notice} n
 * @param {unknown} [of] the job
 */
export const reason = (n, of = nothing) => html`<div class=${n.kind === "over_budget" ? "bad" : "warn"}>
  <b aria-hidden="true">${ICON[/** @type {keyof typeof ICON} */ (n.kind)] ?? "!"}</b> ${of} <span class=${of === nothing ? "" : "soft"}>${n.text}</span></div>`;

/**
 * The class of a stage's color: by its place in the order of the declaration.
 * @param {string[]} stages
 * @param {string} name
 */
export function color(stages, name) {
  const at = stages.indexOf(name);
  return "s" + (at < 0 ? 7 : at % 7);
}

/**
 * A curve without axes.
 * @param {number[]} list
 */
export function spark(list) {
  if (list.length < 2) return nothing;
  const most = Math.max(...list, 1e-9);
  const line = list.map((n, i) => `${i ? "L" : "M"}${((i * 100) / (list.length - 1)).toFixed(1)} ${(24 - (n / most) * 22).toFixed(1)}`).join("");
  return html`<svg class="spark" viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">
    <path class="a" d="${line}L100 26L0 26Z"></path><path d=${line} vector-effect="non-scaling-stroke"></path></svg>`;
}

/**
 * How much of a limit is spent and held.
 * @param {{ limit: Amount, spent: Amount, held: Amount }} b
 * @param {string} label
 */
export function meter(b, label) {
  const spent = part(b.spent, b.limit);
  const held = Math.min(part(b.held, b.limit), Math.max(0, 1 - spent));
  const level = spent > 1 ? "over" : spent >= 0.8 ? "hi" : "";
  const percent = Math.round(Math.min(spent, 1) * 100);
  return html`<div class="meter" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent}>
    <i class=${level} .style=${`width:${Math.min(spent, 1) * 100}%`}></i><i class="held" .style=${`width:${held * 100}%`}></i></div>`;
}

/**
 * What a job has cost. Calls without a price are not free.
 * @param {Pick<Job, "spent" | "unpriced">} j
 */
export function cost(j) {
  if (!j.unpriced) return html`<span title=${exact(j.spent)}>${usd(j.spent)}</span>`;
  const calls = `${many(j.unpriced, "call")} without a price`;
  return j.spent === null
    ? html`<span class="warn" title=${calls}>unpriced</span>`
    : html`<span title="${exact(j.spent)} and ${calls}">${usd(j.spent)}<span class="warn"> + ${count(j.unpriced)} unpriced</span></span>`;
}

/**
 * What is wrong with a job, or unusual.
 * @param {Job} j
 * @param {number} now
 */
export const marks = (j, now) => html`
  ${j.stalled ? html`<span class="tag warn">${ICON.stalled} stalled ${length(now - j.stalled)}</span>` : nothing}
  ${j.overdue ? html`<span class="tag warn">${ICON.overdue} ${times(j.overdue)} its usual</span>` : nothing}
  ${j.budget && Number(j.budget.spent) > Number(j.budget.limit) ? html`<span class="tag bad">over budget</span>` : nothing}
  ${(j.attempt ?? 0) > 1 ? html`<span class="tag off">attempt ${j.attempt}${j.max_attempts ? ` of ${j.max_attempts}` : ""}</span>` : nothing}`;

/**
 * Reports whether the error of a stage or a call is one: a cancellation is somebody's wish.
 * @param {string | undefined} error
 */
export const flaw = error => Boolean(error) && error !== "canceled";

/** @type {Record<string, [look: string, icon: string]>} */
const ENDS = {
  completed: ["ok", "✓"],
  failed: ["bad", "✕"],
  canceled: ["off", "⊘"],
  retried: ["warn", "↻"],
  unfinished: ["warn", "…"],
};

/**
 * How a job ended: its error if it has one.
 * @param {Job} j
 */
export function ending(j) {
  const [look, icon] = ENDS[j.status ?? ""] ?? ["off", "∙"];
  return html`<span class="pill ${look}" title=${j.status ?? ""}><span aria-hidden="true">${icon}</span> ${(j.status === "failed" && j.error) || j.status}</span>`;
}

/**
 * The name of a job, which opens it.
 * @param {{ run: string, id: string }} j
 * @param {Pick<Act, "open">} act
 * @param {string} [look]
 */
export const link = (j, act, look = "") => html`<button class="link id ${look}" title=${j.id} @click=${() => act.open(j.run)}>${j.id}</button>`;

/**
 * A panel with a heading.
 * @param {{ id: string, title: string, note?: unknown, wide?: boolean, part?: boolean }} is a wide one may be scrolled sideways,
 *   a part is no landmark: there are several of one title
 * @param {unknown} body
 */
export function panel(is, body) {
  const inside = is.wide ? html`<div class="scroll" tabindex="0" role="group" aria-label="Table: ${is.title}">${body}</div>` : body;
  return html`<section class="card" role=${is.part ? "group" : nothing} aria-labelledby="h-${is.id}">
    <div class="head"><h2 id="h-${is.id}">${is.title}</h2>${is.note ? html`<span class="soft">${is.note}</span>` : nothing}</div>${inside}</section>`;
}

/**
 * A table. Columns that begin with # have numbers, the first has what a row is about.
 * @param {string} look
 * @param {string[]} columns
 * @param {unknown[][]} rows the cells of each
 * @param {string} none what is said without a row
 * @param {string[]} [keys] of the rows, if something in them may have the focus
 */
export function table(look, columns, rows, none, keys) {
  const side = columns.map(c => (c[0] === "#" ? "num" : ""));
  const cell = (/** @type {unknown} */ c, /** @type {number} */ i) => (i ? html`<td class=${side[i]}>${c}</td>` : html`<th scope="row">${c}</th>`);
  return html`<table class=${look}>
    <thead><tr>${columns.map((c, i) => html`<th scope="col" class=${side[i]}>${c.replace("#", "")}</th>`)}</tr></thead>
    <tbody>${rows.length ? repeat(rows, (_, i) => keys?.[i] ?? i, row => html`<tr>${row.map(cell)}</tr>`) : html`<tr><td colspan=${columns.length} class="soft">${none}</td></tr>`}</tbody></table>`;
}

/** @param {unknown} text */
export const soft = text => html`<span class="soft">${text}</span>`;

/**
 * A count that should be 0.
 * @param {number} n
 * @param {"warn" | "bad"} look
 */
export const alarm = (n, look) => html`<span class=${n ? look : ""}>${count(n)}</span>`;
