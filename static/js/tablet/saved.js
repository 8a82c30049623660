// What was entered on this device, whether it was sent, what the server could not take as it is; signing out.

import { button, h, plural, say, screen } from "./dom.js";
import { hourOf } from "./day.js";
import { erase, hall, memberOf } from "./hall.js";
import { takeBack } from "./member.js";
import { hurryAll, queue, seen } from "./queue.js";
import { lists } from "./words.js";

const OUTCOMES = { recorded: "Sent", same: "Sent", held: "Sent, to sort out" };
const WHAT = { void: "Undone", visitor: "Visitor", barrier: "Noted", worry: "Asked to be rung" };
const ROWS = 50;

const back = () => h("p", { class: "tab-backline" }, button("Back to the list", () => hall.show("list"), "back"));

function label(entry) {
  const name = memberOf(entry.member, entry.number)?.called || "";
  return [WHAT[entry.kind], entry.number, name].filter(Boolean).join(" ");
}

export function saved() {
  const all = queue.all().toReversed();
  const problems = queue.problems();
  const undone = new Set(all.filter((entry) => entry.kind === "void").map((entry) => entry.body?.collection_key || entry.collection_key));
  const waiting = queue.waiting().length;
  const mine = (entry) => entry.kind === "collection" && entry.volunteer === hall.me.id && !undone.has(entry.key) && !entry.refused;
  screen(
    "Saved on this device",
    back(),
    h("h1", {}, "Saved on this device"),
    h("p", {}, waiting ? `${plural(waiting, "entry", "entries")} not sent yet. They go by themselves as soon as there is a network, also after this tablet was switched off.` : "Everything is sent."),
    waiting ? button("Send now", () => {
      say("Trying to send");
      hurryAll();
    }, "secondary") : null,
    problems.length ? [h("h2", {}, "To look at"), problems.map((entry) => h("div", { class: "tab-warning" },
      h("p", {}, h("strong", {}, `${hourOf(entry.at)} ${label(entry)}`), entry.said ? ` ${entry.said}` : ""),
      h("p", {}, entry.refused || entry.words || "The server did not take this as it is."),
      h("p", {}, entry.outcome === "held" ? "It is kept, and the pantry manager sorts it out." : "It stays on this tablet and is tried again. Show it to the pantry manager."),
      button("I have read this", () => seen(entry), "secondary")))] : null,
    h("h2", {}, "Today"),
    all.length ? h("ul", { class: "tab-entries" }, all.slice(0, ROWS).map((entry) => h("li", {},
      h("span", {}, h("strong", {}, `${hourOf(entry.at)} ${label(entry)}`), entry.said ? ` ${entry.said}` : "", ` · ${entry.by}`),
      h("span", { class: entry.outcome ? "tab-quiet" : "tab-waits" }, OUTCOMES[entry.outcome] || (entry.refused ? "Saved, not taken yet" : "Saved, not sent yet")),
      mine(entry) ? button("Undo", () => hall.show("undoing", entry), "secondary", { "aria-label": `Undo with a reason: ${label(entry)}` }) : null)))
      : h("p", { class: "tab-quiet" }, "Nothing yet today."),
    all.length > ROWS ? h("p", { class: "tab-quiet" }, `The last ${ROWS} of ${all.length} are shown.`) : null,
    h("h2", {}, "Leave this tablet"),
    h("p", {}, "Signing out erases today’s list from this tablet. To go on with it you need a network and a PIN."),
    button("Sign out", () => hall.show("leaving"), "warning"),
  );
}

export function leaving() {
  const waiting = queue.waiting().length;
  screen(
    "Sign out?",
    h("h1", {}, "Sign out?"),
    h("p", {}, "Today’s list is erased from this tablet."),
    waiting ? h("p", { class: "tab-warning" }, `${plural(waiting, "entry is", "entries are")} not sent yet. They stay here without names and go when this page is open and there is a network.`) : null,
    h("div", { class: "tab-do" },
      button("Sign out and erase the list", async () => {
        await erase("Signed out. Today’s list is erased from this tablet.");
        hall.show("names");
      }, "warning tab-button--big"),
      button("Stay", () => hall.show("list"), "secondary tab-button--big")),
  );
}

export function undoing(entry) {
  screen(
    "Why is it undone?",
    back(),
    h("h1", {}, h("span", { class: "tab-caption" }, `${hourOf(entry.at)} ${label(entry)}`), "Why is it undone?"),
    h("div", { class: "tab-do" }, lists.void.map((reason) => button(reason, () => takeBack(entry, reason), "secondary tab-button--big"))),
  );
}
