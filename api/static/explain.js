// Why a figure is what it is: asked for when a figure is pressed, told in the definitions' panel.

import { loadExplanation, loadSources, Problem } from "./data.js";
import { open, refill } from "./definitions.js";
import { el } from "./dom.js";
import { count, lang, moment, range, say, word } from "./format.js";

/** Explain a figure of the shown range beside what was pressed. */
export async function explain(button, facts, state, name, storeIds) {
  const title = el("h3", { id: "definition-title" },
    say("why_title", { figure: word(facts.kpis[name].label) }));
  const waiting = el("p", { class: "quiet", role: "status" }, say("why_loading"));
  open(button, [title, waiting]);
  const stores = storeIds ?? storesOf(facts, state);
  const asked = { kpi: name, from: state.first, to: state.last, store: stores };
  let contents;
  try {
    contents = told(facts, await loadExplanation(asked), button, asked);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    contents = [el("p", { role: "alert" }, error.message), el("p", { class: "quiet" }, error.remedy)];
  }
  refill(button, waiting, [title, ...contents]);
}

/** The stores of the shown currency, where there are several; else all of them. */
function storesOf(facts, state) {
  if (state.currencies.length < 2) return [];
  return facts.stores.filter((each) => each.currency === state.currency).map((each) => each.store_id);
}

function told(facts, answer, button, asked) {
  const words = (answer.words[lang] ?? answer.words.en).map((sentence) => el("p", {}, sentence));
  const days = el("p", { class: "quiet small" }, range(asked.from, asked.to));
  const isOne = asked.store.length === 1 && asked.from === asked.to;
  return [days, ...words, isOne ? sourcesButton(asked) : null].filter(Boolean);
}

/** The payloads are asked of the warehouse, which takes a moment: only on demand. */
function sourcesButton(asked) {
  const place = el("div", {});
  const press = el("button", { type: "button", onclick: () => showSources(place, asked) }, say("why_sources"));
  place.append(press);
  return place;
}

async function showSources(place, asked) {
  place.replaceChildren(el("p", { class: "quiet", role: "status" }, say("why_loading")));
  const { kpi, store: [store], from: date } = asked;
  try {
    const answer = await loadSources({ kpi, store, date });
    place.replaceChildren(
      el("p", {}, say("why_source_count", { count: count(answer.object_count) })),
      el("ul", { class: "sources" }, answer.objects.map((each) => el("li", { title: each.source_object },
        `${each.source} · `, say("why_lines", { count: count(each.line_count), when: moment(each.received_at) })))));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    place.replaceChildren(el("p", { role: "alert" }, `${error.message}. ${error.remedy ?? ""}`));
  }
}
