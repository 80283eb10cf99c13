// Building elements. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes (`class`, `data-…`, `onclick`) and children (strings or elements). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function show(element, ...children) {
  element.classList.remove("skeleton");
  element.replaceChildren(...children.filter(Boolean));
}

/** The value of a CSS custom property, for what CSS cannot reach. */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
