import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as format from "../format.js";

// The tests of `stagemeter top` and of the video editor of the examples read the same table.
const shared = JSON.parse(readFileSync(new URL("../../testdata/figures.json", import.meta.url), "utf8"));

/**
 * @param {string} name
 * @param {[args: unknown[], want: unknown][]} rows
 */
function table(name, rows) {
  test(name, () => {
    for (const [args, want] of rows) assert.equal(format[name](...args), want, `${name}(${args.map(String).join(", ")})`);
  });
}

for (const name in shared) table(name, shared[name]);

table("usd", [[[undefined], "unpriced"]]);

table("exact", [
  [[0], "$0.00"],
  [[1], "$0.000000001"],
  [[61_200_000], "$0.0612"],
  [[2_000_000_000], "$2.00"],
  [[-1_500_000_000], "−$1.50"],
  [["9223372036854775807"], "$9223372036.854775807"],
  [[null], "the cost is unknown"],
]);

table("length", [
  [[999.9], "999 ms"],
  [[null], "–"],
  [[NaN], "–"],
  [[Infinity], "–"],
]);

table("about", [
  [[null], "–"],
  [[NaN], "–"],
]);

table("ago", [
  [[10_000, 4_000], "6.0 s"],
  [[10_000, 12_000], "0 ms"],
  [[10_000, 0], "–"],
  [[10_000, undefined], "–"],
]);

table("fixed", [
  [[14.25], "14.3"],
  [[-2.04], "−2.0"],
  [[0.917, 2], "0.92"],
  [[null], "–"],
  [[NaN], "–"],
]);

table("times", [
  [[0.836, 2], "0.84×"],
  [[undefined], "–"],
]);
