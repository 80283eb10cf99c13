// The stores side by side, sortable, with totals; and the chart's figures as a plain table.

import { explainButton } from "./definitions.js";
import { el } from "./dom.js";
import { change, coverage, day, figure, hour, say, sides, word } from "./format.js";
import { coverageRemark, reasonOf } from "./quality.js";

const COLUMNS = ["net_sales_amount", "footfall", "conversion_ratio", "atv_amount", "upt", "spv_amount"];
const COUNTED = ["footfall", "conversion_ratio", "spv_amount", "coverage_ratio"];

let order = { name: "net_sales_amount", descending: true };

/** The table of stores; pressing a store's name chooses it, pressing a figure explains it. */
export function storeTable(facts, figures, comparable, caption, choose, why) {
  const names = new Map(facts.stores.map((store) => [store.store_id, store.name]));
  const counted = figures.stores.some((row) => row.coverage_ratio !== null || row.values.footfall !== null);
  const columns = counted ? COLUMNS : COLUMNS.filter((name) => !COUNTED.includes(name));
  const context = { facts, figures, comparable, columns, counted, names, choose, why };
  const table = el("table", { class: "figures" });
  const draw = () => table.replaceChildren(
    el("caption", { class: "visually-hidden" }, caption),
    header(context, draw), body(context), footer(context));
  draw();
  return table;
}

function header(context, draw) {
  const heads = context.columns.map((name) => head(context, name, word(context.facts.kpis[name].label), draw));
  heads.splice(1, 0, el("th", { scope: "col" }, say("change")));
  if (context.counted) {
    heads.push(head(context, "coverage_ratio", word(context.facts.kpis.coverage_ratio.label), draw));
  }
  return el("thead", {}, el("tr", {}, head(context, "store_id", say("store"), draw), heads));
}

function head({ facts }, name, label, draw) {
  const active = order.name === name;
  const direction = active ? (order.descending ? "descending" : "ascending") : "none";
  const press = () => {
    order = { name, descending: active ? !order.descending : name !== "store_id" };
    draw();
    document.querySelector(`[data-sort="${name}"]`)?.focus();
  };
  const button = el("button", {
    type: "button", class: "sort", "data-sort": name, onclick: press,
    "aria-label": say("sort_by", { label }),
  }, label);
  const explain = facts.kpis[name] ? explainButton(facts, facts.kpis[name]) : null;
  return el("th", { scope: "col", "aria-sort": direction },
    el("span", { class: "head" }, explain, button));
}

function body(context) {
  const value = (row) => (order.name === "store_id" ? context.names.get(row.store_id) ?? row.store_id
    : order.name === "coverage_ratio" ? row.coverage_ratio : row.values[order.name]);
  const sorted = [...context.figures.stores].sort((a, b) => compare(value(a), value(b)));
  return el("tbody", {}, sorted.map((row) => line(context, row)));
}

/** What is not known comes last, whichever way the column is sorted. */
function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  const difference = order.name === "store_id" ? a.localeCompare(b) : Number(a) - Number(b);
  return order.descending ? -difference : difference;
}

function line(context, row) {
  const { facts, figures, names, choose } = context;
  const name = names.get(row.store_id) ?? row.store_id;
  const before = context.comparable ? figures.storesBefore.get(row.store_id) : null;
  return el("tr", { "data-store": row.store_id },
    el("th", { scope: "row" }, el("button", {
      type: "button", class: "linklike", onclick: () => choose(row.store_id),
    }, name)),
    cells(context, row, before, [row.store_id]),
    context.counted ? coverageCell(facts, row, [row.store_id]) : null);
}

function footer(context) {
  const { facts, figures, comparable } = context;
  const ids = figures.stores.map((row) => row.store_id);
  if (figures.stores.length < 2) return "";
  return el("tfoot", {}, el("tr", {},
    el("th", { scope: "row" }, say("total")),
    cells(context, figures.total, comparable ? figures.totalBefore : null, null),
    context.counted ? coverageCell(facts, figures.total, ids) : null));
}

function cells({ facts, columns, why }, row, before, storeIds) {
  const shown = columns.map((name) => el("td", { "data-kpi": name, title: row.values[name] },
    el("button", {
      type: "button", class: "why", "aria-haspopup": "dialog", "aria-description": say("why"),
      onclick: why(name, storeIds),
    }, figure(facts.kpis[name], row.values[name], row.currency))));
  const sales = facts.kpis.net_sales_amount;
  const changed = before ? change(sales, ...sides("net_sales_amount", row, before)) : null;
  shown.splice(1, 0, el("td", { class: `delta ${changed?.direction ?? ""}` }, changed?.text ?? "—"));
  return shown;
}

function coverageCell(facts, row, storeIds) {
  const remark = coverageRemark(facts, row, storeIds);
  const shown = coverage(row.coverage_ratio);
  return el("td", { "data-kpi": "coverage_ratio" },
    remark ? el("span", { class: "warn" }, `⚠ ${shown}`) : shown,
    remark ? el("span", { class: "remark" }, reasonOf(facts, storeIds)) : null);
}

/** The figures behind the chart. */
export function seriesTable(facts, rows, caption) {
  const columns = ["net_sales_amount", "footfall", "conversion_ratio", "atv_amount"];
  return el("table", { class: "figures" },
    el("caption", { class: "visually-hidden" }, caption),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("period")),
      columns.map((name) => el("th", { scope: "col" }, word(facts.kpis[name].label))))),
    el("tbody", {}, rows.map((row) => el("tr", {},
      el("th", { scope: "row" }, row.period ?? (row.local_hour === null
        ? day(row.business_date) : `${day(row.business_date)} ${hour(row.local_hour)}`)),
      columns.map((name) => el("td", {}, figure(facts.kpis[name], row.values[name], row.currency)))))));
}
