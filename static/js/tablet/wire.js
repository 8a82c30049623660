// The line to the server. Whatever is not a whole answer of this site counts as no line: a hall's wifi likes to answer
// with a page of its own.

export class Far extends Error {} // no line, or the server is not well: try again later
export class Gone extends Error {} // this tablet is not, or no longer, one of the pantry's
export class Refused extends Error {
  constructor(status, told) {
    super(told.problem || "The server did not take this.");
    this.status = status;
    this.told = told;
  }
}

let ahead = 0; // how far the server's clock is before this device's, in milliseconds

export const clock = {
  now: () => Date.now() + ahead,
  learn: (moment) => {
    const told = Date.parse(moment);
    if (told) ahead = told - Date.now();
  },
};

async function ask(path, { body, headers = {}, seconds = 15 } = {}) {
  let answer;
  let told = null;
  try {
    answer = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(seconds * 1000),
    });
    if (answer.status === 304) return { unchanged: true };
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) throw new Far("not an answer of ours");
    told = await answer.json();
  } catch (why) {
    if (answer?.status === 401) throw new Gone("not enrolled");
    throw new Far(why.message);
  }
  if (answer.status === 401) throw new Gone(told.problem || "");
  if (answer.status === 429 || answer.status >= 500) throw new Far(`${answer.status}`);
  if (!answer.ok) throw new Refused(answer.status, told);
  if (told.now) clock.learn(told.now);
  return { told, etag: answer.headers.get("ETag") };
}

export const state = async () => (await ask("state/")).told;
export const unlock = async (volunteer, pin) => (await ask("unlock/", { body: { volunteer, pin } })).told;
export const setPin = async (volunteer, code, pin) => (await ask("pin/", { body: { volunteer, code, pin } })).told;
export const send = async (entries, token) =>
  (await ask("entries/", { body: { entries }, headers: token ? { "X-Tablet-Token": token } : {}, seconds: 20 })).told;

// Today's list of a session; { unchanged: true } where the server says that it is the one we have.
export async function list(session, token, etag) {
  const headers = { "X-Tablet-Token": token, ...(etag && { "If-None-Match": etag }) };
  const got = await ask(`list/?session=${encodeURIComponent(session)}`, { headers, seconds: 30 });
  return got.unchanged ? got : { ...got.told, etag: got.etag };
}
