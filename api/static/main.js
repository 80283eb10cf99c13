// The dashboard: reads the address, asks the API, shows the answer, listens.

import { drawChart } from "./chart.js";
import { Problem, loadFacts, loadFigures, loadFreshness, loadReceipts, parameters } from "./data.js";
import { addDays, before } from "./dates.js";
import { deliveries, deliveriesProblem } from "./deliveries.js";
import { byId, el, show } from "./dom.js";
import { explain } from "./explain.js";
import { range, say, word } from "./format.js";
import { heatmap } from "./heatmap.js";
import { showModels, showOutlook } from "./models.js";
import { freshnessLine } from "./quality.js";
import { anchor, readState, settle, writeState } from "./state.js";
import { seriesTable, storeTable } from "./table.js";
import { otherTiles, tiles } from "./tiles.js";
import { zoneTable } from "./zones.js";

const REFRESH_MS = 15_000;
const RESIZE_MS = 150;

let facts = null;
let state = null;
let figures = null;
let turn = 0;

async function start() {
  showDeliveries();
  try {
    facts = await loadFacts();
  } catch (error) {
    showProblem(error, start);
    return;
  }
  listen();
  state = readState(facts);
  await load();
}

/** Load and show the state; a slower answer to an older wish is dropped. */
async function load() {
  const mine = ++turn;
  byId("figures").setAttribute("aria-busy", "true");
  byId("problem").hidden = true;
  showControls();
  try {
    const answer = await loadFigures(state);
    if (mine !== turn) return;
    figures = answer;
    await render();
    byId("status").textContent = say("now_showing");
    showModels(facts, state, (store) => change({ store }));
  } catch (error) {
    if (mine === turn) showProblem(error, load);
  } finally {
    if (mine === turn) byId("figures").setAttribute("aria-busy", "false");
  }
}

function change(wish) {
  state = settle({ ...state, ...wish }, facts);
  if (state.store) state.currency = facts.stores.find((each) => each.store_id === state.store).currency;
  writeState(state);
  load();
}

async function render() {
  const isEmpty = figures.total === null;
  byId("content").hidden = isEmpty;
  byId("empty").hidden = !isEmpty;
  if (isEmpty) {
    showEmpty();
    return;
  }
  const { first_date: firstDate } = facts.freshness;
  const comparable = figures.totalBefore !== null && figures.before.first >= firstDate;
  const caption = say("stores_caption", { range: range(state.first, state.last) });
  const shown = [
    facts, figures.total, comparable ? figures.totalBefore : null, state.store ? [state.store] : null, why,
    figures.benchmarks];
  show(byId("tiles"), ...tiles(...shown));
  const others = otherTiles(...shown);
  byId("other-tiles").hidden = others.length === 0;
  show(byId("other-tiles"), ...others);
  byId("zones-card").hidden = figures.zones.length === 0;
  show(byId("zones"), zoneTable(facts, figures.zones, state));
  show(byId("stores"), storeTable(facts, figures, comparable, caption, (store) => change({ store }), why));
  showHeat();
  await showChart();
}

/** What is pressed to learn why a figure of these stores (null: all that are shown) is what it is. */
const why = (name, storeIds) => (event) =>
  explain(event.currentTarget, facts, state, name, storeIds);

function showHeat() {
  const known = ["footfall", "net_sales_amount"].filter(
    (name) => figures.hours.some((row) => row.values[name] !== null));
  const metric = known.includes(state.metric) ? state.metric : known[0] ?? state.metric;
  show(byId("metrics"), ...known.map((name) => el("button", {
    type: "button", "aria-pressed": String(name === metric), "data-metric": name,
    onclick: () => {
      state.metric = name;
      writeState(state);
      showHeat();
    },
  }, word(facts.kpis[name].label))));
  const { nodes, dense } = heatmap(facts, figures, { ...state, metric });
  byId("heat").classList.toggle("dense", dense);
  show(byId("heat"), ...nodes);
}

async function showChart() {
  const hasFootfall = figures.days.some((row) => row.values.footfall !== null);
  byId("chart-title").textContent = hasFootfall
    ? say("sales_title") : word(facts.kpis.net_sales_amount.label);
  await drawChart(byId("chart"), facts, figures, state);
  const rows = state.grain === "hour" ? figures.hours : figures.periods ?? figures.days;
  show(byId("chart-table"), seriesTable(facts, rows, say("sales_title")));
}

