// What the models say of the stores shown: it stands by itself, and changes with the store alone.

import { loadModels } from "./data.js";
import { byId, el, show } from "./dom.js";
import { say, word } from "./format.js";
import { drawOutlook, kpiOf, measures, outlookRows, todayLine } from "./outlook.js";
import { potential } from "./potential.js";

let shown = null; // { facts, state, models }
let measure = "sales";
let turn = 0;

/** Load and show; a failure hides no figure of the page. */
export async function showModels(facts, state, choose) {
  const mine = ++turn;
  byId("outlook-card").setAttribute("aria-busy", "true");
  try {
    const models = await loadModels(state);
    if (mine !== turn) return;
    shown = { facts, state, models };
    show(byId("potential"), ...potential(facts, models, state, choose));
    await showOutlook();
  } catch (error) {
    if (mine === turn) show(byId("potential"), el("p", { class: "quiet" }, say("models_problem")), error.remedy);
  } finally {
    if (mine === turn) byId("outlook-card").setAttribute("aria-busy", "false");
  }
}

/** Draw again, in the size and colours of now. */
export async function showOutlook() {
  if (shown === null) return;
  const { facts, state, models } = shown;
  const known = measures(models, state);
  const chosen = known.includes(measure) ? measure : known[0];
  showToday(models, state, chosen);
  byId("outlook-card").hidden = known.length === 0;
  if (known.length === 0) return;
  show(byId("outlook-measures"), ...known.map((name) => el("button", {
    type: "button", "aria-pressed": String(name === chosen), "data-measure": name,
    onclick: () => {
      measure = name;
      showOutlook();
    },
  }, word(kpiOf(facts, name).label))));
  show(byId("outlook-table"), table(outlookRows(models, state, chosen)));
  await drawOutlook(byId("outlook"), facts, models, state, chosen);
}

/** Today needs no run of the models: without a forecast it speaks of what there is. */
function showToday(models, state, chosen) {
  const lines = (chosen ? [chosen] : [measure, "footfall"]).map((name) => todayLine(models, state, name));
  const line = lines.find((each) => each !== null) ?? null;
  byId("today").hidden = line === null;
  byId("today").textContent = line ?? "";
}

function table(rows) {
  const heads = ["period", "forecast", "low", "high", "target"].slice(0, rows[0].length);
  return el("table", { class: "figures" },
    el("caption", { class: "visually-hidden" }, say("outlook_title")),
    el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col" }, say(name))))),
    el("tbody", {}, rows.map(([first, ...rest]) => el("tr", {},
      el("th", { scope: "row" }, first), rest.map((text) => el("td", {}, text))))));
}
