// The report: one file about the jobs of a run. The file contains their data.

/** @import { Snapshot } from "./wire.d.ts" */

import { render } from "./lib/lit-html/lit-html.js";
import { runOf, unfolded } from "./report-run.js";
import { report } from "./report-page.js";
import { storedTheme, turnTheme } from "./browser.js";

const app = document.createElement("div");
/** @type {Snapshot} */
const snap = JSON.parse(document.getElementById("data")?.textContent ?? "");
const run = runOf(snap);
const open = new Set(unfolded(run.jobs));
let printing = false;

/**
 * The actions of the report.
 * @typedef {typeof act} ReportAct
 */
const act = {
  theme: turnTheme,
  open: (/** @type {string} */ run) => {
    location.hash = "job-" + run;
    reveal();
  },
  unfold: (/** @type {boolean} */ all) => {
    open.clear();
    if (all) for (const j of run.jobs) open.add(j.run);
    draw();
  },
  toggled: (/** @type {string} */ run, /** @type {boolean} */ is) => {
    if (printing || is === open.has(run)) return;
    if (is) open.add(run);
    else open.delete(run);
    draw();
  },
};

function draw() {
  render(report(snap, run, printing ? new Set(run.jobs.map(j => j.run)) : open, act), app);
}

/** Shows the job that the address names. */
function reveal() {
  const name = location.hash.slice(1);
  if (!run.jobs.some(j => name === "job-" + j.run)) return;
  open.add(name.slice("job-".length));
  draw();
  const job = document.getElementById(name);
  job?.scrollIntoView();
  job?.querySelector("summary")?.focus({ preventScroll: true });
}

/** @param {boolean} is */
function print(is) {
  printing = is;
  draw();
}

addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
storedTheme();
draw();
document.getElementById("app")?.replaceWith(app); // only now: the table stays where no script runs
reveal();