function showControls() {
  const store = facts.stores.find((each) => each.store_id === state.store);
  byId("title").textContent = store?.name ?? say("all_stores");
  const base = before(state.first, state.last, state.against);
  byId("range").textContent = `${range(state.first, state.last)} · `
    + say("compared_with", { range: range(base.first, base.last) });
  byId("against").value = state.against;
  byId("store").value = state.store;
  byId("currency-field").hidden = state.currencies.length < 2 || state.store !== "";
  byId("currency").value = state.currency;
  byId("from").value = state.first;
  byId("to").value = state.last;
  for (const button of byId("presets").children) {
    button.setAttribute("aria-pressed", String(button.dataset.preset === state.preset));
  }
  for (const button of byId("grains").children) {
    button.setAttribute("aria-pressed", String(button.dataset.grain === state.grain));
    button.disabled = button.dataset.grain === "hour" && !state.hoursAllowed;
    button.title = button.disabled ? say("hour_too_long") : "";
  }
  const download = parameters(state, { grain: state.grain, by: "store", format: "csv" });
  byId("csv").href = `/v1/kpis?${new URLSearchParams(download)}`;
  for (const link of document.querySelectorAll("[data-lang]")) {
    const query = new URLSearchParams(location.search);
    query.set("lang", link.dataset.lang);
    link.href = `?${query}`;
  }
  show(byId("freshness"), ...freshnessLine(facts, state));
}

function showEmpty() {
  const latest = facts.freshness.last_date;
  const days = { range: range(state.first, state.last) };
  show(byId("empty"),
    el("h2", {}, say("empty_title")),
    el("p", { class: "quiet" }, latest ? say("empty_text", days) : say("empty_text_never")),
    latest ? el("button", {
      type: "button", class: "primary",
      onclick: () => change({ preset: "", last: latest, first: addDays(latest, -6), store: "" }),
    }, say("empty_action")) : null);
}

function showProblem(error, retry) {
  if (!(error instanceof Problem)) console.error(error);
  byId("figures").setAttribute("aria-busy", "false");
  byId("content").hidden = figures === null;
  byId("problem").hidden = false;
  show(byId("problem"),
    el("h2", {}, say("error_title")),
    el("p", {}, error.message), error.remedy ? el("p", { class: "quiet" }, error.remedy) : null,
    el("button", { type: "button", class: "primary", onclick: () => { byId("problem").hidden = true; retry(); } },
      say("error_retry")));
}

function listen() {
  byId("store").append(...facts.stores.map((each) => el("option", { value: each.store_id }, each.name)));
  const currencies = [...new Set(facts.stores.map((each) => each.currency))].sort();
  byId("currency").append(...currencies.map((code) => el("option", { value: code }, code)));
  if (!anchor(facts).isYesterday) byId("presets").children[0].textContent = say("latest_day");
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("store").addEventListener("change", (event) => change({ store: event.target.value }));
  byId("currency").addEventListener("change", (event) => change({ currency: event.target.value }));
  byId("against").addEventListener("change", (event) => change({ against: event.target.value }));
  byId("presets").addEventListener("click", (event) => {
    const { preset } = event.target.dataset;
    if (preset) change({ preset });
  });
  byId("grains").addEventListener("click", (event) => {
    const { grain } = event.target.dataset;
    if (grain) change({ grain });
  });
  for (const id of ["from", "to"]) byId(id).addEventListener("change", chooseDates);
  addEventListener("popstate", () => {
    state = readState(facts);
    load();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (figures?.total) render();
    showOutlook();
  });
  let resized = 0;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => {
      if (figures?.total) showChart();
      showOutlook();
    }, RESIZE_MS);
  });
  setInterval(refresh, REFRESH_MS);
}

function chooseDates() {
  const [from, to] = [byId("from"), byId("to")];
  const upsideDown = from.value > to.value;
  to.setCustomValidity(upsideDown ? say("range_invalid") : "");
  if (!byId("controls").reportValidity()) return;
  change({ preset: "", first: from.value, last: to.value });
}

/** Deliveries stand by themselves: that they cannot be had hides no figure. */
async function showDeliveries() {
  let contents;
  try {
    contents = deliveries(await loadReceipts());
  } catch (error) {
    contents = deliveriesProblem(error);
  }
  show(byId("deliveries"), ...contents);
}

/** A newly published run shows by itself; presets move on with it. */
async function refresh() {
  if (document.hidden || facts === null) return;
  showDeliveries();
  try {
    const freshness = await loadFreshness();
    const isNew = freshness.computed_at !== facts.freshness.computed_at
      || freshness.last_run?.run_id !== facts.freshness.last_run?.run_id;
    facts = { ...facts, freshness };
    if (isNew) {
      state = settle(state, facts);
      await load();
    } else show(byId("freshness"), ...freshnessLine(facts, state));
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // a passing outage: the next turn asks again
  }
}

start();
