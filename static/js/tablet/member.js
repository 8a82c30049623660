// One member: the usual ten in one more tap, another number, why it is more, undone.

import { button, h, pounds, say, screen } from "./dom.js";
import { ofThisDevice, standing } from "./day.js";
import { hall, remember, session } from "./hall.js";
import { done as backToList, needsOf } from "./list.js";
import { moreFor } from "./more.js";
import { add, queue } from "./queue.js";
import { saving } from "./saving.js";
import { lists } from "./words.js";

export function member(row, draft = null) {
  const stands = standing(row, ofThisDevice(queue.all()));
  const notes = needsOf(row);
  remember({ volunteer: hall.me.id, view: "member", member: row.id, number: row.number, draft });
  screen(
    "Member",
    h("p", { class: "tab-backline" }, button("Back to the list", () => hall.show("list"), "back")),
    h("h1", { class: "tab-member" }, h("span", { class: "tab-member__number" }, String(row.number)), ` ${row.called || "Number only"}`),
    row.first_visit ? h("p", {}, h("span", { class: "tab-tag" }, "First visit")) : null,
    notes.length ? h("p", { class: "tab-inset" }, notes.join(" ")) : null,
    stands.words ? h("p", { class: stands.done ? "tab-done" : "tab-note" }, stands.words) : null,
    stands.done ? undo(row, stands) : stands.may ? (draft ? selection(row, draft) : usual(row)) : nothing(),
    draft ? null : h("div", { class: "tab-more" }, moreFor(row)),
  );
}

function nothing() {
  return h("p", {}, "Nothing can be recorded. If that looks wrong, ask the pantry manager: nobody is sent away by this page.");
}

function undo(row, { entry }) {
  if (!entry) return h("p", { class: "tab-quiet" }, "It was not recorded on this tablet, or before the list was erased: the pantry manager can undo it.");
  if (entry.volunteer !== hall.me.id) return h("p", { class: "tab-quiet" }, `${entry.by} recorded this. ${entry.by} or the pantry manager can undo it.`);
  return button("Undo", () => takeBack(entry, lists.undone), "secondary");
}

// What the usual number is, by band as the pantry gives it out; { "": 10 } where it has no bands.
function usualOf(row) {
  const { bands } = hall.state.settings;
  let left = row.left || row.allowance;
  if (!bands?.length) return { "": left };
  return Object.fromEntries(bands.map(({ id, items }) => {
    const usual = Math.min(items, left);
    left -= usual;
    return [id, usual];
  }));
}

function usual(row) {
  const left = row.left || row.allowance;
  const record = (paid) => save(row, { quantities: null, fruit: true, override: "", paid }, `${left} items, fruit and veg`);
  return [
    h("p", { class: "tab-facts" }, `${left} of ${row.allowance} items left. `, h("strong", {}, `To pay today ${pounds(row.to_pay)}.`)),
    h("div", { class: "tab-do" },
      row.to_pay
        ? [button(`Usual ${left}, ${pounds(row.to_pay)} paid`, () => record(true), "big"), button(`Usual ${left}, not paid today`, () => record(false), "secondary tab-button--big")]
        : button(`Record the usual ${left} with fruit and veg`, () => record(true), "big"),
      button("Another number", () => member(row, { quantities: usualOf(row), fruit: true }), "secondary")),
  ];
}

function selection(row, draft) {
  const { bands } = hall.state.settings;
  const each = bands?.length ? bands : [{ id: "", name: "Items", items: row.allowance }];
  const total = h("p", { class: "tab-total" });
  const change = () => {
    const sum = sumOf(draft);
    total.textContent = `${sum} of ${row.allowance} items${over(draft, each, row.allowance) ? ": more than allowed" : ""}`;
    total.classList.toggle("tab-total--over", Boolean(over(draft, each, row.allowance)));
    remember({ volunteer: hall.me.id, view: "member", member: row.id, number: row.number, draft });
    return total.textContent;
  };
  const record = (paid) => {
    if (!sumOf(draft) && !draft.fruit) return say((total.textContent = "Nothing is chosen. Add items, or fruit and veg."));
    const more = over(draft, each, row.allowance);
    return more ? why(row, draft, more, paid) : keep(row, draft, each, "", paid);
  };
  const body = [
    h("div", { class: "tab-steppers" }, each.map((band) => stepper(band, draft, change)), fruit(draft, change), total),
    h("div", { class: "tab-do" },
      row.to_pay
        ? [button(`Record, ${pounds(row.to_pay)} paid`, () => record(true), "big"), button("Record, not paid today", () => record(false), "secondary tab-button--big")]
        : button("Record", () => record(true), "big"),
      button("The usual instead", () => member(row), "secondary")),
  ];
  change();
  return body;
}

