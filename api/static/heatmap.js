// Hour by weekday: a table whose cells are coloured, so that it reads as well as it looks.

import { el } from "./dom.js";
import { weekday } from "./dates.js";
import { count, hour, money, say, shortMoney, weekdays, word } from "./format.js";

const DENSE_FROM = 17;

/** The heat map of a measure that adds up (footfall or net sales). */
export function heatmap(facts, figures, state) {
  const cells = average(figures.hours, state.metric);
  const hours = span(cells);
  const highest = Math.max(...cells.values(), 0);
  const label = word(facts.kpis[state.metric].label);
  const names = weekdays();
  const format = (value) => state.metric === "footfall"
    ? count(value, value < 10 ? 1 : 0) : money(value, state.currency);
  const head = names.map((name, index) => el("th", { scope: "col", class: dayClass(index) }, name));
  const busy = state.metric === "footfall" ? figures.busy : null;
  const power = new Set((busy?.power_hours ?? []).map((each) => key(each.weekday, each.local_hour)));
  const rows = hours.map((each) => el("tr", {},
    el("th", { scope: "row" }, hour(each)),
    names.map((name, index) => cell(cells.get(key(index, each)), highest, {
      format, short: state.metric === "footfall" ? format : null, title: `${name} ${hour(each)}`,
      isPower: power.has(key(index, each)),
    }))));
  return {
    dense: hours.length >= DENSE_FROM,
    nodes: [
      el("table", {},
        el("caption", { class: "visually-hidden" }, say("heat_caption", { metric: label })),
        el("thead", {}, el("tr", {}, el("td"), head)), el("tbody", {}, rows)),
      scale(highest, state),
      busy?.peak_hour ? el("p", { class: "quiet small" }, say("busy_hours", {
        day: names[busy.peak_hour.weekday], hour: hour(busy.peak_hour.local_hour), count: busy.power_hour_count,
      })) : null,
    ],
  };
}

const key = (weekdayIndex, localHour) => `${weekdayIndex} ${localHour}`;
const dayClass = (index) => (index === 5 ? "saturday" : index === 6 ? "sunday" : "");

/** Mean over the dates of each weekday; an hour nobody knows stays unknown. */
function average(rows, metric) {
  const dates = new Map();
  const sums = new Map();
  const rowsAt = new Map();
  for (const row of rows) {
    const value = row.values[metric];
    if (value === null) continue;
    const index = weekday(row.business_date);
    if (!dates.has(index)) dates.set(index, new Set());
    dates.get(index).add(row.business_date);
    const at = key(index, row.local_hour);
    sums.set(at, (sums.get(at) ?? 0) + Number(value));
    rowsAt.set(at, (rowsAt.get(at) ?? 0) + 1);
  }
  for (const [at, sum] of sums) {
    // The end of daylight saving has an hour twice on one date.
    sums.set(at, sum / Math.max(dates.get(Number(at.split(" ")[0])).size, rowsAt.get(at)));
  }
  return sums;
}

/** Hours from the first to the last in which anything happened. */
function span(cells) {
  const busy = [...cells].filter(([, value]) => value > 0).map(([at]) => Number(at.split(" ")[1]));
  if (!busy.length) return [];
  const first = Math.min(...busy);
  return Array.from({ length: Math.max(...busy) - first + 1 }, (_, index) => first + index);
}

function cell(value, highest, { format, short, title, isPower }) {
  if (value === undefined) {
    return el("td", { title: `${title}: ${say("no_figure")}` },
      el("span", { class: "visually-hidden" }, say("no_figure")));
  }
  const share = highest ? Math.max(0, value) / highest : 0;
  const shown = short ? short(value) : el("span", { class: "visually-hidden" }, format(value));
  const td = el("td", { title: `${title}: ${format(value)}` }, shown);
  td.classList.add("known");
  td.classList.toggle("power", isPower);
  td.style.setProperty("--share", `${Math.round(share * 100)}%`);
  return td;
}

function scale(highest, state) {
  const top = state.metric === "footfall" ? count(highest) : shortMoney(highest, state.currency);
  return el("div", { class: "scale quiet small", "aria-hidden": "true" },
    "0", el("i"), top);
}
