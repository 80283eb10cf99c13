// The zones of stores: who comes there, and who stays.

import { explainButton } from "./definitions.js";
import { el } from "./dom.js";
import { figure, say, word } from "./format.js";

/** A table of zones, the most visited first; with the store's name where several are shown. */
export function zoneTable(facts, zones, state) {
  const kpis = Object.values(facts.zoneKpis);
  const names = new Map(facts.stores.map((store) => [store.store_id, store.name]));
  const shown = (zone) => (state.store ? zone.zone_id
    : `${names.get(zone.store_id) ?? zone.store_id} · ${zone.zone_id}`);
  const sorted = [...zones].sort((a, b) => b.values.zone_visitors - a.values.zone_visitors);
  return el("table", { class: "figures" },
    el("caption", { class: "visually-hidden" }, say("zones_title")),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("zone")),
      kpis.map((kpi) => el("th", { scope: "col" },
        el("span", { class: "head" }, explainButton(facts, kpi), word(kpi.label)))))),
    el("tbody", {}, sorted.map((zone) => el("tr", { "data-zone": zone.zone_id },
      el("th", { scope: "row" }, shown(zone)),
      kpis.map((kpi) => el("td", { "data-kpi": kpi.name, title: zone.values[kpi.name] },
        figure(kpi, zone.values[kpi.name])))))));
}
