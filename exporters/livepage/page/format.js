// Functions that write figures. Amounts are nano-dollars, lengths milliseconds.

/** @import { Amount } from "./wire.d.ts" */

export const NONE = "–";

// Made once, since making a formatter takes far longer than using it.
const whole = new Intl.NumberFormat("en-US");
const money = (/** @type {number} */ most) => new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: most });
const cents = money(2);
const mills = money(3);
const fine = money(4);

/**
 * An amount, with more decimals the smaller it is. Null is an unknown cost, which is not $0.
 * @param {Amount | null | undefined} nano
 */
export function usd(nano) {
  if (nano == null) return "unpriced";
  const dollars = Math.abs(Number(nano)) / 1e9;
  const sign = Number(nano) < 0 ? "−" : "";
  if (dollars === 0) return "$0";
  if (dollars < 0.0001) return sign + "<$0.0001";
  return sign + "$" + (dollars >= 1 ? cents : dollars >= 0.1 ? mills : fine).format(dollars);
}

/**
 * An amount to the last nano-dollar, for a title.
 * @param {Amount | null | undefined} nano
 */
export function exact(nano) {
  if (nano == null) return "the cost is unknown";
  const digits = String(nano).replace("-", "").padStart(10, "0");
  const cents = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return (Number(nano) < 0 ? "−$" : "$") + digits.slice(0, -9) + "." + cents;
}

/**
 * The difference of two amounts, exactly.
 * @param {Amount} a
 * @param {Amount} b
 * @returns {Amount}
 */
export const minus = (a, b) => String(BigInt(a) - BigInt(b));

/**
 * a / b, at least 0, and 0 if b is not positive.
 * @param {Amount} a
 * @param {Amount} b
 */
export const part = (a, b) => (Number(b) > 0 ? Math.max(0, Number(a) / Number(b)) : 0);

/**
 * A length: 840 ms, 9.4 s, 42 s, 3 m 07 s, 2 h 05 m, 3 d 4 h. It is cut, not rounded: a second that is
 * not over does not count.
 * @param {number | null | undefined} ms
 */
export function length(ms) {
  if (ms == null || !isFinite(ms)) return NONE;
  if (ms < 0) ms = 0;
  if (ms < 1000) return Math.floor(ms) + " ms";
  if (ms < 10_000) return (Math.floor(ms / 100) / 10).toFixed(1) + " s";
  const s = Math.floor(ms / 1000);
  if (s < 60) return s + " s";
  const m = Math.floor(s / 60);
  if (m < 60) return m + " m " + two(s % 60) + " s";
  const h = Math.floor(m / 60);
  if (h < 48) return h + " h " + two(m % 60) + " m";
  return Math.floor(h / 24) + " d " + (h % 24) + " h";
}

/** @param {number} n */
const two = n => String(n).padStart(2, "0");

/**
 * An estimated length, rounded to what it is worth: 5 s below 90 s, 15 s below ten minutes, then 1 m.
 * @param {number | null | undefined} ms
 */
export function about(ms) {
  if (ms == null || !isFinite(ms)) return NONE;
  if (ms < 10_000) return "< 10 s";
  if (ms < 90_000) return Math.round(ms / 5000) * 5 + " s";
  const step = ms < 600_000 ? 15_000 : 60_000;
  return length(Math.round(ms / step) * step).replace(/ 00 [sm]$/, "");
}

/**
 * An estimate, marked as one.
 * @param {number} ms
 */
export const roughly = ms => about(ms).replace(/^(?!<)/, "≈ ");

/**
 * The range of an estimate.
 * @param {number} least
 * @param {number} most
 */
export const range = (least, most) => (about(least) === about(most) ? about(most) : `${about(least)} to ${about(most)}`);

/**
 * How long ago something was.
 * @param {number} now
 * @param {number | null | undefined} then
 */
export const ago = (now, then) => (then ? length(now - then) : NONE);

/**
 * A share in percent, as a number. Before the end it is at most 99. 0.57 is 57, not 56.99….
 * @param {number} share
 */
export const hundredths = share => Math.max(0, Math.min(99, Math.floor(share * 100 + 1e-9)));

/**
 * The same, as a text.
 * @param {number} share
 */
export const percent = share => hundredths(share) + " %";

/**
 * A figure with a fixed number of decimals and a true minus.
 * @param {number | null | undefined} n
 * @param {number} [decimals]
 */
export const fixed = (n, decimals = 1) => (n == null || !isFinite(n) ? NONE : n.toFixed(decimals).replace("-", "−"));

/**
 * A speed, or a multiple of the usual: 13.2×.
 * @param {number | null | undefined} n
 */
export const times = (n, decimals = 1) => (n == null || !isFinite(n) ? NONE : (n < 100 ? fixed(n, decimals) : count(Math.round(n))) + "×");

/** @param {number} n */
export const count = n => whole.format(n);

/**
 * A number and what it counts: 1 call, 2 calls.
 * @param {number} n
 * @param {string} noun
 */
export const many = (n, noun) => count(n) + " " + noun + (n === 1 ? "" : "s");
