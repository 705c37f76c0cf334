/** @import { State } from "../state.js" */
/** @import { Act } from "../app.js" */

import { html, nothing } from "../lib/lit-html/lit-html.js";
import { length } from "../format.js";

/** The mark of the page. */
export const logo = html`<svg class="logo" viewBox="0 0 20 20" aria-hidden="true"><rect x="1" y="3" width="9" height="3.6" rx="1.8" fill="currentColor" opacity=".45"></rect><rect x="6" y="8.2" width="10" height="3.6" rx="1.8" fill="currentColor" opacity=".7"></rect><rect x="11" y="13.4" width="8" height="3.6" rx="1.8" fill="currentColor"></rect></svg>`;

/**
 * The process, the state of the connection, and the buttons of the page.
 * @param {Readonly<State>} s with a snapshot
 * @param {Act} act
 */
export function header(s, act) {
  if (!s.snap) return nothing;
  const { service, now } = s.snap;
  const about = [service.instance, "up " + length(now - service.started), service.version].filter(Boolean).join(" · ");
  return html`<header>
    <h1>${logo}
      <span class="name">${service.name}</span></h1>
    <span class="soft hide">${about}</span><span class="grow"></span>${pill(s)}
    <button class="btn" @click=${act.pause} aria-pressed=${s.paused}>${s.paused ? "Resume" : "Pause"} <kbd class="hide">p</kbd></button>
    <button class="btn" id="theme" @click=${act.theme}><span aria-hidden="true">◐</span><span class="word"> Theme <kbd class="hide">t</kbd></span></button>
    ${service.metrics ? html`<nav aria-label="Other pages" class="hide"><a href="metrics">Metrics</a><a href="healthz">Health</a></nav>` : nothing}
  </header>`;
}

/** @param {Readonly<State>} s */
function pill(s) {
  const mark = (/** @type {string} */ look, /** @type {string} */ icon, /** @type {string} */ word, title = "") =>
    html`<span class="pill ${look}" id="link" title=${title}><span class=${look === "ok" ? "beat" : ""} aria-hidden="true">${icon}</span> ${word}</span>`;
  if (s.link === "lost") return mark("bad", "▲", "Disconnected");
  if (s.paused) return mark("off", "‖", "Paused");
  if (s.link === "polled") return mark("warn", "●", "Every 5 s", "The process has no stream left, so this page asks it every 5 s.");
  return s.link === "live" ? mark("ok", "●", "Live") : mark("off", "○", "Connecting");
}

/**
 * Says that the process does not answer.
 * @param {Readonly<State>} s
 */
export const lost = s => s.link !== "lost" ? nothing : html`<div class="lost" role="alert">
  ${s.why || "No answer from the process"} for <span class="nw">${length(s.clock - s.heard)}</span>.
  ${s.snap ? "What you see is from then; trying" : "Trying"} again every few seconds.</div>`;
