// What is missing, late or partial, said in place.

import { el } from "./dom.js";
import { open } from "./definitions.js";
import { ago, coverage, day, moment, say } from "./format.js";

const WHOLE = 0.995;

/** Counters of these stores that have fallen silent. */
export function silentDevices(facts, storeIds) {
  return facts.freshness.devices.filter(
    (device) => device.is_silent && (!storeIds || storeIds.includes(device.store_id)),
  );
}

/** Why footfall is not whole, or null where it is: "Coverage 86%: door counter silent". */
export function coverageRemark(facts, row, storeIds) {
  if (row.coverage_ratio === null || Number(row.coverage_ratio) >= WHOLE) return null;
  const ratio = coverage(row.coverage_ratio);
  return say("coverage_because", { ratio, reason: reasonOf(facts, storeIds) });
}

/** How many more people silent counters are taken to have missed; 0 where it is not known of all. */
export function estimatedMore(row) {
  const { footfall, footfall_filled: filled } = row.values;
  if (footfall === null || filled == null || row.partial.includes("footfall_filled")) return 0;
  return Number(filled) - Number(footfall);
}

/** What is wrong with the counters of these stores. */
export const reasonOf = (facts, storeIds) => reason(silentDevices(facts, storeIds).length);

function reason(silent) {
  if (silent === 0) return say("counter_missed");
  return silent === 1 ? say("counter_silent") : say("counters_silent", { count: silent });
}

/** How new the figures are, and which counters are silent. */
export function freshnessLine(facts, state) {
  const { freshness } = facts;
  const parts = [];
  if (freshness.last_date) {
    parts.push(el("span", {}, say("figures_to", { date: day(freshness.last_date, "full") })));
  }
  if (freshness.computed_at) {
    const when = { ago: ago(freshness.computed_at) };
    parts.push(el("time", { datetime: freshness.computed_at }, say("computed", when)));
  }
  const silent = silentDevices(facts, state.store ? [state.store] : null);
  if (silent.length) parts.push(silentButton(facts, silent));
  return parts;
}

function silentButton(facts, silent) {
  const names = new Map(facts.stores.map((store) => [store.store_id, store.name]));
  const content = () => [
    el("h3", { id: "definition-title" }, say("devices_silent_title")),
    el("ul", {}, silent.map((device) => el("li", {},
      `${names.get(device.store_id) ?? device.store_id} · ${device.device_id} · `,
      device.last_interval_end_at
        ? say("device_last", { when: moment(device.last_interval_end_at) })
        : say("device_never")))),
  ];
  return el("button", {
    type: "button", class: "warn", "aria-haspopup": "dialog",
    onclick: (event) => open(event.currentTarget, content()),
  }, `⚠ ${reason(silent.length)}`);
}
