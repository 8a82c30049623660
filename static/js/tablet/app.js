// The page of a pantry's own tablet: starts, changes screens, locks, and keeps the line at the bottom true.

import { possible, ready } from "./camera.js";
import { button, h, plural, say, screen } from "./dom.js";
import { hall, lock, lost, memberOf, onErased, readState, refresh, remember, settings, sweep } from "./hall.js";
import { fill, forget, list, unlisted } from "./list.js";
import { member, takeBack } from "./member.js";
import { barrier, told, worry } from "./more.js";
import { ask, names } from "./pin.js";
import * as queue from "./queue.js";
import { leaving, saved, undoing } from "./saved.js";
import { scan } from "./scan.js";
import { kept } from "./store.js";
import { visitor } from "./visitor.js";
import { lists } from "./words.js";

const bar = document.getElementById("bar");
const who = document.getElementById("who");
const READER_AFTER = 30000;
let view = "";
let touched = Date.now();

function enrol() {
  const waiting = queue.queue.waiting().length;
  screen(
    "Set up this tablet",
    h("h1", {}, "Set up this tablet"),
    hall.notice ? h("p", { class: "tab-inset" }, hall.notice) : null,
    h("p", {}, "This tablet does not belong to a pantry yet. The pantry manager signs in on it once and chooses “Use this tablet in a hall”."),
    waiting ? h("p", { class: "tab-warning" }, `${plural(waiting, "entry waits", "entries wait")} on this tablet. Nothing is lost: they go as soon as it is set up again.`) : null,
    h("p", {}, h("a", { href: "enrol/", class: "tab-button tab-button--big" }, "Set up this tablet")),
  );
}

function noList() {
  screen("No network", h("h1", {}, "No network"), h("p", {}, "This tablet has to reach the server once before it can work without a network."), button("Try again", start, "big"));
}

const WORK = { list, member, saved, undoing, leaving, visitor, told, barrier, worry, scan };
const DOOR = { names, enrol, noList, pin: (volunteer) => ask(volunteer || hall.me, !volunteer) };

// Screens by name; "changed": the list came anew; "unlocked": back to where one was.
hall.show = (name, ...given) => {
  if (name === "changed") {
    if (!hall.open) return hall.show("pin");
    if (view === "list") fill();
    return drawBar();
  }
  if (name === "unlocked") return resume();
  if (!hall.open && name in WORK) name = hall.state ? "names" : "enrol";
  if (name === "names" && !hall.state) name = "enrol";
  if (name === "list") remember({ volunteer: hall.me.id, view: "list" });
  if (name in WORK && name !== "list" && history.state?.at !== "deeper") history.pushState({ at: "deeper" }, "");
  if (name in DOOR) say(name === "pin" && !given.length ? "Locked" : ""); // what was said before the lock is not there to be read
  view = name;
  (WORK[name] || DOOR[name])(...given);
  drawHead();
  drawBar();
};

async function resume() {
  touched = Date.now();
  const back = hall.back;
  if (back && back.volunteer === hall.me.id && back.view === "member") {
    const row = memberOf(back.member, back.number) || (back.member ? null : unlisted(back.number));
    if (row) return hall.show("member", row, back.draft);
  }
  if (back?.volunteer !== hall.me.id) {
    forget();
    hall.just = null;
  }
  hall.show("list");
}

function drawHead() {
  who.replaceChildren(...(hall.open ? [h("span", { class: "tab-head__who" }, hall.me.called), button("Lock", lockNow, "head")] : []));
}

function lockNow() {
  if (!hall.open) return;
  lock();
  hall.show("pin");
}

// The line at the bottom is always there and always as high: what was just saved, and what is sent.
function drawBar() {
  const all = queue.queue.all();
  const waiting = queue.queue.waiting().length;
  const problems = queue.queue.problems().length;
  const isList = hall.open && view === "list";
  const just = isList && hall.just;
  const words = [`Saved on this device ${all.length} · Sent ${all.length - waiting}`, ...(problems ? [h("span", { class: "tab-bar__look" }, ` ${problems} to look at`)] : [])];
  bar.className = `tab-bar${isList ? "" : " tab-bar--low"}${waiting ? " tab-bar--waits" : ""}${problems ? " tab-bar--look" : ""}`;
  const shown = just
    ? [h("p", { class: "tab-bar__just" }, h("strong", {}, just.words), ` ${just.said}`), just.entry && just.entry.volunteer === hall.me.id ? button("Undo", () => takeBack(just.entry, lists.undone), "secondary", { "aria-label": `Undo what was recorded for ${just.words}` }) : null]
    : [];
  const counter = hall.open ? button(words, () => hall.show("saved"), "count") : h("p", { class: "tab-bar__count" }, ...words);
  bar.replaceChildren(...(isList ? [h("div", { class: "tab-bar__line" }, ...shown)] : []), counter);
}

// Two minutes without a touch, also while the tablet slept.
function watch() {
  if (!hall.open) return;
  const idle = Math.abs(Date.now() - touched);
  if (idle >= (settings().lock_after_s || 120) * 1000) lockNow();
}

for (const kind of ["pointerdown", "keydown"]) {
  addEventListener(kind, () => {
    watch();
    touched = Date.now();
  }, { capture: true });
}
addEventListener("popstate", () => hall.open && view !== "list" && hall.show("list"));
document.addEventListener("visibilitychange", watch);
addEventListener("pageshow", watch);
addEventListener("online", () => (hall.open ? refresh() : arrive()));
// A scanner held in the hand types like a keyboard: on the list it types into the box, whatever was touched last.
addEventListener("keydown", ({ key, target, ctrlKey, altKey, metaKey }) => {
  if (!hall.open || view !== "list" || ctrlKey || altKey || metaKey || !/^[a-z0-9]$/i.test(key)) return;
  if (!target.closest?.("input")) document.getElementById("find")?.focus();
});
setInterval(watch, 1000);
setInterval(sweep, 30000);
// The reader of cards, once there is nothing more urgent to fetch or to send: then it is there without a network too.
const later = setInterval(() => {
  if (!hall.open || !possible() || queue.queue.waiting().length || !navigator.serviceWorker?.controller) return;
  ready().then(() => clearInterval(later), () => {});
}, READER_AFTER);
setInterval(() => document.visibilityState === "visible" && (hall.open ? refresh() : arrive()), 60000);
onErased(async () => {
  lock();
  if (view !== "enrol") hall.show(hall.state ? "names" : "enrol");
});

// The names again where the server says more than what was kept; nobody is disturbed in the middle of something.
async function arrive() {
  const known = () => JSON.stringify({ ...hall.state, now: "" });
  const before = known();
  await readState();
  if (view === "enrol" && !hall.state) return;
  if (!hall.state) return hall.show("noList");
  if (["names", "noList", "enrol", ""].includes(view) && (view !== "names" || known() !== before)) hall.show("names");
}

async function start() {
  hall.state = (await kept.get("state")) || null;
  hall.back = (await kept.get("back")) || null;
  await queue.start({ onchange: changed, onlost: lost, token: () => hall.open?.token });
  if (hall.state) {
    await sweep();
    hall.show("names");
  }
  await arrive();
}

let settled = 0;
function changed() {
  const now = queue.queue.all().length - queue.queue.waiting().length;
  if (now > settled && hall.open) setTimeout(refresh, 1500);
  settled = now;
  if (!view) return;
  if (view === "list") fill();
  if (view === "saved" && hall.open) saved();
  drawBar();
}

navigator.serviceWorker?.register("sw.js").catch(() => {});
navigator.storage?.persist?.();
start();
