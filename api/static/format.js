// Words, numbers and dates as people read them. Exact figures stay strings; numbers are for eyes.

import { byId } from "./dom.js";

export const lang = document.documentElement.lang;
const locale = lang === "ja" ? "ja-JP" : "en-GB";
const texts = JSON.parse(byId("texts").textContent);
const NONE = "—";

/** A text of the page, with {names} filled in. */
export function say(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** One language of {en, ja}. */
export const word = (words) => words[lang] ?? words.en;

export function money(value, currency) {
  if (value === null) return NONE;
  const number = Number(value);
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
  if (Math.abs(number) >= 10_000) options.maximumFractionDigits = 0;
  return new Intl.NumberFormat(locale, options).format(number);
}

export function shortMoney(value, currency) {
  return new Intl.NumberFormat(locale, {
    style: "currency", currency, currencyDisplay: "narrowSymbol",
    notation: "compact", maximumFractionDigits: 1,
  }).format(value);
}

export function count(value, digits = 0) {
  if (value === null) return NONE;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, options).format(Number(value));
}

export function percent(value, digits = 1) {
  if (value === null) return NONE;
  return new Intl.NumberFormat(locale, {
    style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(Number(value));
}

/** Never rounds a gap away: 99.7 % stays below 100 %. */
export function coverage(value) {
  if (value === null) return NONE;
  const number = Number(value);
  return percent(number < 1 ? Math.min(Math.floor(number * 100) / 100, 0.99) : 1, 0);
}

/** A KPI's value by its unit. */
export function figure(definition, value, currency) {
  if (definition.unit.startsWith("currency")) return money(value, currency);
  if (definition.unit === "ratio") return percent(value);
  if (definition.unit === "units/receipt") return count(value, 2);
  if (definition.unit === "s") return value === null ? NONE : say("minutes", { count: count(value / 60, 1) });
  return count(value);
}

/** Both sides of a change: of same stores where the row was compared with a year before. */
export function sides(name, row, before) {
  const same = row.compared?.same_stores;
  if (same) return [same.values[name], same.base_values[name]];
  return [row.values[name], before.values[name]];
}

/** How many stores a change is of, where these are not all of the row's; else an empty text. */
export function ofSameStores(row) {
  const same = row.compared?.same_stores;
  return same && same.store_count < row.store_count ? say("same_stores", { count: same.store_count }) : "";
}

/** A KPI's value that is known to two digits only. */
export function coarse(definition, value, currency) {
  if (value === null) return NONE;
  const style = { currency: { style: "currency", currency, currencyDisplay: "narrowSymbol" }, ratio: { style: "percent" } };
  const options = { ...style[definition.unit], maximumSignificantDigits: 2 };
  return new Intl.NumberFormat(locale, options).format(Number(value));
}

/** The change from `before`, as {text, direction}; null where it cannot be told. */
export function change(definition, value, before) {
  if (value === null || before === null) return null;
  const [now, then] = [Number(value), Number(before)];
  if (definition.unit === "ratio") return signed((now - then) * 100, ` ${say("points")}`);
  return then > 0 ? signed((now / then - 1) * 100, "%") : null;
}

function signed(difference, suffix) {
  const rounded = Math.round(difference * 10) / 10;
  if (rounded === 0) return { text: say("unchanged"), direction: "flat" };
  const arrow = rounded > 0 ? "▲" : "▼";
  const sign = rounded > 0 ? "+" : "−";
  return { text: `${arrow} ${sign}${count(Math.abs(rounded), 1)}${suffix}`, direction: rounded > 0 ? "up" : "down" };
}

const formats = {
  full: { day: "numeric", month: "short", year: "numeric", weekday: "short" },
  day: { day: "numeric", month: "short", weekday: "short" },
  short: { day: "numeric", month: lang === "ja" ? "numeric" : "short" },
  weekday: { weekday: "short" },
};

/** A business date (ISO), in one of the forms above. It is a date, not a moment: no timezone. */
export function day(iso, form = "day") {
  const options = { ...formats[form], timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale, options).format(new Date(`${iso}T00:00Z`));
}

export function range(first, last) {
  if (first === last) return day(first, "full");
  const options = { day: "numeric", month: lang === "ja" ? "long" : "short", timeZone: "UTC" };
  const long = new Intl.DateTimeFormat(locale, { ...options, year: "numeric" });
  const [start, end] = [first, last].map((iso) => new Date(`${iso}T00:00Z`));
  if (lang !== "ja") return long.formatRange(start, end);
  // Intl writes Japanese ranges in slashes, with the year twice.
  const sameYear = first.slice(0, 4) === last.slice(0, 4);
  const short = sameYear ? new Intl.DateTimeFormat(locale, options) : long;
  return `${long.format(start)}〜${short.format(end)}`;
}

/** Monday to Sunday. */
export const weekdays = () =>
  [...Array(7).keys()].map((index) => day(`2024-01-0${index + 1}`, "weekday"));

/** "14:00", and "25:00" on the 30-hour clock. */
export const hour = (value) => `${String(value).padStart(2, "0")}:00`;

export function moment(iso) {
  const options = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, options).format(new Date(iso));
}

export function ago(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  const steps = [[86_400, "day"], [3_600, "hour"], [60, "minute"]];
  const [size, unit] = steps.find(([length]) => Math.abs(seconds) >= length) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}
