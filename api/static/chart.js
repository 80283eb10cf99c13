// Sales as bars from zero, footfall as a line below them on the same days: two scales, no false crossing.

import { colour } from "./dom.js";
import { eachDay, weekday } from "./dates.js";
import { count, coverage, day, hour, money, range, say, shortMoney, word } from "./format.js";
import { plotly } from "./plotly.js";

/** Draw the figures of a state into a place. */
export async function drawChart(place, facts, figures, state) {
  const Plotly = await plotly();
  const points = pointsOf(figures, state);
  const hasFootfall = points.some((point) => point.footfall !== null);
  const hasSales = points.some((point) => point.sales !== null);
  const labels = { sales: word(facts.kpis.net_sales_amount.label), footfall: word(facts.kpis.footfall.label) };
  place.classList.remove("skeleton");
  await Plotly.react(place, traces(points, labels, state),
    layout(place, points, labels, state, { hasFootfall, hasSales, narrow: place.clientWidth < 520 }),
    { displayModeBar: false });
  place.setAttribute("aria-label", summary(points, state));
  return points;
}

function pointsOf(figures, state) {
  if (state.grain === "hour") return hourPoints(figures.hours);
  return figures.periods ? periodPoints(figures.periods, state) : dayPoints(figures, state);
}

/** Weeks and months; one that the range cuts says so by its days. */
function periodPoints(rows, state) {
  return rows.map((row) => {
    const [first, last] = [row.period_from, row.period_to];
    const cut = first < state.first || last > state.last;
    const days = range(cut && first < state.first ? state.first : first, cut && last > state.last ? state.last : last);
    return point(first, row, { label: `${row.period} · ${days}`, name: row.period });
  });
}

function dayPoints(figures, state) {
  const rows = new Map(figures.days.map((row) => [row.business_date, row]));
  return eachDay(state.first, state.last).map((date) => point(date, rows.get(date), {
    label: day(date, "full"), holiday: figures.holidays.get(date),
  }));
}

function hourPoints(rows) {
  const seen = new Map();
  return rows.map((row) => {
    const label = `${day(row.business_date, "full")} ${hour(row.local_hour)}`;
    // The end of daylight saving repeats an hour: the second one is told apart by a mark.
    const times = seen.get(label) ?? 0;
    seen.set(label, times + 1);
    return point(row.business_date, row, { label: label + "′".repeat(times), hour: row.local_hour });
  });
}

function point(date, row, more) {
  const number = (value) => (value === null || value === undefined ? null : Number(value));
  const low = row?.coverage_ratio != null && Number(row.coverage_ratio) < 0.995;
  return {
    date, ...more, coverage: low ? row.coverage_ratio : null,
    sales: number(row?.values.net_sales_amount), footfall: number(row?.values.footfall),
  };
}

function traces(points, labels, state) {
  const x = points.map((each) => each.label);
  const few = points.length <= 62;
  return [
    {
      type: "bar", x, y: points.map((each) => each.sales), name: labels.sales,
      marker: { color: colour("--sales"), cornerradius: 3 },
      customdata: points.map((each) => salesHover(each, state)),
      hovertemplate: "%{customdata}<extra></extra>",
    },
    {
      type: "scatter", mode: few ? "lines+markers" : "lines", x, yaxis: "y2", name: labels.footfall,
      y: points.map((each) => each.footfall), connectgaps: false,
      line: { color: colour("--footfall"), width: 2.5 },
      marker: {
        color: points.map((each) => colour(each.coverage ? "--card" : "--footfall")),
        size: points.map((each) => (each.coverage ? 9 : 6)),
        line: { color: colour("--footfall"), width: 2 },
      },
      customdata: points.map((each) => footfallHover(each, labels)),
      hovertemplate: "%{customdata}<extra></extra>",
    },
  ];
}

const salesHover = (each, state) =>
  `${money(each.sales, state.currency)}${each.holiday ? ` · ${word(each.holiday)}` : ""}`;

const footfallHover = (each, labels) =>
  `${labels.footfall} ${count(each.footfall)}`
  + (each.coverage ? ` · ${say("coverage", { ratio: coverage(each.coverage) })}` : "");

function layout(place, points, labels, state, { hasFootfall, hasSales, narrow }) {
  const [salesDomain, footfallDomain] = domains(hasSales, hasFootfall);
  const axis = {
    rangemode: "tozero", fixedrange: true, gridcolor: colour("--line"), zerolinecolor: colour("--line"),
    tickfont: { color: colour("--quiet"), size: 12 }, nticks: 4,
  };
  return {
    height: place.clientHeight, width: place.clientWidth,
    margin: { l: 8, r: 8, t: 22, b: 8 },
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("--ink"), size: 13 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false, bargap: points.length > 62 ? 0.12 : 0.32, hovermode: "x unified", hoversubplots: "axis",
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    xaxis: {
      type: "category", fixedrange: true, automargin: true, anchor: hasFootfall ? "y2" : "y",
      tickfont: { color: colour("--quiet"), size: 12 }, tickangle: 0, ticks: "", showgrid: false,
      linecolor: colour("--line"), spikecolor: colour("--quiet"), spikethickness: 1, spikedash: "dot", range: [-0.6, points.length - 0.4], ...ticks(points, state, narrow),
    },
    yaxis: { ...axis, ...moneyTicks(points, state), domain: salesDomain, automargin: true, visible: hasSales,
      ...headroom(points, "sales", 1.12) },
    yaxis2: { ...axis, domain: footfallDomain, automargin: true, visible: hasFootfall, tickformat: ",d",
      ...headroom(points, "footfall", 1.25) },
    shapes: state.grain === "day" ? bands(points) : state.grain === "hour" ? dayLines(points) : [],
    annotations: annotations(points, labels, state, { hasSales, hasFootfall, salesDomain, footfallDomain }),
  };
}