function stepper(band, draft, change) {
  const name = band.name;
  const number = h("output", { class: "tab-stepper__number" }, String(draft.quantities[band.id] || 0));
  const step = (by) => () => {
    const next = Math.min(100, Math.max(0, (draft.quantities[band.id] || 0) + by));
    draft.quantities[band.id] = next;
    number.textContent = String(next);
    say(`${name} ${next}. ${change()}`);
  };
  return h("div", { class: "tab-stepper", role: "group", "aria-label": name },
    h("span", { class: "tab-stepper__name" }, name, h("span", { class: "tab-quiet" }, ` up to ${band.items}`)),
    button("−", step(-1), "step", { "aria-label": `One less: ${name}` }), number,
    button("+", step(1), "step", { "aria-label": `One more: ${name}` }));
}

function fruit(draft, change) {
  const box = h("input", { type: "checkbox", id: "fruit", checked: draft.fruit, onchange: () => {
    draft.fruit = box.checked;
    change();
  } });
  return h("div", { class: "tab-check" }, box, h("label", { for: "fruit" }, "Fruit and vegetables"));
}

const sumOf = (draft) => Object.values(draft.quantities).reduce((sum, each) => sum + each, 0);

// What is more than allowed, in a sentence; "" when nothing is.
function over(draft, bands, allowance) {
  for (const { id, name, items } of bands) {
    if (id && (draft.quantities[id] || 0) > items) return `${draft.quantities[id]} ${name} items are more than the ${items} allowed.`;
  }
  const sum = sumOf(draft);
  return sum > allowance ? `${sum} items are more than the ${allowance} allowed this week.` : "";
}

// Warned, and given all the same: with a reason.
function why(row, draft, more, paid) {
  const { bands } = hall.state.settings;
  screen(
    "Why is it more?",
    h("p", { class: "tab-backline" }, button("Change the number", () => member(row, draft), "back")),
    h("h1", {}, h("span", { class: "tab-caption" }, `${row.number} ${row.called || "Number only"}`), "Why is it more?"),
    h("p", { class: "tab-warning" }, more),
    h("div", { class: "tab-do" }, lists.over.map(([code, label]) => button(label, () => keep(row, draft, bands || [], code, paid), "secondary tab-button--big"))),
  );
  say(more);
}

function keep(row, draft, bands, override, paid) {
  const parts = bands.filter(({ id }) => id && draft.quantities[id]).map(({ id, name }) => `${draft.quantities[id]} ${name}`);
  const sum = sumOf(draft);
  const items = sum ? [`${parts.length ? parts.join(" and ") : sum} item${sum === 1 ? "" : "s"}`] : [];
  const said = [...items, ...(draft.fruit ? ["fruit and veg"] : [])].join(", ");
  return save(row, { quantities: draft.quantities, fruit: draft.fruit, override, paid }, said);
}

const save = (row, body, said) => saving(async () => {
  const paid = row.to_pay ? (body.paid ? `, ${pounds(row.to_pay)} paid` : ", not paid") : "";
  const who = { token: hall.open.token, session: session().id, volunteer: hall.me.id };
  const what = { member: row.id, number: row.number, said: said + paid, by: hall.me.called };
  const entry = await add("collection", who, { member: row.id, number: row.number, pence: row.to_pay, ...body }, what);
  hall.just = { entry, words: `${row.number} ${row.called || "Number only"}`, said: entry.said };
  say(`Saved on this device. ${hall.just.words}: ${entry.said}.`);
  backToList();
  hall.show("list");
});

// Undone at once, or later with a reason; the collection stays, with who undid it and why.
export const takeBack = (entry, reason) => saving(async () => {
  const who = { token: hall.open.token, session: entry.session, volunteer: hall.me.id };
  await add("void", who, { collection_key: entry.key, reason }, { number: entry.number, said: reason, by: hall.me.called });
  hall.just = { words: `Undone: ${entry.number}`, said: "the week is free again" };
  say(`Undone for number ${entry.number}. The week is free again.`);
  hall.show("list");
});
