// What became of the newest large deliveries: a table, or why there is none.

import { el } from "./dom.js";
import { count, moment, say } from "./format.js";

const COUNTS = ["received", "accepted", "rejected", "ignored"];
/** Rejections of a delivery that are listed; the receipt has more. */
const SHOWN = 5;

/** The section's contents. */
export function deliveries(receipts) {
  if (receipts.length === 0) return [el("p", { class: "quiet" }, say("deliveries_none"))];
  const names = ["delivery_source", "delivery_received_at", "delivery_state",
    ...COUNTS.map((name) => `delivery_${name}`)];
  return [el("table", { class: "figures" },
    el("caption", { class: "visually-hidden" }, say("deliveries_title")),
    el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, say(name))))),
    el("tbody", {}, receipts.map(row)))];
}

/** The section's contents while they cannot be had. */
export const deliveriesProblem = (error) => [
  el("p", { class: "quiet", role: "alert" }, `${say("deliveries_problem")} ${error.remedy ?? ""}`),
];

function row(receipt) {
  const settled = receipt.state === "done";
  const numbers = COUNTS.map((name) => el("td", {},
    name === "rejected" ? rejected(receipt) : count(settled ? receipt[name] : null)));
  return el("tr", { "data-receipt": receipt.receipt },
    el("th", { scope: "row", title: receipt.receipt }, receipt.source),
    el("td", {}, el("time", { datetime: receipt.received_at }, moment(receipt.received_at))),
    el("td", {}, state(receipt)), numbers);
}

/** How many records were rejected; the first of them one click away. */
function rejected(receipt) {
  const number = count(receipt.state === "done" ? receipt.rejected : null);
  if (receipt.error || !receipt.rejections.length) return number;
  const told = receipt.rejections.slice(0, SHOWN).map((one) =>
    el("li", {}, [one.position, one.field, one.message].filter(Boolean).join(" · ")));
  return el("details", {}, el("summary", { class: "warn" }, number), el("ul", {}, told));
}

function state(receipt) {
  const name = receipt.error && receipt.state === "done" ? "refused" : receipt.state;
  const tries = name !== "done" && receipt.attempts > 1
    ? say("delivery_tries", { n: count(receipt.attempts) }) : "";
  const label = [say(`delivery_${name}`), tries].filter(Boolean).join(" · ");
  if (!receipt.error) return label;
  const { error, remedy } = receipt.error;
  return el("details", {}, el("summary", { class: "warn" }, label), el("p", {}, `${error}. ${remedy}`));
}
