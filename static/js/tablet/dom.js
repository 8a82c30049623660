// Elements, and what is said aloud. Text is always set as text: nothing that was typed becomes markup.

const said = document.getElementById("said");

// h("button", { class: "tab-button", onclick }, "Words", other) → an element. A property that is false or undefined is
// left out; functions are listeners.
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === undefined || value === null) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child || child === 0));
  return element;
}

export function button(words, onclick, kind = "", more = {}) {
  return h("button", { type: "button", class: `tab-button ${kind && `tab-button--${kind}`}`.trim(), onclick, ...more }, ...[words].flat());
}

// Read to who cannot see the screen; the same words twice are read twice.
export function say(words) {
  said.textContent = said.textContent === words ? `${words}\u00a0` : words;
}

// One screen at a time. Its heading takes the focus, so that a screen reader starts there; drawn anew it leaves the
// focus alone where nobody was in it.
export function screen(title, ...children) {
  const main = document.getElementById("main");
  const isNew = main.dataset.screen !== title || main.contains(document.activeElement);
  if (main.dataset.screen !== title) window.scrollTo(0, 0);
  main.dataset.screen = title;
  main.replaceChildren(...children.flat(2).filter(Boolean));
  document.title = `${title} – ${document.body.dataset.name}`; // never a member: titles stay in a browser's history
  const heading = main.querySelector("h1");
  if (heading && isNew) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  return main;
}

export function pounds(pence) {
  return `£${(pence / 100).toFixed(2)}`;
}

export function plural(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
