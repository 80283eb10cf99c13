// A line under a figure: what stores like the one shown reach.

import { el } from "./dom.js";
import { coarse, day, figure, say, word } from "./format.js";

/** "Stores like yours: 19% to 26%, median 22%", and the same of the industry where it is known. */
export function besideLines(kpi, benchmarks) {
  return benchmarks.map((each) => {
    const shown = each.scope === "cluster" ? figure : coarse;
    const [low, median, high] = [each.low, each.median, each.high].map((value) => shown(kpi, value, each.currency));
    const [first, last] = [each.period_from, each.period_to].map((date) => day(date, "short"));
    return el("p", { class: "quiet small beside", "data-scope": each.scope, title: who(kpi, each) },
      say(`beside_${each.scope}`, { low, median, high, first, last }));
  });
}

/** Who the others are; of an industry also the own figure of those days, which may not be the days shown. */
function who(kpi, each) {
  const own = figure(kpi, each.value, each.currency);
  return say(`beside_${each.scope}_who`, { name: word(each.name), count: each.store_count, own });
}
