// Arithmetic of business dates. A date is an ISO string; UTC serves as a calendar without clock changes.

const DAY_MS = 86_400_000;

export function addDays(iso, days) {
  return new Date(Date.parse(`${iso}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Number of days from first to last, both included. */
export const daysIn = (first, last) =>
  Math.round((Date.parse(`${last}T00:00Z`) - Date.parse(`${first}T00:00Z`)) / DAY_MS) + 1;

/** 0 is Monday. */
export const weekday = (iso) => (new Date(`${iso}T00:00Z`).getUTCDay() + 6) % 7;

export const eachDay = (first, last) =>
  Array.from({ length: daysIn(first, last) }, (_, index) => addDays(first, index));

/** The earlier period of the same length on the same weekdays: a Friday is compared with a Friday. */
export function previous(first, last) {
  const back = Math.ceil(daysIn(first, last) / 7) * 7;
  return { first: addDays(first, -back), last: addDays(last, -back) };
}

/** What a range is compared with: the earlier period, or the same weekdays a year (364 days) before. */
export function before(first, last, against) {
  if (against !== "year") return previous(first, last);
  return { first: addDays(first, -364), last: addDays(last, -364) };
}

/** Today in a timezone. */
export const today = (timeZone) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(new Date());
