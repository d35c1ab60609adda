/** Small helpers for elements. Text is set as text: what a file says is never read as markup. */

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function button(text, title, onclick, more = {}) {
  return element("button", { type: "button", text, title, onclick, ...more });
}

export function labelled(text, control, tag = "label") {
  return element(tag, { class: "field" }, element("span", { text }), control);
}

/** Return a number as people read it: whole where it is whole, else four figures. */
export function told(value) {
  if (value == null || Number.isNaN(value)) return "no value";
  const text = Number.isInteger(value) ? String(value) : Number(value.toPrecision(5)).toString();
  return text.replace("-", "\u2212");
}

export function clamped(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