/** From zero to a little above the highest, so that its label has room. */
function headroom(points, name, factor) {
  const values = points.map((each) => each[name] ?? 0);
  const [lowest, highest] = [Math.min(...values, 0), Math.max(...values, 0)];
  return highest > 0 ? { range: [lowest * 1.05, highest * factor], autorange: false } : {};
}

function domains(hasSales, hasFootfall) {
  if (!hasFootfall) return [[0, 1], [0, 0.01]];
  if (!hasSales) return [[0.99, 1], [0, 0.94]];
  return [[0.46, 1], [0, 0.34]];
}

/** A few round steps from zero, worded like money. */
function moneyTicks(points, state) {
  const top = Math.max(...points.map((each) => each.sales ?? 0), 0);
  if (top <= 0) return {};
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const values = [0, 1, 2, 3, 4].map((index) => index * step).filter((value) => value <= top * 1.12);
  return { tickmode: "array", tickvals: values, ticktext: values.map((value) => shortMoney(value, state.currency)) };
}

function ticks(points, state, narrow) {
  const room = narrow ? 5 : 10;
  let chosen;
  if (state.grain === "hour") {
    const starts = points.filter((each, index) => index === 0 || each.date !== points[index - 1].date);
    chosen = starts.length === 1 ? points.filter((_, index) => index % (narrow ? 3 : 2) === 0) : thin(starts, room);
    const name = (each) => (starts.length === 1 ? hour(each.hour) : day(each.date, narrow ? "short" : "day"));
    return { tickmode: "array", tickvals: chosen.map((each) => each.label), ticktext: chosen.map(name) };
  }
  if (points[0]?.name) {
    chosen = thin(points, room);
    return { tickmode: "array", tickvals: chosen.map((each) => each.label), ticktext: chosen.map((each) => each.name) };
  }
  const mondays = points.filter((each) => weekday(each.date) === 0);
  chosen = points.length <= 10 ? points : mondays.length ? thin(mondays, room) : thin(points, room);
  const form = points.length > 10 ? "short" : narrow ? "weekday" : "day";
  const name = (each) => day(each.date, form);
  return { tickmode: "array", tickvals: chosen.map((each) => each.label), ticktext: chosen.map(name) };
}

function thin(items, room) {
  const step = Math.ceil(items.length / room);
  return items.filter((_, index) => index % step === 0);
}

/** Weekends and holidays lie on a faint ground. */
function bands(points) {
  const band = (index, fillcolor) => ({
    type: "rect", xref: "x", yref: "paper", x0: index - 0.5, x1: index + 0.5, y0: 0, y1: 1,
    fillcolor, line: { width: 0 }, layer: "below",
  });
  return points.flatMap((each, index) => {
    if (each.holiday) return [band(index, colour("--holiday"))];
    return weekday(each.date) >= 5 ? [band(index, colour("--weekend"))] : [];
  });
}

function dayLines(points) {
  return points.flatMap((each, index) => (index > 0 && each.date !== points[index - 1].date ? [{
    type: "line", xref: "x", yref: "paper", x0: index - 0.5, x1: index - 0.5, y0: 0, y1: 1,
    line: { color: colour("--line"), width: 1 }, layer: "below",
  }] : []));
}

/** Names beside what they name, and the highest value of each. */
function annotations(points, labels, state, { hasSales, hasFootfall, salesDomain, footfallDomain }) {
  const plain = { showarrow: false, xanchor: "left" };
  const named = (text, y, tint) => ({
    ...plain, text: `<b>${text}</b>`, xref: "paper", x: 0, yref: "paper", y, yanchor: "bottom",
    font: { color: colour(tint), size: 13 },
  });
  const found = [];
  if (hasSales) {
    found.push(named(labels.sales, salesDomain[1], "--sales"));
    found.push(peak(points, "sales", "y", "--sales", (value) => brief(value, state.currency)));
  }
  if (hasFootfall) {
    found.push(named(labels.footfall, footfallDomain[1] + 0.015, "--footfall"));
    found.push(peak(points, "footfall", "y2", "--footfall", (value) => count(value)));
  }
  for (const [index, each] of points.entries()) {
    if (each.holiday && points.length <= 40) {
      found.push({ ...plain, text: say("holiday"), xref: "x", x: index, xanchor: "center",
        yref: "paper", y: 1, yanchor: "bottom", font: { color: colour("--footfall"), size: 11 } });
    }
  }
  return found.filter(Boolean);
}

const brief = (value, currency) => (value < 10_000 ? money : shortMoney)(value, currency);

function peak(points, name, yref, tint, format) {
  let best = -1;
  points.forEach((each, index) => {
    if (each[name] !== null && (best < 0 || each[name] > points[best][name])) best = index;
  });
  if (best < 0) return null;
  return {
    text: format(points[best][name]), xref: "x", x: best, yref, y: points[best][name], showarrow: false,
    yanchor: "bottom", yshift: name === "footfall" ? 5 : 1, font: { color: colour(tint), size: 12 },
  };
}

function summary(points, state) {
  const top = (name, format) => {
    const known = points.filter((each) => each[name] !== null);
    if (!known.length) return say("no_figure");
    const best = known.reduce((a, b) => (b[name] > a[name] ? b : a));
    return `${format(best[name])}, ${best.label}`;
  };
  return say("chart_summary", {
    title: say("sales_title"), range: `${day(state.first, "full")} – ${day(state.last, "full")}`,
    sales: top("sales", (value) => money(value, state.currency)), footfall: top("footfall", count),
  });
}
