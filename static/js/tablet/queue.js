// Entries: saved here under a key before anything is sent, sent in their order, again and again until the server has
// told each its outcome. The key makes sending twice the same as sending once.

import { entries } from "./store.js";
import { clock, Far, Gone, Refused, send } from "./wire.js";

const AT_ONCE = 10; // some 6 kB a call: a thin line brings it through
const OUTCOMES = ["recorded", "same", "held"]; // the server has it. Anything else: it stays here
const LATER = 600000; // what was refused is tried again, but not all the time
const WAITS = [1000, 2000, 4000]; // then every four seconds while somebody looks, every 30 while nobody does
let all = [];
let changed = () => {};
let lost = () => {};
let open = () => "";
let timer = 0;
let tries = 0;
let sending = null;
const tabs = new BroadcastChannel("hall");

export const queue = {
  all: () => all,
  waiting: () => all.filter((entry) => !entry.outcome),
  problems: () => all.filter((entry) => (entry.outcome === "held" || entry.refused) && !entry.seen),
};
const due = () => queue.waiting().filter((entry) => !(entry.again > Date.now()));

// `onchange()` after every change here or in another tab; `onlost()` when the tablet is no longer one of the pantry's;
// `token()` of whose PIN is open, for "sent by".
export async function start({ onchange, onlost, token }) {
  changed = onchange;
  lost = onlost;
  open = token;
  tabs.addEventListener("message", async ({ data }) => {
    if (data === "entries") await read();
  });
  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && hurry());
  setInterval(() => due().length && hurry(), 60000);
  await read();
  hurry();
}

async function read() {
  all = await entries.all();
  changed();
}

function told() {
  tabs.postMessage("entries");
  changed();
}

// Resolves once the entry is on this device's disk. `what` is kept for the screen: member, number, said, by.
export async function add(kind, { token, session, volunteer }, body, what) {
  const at = new Date(clock.now()).toISOString();
  const entry = { key: crypto.randomUUID(), kind, token, session, volunteer, at, body, ...what };
  entry.seq = await entries.add(entry);
  all = [...all, entry];
  told();
  hurry();
  return entry;
}

export async function seen(entry) {
  entry.seen = true;
  await entries.put(entry);
  told();
}

// Delete what has its outcome: all of it, or what is older than so many hours. What waits stays.
export async function clear(hours = 0) {
  const before = Date.now() - hours * 3600000;
  const done = all.filter((entry) => entry.outcome && (!hours || Date.parse(entry.at) < before));
  if (!done.length) return;
  await entries.drop(done.map((entry) => entry.seq));
  await read();
  tabs.postMessage("entries");
}

// What was refused as well: somebody asked for it.
export async function hurryAll() {
  all = all.map((entry) => ({ ...entry, again: 0 }));
  for (const entry of queue.waiting()) await entries.put(entry);
  hurry();
}

function hurry() {
  tries = 0;
  clearTimeout(timer);
  timer = setTimeout(flush, 0);
}

function later() {
  const hidden = document.visibilityState === "hidden";
  const wait = hidden ? 30000 : WAITS[Math.min(tries, WAITS.length - 1)];
  tries += 1;
  clearTimeout(timer);
  timer = setTimeout(flush, wait * (0.8 + Math.random() * 0.2));
}

// One sender at a time, in this tab and in all others.
async function flush() {
  if (sending) return sending;
  const turn = async (lock) => lock && empty();
  const locked = () => (navigator.locks ? navigator.locks.request("hall-send", { ifAvailable: true }, turn) : turn(true));
  sending = locked().catch((why) => {
    if (why instanceof Gone) lost();
    else if (!(why instanceof Far || why instanceof Refused)) console.error(why.message);
  });
  await sending;
  sending = null;
  if (due().length) later();
  else tries = 0;
}

// Everything that waits, a handful at a time. A handful the server cannot read goes one by one, so that one bad entry
// does not hold up the others.
async function empty() {
  all = await entries.all(); // another tab may have sent some
  const stuck = new Set();
  let atOnce = AT_ONCE;
  for (;;) {
    const next = due().filter((entry) => !stuck.has(entry.key)).slice(0, atOnce);
    if (!next.length) break;
    try {
      const { outcomes } = await send(next.map(onTheLine), open());
      const answered = await settle(next, outcomes || []);
      next.filter((entry) => !answered.has(entry.key)).forEach((entry) => stuck.add(entry.key));
    } catch (why) {
      if (!(why instanceof Refused)) throw why;
      if (next.length > 1) atOnce = 1;
      else stuck.add(next[0].key);
    }
  }
}

function onTheLine({ key, token, kind, session, at, body }) {
  return { ...body, key, token, kind, session, at };
}

// What has its outcome keeps the words and what the screen shows; what was sent, and the token, go.
async function settle(sent, outcomes) {
  const answered = new Set();
  for (const entry of sent) {
    const found = outcomes.find((each) => each.key === entry.key);
    if (!OUTCOMES.includes(found?.outcome)) {
      if (found?.outcome === "refused") await refuse(entry, found.words);
      continue;
    }
    const { body, token, refused, again, ...rest } = entry;
    const settled = { ...rest, outcome: found.outcome, words: found.words || "" };
    if (body?.collection_key) settled.collection_key = body.collection_key;
    await entries.put(settled);
    all = all.map((each) => (each.key === entry.key ? settled : each));
    answered.add(entry.key);
  }
  if (answered.size) tries = 0; // the line holds: what is lost next is tried again soon
  told();
  return answered;
}

async function refuse(entry, words) {
  const seenBefore = entry.seen && entry.refused === words;
  const stays = { ...entry, refused: words || "The server did not take this.", seen: seenBefore, again: Date.now() + LATER };
  await entries.put(stays);
  all = all.map((each) => (each.key === entry.key ? stays : each));
}
