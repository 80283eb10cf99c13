// The weeks to come: what was, what is expected, and the band in which it should lie.

import { colour } from "./dom.js";
import { addDays, weekday } from "./dates.js";
import { count, day, money, say, shortMoney, word } from "./format.js";
import { plotly } from "./plotly.js";

const KPI_OF = { sales: "net_sales_amount", footfall: "footfall", customers: "transactions" };

/** Measures that are forecast, in the order of the buttons. */
export const measures = (models, state) =>
  ["footfall", "sales", "customers"].filter((name) => of(models, state, name).length);

/** The definition of the KPI that a measure is called in the results. */
export const kpiOf = (facts, measure) => facts.kpis[KPI_OF[measure]];

/** The days of a measure as rows of text, for the table. */
export function outlookRows(models, state, measure) {
  const figure = (value) => (value === null ? "—" : format(measure, state)(Number(value)));
  return of(models, state, measure).map((each) => [
    day(each.business_date), figure(each.value), figure(each.low), figure(each.high),
    ...(each.target === null ? [] : [figure(each.target)]),
  ]);
}

/** What today will end with, in words; null where nobody can say. A band belongs to one store. */
export function todayLine(models, state, measure) {
  const mine = models.today.filter((each) => each.currency === state.currency && each.measure === measure);
  if (!mine.length) return null;
  const sum = (name) => mine.reduce((total, each) => total + Number(each[name] ?? 0), 0);
  const text = format(measure, state);
  const words = { value: text(sum("value")), so_far: text(sum("so_far")), low: text(sum("low")), high: text(sum("high")) };
  const live = mine.filter((each) => each.so_far !== null).length; // "so far" of some is nobody's figure
  const kind = live === mine.length ? "live" : live ? "part" : "ahead";
  return say(`today_${kind}_${mine.length === 1 ? "band" : "sum"}`, words);
}

/** Draw one measure into a place. */
export async function drawOutlook(place, facts, models, state, measure) {
  const Plotly = await plotly();
  const days = of(models, state, measure);
  const past = models.past
    .map((row) => [row.business_date, row.values[KPI_OF[measure]]])
    .filter(([, value]) => value !== null);
  place.classList.remove("skeleton");
  await Plotly.react(place, traces(past, days, state, measure),
    layout(place, past, days, state, measure), { displayModeBar: false });
  place.setAttribute("aria-label", summary(facts, days, state, measure));
}

const of = (models, state, measure) =>
  models.days.filter((each) => each.currency === state.currency && each.measure === measure);

const format = (measure, state) => (value) =>
  (measure === "sales" ? money(Math.round(value), state.currency) : count(value));

function traces(past, days, state, measure) {
  const dates = days.map((each) => each.business_date);
  const numbers = (name) => days.map((each) => Number(each[name]));
  const text = format(measure, state);
  const hover = days.map((each) => say("expected", {
    value: text(Number(each.value)), low: text(Number(each.low)), high: text(Number(each.high)),
  }));
  const tint = colour(measure === "sales" ? "--sales" : "--footfall");
  return [
    { type: "scatter", mode: "lines", x: dates, y: numbers("low"), line: { width: 0 }, hoverinfo: "skip" },
    {
      type: "scatter", mode: "lines", x: dates, y: numbers("high"), line: { width: 0 },
      fill: "tonexty", fillcolor: faint(tint), hoverinfo: "skip",
    },
    {
      type: "scatter", mode: "lines", x: dates, y: numbers("value"), line: { color: tint, width: 2.5 },
      customdata: hover, hovertemplate: "%{customdata}<extra></extra>",
    },
    {
      type: "scatter", mode: "lines", x: past.map(([date]) => date), y: past.map(([, value]) => Number(value)),
      line: { color: colour("--quiet"), width: 2 }, customdata: past.map(([, value]) => text(Number(value))),
      hovertemplate: "%{customdata}<extra></extra>",
    },
  ];
}

/** A hex colour as plotly.js takes it, mostly transparent. */
const faint = (hex) =>
  `rgba(${[1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(", ")}, 0.2)`;

function layout(place, past, days, state, measure) {
  const all = [...past.map(([date]) => date), ...days.map((each) => each.business_date)];
  const room = place.clientWidth < 520 ? 2 : 1;
  const mondays = all.filter((date) => weekday(date) === 0).filter((_, index) => index % room === 0);
  const top = Math.max(...days.map((each) => Number(each.high)), ...past.map(([, value]) => Number(value)), 1);
  const start = days[0].business_date;
  return {
    height: place.clientHeight, width: place.clientWidth,
    margin: { l: 8, r: 8, t: 22, b: 8 },
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("--ink"), size: 13 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "x unified",
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    xaxis: {
      type: "date", fixedrange: true, automargin: true, showgrid: false, linecolor: colour("--line"),
      tickfont: { color: colour("--quiet"), size: 12 }, tickmode: "array", tickvals: mondays,
      ticktext: mondays.map((date) => day(date, "short")), hoverformat: "%Y-%m-%d",
    },
    yaxis: {
      fixedrange: true, automargin: true, gridcolor: colour("--line"), zerolinecolor: colour("--line"),
      tickfont: { color: colour("--quiet"), size: 12 }, nticks: 5, range: [0, top * 1.08],
      ...ticks(top, state, measure),
    },
    shapes: [{
      type: "line", xref: "x", yref: "paper", x0: start, x1: start, y0: 0, y1: 1,
      line: { color: colour("--quiet"), width: 1, dash: "dot" },
    }],
    annotations: [{
      text: say("from_here_expected"), xref: "x", x: start, yref: "paper", y: 1, yanchor: "bottom",
      xanchor: "left", showarrow: false, font: { color: colour("--quiet"), size: 12 },
    }],
  };
}

function ticks(top, state, measure) {
  if (measure !== "sales") return { tickformat: ",d" };
  const power = 10 ** Math.floor(Math.log10(top / 4));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= top / 4);
  const values = [0, 1, 2, 3, 4].map((index) => index * step);
  return { tickmode: "array", tickvals: values, ticktext: values.map((value) => shortMoney(value, state.currency)) };
}

function summary(facts, days, state, measure) {
  const text = format(measure, state);
  const sum = (list) => text(list.reduce((total, each) => total + Number(each.value), 0));
  const week = days.slice(0, 7);
  return say("outlook_summary", {
    label: word(kpiOf(facts, measure).label), week: sum(week), until: day(addDays(days[0].business_date, week.length - 1)),
  });
}
