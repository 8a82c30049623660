// Today's list as it lies on the device: encrypted with a key that only the volunteer's PIN gives. Locking drops the key
// from memory, erasing deletes what it opens. One vault for each volunteer: no PIN opens another's.

import { kept } from "./store.js";

const ROUNDS = 600000;
const HOUR = 60 * 60 * 1000;
const text = new TextEncoder();

async function keyOf(pin, salt) {
  const typed = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, typed, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const place = (volunteer) => `vault:${volunteer}`;

// A new vault for this PIN; keep what it gives in memory while unlocked: { volunteer, salt, key }.
export async function make(volunteer, pin) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { volunteer, salt, key: await keyOf(pin, salt) };
}

// Put what is known today into the vault; `at` is when it came from the server. A vault that is not new has to be there
// still: false where it was erased meanwhile.
export async function seal(vault, contents, at, isNew = false) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, vault.key, text.encode(JSON.stringify(contents)));
  const whole = { salt: vault.salt, iv, sealed, at };
  if (isNew) await kept.put(place(vault.volunteer), whole);
  return isNew || kept.replace(place(vault.volunteer), whole);
}

// { vault, contents, at } with the right PIN, null with a wrong one, undefined where this volunteer has none.
export async function open(volunteer, pin) {
  const found = await kept.get(place(volunteer));
  if (!found) return undefined;
  const key = await keyOf(pin, found.salt);
  try {
    const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: found.iv }, key, found.sealed);
    const contents = JSON.parse(new TextDecoder().decode(opened));
    return { vault: { volunteer, salt: found.salt, key }, contents, at: found.at };
  } catch {
    return null;
  }
}

// Older than it may be kept, or from a time to come: then the clock was moved, and its age is not known.
export function tooOld(at, hours, now = Date.now()) {
  return now - at >= hours * HOUR || at - now > HOUR;
}

// Erase the vaults that are too old; with `hours` 0 all of them. Gives how many went.
export async function erase(hours = 0) {
  let gone = 0;
  for (const name of await kept.names()) {
    if (!name.startsWith("vault:")) continue;
    const found = await kept.get(name);
    if (hours && found && !tooOld(found.at, hours)) continue;
    await kept.drop(name);
    gone += 1;
  }
  return gone;
}

export const eraseOne = (volunteer) => kept.drop(place(volunteer));
