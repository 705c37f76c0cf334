// The state of the page, and how actions change it: no DOM, no clock, no network.

/** @import { Job, Snapshot } from "./wire.d.ts" */

/** The version of the JSON that this page reads. */
export const VERSION = 1;

/** How many rows are drawn. The filter finds the others. */
export const ROWS = 100;

/**
 * @typedef {"all" | "stalled" | "overdue" | "budget"} Only
 *
 * @typedef {object} State
 * @property {Snapshot | null} snap what is shown
 * @property {Snapshot | null} next the newest snapshot that came while the page was paused
 * @property {boolean} paused
 * @property {"connecting" | "live" | "polled" | "lost"} link to the process
 * @property {string} why it is lost, if the process gave a reason
 * @property {number} heard when the last snapshot came, by the clock of this machine
 * @property {number} clock of this machine, as far as it is needed
 * @property {string} filter
 * @property {Only} only
 * @property {string} selected the run of the row that the keys have moved to; "": the first
 * @property {string} open the run in the drawer; "": it is closed
 * @property {number} start of the process that a link to the open run named; 0: this one
 * @property {{ run: string, job: Job | null } | null} asked the open run, if no snapshot has it
 * @property {{ text: string, snap: Snapshot } | null} found by a filter that snapshots are too short for
 * @property {string} say what a screen reader says next
 * @property {string} copied what was copied last, for a moment
 *
 * @typedef {{ type: "snapshot", snap: Snapshot, at: number, link: "live" | "polled" }
 *   | { type: "link", link: State["link"], at: number, why?: string }
 *   | { type: "clock", at: number }
 *   | { type: "pause" }
 *   | { type: "filter", text: string }
 *   | { type: "only", only: Only }
 *   | { type: "move", by: number }
 *   | { type: "open", run: string, start?: number }
 *   | { type: "close" }
 *   | { type: "asked", run: string, job: Job | null }
 *   | { type: "found", text: string, snap: Snapshot }
 *   | { type: "copied", text: string }} Action
 */

/** @type {Readonly<State>} */
export const initial = Object.freeze({
  snap: null, next: null, paused: false, link: "connecting", why: "", heard: 0, clock: 0,
  filter: "", only: "all", selected: "", open: "", start: 0, asked: null, found: null, say: "", copied: "",
});

/**
 * Returns the state after an action; neither argument is changed.
 * @param {Readonly<State>} s
 * @param {Action} a
 * @returns {Readonly<State>}
 */
export function reduce(s, a) {
  switch (a.type) {
    case "snapshot": {
      const heard = { ...s, link: a.link, heard: a.at, clock: a.at, why: "" };
      return s.paused && s.snap ? { ...heard, next: a.snap } : show(heard, a.snap);
    }
    case "link":
      return { ...s, link: a.link, clock: a.at, why: a.why ?? "", heard: s.heard || a.at };
    case "clock":
      return { ...s, clock: a.at };
    case "pause":
      return s.paused && s.next ? show({ ...s, paused: false, next: null }, s.next) : { ...s, paused: !s.paused };
    case "filter":
      return { ...s, filter: a.text, selected: "", found: a.text ? s.found : null };
    case "only":
      return { ...s, only: a.only, selected: "" };
    case "move": {
      const list = rows(s);
      const at = list.findIndex(j => j.run === s.selected);
      const to = Math.max(0, Math.min(list.length - 1, Math.max(0, at) + a.by));
      return { ...s, selected: list[to]?.run ?? "" };
    }
    case "open":
      return { ...s, open: a.run, start: a.start ?? 0, asked: null, copied: "" };
    case "close":
      return { ...s, open: "", start: 0, asked: null, copied: "" };
    case "asked":
      return a.run === s.open ? { ...s, asked: { run: a.run, job: a.job } } : s;
    case "found":
      return a.text === s.filter ? { ...s, found: { text: a.text, snap: a.snap } } : s;
    case "copied":
      return { ...s, copied: a.text };
  }
}

/**
 * @param {Readonly<State>} s
 * @param {Snapshot} snap
 * @returns {Readonly<State>}
 */
function show(s, snap) {
  const old = s.snap;
  if (!old) return { ...s, snap };
  if (old.service.started === snap.service.started) return { ...s, snap, say: news(old, snap) || s.say };
  // Another process: its runs have the same numbers, and are others.
  return { ...s, snap, selected: "", found: null, asked: null, start: s.open ? s.start || old.service.started : 0 };
}

/**
 * The text for a screen reader: which jobs have stalled or failed since the snapshot before.
 * @param {Snapshot} before
 * @param {Snapshot} now
 */
export function news(before, now) {
  const stalled = new Set(before.jobs.filter(j => j.stalled).map(j => j.run));
  const ended = new Set(before.finished.map(j => j.run));
  const last = before.finished.reduce((most, j) => Math.max(most, j.end ?? 0), 0);
  return [
    sentence(now.jobs.filter(j => j.stalled && !stalled.has(j.run)), "stalled"),
    sentence(now.finished.filter(j => j.status === "failed" && !ended.has(j.run) && (j.end ?? 0) >= last), "failed"),
  ].filter(Boolean).join(". ");
}

/**
 * @param {Job[]} jobs
 * @param {string} what
 */
function sentence(jobs, what) {
  if (jobs.length === 0) return "";
  const names = jobs.slice(0, 3).map(j => j.id).join(", ");
  const more = jobs.length > 3 ? ` and ${jobs.length - 3} more` : "";
  return `${names}${more} ${jobs.length === 1 ? "has" : "have"} ${what}`;
}

/**
 * The live jobs that pass the filter.
 * @param {Readonly<State>} s
 * @returns {Job[]}
 */
export function rows(s) {
  const text = s.filter.toLowerCase();
  const from = s.found?.text === s.filter && s.snap && s.snap.running > s.snap.jobs.length ? s.found.snap : s.snap;
  const fits = (/** @type {Job} */ j) =>
    (!text || j.id.toLowerCase().includes(text) || j.stages.some(g => g.name.toLowerCase().includes(text))) && passes(j, s.only);
  return (from?.jobs ?? []).filter(fits).slice(0, ROWS);
}

/**
 * @param {Job} j
 * @param {Only} only
 */
function passes(j, only) {
  switch (only) {
    case "all": return true;
    case "stalled": return Boolean(j.stalled);
    case "overdue": return Boolean(j.overdue);
    case "budget": return j.budget !== null && Number(j.budget.spent) > 0.8 * Number(j.budget.limit);
  }
}

/**
 * The run in the drawer: of the snapshot, else as it was asked for. Undefined until it is known, null
 * if the process does not remember it.
 * @param {Readonly<State>} s
 * @returns {Job | null | undefined}
 */
export function opened(s) {
  if (!s.snap) return undefined;
  if (s.start && s.start !== s.snap.service.started) return null;
  const has = (/** @type {Job} */ j) => j.run === s.open;
  const found = s.found?.snap;
  return s.snap.jobs.find(has) ?? s.snap.finished.find(has) ?? s.asked?.job ?? found?.jobs.find(has) ?? (s.asked ? null : undefined);
}

/**
 * How many jobs need a look.
 * @param {Snapshot} snap
 */
export const needy = snap => new Set(snap.attention.map(n => n.run)).size;

/**
 * How long the stage under way still takes, in milliseconds: all that is known of a job before an
 * earlier run tells how long the stages to come take. Null if that is unknown, too.
 * @param {Job} j
 */
export const stageLeft = j => j.stages.filter(g => !g.end).at(-1)?.eta?.left ?? null;
