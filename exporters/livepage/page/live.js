// The connection to the process: a stream of snapshots, or polling if the process has no stream left.

/** @import { Action } from "./state.js" */

const RETRY = 3000; // ms after a failure
const POLL = 5000; // ms between two polls
const TRIES = 12; // polls before the stream is tried again
const QUIET = 10_000; // ms of silence after which a stream counts as dead

/**
 * Connects, and keeps connected while the tab is visible: a hidden one holds none of the few
 * connections that a browser has for a host.
 * @param {(a: Action) => void} dispatch
 */
export function connect(dispatch) {
  /** @type {EventSource | null} */
  let stream = null;
  let timer = 0;
  let polls = 0;
  let turn = 0; // of the connection: an answer to an earlier one is dropped

  const later = (/** @type {() => void} */ f, /** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(f, ms);
  };
  const lost = (why = "") => dispatch({ type: "link", link: "lost", at: Date.now(), why });

  function close() {
    turn++;
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  function open() {
    close();
    const own = new EventSource("live/events");
    stream = own;
    later(silent, QUIET);
    own.addEventListener("snapshot", event => {
      later(silent, QUIET);
      const snap = JSON.parse(event.data);
      if (!snap) return;
      dispatch({ type: "snapshot", snap, at: Date.now(), link: "live" });
    });
    own.onerror = () => {
      if (own !== stream) return;
      if (own.readyState === EventSource.CLOSED) poll(); // it was refused, and does not try again
      else lost();
    };
  }

  function silent() {
    lost();
    open();
  }

  async function poll() {
    close();
    const own = turn;
    let refused = "";
    try {
      const answer = await fetch("live/snapshot.json", { cache: "no-store", signal: AbortSignal.timeout(POLL) });
      if (!answer.ok) refused = `The process answers ${answer.status}`;
      else {
        const snap = await answer.json();
        if (own !== turn) return;
        dispatch({ type: "snapshot", snap, at: Date.now(), link: "polled" });
        polls = (polls + 1) % TRIES;
        return later(polls ? poll : open, POLL);
      }
    } catch {
      // No answer, or half of one.
    }
    if (own !== turn) return;
    lost(refused);
    later(open, RETRY);
  }

  const look = () => (document.hidden ? close() : stream ?? open());
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", close);
  addEventListener("pageshow", event => event.persisted && look());
  look();
}
