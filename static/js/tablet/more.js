// More than a collection: told about something, something in the way, would like to help, worried. None of it asks for
// words, and what is in the way or worries somebody cannot be read back here.

import { button, h, say, screen } from "./dom.js";
import { close } from "./envelope.js";
import { hall, session, settings } from "./hall.js";
import { add } from "./queue.js";
import { saving } from "./saving.js";

const who = () => ({ token: hall.open.token, session: session().id, volunteer: hall.me.id });
const named = (row) => `${row.number} ${row.called || "Number only"}`;

const keep = (kind, body, what, words) => saving(async () => {
  await add(kind, who(), what.member ? body : await close(body), { said: "", by: hall.me.called, ...what });
  hall.just = { words: "Saved", said: words };
  say(`Saved on this device. ${words}.`);
  hall.show("list");
});

// What the server has on offer for this pantry; nothing is shown that it does not know.
export function moreFor(row) {
  if (!row.id) return [];
  const { topics, barriers } = settings();
  return [
    topics?.length ? button("Told them about…", () => hall.show("told", row), "secondary") : null,
    barriers?.length ? button("Something makes it hard to come", () => hall.show("barrier", row), "secondary") : null,
    topics ? button("Would like to help here", () => keep("wish", { member: row.id }, { member: row.id, number: row.number, said: "would like to help" }, `${row.number} would like to help`), "secondary") : null,
    worried(row),
  ].filter(Boolean);
}

export function worried(row = null) {
  return settings().call ? button("Worried about someone?", () => hall.show("worry", row), "secondary") : null;
}

function choose(title, row, choices, words) {
  screen(
    title,
    h("p", { class: "tab-backline" }, button("Back", () => hall.show("member", row), "back")),
    h("h1", {}, h("span", { class: "tab-caption" }, named(row)), title),
    words ? h("p", {}, words) : null,
    h("div", { class: "tab-do" }, choices),
  );
}

export function told(row) {
  const about = ({ id, name, line, where, phone, website }) => {
    const found = [line, where, phone, website].filter(Boolean).join(". ");
    return [
      button(name, () => keep("told", { member: row.id, topic: id }, { member: row.id, number: row.number, said: `told about ${name}` }, `${row.number} told about ${name}`), "secondary tab-button--big"),
      found ? h("p", { class: "tab-quiet" }, found) : null,
    ];
  };
  choose("Told them about…", row, settings().topics.flatMap(about).filter(Boolean));
}

export function barrier(row) {
  const choices = settings().barriers.map(({ id, name }) => button(name, () => keep("barrier", { member: row.id, category: id }, {}, "Noted, and cannot be read here again"), "secondary tab-button--big"));
  choose("Something makes it hard to come", row, choices, "Choose what it is about. It goes to the people who can help and cannot be read back on this tablet.");
}

export function worry(row) {
  const calls = settings().call;
  const ask = () => keep("worry", { member: row?.id || null, ring_me: true }, {}, "Asked to be rung");
  screen(
    "Worried about someone?",
    h("p", { class: "tab-backline" }, button("Back", () => (row ? hall.show("member", row) : hall.show("list")), "back")),
    h("h1", {}, row ? h("span", { class: "tab-caption" }, named(row)) : null, "Worried about someone?"),
    h("p", { class: "tab-warning" }, "If somebody is in danger now, call ", h("a", { href: "tel:999" }, "999"), "."),
    h("ul", { class: "tab-entries" }, calls.map(({ role, called, phone }) => h("li", {},
      h("span", {}, h("strong", {}, role), called ? ` ${called}` : ""), h("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, phone)))),
    h("p", {}, "Or ask to be rung. Nothing has to be written, and it cannot be read back on this tablet."),
    h("div", { class: "tab-do" }, button("Ask someone to ring me", ask, "big")),
  );
}
