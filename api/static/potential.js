// What to work on first: one sentence a store, or one a factor of the store chosen.

import { el } from "./dom.js";
import { count, money, percent, range, say, shortMoney, word } from "./format.js";

const SHOWN = 8;
const WORTH_SAYING = 0.01; // a head-room below this part of the level is none

/** Sentences of the targets, the largest head-room first; `choose` is called with a store. */
export function potential(facts, models, state, choose) {
  const mine = models.targets.filter((each) => each.currency === state.currency);
  const run = models.runs.find((each) => each.currency === state.currency);
  if (!run) return [el("p", { class: "quiet" }, say("models_none"))];
  const left = models.leftOut.find((each) => each.store_id === state.store);
  if (left) return [el("p", { class: "quiet" }, say("left_out")), ...notes(run)];
  const lines = state.store ? mine : firsts(mine);
  const most = Math.max(...lines.map((each) => Number(each.headroom_amount ?? 0)), 0);
  const names = new Map(facts.stores.map((store) => [store.store_id, store.name]));
  return [
    state.store ? peers(models, state) : null,
    el("ul", { class: "potential" }, lines.slice(0, SHOWN).map((each) => line(each, {
      most, name: state.store ? null : names.get(each.store_id) ?? each.store_id, choose,
    }))),
    ...notes(run),
  ];
}

/** Of each store the factor to work on first. */
function firsts(targets) {
  return targets.filter((each) => each.is_first)
    .sort((a, b) => Number(b.headroom_amount ?? 0) - Number(a.headroom_amount ?? 0));
}

function peers(models, state) {
  const cluster = models.clusters.find(
    (each) => each.stores.some((store) => store.store_id === state.store));
  if (!cluster) return null;
  return el("p", { class: "quiet small" },
    say("compared_stores", { name: word(cluster.name), count: cluster.store_count }));
}

function line(target, { most, name, choose }) {
  const share = most > 0 ? Math.max(0, Number(target.headroom_amount ?? 0)) / most : 0;
  const heading = name === null ? null : el("button", {
    type: "button", class: "linklike", onclick: () => choose(target.store_id),
  }, name);
  return el("li", { "data-store": target.store_id, "data-factor": target.factor, title: between(target) },
    el("p", {}, heading, heading ? " " : null, el("span", {}, sentence(target))),
    el("i", { class: "bar", "aria-hidden": "true", style: `width: ${(100 * share).toFixed(1)}%` }));
}

/** "Conversion is 18%; stores like yours reach 23%, worth ¥1.2M a month." */
export function sentence(target) {
  const [level, reach] = [Number(target.level), Number(target.attainable)];
  const own = target.basis === "own best weeks";
  const words = { what: say(`level_${target.factor}`, { level: shown(target, level, reach) }) };
  if (reach - level < WORTH_SAYING * level) return say(own ? "reached_own" : "reached_peers", words);
  words.reach = shown(target, reach, level);
  if (target.headroom_amount === null) return say(own ? "reach_own" : "reach_peers", words);
  words.amount = shortMoney(target.headroom_amount, target.currency);
  return say(own ? "worth_own" : "worth_peers", words);
}

/** A level in its unit; with a digit more where two of them would look the same. */
function shown(target, value, other) {
  if (target.factor === "conversion") {
    return percent(value, Math.abs(value - other) < 0.015 ? 1 : 0);
  }
  return ["atv", "sales"].includes(target.factor) ? money(Math.round(value), target.currency) : count(value);
}

function between(target) {
  if (target.headroom_amount === null) return null;
  const [low, high] = [target.low_amount, target.high_amount].map((each) => shortMoney(each, target.currency));
  return say("worth_between", { low, high });
}

function notes(run) {
  const learnt = say("learnt_from", { range: range(run.first_date, run.as_of_date) });
  return [
    el("p", { class: "quiet small notes" }, learnt),
    ...run.notes.map((note) => el("p", { class: "quiet small notes" }, word(note.text))),
  ];
}
