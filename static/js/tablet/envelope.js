// What is said about somebody is closed here for the server alone: it lies on the device until it is sent, also while
// the tablet is locked, and nobody can read it there. The server's half is pantry/services/envelopes.py.

import { hall } from "./hall.js";

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const bytes = (words) => Uint8Array.from(atob(words), (sign) => sign.charCodeAt(0));

// { closed } instead of the body; the body where the server has not told for whom to close it.
export async function close(body) {
  if (!hall.state?.address) return body;
  const theirs = await crypto.subtle.importKey("raw", bytes(hall.state.address), CURVE, false, []);
  const own = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", own.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, own.privateKey, 256);
  const from = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: point };
  const key = await crypto.subtle.deriveKey(how, from, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const rest = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(body)));
  return { closed: btoa(String.fromCharCode(...point, ...iv, ...new Uint8Array(rest))) };
}
