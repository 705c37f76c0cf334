/** @import { Call, Job, Snapshot, Stage } from "../wire.d.ts" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { length, times, usd } from "../format.js";
import { color, flaw } from "./parts.js";

const MINUTE = 60_000;

/**
 * A scale maps times to percents of a lane's width. Its grid is the style of a lane that has lines there.
 * @typedef {{ from: number, to: number, x: (time: number) => number, grid: string }} Scale
 */

/**
 * @param {number} from
 * @param {number} to
 * @param {number} [step] between two lines of the grid
 * @param {number} [line] one of them
 * @returns {Scale}
 */
export function scale(from, to, step = Math.max(1, to - from) / 8, line = from) {
  const span = Math.max(1, to - from);
  const part = (/** @type {number} */ ms) => (ms / span) * 100;
  return { from, to, x: time => Math.max(0, Math.min(100, part(time - from))), grid: `--step:${part(step)}%;--at:${part((line - from) % step)}%` };
}

/**
 * The scale that all lanes share: at most ten minutes back and five ahead.
 * @param {Job[]} jobs
 * @param {number} now
 */
export function sharedScale(jobs, now) {
  const from = Math.min(now - MINUTE, ...jobs.map(j => Math.max(j.start, now - 10 * MINUTE)));
  const ahead = Math.max(0, ...jobs.map(j => (j.stalled ? 0 : j.eta?.most ?? 0)));
  const to = now + Math.max(MINUTE / 2, Math.min(5 * MINUTE, ahead));
  return scale(from, to, pace(to - from), now);
}

/**
 * The time between two marks of the axis.
 * @param {number} ms
 */
const pace = ms => [15_000, 30_000, MINUTE, 2 * MINUTE].find(step => ms / step <= 9) ?? 5 * MINUTE;

/**
 * @param {Scale} sc
 * @param {number} from
 * @param {number} to
 */
const place = (sc, from, to) => `left:${sc.x(from)}%;width:${Math.max(0, sc.x(to) - sc.x(from))}%`;

/**
 * What a job has done, what it is doing, and what is expected of it.
 * @param {Job} j
 * @param {Snapshot} snap
 * @param {Scale} sc
 */
export function lane(j, snap, sc) {
  const end = j.end || snap.now;
  const words = j.stages.map(s => `${s.name} ${length((s.end || end) - s.start)}${s.end || j.end ? "" : " so far"}`).join(", ");
  return html`<div class="lane" role="img" aria-label=${words || "no stage yet"} .style=${sc.grid}>
    ${j.stages.map(s => segment(s, sc, end, snap.stages, true))}${j.calls.map(c => tick(c, sc))}
    ${j.end || j.stalled || !j.eta ? nothing : expected(j.eta, snap.now, sc)}
    ${j.end ? nothing : html`<div class="now" .style=${`left:${sc.x(snap.now)}%`}></div>`}</div>`;
}

/**
 * The bar of a stage. One inside of another is thinner.
 * @param {Stage} s
 * @param {Scale} sc
 * @param {number} end of what has not ended
 * @param {string[]} stages
 * @param {boolean} named
 */
export function segment(s, sc, end, stages, named) {
  const wide = sc.x(s.end || end) - sc.x(s.start);
  if (wide <= 0) return nothing;
  const look = [color(stages, s.name), wide < 3 && "tiny", s.error && (flaw(s.error) ? "fail" : "cut"), s.stalled && !s.end && "stall", named && s.depth && "inner"].filter(Boolean).join(" ");
  const title = [s.name, length((s.end || end) - s.start), s.error, s.speed && times(s.speed)].filter(Boolean).join(" · ");
  return html`<div class="seg ${look}" .style=${place(sc, s.start, s.end || end)} title=${title}>${named && !s.depth && wide > 8 ? s.name : ""}</div>`;
}

/**
 * A paid call.
 * @param {Call} c
 * @param {Scale} sc
 */
export function tick(c, sc) {
  const cost = c.end ? usd(c.cost) : "under way";
  return c.start < sc.from ? nothing : html`<div class="call" .style=${`left:${sc.x(c.start)}%`} title="${c.api} · ${cost}${c.error ? " · " + c.error : ""}"></div>`;
}

/**
 * The time that is left, and how much longer it may take.
 * @param {{ left: number, most: number }} eta
 * @param {number} now
 * @param {Scale} sc
 */
export const expected = (eta, now, sc) => html`<div class="seg most" .style=${place(sc, now, now + eta.most)}></div>
  <div class="seg eta" .style=${place(sc, now, now + eta.left)}></div>`;

/**
 * The times above the lanes.
 * @param {Scale} sc
 * @param {number} now
 */
export function axis(sc, now) {
  const step = pace(sc.to - sc.from);
  const marks = [];
  for (let ms = Math.ceil((sc.from - now) / step) * step; now + ms <= sc.to; ms += step) {
    const at = sc.x(now + ms);
    if (at > 2 && at < 96 && Math.abs(at - sc.x(now)) > 5) marks.push(html`<span .style=${`left:${at}%`}>${ms < 0 ? "−" : "+"}${length(Math.abs(ms)).replace(" 00 s", "")}</span>`);
  }
  return html`<div class="axis" aria-hidden="true">${marks}<span class="n" .style=${`left:${sc.x(now)}%`}>now</span></div>`;
}

/**
 * What the lanes' colors and marks are.
 * @param {string[]} stages
 * @param {unknown} marks
 */
export const legend = (stages, marks) => html`<div class="legend">${stages.map(name => html`<span><i class=${color(stages, name)}></i>${name}</span>`)}
  <span><i class="c"></i>paid call</span><span><i class="f"></i>failed</span>${marks}</div>`;
