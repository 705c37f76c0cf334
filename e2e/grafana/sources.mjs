// sources.mjs <folder of dashboards> <folder to write>: makes of every dashboard a TypeScript source that holds it
// against the types, and of one of them copies that are broken in one place each, which the types have to refuse.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error("usage: sources.mjs <folder of dashboards> <folder to write>");
  process.exit(2);
}

const source = (dashboard) =>
  [
    'import type { Dashboard } from "./dashboard";',
    `export default ${JSON.stringify(dashboard, null, 2)} satisfies Dashboard;`,
    "",
  ].join("\n");

const panel = (dashboard, type) => dashboard.panels.find((p) => p.type === type);

// Each makes of a good dashboard one that Grafana would not understand.
const broken = {
  "key-of-dashboard": (d) => (d.graphTooltips = 1),
  "value-of-dashboard": (d) => (d.graphTooltip = 7),
  "key-of-panel": (d) => (panel(d, "gauge").titel = "Jobs"),
  "type-of-panel": (d) => (panel(d, "timeseries").type = "graf"),
  "key-of-options": (d) => (panel(d, "heatmap").options.colour = {}),
  "value-of-options": (d) => (panel(d, "timeseries").options.legend.displayMode = "tabel"),
  "value-of-custom": (d) => (panel(d, "timeseries").fieldConfig.defaults.custom.drawStyle = "lines"),
  "value-of-thresholds": (d) => (panel(d, "stat").fieldConfig.defaults.thresholds.mode = "relative"),
  "no-unit": (d) => delete panel(d, "stat").fieldConfig.defaults.unit,
  "key-of-target": (d) => (panel(d, "stat").targets[0].expression = "up"),
  "value-of-target": (d) => (panel(d, "heatmap").targets[0].format = "heat"),
  "value-of-variable": (d) => (d.templating.list[0].type = "source"),
  "key-of-annotation": (d) => (d.annotations.list[0].enabled = true),
};

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const names = readdirSync(from).filter((name) => name.endsWith(".json")).sort();
if (names.length === 0) {
  console.error(`no dashboards in ${from}`);
  process.exit(1);
}
const read = (name) => JSON.parse(readFileSync(join(from, name), "utf8"));
for (const name of names) {
  writeFileSync(join(to, name.replace(/\.json$/, ".ts")), source(read(name)));
}

// One panel of each kind is enough to break.
const kinds = ["row", "gauge", "heatmap", "stat", "timeseries"];
const whole = names.map(read).find((d) => kinds.every((type) => panel(d, type)));
whole.panels = kinds.map((type) => panel(whole, type));
writeFileSync(join(to, "whole.ts"), source(whole));
for (const [name, breakIt] of Object.entries(broken)) {
  const copy = structuredClone(whole);
  breakIt(copy);
  writeFileSync(join(to, `broken-${name}.ts`), source(copy));
}
