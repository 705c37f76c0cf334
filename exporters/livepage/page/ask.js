// Requests for what snapshots lack: the run in the drawer if it is not among the rows that are sent,
// and the jobs that a filter finds beyond them.

/** @import { Action, State } from "./state.js" */
/** @import { Answer, Snapshot } from "./wire.d.ts" */

import { opened } from "./state.js";

const PACE = 2000; // ms between two equal requests
const TYPING = 250; // ms without a key before a filter is sent

/**
 * Returns a function to call after each change of the state.
 * @param {(a: Action) => void} dispatch
 */
export function asker(dispatch) {
  const job = paced();
  const filter = paced();
  let timer = 0;
  return (/** @type {Readonly<State>} */ s) => {
    if (s.paused || s.link === "lost" || !s.snap) return;
    const { open, filter: text, snap } = s;
    const listed = [...snap.jobs, ...snap.finished].some(j => j.run === open);
    const known = opened(s);
    if (open && !listed && known !== null && !known?.end && job(open)) {
      ask(`live/job.json?run=${encodeURIComponent(open)}`)
        .then(answer => dispatch({ type: "asked", run: open, job: answer ? /** @type {Answer} */ (answer).job : null }))
        .catch(() => {}); // the stream shows that the connection is lost
    }
    clearTimeout(timer);
    if (text && snap.running > snap.jobs.length) {
      timer = setTimeout(() => {
        if (!filter(text)) return;
        ask(`live/snapshot.json?match=${encodeURIComponent(text)}`)
          .then(answer => answer && dispatch({ type: "found", text, snap: /** @type {Snapshot} */ (answer) }))
          .catch(() => {});
      }, TYPING);
    }
  };
}

/** Returns a function that reports whether to send a request: an equal one only after PACE. */
function paced() {
  let last = "";
  let at = 0;
  return (/** @type {string} */ question) => {
    if (question === last && Date.now() - at < PACE) return false;
    last = question;
    at = Date.now();
    return true;
  };
}

/**
 * Returns the answer, or null if the process does not know what was asked for.
 * @param {string} url
 * @returns {Promise<unknown>}
 */
async function ask(url) {
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (answer.status === 404 || answer.status === 400) return null;
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}
