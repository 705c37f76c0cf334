import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { initial, needy, news, opened, reduce, ROWS, rows, stageLeft } from "../state.js";

/** @import { Job, Snapshot } from "../wire.d.ts" */
/** @import { Action, State } from "../state.js" */

const text = readFileSync(new URL("../../testdata/page.json", import.meta.url), "utf8");

/**
 * The snapshot of testdata, with changes.
 * @param {(s: Snapshot) => void} [change]
 * @returns {Snapshot}
 */
function snapshot(change = () => {}) {
  const s = JSON.parse(text);
  change(s);
  return s;
}

/**
 * @param {Action[]} actions
 * @param {Readonly<State>} [from]
 */
const after = (actions, from = initial) => actions.reduce(reduce, from);

/**
 * @param {Snapshot} snap
 * @param {number} [at]
 * @returns {Action}
 */
const comes = (snap, at = 1) => ({ type: "snapshot", snap, at, link: "live" });

/** @param {Readonly<State>} s */
const runs = s => rows(s).map(j => j.run);

test("a snapshot is shown, and is a sign of life", () => {
  const snap = snapshot();
  const s = after([{ type: "link", link: "lost", at: 5, why: "The process answers 500" }, comes(snap, 9)]);
  assert.equal(s.snap, snap);
  assert.deepEqual([s.link, s.heard, s.why], ["live", 9, ""]);
});

test("a lost process was heard of at its last snapshot", () => {
  const s = after([comes(snapshot(), 1000), { type: "link", link: "lost", at: 4000 }, { type: "clock", at: 9000 }]);
  assert.deepEqual([s.link, s.heard, s.clock], ["lost", 1000, 9000]);
  assert.equal(after([{ type: "link", link: "lost", at: 7 }]).heard, 7, "one that never answered, since it was asked");
});

test("a paused page stays as it is, and resumes with the newest", () => {
  const [one, two, three] = [snapshot(), snapshot(), snapshot()];
  const paused = after([comes(one), { type: "pause" }, comes(two), comes(three, 8)]);
  assert.equal(paused.snap, one);
  assert.equal(paused.heard, 8);
  const resumed = after([{ type: "pause" }], paused);
  assert.deepEqual([resumed.paused, resumed.snap, resumed.next], [false, three, null]);
  assert.equal(after([{ type: "pause" }, comes(one)]).snap, one, "but a first snapshot is shown");
});

test("the filter takes ids and stages, of any case", () => {
  const s = after([comes(snapshot())]);
  const filtered = (/** @type {string} */ text) => runs(after([{ type: "filter", text }], s));
  assert.equal(filtered("").length, 7);
  assert.deepEqual(filtered("KEYNOTE"), ["1"]);
  assert.deepEqual(filtered("diarization"), ["3"]);
  assert.deepEqual(filtered("<img"), ["5"]);
  assert.deepEqual(filtered("nothing"), []);
});

test("the chips take what they say", () => {
  const s = after([comes(snapshot())]);
  const only = (/** @type {State["only"]} */ only) => runs(after([{ type: "only", only }], s));
  assert.deepEqual(only("stalled"), ["2"]);
  assert.deepEqual(only("overdue"), ["3"]);
  assert.deepEqual(only("budget"), ["3", "5"]);
  assert.equal(only("all").length, 7);
});

test("at most so many rows are drawn", () => {
  const s = after([comes(snapshot(s => { s.jobs = Array.from({ length: ROWS + 1 }, (_, i) => ({ .../** @type {Job} */ (s.jobs[0]), run: String(i) })); }))]);
  assert.equal(rows(s).length, ROWS);
});

test("what a filter finds beyond the snapshot is shown", () => {
  const found = snapshot(s => { s.jobs = [{ .../** @type {Job} */ (s.jobs[0]), run: "900", id: "far away" }]; });
  const many = snapshot(s => { s.running = 1000; });
  const s = after([comes(many), { type: "filter", text: "far" }, { type: "found", text: "far", snap: found }]);
  assert.deepEqual(runs(s), ["900"]);
  assert.deepEqual(runs(after([{ type: "found", text: "fa", snap: found }], after([comes(many), { type: "filter", text: "far" }]))), [], "an answer to an earlier filter is not");
  assert.deepEqual(runs(after([{ type: "filter", text: "key" }], s)), ["1"], "nor one for another filter");
  assert.deepEqual(runs(after([comes(snapshot())], s)), [], "nor when all jobs are in the snapshot");
});

test("keys move within the rows that are shown", () => {
  const down = /** @type {const} */ ({ type: "move", by: 1 });
  const up = /** @type {const} */ ({ type: "move", by: -1 });
  const s = after([comes(snapshot())]);
  assert.equal(after([down], s).selected, "2", "the first row is selected until then");
  assert.equal(after([down, down, up], s).selected, "2");
  assert.equal(after([up], s).selected, "1");
  assert.equal(after(Array(20).fill(down), s).selected, "7");
  assert.equal(after([{ type: "filter", text: "none" }, down], s).selected, "");
  const gone = snapshot(s => { s.jobs.splice(1, 1); });
  assert.equal(after([down, comes(gone), down], s).selected, "3", "from the first, if the selected one has ended");
});

