// Who is at work on this tablet and what they may see: unlocking, locking, today's list, erasing. No elements here.

import { find, ofTheHour, prepare } from "./day.js";
import * as queue from "./queue.js";
import { kept } from "./store.js";
import * as vaults from "./vault.js";
import * as wire from "./wire.js";

const TRIES = 5;
const KEEP_HOURS = 12;
const tabs = new BroadcastChannel("hall");

export const hall = {
  state: null, // what the server says of this tablet: pantry, volunteers, sessions, settings
  me: null, // the volunteer whose PIN is asked, or who is at work
  open: null, // while unlocked: { vault, members, notes, down, token, session, etag, at }
  back: null, // where to go on after the lock: { volunteer, view, member, number, draft }; no names
  notice: "", // why the list is not here
  show: () => {}, // the page, told by app.js
};

export const settings = () => hall.state?.settings || {};
export const session = () => hall.open && (ofTheHour(hall.state.sessions) || hall.open.session);
export const search = (typed) => (hall.open ? find(hall.open.members, typed) : []);
export const memberOf = (id, number) =>
  hall.open?.members.find((row) => (id ? row.id === id : row.number === number)) || null;

// What the server says of this tablet; kept, so that it opens without a network.
export async function readState() {
  hall.state ??= (await kept.get("state")) || null;
  await sweep();
  try {
    hall.state = await wire.state();
    await kept.put("state", hall.state);
  } catch (why) {
    if (why instanceof wire.Gone) await lost();
    else if (!(why instanceof wire.Far)) hall.notice = why.message;
  }
}

// Null when the tablet is unlocked, otherwise why it is not.
export async function unlock(volunteer, pin) {
  await sweep();
  const opened = await vaults.open(volunteer.id, pin);
  if (opened) {
    await kept.drop("tries");
    enter(volunteer, { vault: opened.vault, at: opened.at, ...opened.contents });
    refresh();
    return null;
  }
  try {
    return await admit(volunteer, pin, await wire.unlock(volunteer.id, pin));
  } catch (why) {
    return refusal(volunteer, why, opened === null);
  }
}

// The first PIN of a volunteer, with the starting code the pantry manager gave them.
export async function firstPin(volunteer, code, pin) {
  try {
    const told = await wire.setPin(volunteer.id, code, pin);
    volunteer.has_pin = true;
    await kept.put("state", hall.state);
    return await admit(volunteer, pin, told.token ? told : await wire.unlock(volunteer.id, pin));
  } catch (why) {
    return refusal(volunteer, why, false);
  }
}

async function admit(volunteer, pin, { token }) {
  if (!ofTheHour(hall.state.sessions)) await readState(); // a tablet that was left on over night
  const today = ofTheHour(hall.state?.sessions || []);
  if (!today) return "There is no session today.";
  const contents = { ...(await wire.list(today.id, token)), token, session: today };
  const vault = await vaults.make(volunteer.id, pin);
  const at = Date.now();
  await vaults.seal(vault, contents, at, true);
  await kept.drop("tries");
  enter(volunteer, { ...contents, vault, at });
  return null;
}

async function refusal(volunteer, why, wrongHere) {
  if (why instanceof wire.Gone) {
    await lost();
    return hall.notice;
  }
  if (why instanceof wire.Far) {
    if (wrongHere) return wrong(TRIES);
    return `There is no network, and ${volunteer.called} has not unlocked this tablet with a network today. Somebody who has can go on.`;
  }
  if (!(why instanceof wire.Refused)) throw why;
  if (why.status === 410) {
    await erase(why.message);
    return why.message;
  }
  if (why.status === 403 && why.told.left !== undefined) return wrong(why.told.left);
  if (why.status === 403 && !wrongHere) await vaults.eraseOne(volunteer.id);
  return why.message;
}

// One more wrong PIN; the fifth erases the list, whoever counts it first.
async function wrong(left) {
  const tries = Math.max(((await kept.get("tries")) || 0) + 1, TRIES - left);
  await kept.put("tries", tries);
  const more = TRIES - tries;
  if (more > 0) return `That is not right. ${more === 1 ? "1 try is" : `${more} tries are`} left, then the list is erased from this tablet.`;
  await kept.drop("tries");
  await erase("The list was erased from this tablet after 5 wrong PINs. Ask the pantry manager.");
  return hall.notice;
}

function enter(volunteer, open) {
  hall.me = volunteer;
  hall.notice = "";
  hall.open = { ...open, members: prepare(open.members) };
}

// The key and the list leave the memory; the PIN screen shows nothing of them.
export function lock() {
  hall.open = null;
}

// Today's list anew, where there is a network. Nothing happens where there is none.
export async function refresh() {
  const open = hall.open;
  if (!open) return;
  try {
    const today = session();
    const got = await wire.list(today.id, open.token, today.id === open.session.id ? open.etag : "");
    if (hall.open !== open) return;
    const at = Date.now();
    if (!got.unchanged) Object.assign(open, got, { members: prepare(got.members), session: today });
    else if (at - open.at < 600000) return;
    open.at = at;
    const { vault, ...contents } = open;
    const stays = await vaults.seal(vault, contents, at);
    if (!stays && hall.open === open) lock();
    hall.show("changed");
  } catch (why) {
    if (why instanceof wire.Gone) await lost();
    else if (why instanceof wire.Refused && hall.open === open) {
      await vaults.eraseOne(open.vault.volunteer);
      lock();
      hall.notice = why.message;
      hall.show("names");
    }
  }
}

// What may not be kept any longer goes: lists after their hours, and what was sent.
export async function sweep() {
  const keep = settings().keep_h || KEEP_HOURS;
  const gone = await vaults.erase(keep);
  await queue.clear(keep);
  if (gone) hall.notice = `Today’s list was erased from this tablet after ${keep} hours. Unlock it with a network.`;
  if (!hall.open || !vaults.tooOld(hall.open.at, keep)) return;
  lock();
  hall.show("names");
}

// Everything goes but what has not been sent: ids and numbers, until the server has them.
export async function erase(notice) {
  lock();
  hall.back = null;
  hall.notice = notice;
  await vaults.erase();
  await kept.drop("back");
  await queue.clear();
  tabs.postMessage("erased");
}

// The tablet is no longer, or not yet, one of the pantry's.
export async function lost() {
  const was = hall.state;
  hall.state = null;
  hall.me = null;
  await kept.drop("state");
  await erase(was ? "This tablet is no longer one of the pantry’s. Its list is erased." : "");
  hall.show("enrol");
}

export function onErased(act) {
  tabs.addEventListener("message", ({ data }) => data === "erased" && act());
}

// Where to go on: kept, because a tablet ends its browser when it likes to.
export async function remember(back) {
  hall.back = back;
  await (back ? kept.put("back", back) : kept.drop("back"));
}
