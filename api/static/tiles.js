// The headline: four figures, each with its change and what is wrong with it; and the others, small.

import { besideLines } from "./beside.js";
import { explainButton } from "./definitions.js";
import { el } from "./dom.js";
import { change, count, figure, ofSameStores, say, sides, word } from "./format.js";
import { coverageRemark, estimatedMore } from "./quality.js";

const WITH_COUNTERS = ["net_sales_amount", "footfall", "conversion_ratio", "atv_amount"];
const WITHOUT = ["net_sales_amount", "transactions", "atv_amount", "upt"];
/** Of stores that have what tells them: street counters, sales floors, cameras, exits. */
const OTHERS = [
  "passers_by", "capture_ratio", "sales_per_area_amount", "visits", "dwell_s", "dwell_median_s",
  "repeat_visitor_ratio", "occupancy", "occupancy_peak",
];
const COUNTED = ["footfall", "conversion_ratio"];

/** The tiles of a total; `before` is null where there is no full earlier period; `why` explains.
 * `benchmarks` are of the one store shown; none for several. */
export function tiles(facts, row, before, storeIds, why, benchmarks) {
  const hasCounters = row.coverage_ratio !== null || row.values.footfall !== null;
  const names = hasCounters ? WITH_COUNTERS : WITHOUT;
  return names.map((name) => tile(facts, facts.kpis[name], row, before, storeIds, why, benchmarks));
}

/** The other figures that are known. */
export function otherTiles(facts, row, before, storeIds, why, benchmarks) {
  const names = OTHERS.filter((name) => row.values[name] !== null);
  return names.map((name) => tile(facts, facts.kpis[name], row, before, storeIds, why, benchmarks));
}

function tile(facts, kpi, row, before, storeIds, why, benchmarks) {
  const value = row.values[kpi.name];
  const id = `tile-${kpi.name}`;
  return el("article", { class: "tile card", "aria-labelledby": id, "data-kpi": kpi.name },
    el("h2", {}, el("span", { id }, word(kpi.label)), explainButton(facts, kpi)),
    el("button", {
      type: "button", class: "value why", "data-value": value ?? "", title: value,
      "aria-haspopup": "dialog", "aria-description": say("why"), onclick: why(kpi.name, storeIds),
    }, figure(kpi, value, row.currency)),
    delta(kpi, row, before),
    besideLines(kpi, benchmarks.filter((each) => each.kpi === kpi.name)),
    remarks(facts, kpi, row, storeIds).map((text) => el("p", { class: "remark" }, text)),
  );
}

function delta(kpi, row, before) {
  if (before === null) return el("p", { class: "delta" }, say("no_previous"));
  const changed = change(kpi, ...sides(kpi.name, row, before));
  if (changed === null) return null;
  return el("p", { class: `delta ${changed.direction}` }, `${changed.text} ${ofSameStores(row)}`.trim());
}

function remarks(facts, kpi, row, storeIds) {
  const found = [];
  if (row.values[kpi.name] === null && !COUNTED.includes(kpi.name)) found.push(say("no_sales"));
  const uncovered = COUNTED.includes(kpi.name) ? coverageRemark(facts, row, storeIds) : null;
  if (uncovered) found.push(uncovered);
  else if (row.partial.includes(kpi.name)) found.push(say("partial"));
  const missed = kpi.name === "footfall" ? estimatedMore(row) : 0;
  if (missed > 0) found.push(say("estimated_more", { count: count(missed) }));
  if (row.mixed_definitions) found.push(say("definitions_changed"));
  return found;
}