test("the drawer follows its job to the end, and beyond what snapshots have", () => {
  const s = after([comes(snapshot()), { type: "open", run: "1" }]);
  assert.equal(opened(s)?.id, "keynote-2026-11-27.mp4");
  const ended = snapshot(s => { const [j] = s.jobs.splice(0, 1); s.finished.unshift({ .../** @type {Job} */ (j), end: s.now, status: "completed" }); });
  assert.equal(opened(after([comes(ended)], s))?.status, "completed");
  const none = snapshot(s => { s.jobs = []; s.finished = []; });
  const unknown = after([comes(none)], s);
  assert.equal(opened(unknown), undefined, "not known until it has been asked for");
  const job = /** @type {Job} */ (snapshot().jobs[0]);
  assert.equal(opened(after([{ type: "asked", run: "1", job }], unknown)), job);
  assert.equal(opened(after([{ type: "asked", run: "1", job: null }], unknown)), null, "forgotten");
  assert.equal(opened(after([{ type: "asked", run: "2", job }], unknown)), undefined, "an answer about another job");
  assert.equal(after([{ type: "close" }], s).open, "");
});

test("runs of another process are others", () => {
  const s = after([comes(snapshot()), { type: "open", run: "1" }]);
  const next = snapshot(s => { s.service.started += 5; });
  const restarted = after([comes(next)], s);
  assert.equal(opened(restarted), null);
  assert.equal(restarted.say, "");
  const start = next.service.started;
  assert.equal(opened(after([{ type: "open", run: "1", start: start - 5 }], restarted)), null, "a link of before");
  assert.equal(opened(after([{ type: "open", run: "1", start }], restarted))?.run, "1", "a link of this one");
  assert.equal(opened(after([{ type: "open", run: "1" }], restarted))?.run, "1", "a link of no process in particular");
});

test("what has stalled or failed is said, and nothing else", () => {
  const before = snapshot();
  assert.equal(news(before, snapshot()), "");
  const stalled = (/** @type {number} */ n) => snapshot(s => { for (const j of s.jobs.filter(j => !j.stalled).slice(0, n)) j.stalled = s.now; });
  assert.equal(news(before, stalled(1)), "keynote-2026-11-27.mp4 has stalled");
  assert.equal(news(before, stalled(5)), "keynote-2026-11-27.mp4, podcast-ep-118, lecture-cs101-07.mkv and 2 more have stalled");
  const failed = (/** @type {string} */ status) => snapshot(s => { s.finished.unshift({ .../** @type {Job} */ (s.jobs[0]), end: s.now, status }); });
  assert.equal(news(before, failed("failed")), "keynote-2026-11-27.mp4 has failed");
  assert.equal(news(before, failed("completed")), "");
  const longer = snapshot(s => { s.finished = s.finished.filter(j => j.status !== "failed"); });
  assert.equal(news(longer, before), "", "a job that is listed again has not failed now");
  assert.equal(after([comes(stalled(1))]).say, "", "a first snapshot is no news");
  assert.equal(after([comes(before), comes(stalled(1)), comes(stalled(1))]).say, "keynote-2026-11-27.mp4 has stalled");
});

test("a job needs one look, for however many reasons", () => {
  assert.equal(needy(snapshot()), 3);
  assert.equal(needy(snapshot(s => { for (const n of s.attention) n.run = "1"; })), 1);
});

test("no action changes the state that it is given", () => {
  const s = Object.freeze(after([comes(snapshot()), { type: "open", run: "1" }]));
  /** @type {Action[]} */
  const all = [comes(snapshot()), { type: "link", link: "lost", at: 3 }, { type: "clock", at: 4 }, { type: "pause" }, { type: "filter", text: "x" }, { type: "only", only: "stalled" },
    { type: "move", by: 1 }, { type: "open", run: "2" }, { type: "asked", run: "1", job: null }, { type: "found", text: "", snap: snapshot() }, { type: "copied", text: "x" }, { type: "close" }];
  const copy = structuredClone(s);
  for (const a of all) reduce(s, a);
  assert.deepEqual(s, copy);
});

test("the time to go of a stage is that of the last one under way", () => {
  const job = snapshot().jobs[0];
  assert.ok(job);
  const stage = job.stages.at(-1);
  assert.ok(stage);
  const eta = { left: 20_000, least: 16_000, most: 25_000, runs: 0 };
  const left = (/** @type {Partial<typeof stage>[]} */ ...stages) => stageLeft({ ...job, stages: stages.map(s => ({ ...stage, end: 0, ...s })) });
  assert.equal(left({ eta: { ...eta, left: 1 } }, { eta }), 20_000);
  assert.equal(left({ eta }, { eta: { ...eta, left: 1 }, end: 5 }), 20_000);
  assert.equal(left({ eta }, { eta: null }), null);
  assert.equal(left(), null);
});
