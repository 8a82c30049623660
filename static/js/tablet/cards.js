// A member's card: a handheld scanner types its code into the search box, or somebody reads it out. The device knows a
// card by the digest of its code alone.

const SIGNS = "34679CDFGHJKLMNPQRTVWXY";
const LENGTH = 9;

// The code in what was typed, "" where it is none: nine known signs of which the last fits the others.
export function codeIn(typed) {
  const code = typed.replace(/[\s-]/g, "").toUpperCase();
  if (code.length !== LENGTH || [...code].some((sign) => !SIGNS.includes(sign))) return "";
  const sum = [...code].reduce((before, sign, place) => before + (place + 1) * SIGNS.indexOf(sign), 0);
  return sum % SIGNS.length ? "" : code;
}

// The member of that card on the list, or undefined.
export async function holderOf(code, members) {
  const whole = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  const digest = [...whole.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return members.find((row) => row.card === digest);
}
