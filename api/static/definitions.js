// The explanation of a KPI: a button beside every label, one panel for all.

import { byId, el } from "./dom.js";
import { say, word } from "./format.js";

/** A button that explains a KPI. */
export function explainButton(facts, kpi) {
  const label = word(kpi.label);
  return el("button", {
    type: "button", class: "explain", "aria-haspopup": "dialog",
    "aria-label": say("explain", { label }),
    onclick: (event) => open(event.currentTarget, explanation(facts, kpi)),
  }, "?");
}

function explanation(facts, kpi) {
  return [
    el("h3", { id: "definition-title" }, word(kpi.label)),
    el("p", {}, word(kpi.meaning)),
    el("dl", {}, el("dt", {}, say("formula")), el("dd", {}, kpi.formula)),
    el("p", { class: "quiet small" }, say("definition_version", { version: facts.version })),
  ];
}

/** Show something in the panel, beside what was pressed. */
export function open(button, content) {
  const panel = byId("definition");
  panel.replaceChildren(...content);
  panel.showPopover();
  place(panel, button);
}

/** Put other content into the open panel, unless it was closed or shows something else by now. */
export function refill(button, marker, content) {
  const panel = byId("definition");
  if (!marker.isConnected || !panel.matches(":popover-open")) return;
  panel.replaceChildren(...content);
  place(panel, button);
}

function place(panel, button) {
  const from = button.getBoundingClientRect();
  const size = panel.getBoundingClientRect();
  const below = from.bottom + 8 + size.height < innerHeight;
  panel.style.top = `${below ? from.bottom + 8 : Math.max(8, from.top - size.height - 8)}px`;
  panel.style.left = `${Math.max(16, Math.min(from.left - 12, innerWidth - size.width - 16))}px`;
}

addEventListener("scroll", () => byId("definition").hidePopover(), { passive: true });
