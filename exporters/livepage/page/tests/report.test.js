import test from "node:test";
import assert from "node:assert/strict";
import { faults, mark, mean, median, runOf, step, unfolded } from "../report-run.js";

const NOW = 1_000_000;

/** @returns {any} */
const job = (/** @type {object} */ more) => ({ run: "1", id: "a", start: 0, end: NOW, status: "completed", spent: 0, stages: [], calls: [], budget: null, quality: null, ...more });

/** @returns {any} */
const snap = (/** @type {object[]} */ finished, /** @type {object[]} */ jobs = []) => ({ now: NOW, finished, jobs });

test("jobs are in the order of their starts, and live ones unfinished", () => {
  const run = runOf(snap([job({ run: "10", start: 300, end: 500 }), job({ run: "9", start: 300, end: 400 })], [job({ run: "2", start: 200, end: undefined, status: undefined, eta: { left: 1 } })]));
  assert.deepEqual(run.jobs.map(j => [j.run, j.status, j.end]), [["2", "unfinished", NOW], ["9", "completed", 400], ["10", "completed", 500]]);
  assert.equal(run.jobs[0]?.eta, null);
  assert.deepEqual([run.from, run.to, run.ended], [200, NOW, { unfinished: 1, completed: 2 }]);
});

test("a run without a job has no figures", () => {
  const { jobs, ended, from, to, mean, unpriced, video, ratio, errors, failures, loudness } = runOf(snap([]));
  assert.deepEqual({ jobs, ended, from, to, mean, unpriced, video, ratio, errors, failures, loudness },
    { jobs: [], ended: {}, from: NOW, to: NOW, mean: null, unpriced: 0, video: 0, ratio: null, errors: [], failures: 0, loudness: null });
});

test("costs that are not known are in no mean", () => {
  const run = runOf(snap([job({ spent: 10 }), job({ spent: 21 }), job({ spent: null, unpriced: 2 }), job({ spent: 7, unpriced: 1 })]));
  assert.deepEqual([run.mean, run.unpriced], ["15", 3]);
  assert.equal(mean(["9007199254740993", "9007199254740993"]), "9007199254740993");
  assert.equal(mean([]), null);
});

test("the ratio is of completed jobs whose video is known, the length of all", () => {
  const run = runOf(snap([job({ start: 0, end: 100, video: 400 }), job({ start: 0, end: 100, video: 600 }), job({ start: 0, end: 900, video: 10, status: "failed" }), job({})]));
  assert.deepEqual([run.ratio, run.video], [0.2, 1010]);
});

test("loudness is the medians of jobs that have both", () => {
  const q = (/** @type {number | null} */ before, /** @type {number | null} */ after) => job({ quality: { before, after } });
  assert.deepEqual(runOf(snap([q(20, 1), q(10, 0), q(12, null), job({})])).loudness, { before: 15, after: 0.5, jobs: 2 });
  assert.equal(runOf(snap([q(12, null)])).loudness, null);
  assert.deepEqual([median([3, 1, 2]), median([4, 1]), median([])], [2, 2.5, null]);
});

test("errors are added up by stage and type, the most frequent first", () => {
  const e = (/** @type {string} */ stage, /** @type {string} */ type, /** @type {number} */ count, last = 0) => ({ stage, type, count, last });
  const jobs = [job({ errors: [e("b", "x", 1, 5), e("a", "x", 1, 9)] }), job({ errors: [e("b", "x", 1, 7), e("", "ax", 1)] }), job({})];
  assert.deepEqual(faults(jobs), [e("b", "x", 2, 7), e("", "ax", 1), e("a", "x", 1, 9)]);
  const run = runOf(snap(jobs));
  assert.deepEqual([run.failures, run.errors[0]], [4, e("b", "x", 2, 7)]);
  assert.equal(jobs[0].errors[0].count, 1, "the data is not changed");
});

test("a few jobs are unfolded, of many the first that did not complete", () => {
  const of = (/** @type {string} */ letters) => [...letters].map((l, i) => job({ run: String(i), status: l === "c" ? "completed" : "failed" }));
  for (const [letters, want] of [["", []], ["cfc", ["0", "1", "2"]], ["cccc", []], ["cfcuff", ["1", "3", "4"]]]) {
    assert.deepEqual(unfolded(of(String(letters))), want, String(letters));
  }
});

test("a ruler has at most so many steps", () => {
  for (const [ms, want] of [[1, 1], [4, 1], [95, 20], [9_000, 2000], [24 * 60_000, 300_000], [3_600_000, 900_000], [24 * 3_600_000, 21_600_000], [30 * 24 * 3_600_000, 6 * 24 * 3_600_000]]) {
    const got = step(Number(ms), 5);
    assert.equal(got, want, String(ms));
    assert.ok(Number(ms) / got <= 5);
  }
});

test("marks of a ruler", () => {
  for (const [ms, want] of [[0, "0"], [200, "200 ms"], [1000, "1 s"], [30_000, "30 s"], [60_000, "1 m"], [90_000, "1 m 30 s"], [5_400_000, "1 h 30 m"], [86_400_000, "1 d"], [6 * 86_400_000, "6 d"]]) {
    assert.equal(mark(Number(ms)), want);
  }
});
