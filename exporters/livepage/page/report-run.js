// The sums of a report: no DOM, no clock.

/** @import { Amount, Fault, Job, Snapshot } from "./wire.d.ts" */

/**
 * A run of the program: its jobs in the order of their starts, and what they come to. Of what no job
 * has said, a figure is null.
 * @typedef {object} Run
 * @property {Job[]} jobs
 * @property {number} from when the first one started
 * @property {number} to when the last one ended
 * @property {Record<string, number>} ended how many ended in each way
 * @property {Amount | null} mean what a job has cost, of those whose costs are all known
 * @property {number} unpriced calls
 * @property {number} video the length of all videos that is known
 * @property {number | null} ratio how long the jobs took, as a part of their videos
 * @property {Fault[]} errors the most frequent first
 * @property {number} failures of all errors
 * @property {{ before: number, after: number, jobs: number } | null} loudness the medians of the spread, in LU
 */

/**
 * Adds up the jobs of a snapshot. Jobs that have not ended are unfinished at the time of it.
 * @param {Snapshot} snap
 * @returns {Run}
 */
export function runOf(snap) {
  const live = snap.jobs.map(j => ({ ...j, end: snap.now, status: "unfinished", eta: null }));
  const jobs = [...snap.finished, ...live].sort((a, b) => a.start - b.start || Number(a.run) - Number(b.run));
  /** @type {Record<string, number>} */
  const ended = {};
  for (const j of jobs) ended[j.status ?? ""] = (ended[j.status ?? ""] ?? 0) + 1;
  const shown = jobs.filter(j => j.video && j.status === "completed");
  const errors = faults(jobs);
  return {
    jobs,
    ended,
    errors,
    from: jobs.reduce((least, j) => Math.min(least, j.start), snap.now),
    to: jobs.reduce((most, j) => Math.max(most, j.end ?? 0), 0) || snap.now,
    mean: mean(jobs.flatMap(j => (j.spent === null || j.unpriced ? [] : [j.spent]))),
    unpriced: sum(jobs.map(j => j.unpriced ?? 0)),
    video: sum(jobs.map(j => j.video ?? 0)),
    ratio: shown.length ? sum(shown.map(j => (j.end ?? j.start) - j.start)) / sum(shown.map(j => j.video ?? 0)) : null,
    failures: sum(errors.map(e => e.count)),
    loudness: spread(jobs),
  };
}

/** @param {number[]} list */
const sum = list => list.reduce((a, b) => a + b, 0);

/**
 * The mean of amounts, to the nano-dollar. Null of nothing.
 * @param {Amount[]} list
 * @returns {Amount | null}
 */
export const mean = list => list.length ? String(list.reduce((/** @type {bigint} */ a, b) => a + BigInt(b), BigInt(0)) / BigInt(list.length)) : null;

/**
 * The errors of all jobs by stage and type.
 * @param {Job[]} jobs
 * @returns {Fault[]}
 */
export function faults(jobs) {
  /** @type {Map<string, Fault>} */
  const all = new Map();
  for (const e of jobs.flatMap(j => j.errors ?? [])) {
    const key = JSON.stringify([e.stage, e.type]);
    const same = all.get(key);
    all.set(key, same ? { ...same, count: same.count + e.count, last: Math.max(same.last ?? 0, e.last ?? 0) } : e);
  }
  return [...all.values()].sort((a, b) => b.count - a.count || order(a.stage, b.stage) || order(a.type, b.type));
}

/**
 * @param {string} a
 * @param {string} b
 */
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {Job[]} jobs */
function spread(jobs) {
  const both = jobs.flatMap(j => (j.quality?.before == null || j.quality.after == null ? [] : [j.quality]));
  const before = median(both.map(q => q.before ?? 0));
  const after = median(both.map(q => q.after ?? 0));
  return before === null || after === null ? null : { before, after, jobs: both.length };
}

/**
 * The middle of a list, the mean of both if there are two. Null of nothing.
 * @param {number[]} list
 */
export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/**
 * The runs of the jobs that are unfolded at first: all of a few, else the first ones that did not
 * complete.
 * @param {Job[]} jobs
 */
export const unfolded = jobs => (jobs.length <= 3 ? jobs : jobs.filter(j => j.status !== "completed").slice(0, 3)).map(j => j.run);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
];

/**
 * The step of a ruler that is so long: it has at most so many of them.
 * @param {number} ms
 * @param {number} most
 */
export const step = (ms, most) => STEPS.find(s => ms / s <= most) ?? Math.ceil(ms / most / DAY) * DAY;

/**
 * A mark of a ruler: 0, 500 ms, 1.5 s, 30 s, 1 m, 1 m 30 s, 2 h, 1 h 30 m, 2 d.
 * @param {number} ms
 */
export function mark(ms) {
  if (ms < SECOND) return ms ? ms + " ms" : "0";
  if (ms < MINUTE) return ms / SECOND + " s";
  const parts = [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [SECOND, "s"]];
  let rest = ms;
  return parts.flatMap(([size, unit]) => {
    const n = Math.floor(rest / Number(size));
    rest -= n * Number(size);
    return n ? [`${n} ${unit}`] : [];
  }).join(" ");
}
