// Today's list: large rows, found by three letters or by number.

import { codeIn, holderOf } from "./cards.js";
import { button, h, plural, pounds, say, screen } from "./dom.js";
import { dayInWords, hours, ofThisDevice, standing } from "./day.js";
import { hall, search, session } from "./hall.js";
import { worried } from "./more.js";
import { queue } from "./queue.js";
import { scanButton } from "./scan.js";

const ROWS = 100;
const WHOLE = { typed: "", rows: ROWS, scroll: 0, last: null };
const view = { ...WHOLE };
let place = null; // the elements that change while one types
let folded = ""; // the notes that were read

export function forget() {
  Object.assign(view, WHOLE);
  folded = "";
}

export function list() {
  const today = session();
  const field = h("input", {
    id: "find", class: "tab-input", type: "search", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    enterkeyhint: "search", value: view.typed,
    oninput: () => {
      Object.assign(view, { typed: field.value, rows: ROWS, scroll: 0, last: null });
      window.scrollTo(0, 0);
      const code = codeIn(field.value);
      if (code) scanned(code, field);
      else fill(true);
    },
    onkeydown: (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (codeIn(field.value)) return; // a scanner ends with Enter: its member is on the way
      place.rows.querySelector("button")?.focus();
    },
  });
  const clear = button("Clear", () => {
    field.value = "";
    field.dispatchEvent(new Event("input"));
    field.focus();
  }, "clear");
  place = { day: h("div", {}), rows: h("ul", { class: "tab-rows" }), after: h("div", { class: "tab-after" }), clear };
  screen(
    "Today’s list",
    h("h1", { class: "tab-listhead" }, "Today’s list ", h("span", { class: "tab-caption" }, `${dayInWords(today.on)}, ${hours(today)}`)),
    h("div", { class: "tab-find", role: "search" }, h("label", { for: "find", class: "tab-label" }, "Name, number or card"), h("div", { class: "tab-find__line" }, h("div", { class: "tab-find__field" }, field, clear), scanButton())),
    place.day,
    place.rows,
    place.after,
  );
  fill();
  window.scrollTo(0, view.scroll);
  place.rows.querySelector(`[data-number="${view.last}"]`)?.focus({ preventScroll: true });
}

async function scanned(code, field) {
  const row = await holderOf(code, hall.open.members);
  if (!field.isConnected || codeIn(field.value) !== code) return;
  view.typed = "";
  if (row) return open(row);
  field.value = "";
  fill();
  place.after.prepend(h("p", { class: "tab-warning" }, "No member on this list has this card. Ask for the name or the number."));
  say("No member on this list has this card. Ask for the name or the number.");
}

// The rows anew, where they are on the screen; what had the focus has it again.
export function fill(aloud = false) {
  if (!place?.rows.isConnected || !hall.open) return;
  const focused = document.activeElement?.dataset.number;
  const here = ofThisDevice(queue.all());
  const found = search(view.typed);
  place.clear.classList.toggle("tab-unseen", !view.typed);
  ofTheDay();
  place.rows.replaceChildren(...found.slice(0, view.rows).map((row) => line(row, standing(row, here))));
  if (focused) place.rows.querySelector(`[data-number="${focused}"]`)?.focus({ preventScroll: true });
  place.after.replaceChildren(...after(found).filter(Boolean));
  if (aloud) say(view.typed ? `${found.length || "Nobody"} found` : `${plural(found.length, "member")}`);
}

// Notes of the pantry manager, folded away once they are read, and who else is down for today.
function ofTheDay() {
  const { notes = [], down = [] } = hall.open;
  const said = JSON.stringify([notes, down]);
  place.day.hidden = Boolean(view.typed);
  if (place.day.dataset.said === said) return;
  place.day.dataset.said = said;
  const who = down.length ? h("p", { class: "tab-quiet" }, `Down for today: ${down.join(", ")}.`) : null;
  const fold = notes.length ? h("details", {
    class: "tab-notes", open: folded !== JSON.stringify(notes),
    ontoggle: () => {
      folded = fold.open ? "" : JSON.stringify(notes);
    },
  }, h("summary", {}, notes.length === 1 ? "A note for today" : `${notes.length} notes for today`), notes.map((note) => h("p", {}, note))) : null;
  place.day.replaceChildren(...[fold, who].filter(Boolean));
}

function line(row, stands) {
  const words = [];
  if (stands.words) words.push(stands.words);
  if (!stands.done && stands.may) words.push(...(row.to_pay ? [h("strong", {}, `To pay ${pounds(row.to_pay)}.`)] : []));
  const notes = needsOf(row);
  return h("li", {},
    h("button", {
      type: "button", class: `tab-row${stands.done ? " tab-row--done" : ""}${!stands.done && !stands.may ? " tab-row--no" : ""}`,
      "data-number": row.number, onclick: () => open(row),
    },
    h("span", { class: "tab-row__number" }, String(row.number)), " ",
    h("span", { class: "tab-row__name" }, row.called || "Number only"), " ",
    row.first_visit ? h("span", { class: "tab-tag" }, "First visit") : null, " ",
    words.length ? h("span", { class: "tab-row__note" }, ...words.flatMap((each) => [each, " "])) : null,
    notes.length && !stands.done ? h("span", { class: "tab-row__note" }, notes.join(" ")) : null));
}

export function needsOf(row) {
  return [
    ...(row.needs || []).map((need) => `${need}.`),
    ...(row.interpreter ? [`Interpreter: ${row.interpreter}.`] : []),
    ...(row.no_cooking ? ["No cooking facilities."] : []),
  ];
}

export function open(row) {
  view.scroll = window.scrollY;
  view.last = row.number;
  hall.show("member", row);
}

// Back at the list after a member: where one was; after a search at the whole list again.
export function done() {
  if (view.typed) Object.assign(view, WHOLE);
}

function after(found) {
  const typed = view.typed.trim();
  const more = found.length - view.rows;
  const number = /^\d{1,8}$/.test(typed) && !found.some((row) => String(row.number) === typed) ? Number(typed) : 0;
  return [
    more > 0 ? button(`Show ${Math.min(more, ROWS)} more of ${found.length}`, () => {
      const next = view.rows;
      view.rows += ROWS;
      fill();
      place.rows.children[next]?.firstElementChild.focus({ preventScroll: true });
    }, "secondary") : null,
    !found.length && typed ? h("p", {}, "Nobody here is found by that. Try the first three letters of the name they gave, or the whole number on their card. Nobody is sent away.") : null,
    !found.length && !typed ? h("p", {}, "This pantry has no members yet. Who comes is recorded as a visitor.") : null,
    number ? button(`Record number ${number}, who is not on this list`, () => open(unlisted(number)), "secondary") : null,
    button("Somebody who is not on the list", () => hall.show("visitor"), "secondary"),
    worried(),
  ];
}

// A number that is not on the list: perhaps of another pantry. The server knows; what is recorded is kept in any case.
export function unlisted(number) {
  const { allowance } = hall.state.settings;
  return {
    id: null, number, called: "", may_shop: true, words: "Not on this list. What you record is kept and looked at", to_pay: 0,
    left: allowance, allowance, needs: [], interpreter: "", no_cooking: false, first_visit: false, collected: null,
  };
}
