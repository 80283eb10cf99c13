// Asking the API. Every failure becomes a Problem that says what, where and how to mend it.

import { addDays, before, daysIn } from "./dates.js";
import { say } from "./format.js";

export class Problem extends Error {
  constructor(body) {
    super(body.what);
    this.remedy = body.remedy;
  }
}

async function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) query.append(name, one);
  }
  let response;
  try {
    response = await fetch(`${path}?${query}`);
  } catch (error) {
    throw new Problem({ what: say("error_title"), remedy: String(error.message) });
  }
  if (response.status === 401) location.assign("/login");
  const body = await response.json();
  if (!response.ok) throw new Problem(body);
  return body;
}

export const loadFreshness = () => ask("/v1/freshness");
export const loadReceipts = async () => (await ask("/v1/receipts", { limit: 10 })).receipts;

export const loadExplanation = (asked) => ask("/v1/explain", asked);
export const loadSources = (asked) => ask("/v1/sources", asked);

/** What the page needs to know once: stores, definitions, freshness. */
export async function loadFacts() {
  const [stores, definitions, freshness] = await Promise.all([
    ask("/v1/stores"), ask("/v1/definitions"), loadFreshness(),
  ]);
  const byName = (found) => Object.fromEntries(found.map((kpi) => [kpi.name, kpi]));
  const [kpis, zoneKpis] = [byName(definitions.kpis), byName(definitions.zone_kpis)];
  return { stores: stores.stores, kpis, zoneKpis, version: definitions.version, freshness };
}

/** The query of the CSV download and of the figures themselves. */
export function parameters(state, more) {
  const query = { from: state.first, to: state.last, ...more };
  if (state.store) query.store = state.store;
  return query;
}

const MAX_BUSY_DAYS = 400;

/** The figures of a state: totals now and before, by store, by day and by hour. */
export async function loadFigures(state) {
  const base = before(state.first, state.last, state.against);
  const earlier = { ...state, ...base };
  const byPeriod = state.grain === "week" || state.grain === "month";
  // Against a year before the API tells both sides of the stores that were there in both.
  const sameStores = state.against === "year" ? { compare: "year" } : {};
  const get = (of, more) => ask("/v1/kpis", parameters(of, more));
  const [total, totalBefore, stores, storesBefore, days, hours, periods, holidays, zones, benchmarks, busy] = await Promise.all([
    get(state, { grain: "total", ...sameStores }),
    get(earlier, { grain: "total" }),
    get(state, { grain: "total", by: "store", ...sameStores }),
    get(earlier, { grain: "total", by: "store" }),
    get(state, { grain: "day" }),
    hourRows(state, get),
    byPeriod ? get(state, { grain: state.grain }) : null,
    ask("/v1/holidays", { from: state.first, to: state.last }),
    ask("/v1/zones", parameters(state, { grain: "total" })),
    loadBenchmarks(state),
    daysIn(state.first, state.last) <= MAX_BUSY_DAYS
      ? ask("/v1/busy-hours", parameters(state, { grain: "total" })) : { rows: [] },
  ]);
  const mine = (answer) => answer.rows.filter((row) => row.currency === state.currency);
  return {
    before: base,
    total: mine(total)[0] ?? null,
    totalBefore: mine(totalBefore)[0] ?? null,
    stores: mine(stores),
    storesBefore: new Map(mine(storesBefore).map((row) => [row.store_id, row])),
    days: mine(days),
    hours: mine(hours),
    periods: periods && mine(periods),
    zones: zones.rows,
    benchmarks,
    busy: busy.rows[0] ?? null,
    holidays: new Map(holidays.holidays.map((holiday) => [holiday.date, holiday.name])),
  };
}

/** What stores like the one shown reach; that it cannot be had hides no figure. */
async function loadBenchmarks(state) {
  if (!state.store) return [];
  try {
    return (await ask("/v1/benchmarks", parameters(state))).benchmarks;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [];
  }
}

/** Hours of the newest days of a long range: the API limits how many it gives. */
function hourRows(state, get) {
  const earliest = addDays(state.last, -97);
  const first = state.first > earliest ? state.first : earliest;
  return get({ ...state, first }, { grain: "hour" });
}

const PAST_DAYS = 28;

/** Targets, forecasts and clusters, and the days before the forecast: of a store, or of all. */
export async function loadModels(state) {
  const store = state.store ? { store: state.store } : {};
  const [targets, forecasts, clusters, nowcast] = await Promise.all(
    ["targets", "forecasts", "clusters", "nowcast"].map((name) => ask(`/v1/${name}`, store)));
  const run = targets.runs.find((each) => each.currency === state.currency);
  const past = run ? await ask("/v1/kpis", {
    from: addDays(run.as_of_date, 1 - PAST_DAYS), to: run.as_of_date, grain: "day", ...store,
  }) : { rows: [] };
  return {
    runs: targets.runs,
    targets: targets.targets,
    days: forecasts.days,
    clusters: clusters.clusters,
    leftOut: clusters.left_out,
    today: nowcast.stores,
    past: past.rows.filter((row) => row.currency === state.currency),
  };
}
