// What the page shows, kept in its address, so that a view can be sent to somebody and reloaded.

import { addDays, daysIn, today } from "./dates.js";

const LENGTHS = { yesterday: 1, "7d": 7, "28d": 28 };
const MAX_HOUR_DAYS = 14;
const GRAINS = ["day", "hour", "week", "month"];

/** The state of the address, filled up from the facts (stores, freshness). */
export function readState(facts) {
  const query = new URLSearchParams(location.search);
  const known = facts.stores.map((store) => store.store_id);
  const store = known.includes(query.get("store")) ? query.get("store") : "";
  const currencies = [...new Set(facts.stores.map((each) => each.currency))].sort();
  const state = {
    store,
    currencies,
    currency: currencies.includes(query.get("currency")) ? query.get("currency") : commonest(facts.stores),
    preset: query.get("range") in LENGTHS ? query.get("range") : "",
    first: query.get("from"),
    last: query.get("to"),
    grain: GRAINS.includes(query.get("grain")) ? query.get("grain") : "day",
    against: query.get("against") === "year" ? "year" : "previous",
    metric: query.get("metric") === "net_sales_amount" ? "net_sales_amount" : "footfall",
  };
  if (store) state.currency = facts.stores.find((each) => each.store_id === store).currency;
  if (!isDate(state.first) || !isDate(state.last)) state.preset ||= "7d";
  return settle(state, facts);
}

/** Presets end at the last whole day there are figures for. */
export function anchor(facts) {
  const now = today(facts.stores[0]?.timezone ?? "UTC");
  const yesterday = addDays(now, -1);
  const latest = facts.freshness.last_date ?? yesterday;
  return { date: latest < yesterday ? latest : yesterday, isYesterday: latest >= yesterday };
}

/** A state that holds together: preset to dates, no hours over too many days. */
export function settle(state, facts) {
  const settled = { ...state };
  if (settled.preset) {
    settled.last = anchor(facts).date;
    settled.first = addDays(settled.last, 1 - LENGTHS[settled.preset]);
  }
  settled.hoursAllowed = daysIn(settled.first, settled.last) <= MAX_HOUR_DAYS;
  if (!settled.hoursAllowed && settled.grain === "hour") settled.grain = "day";
  return settled;
}

export function writeState(state) {
  const query = new URLSearchParams();
  if (state.store) query.set("store", state.store);
  if (!state.store && state.currencies.length > 1) query.set("currency", state.currency);
  if (state.preset) query.set("range", state.preset);
  else {
    query.set("from", state.first);
    query.set("to", state.last);
  }
  if (state.grain !== "day") query.set("grain", state.grain);
  if (state.against === "year") query.set("against", "year");
  if (state.metric !== "footfall") query.set("metric", state.metric);
  history.pushState(null, "", `?${query}`);
}

const isDate = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text));

function commonest(stores) {
  const tally = {};
  for (const store of stores) tally[store.currency] = (tally[store.currency] ?? 0) + 1;
  return Object.keys(tally).sort((a, b) => tally[b] - tally[a])[0] ?? "";
}
