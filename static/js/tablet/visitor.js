// Somebody who is not on the list: they shop, and the pantry manager sorts it out.

import { button, h, say, screen } from "./dom.js";
import { close } from "./envelope.js";
import { hall, session } from "./hall.js";
import { add } from "./queue.js";
import { saving } from "./saving.js";

export function visitor() {
  const field = h("input", { id: "called", class: "tab-input", autocomplete: "off", spellcheck: "false", maxlength: 60, "aria-describedby": "called-hint" });
  const save = () => saving(async () => {
    const who = { token: hall.open.token, session: session().id, volunteer: hall.me.id };
    const entry = await add("visitor", who, await close({ called: field.value.trim() }), { said: "the usual items", by: hall.me.called });
    hall.just = { words: "Visitor", said: entry.said };
    say("Saved on this device. Visitor: the usual items.");
    hall.show("list");
  });
  screen(
    "Visitor",
    h("p", { class: "tab-backline" }, button("Back to the list", () => hall.show("list"), "back")),
    h("h1", {}, "Somebody who is not on the list"),
    h("p", {}, "They take the usual items today, and the pantry manager sorts it out afterwards. If they have a number, go back and type it: members of other pantries are found by it."),
    h("label", { for: "called", class: "tab-label" }, "What they are called (optional)"),
    h("p", { class: "tab-quiet", id: "called-hint" }, "Only if they like to say. No surname."),
    field,
    h("div", { class: "tab-do" }, button("Record this visitor", save, "big")),
  );
}
