// The page: each action changes the state, and the state is drawn.

/** @import { Action, Only, State } from "./state.js" */

import { html, nothing, render } from "./lib/lit-html/lit-html.js";
import { asker } from "./ask.js";
import { connect } from "./live.js";
import { initial, needy, opened, reduce, rows, VERSION } from "./state.js";
import { apis } from "./panels/apis.js";
import { attention } from "./panels/attention.js";
import { drawer } from "./panels/drawer.js";
import { errors } from "./panels/errors.js";
import { figures } from "./panels/figures.js";
import { finished } from "./panels/finished.js";
import { header, lost } from "./panels/header.js";
import { highlights } from "./panels/highlights.js";
import { jobs } from "./panels/jobs.js";
import { loudness } from "./panels/loudness.js";
import { pools } from "./panels/pools.js";
import { processes } from "./panels/processes.js";
import { copy, storedTheme, turnTheme } from "./browser.js";

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("drawer"));
const say = /** @type {HTMLElement} */ (document.getElementById("say"));

let state = initial;
let due = false;

/** @param {Action} action */
export function dispatch(action) {
  state = reduce(state, action);
  ask(state);
  if (due) return;
  due = true;
  queueMicrotask(draw);
}

const ask = asker(dispatch);

/**
 * What the panels can do.
 * @typedef {typeof act} Act
 */
const act = {
  open: (/** @type {string} */ run) => dispatch({ type: "open", run }),
  close: () => dialog.close(),
  pause: () => dispatch({ type: "pause" }),
  theme: turnTheme,
  filter: (/** @type {string} */ text) => dispatch({ type: "filter", text }),
  only: (/** @type {Only} */ only) => dispatch({ type: "only", only }),
  copy: async (/** @type {string} */ text) => {
    if (!await copy(text, dialog)) return;
    dispatch({ type: "copied", text });
    setTimeout(() => state.copied === text && dispatch({ type: "copied", text: "" }), 2000);
  },
};

function draw() {
  due = false;
  const { snap } = state;
  if (!snap) {
    render(html`${lost(state)}<main id="main"><h1 class="card empty">Connecting…</h1></main>`, app);
    return;
  }
  if (snap.v !== VERSION) {
    render(html`<main id="main"><h1 class="card empty">Reload this page: it is older than the process.</h1></main>`, app);
    return;
  }
  render(html`${header(state, act)}${lost(state)}
    <main id="main">
      ${figures(snap)}${attention(snap, act)}${jobs(state, act)}
      <div class="two">
        <div class="stack">${finished(snap, act)}${apis(snap)}</div>
        <div class="stack">${loudness(snap)}${highlights(snap)}</div>
      </div>
      <div class="three">${errors(snap)}${processes(snap, act)}${pools(snap)}</div>
    </main>
    <footer>Shows only this process, from its memory. Prometheus has the figures of a whole fleet. The same as
      <a href="live/snapshot.json">JSON</a>. Keys: <kbd>/</kbd> filter, <kbd>j</kbd> <kbd>k</kbd> move,
      <kbd>Enter</kbd> open, <kbd>Esc</kbd> close, <kbd>p</kbd> pause, <kbd>t</kbd> theme.</footer>`, app);
  render(state.open ? drawer(state, opened(state), act) : nothing, dialog);
  if (state.open && !dialog.open) dialog.showModal();
  if (say.textContent !== state.say) say.textContent = state.say;
  const n = needy(snap);
  document.title = `${n ? `(${n}!) ` : ""}${snap.running} running · ${snap.service.name}`;
  writeHash();
}

// The hash of the address names what is shown, so that a link opens the same.

function readHash() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const run = hash.get("job") ?? "";
  if (run !== state.open) {
    if (run) dispatch({ type: "open", run, start: Number(hash.get("of")) || 0 });
    else if (dialog.open) dialog.close();
  }
  const text = hash.get("filter") ?? "";
  if (text !== state.filter) dispatch({ type: "filter", text });
  const only = hash.get("only") ?? "all";
  if (only !== state.only && (only === "all" || only === "stalled" || only === "overdue" || only === "budget")) dispatch({ type: "only", only });
}

function writeHash() {
  const hash = new URLSearchParams();
  if (state.open) {
    hash.set("job", state.open);
    hash.set("of", String(state.start || state.snap?.service.started || 0));
  }
  if (state.filter) hash.set("filter", state.filter);
  if (state.only !== "all") hash.set("only", state.only);
  const text = hash.size ? "#" + hash : "";
  if (text !== location.hash) history.replaceState(null, "", location.pathname + location.search + text);
}

dialog.addEventListener("close", () => dispatch({ type: "close" }));
dialog.addEventListener("click", event => event.target === dialog && dialog.close()); // beside the drawer

addEventListener("keydown", event => {
  const at = /** @type {HTMLElement} */ (event.target);
  if (at.matches("input")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !state.snap || state.open) return;
  switch (event.key) {
    case "/":
      event.preventDefault();
      return document.getElementById("filter")?.focus();
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case "p":
      return act.pause();
    case "t":
      return act.theme();
    case "Enter": {
      if (at !== document.body) return; // a button, which handles Enter itself
      const list = rows(state);
      const job = list.find(j => j.run === state.selected) ?? list[0];
      if (!job) return;
      event.preventDefault();
      return act.open(job.run);
    }
  }
});

/** @param {number} by */
function move(by) {
  dispatch({ type: "move", by });
  queueMicrotask(() => document.querySelector(".jobs .sel")?.scrollIntoView({ block: "nearest" }));
}

addEventListener("hashchange", readHash);
setInterval(() => state.link === "lost" && dispatch({ type: "clock", at: Date.now() }), 1000);
storedTheme();
readHash();
draw();
connect(dispatch);
