// The day as it is read in London, today's session, and the list with what was entered on this device laid over it.

import { clock } from "./wire.js";

const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: "Europe/London", hourCycle: "h23",
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});
const long = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });

// { on: "2026-04-08", hour: "10:42" } in London.
function london(moment = clock.now()) {
  const found = Object.fromEntries(parts.formatToParts(moment).map(({ type, value }) => [type, value]));
  return { on: `${found.year}-${found.month}-${found.day}`, hour: `${found.hour}:${found.minute}` };
}

export const dayInWords = (on) => long.format(new Date(`${on}T12:00:00Z`));
export const hours = (session) => `${session.opens.slice(0, 5)} to ${session.closes.slice(0, 5)}`;

// Today's session of the hour: the one that is open or opens next, after closing the last one; else none.
export function ofTheHour(sessions, now = london()) {
  const today = sessions.filter((each) => each.on === now.on).sort((a, b) => (a.opens < b.opens ? -1 : 1));
  return today.find((each) => now.hour < each.closes.slice(0, 5)) || today.at(-1) || null;
}

// The nearest one that is still to come, for the page that has none today.
export function toCome(sessions, now = london()) {
  return sessions.filter((each) => each.on > now.on).sort((a, b) => (a.on < b.on ? -1 : 1))[0] || null;
}

const NAMELESS = "Number only"; // no name: nobody is found by these words
const plain = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function prepare(members) {
  for (const row of members) {
    if (row.called === NAMELESS) row.called = "";
    row.words_ = plain(row.called);
    row.here_ = row.here !== false;
  }
  return members;
}

// Who is found by what was typed: names by the beginning of a word, with three letters anywhere in it; numbers by their
// beginning. Members of other pantries are found by their whole number alone.
export function find(members, typed) {
  const wanted = plain(typed.trim());
  if (!wanted) return members.filter((row) => row.here_);
  if (/^\d+$/.test(wanted)) {
    const found = members.filter((row) => (row.here_ ? String(row.number).startsWith(wanted) : String(row.number) === wanted));
    return found.sort((a, b) => a.number - b.number);
  }
  const first = [];
  const then = [];
  for (const row of members) {
    if (!row.here_) continue;
    if (` ${row.words_}`.includes(` ${wanted}`)) first.push(row);
    else if (wanted.length >= 3 && row.words_.includes(wanted)) then.push(row);
  }
  return [...first, ...then];
}

// What this device knows of each member's week, by id and by number: the last collection that is not undone.
// { entry, undone, problem } where there is any.
export function ofThisDevice(entries) {
  const undone = new Map();
  for (const entry of entries) {
    if (entry.kind !== "void" || entry.outcome === "held" || entry.refused) continue;
    undone.set(entry.body?.collection_key || entry.collection_key, entry);
  }
  const found = new Map();
  for (const entry of entries) {
    if (entry.kind !== "collection") continue;
    const known = { entry, undone: undone.get(entry.key) || null, problem: entry.outcome === "held" || Boolean(entry.refused) };
    if (entry.member) found.set(entry.member, known);
    found.set(entry.number, known);
  }
  return found;
}

// "10:42", as read in London.
export const hourOf = (moment) => london(Date.parse(moment)).hour;

// How a row stands: { done, words, entry } from the server's word and from what was entered here.
export function standing(row, here) {
  const known = here.get(row.id) || here.get(row.number);
  if (known && !known.undone && !known.problem) {
    const { entry } = known;
    const where = entry.outcome ? "Sent" : "Saved on this device";
    return { done: true, entry, words: `Collected today ${hourOf(entry.at)} by ${entry.by}: ${entry.said}. ${where}.` };
  }
  if (row.collected && !(known?.undone && row.collected.key === known.entry.key)) {
    const taken = row.collected.taken ? `: ${row.collected.taken}` : "";
    return { done: true, entry: null, words: `${row.collected.words}${taken}.` };
  }
  if (known?.undone) return { done: false, entry: null, words: "Undone. The week is free again.", may: true };
  if (known?.problem) return { done: false, entry: known.entry, words: known.entry.refused || known.entry.words, may: row.may_shop };
  return { done: false, entry: null, words: row.words ? `${row.words.replace(/\.$/, "")}.` : "", may: row.may_shop };
}
