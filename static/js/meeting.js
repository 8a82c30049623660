// The page on which a meeting is worked through: each item is saved by itself while one types. What could not be sent
// is kept in this browser, says so, and goes when the line is back. Without this script each item has its button.

const WAIT = 1200; // after the last key, in milliseconds
const AGAIN = 4000; // until the next try while there is no line
const KEPT_FOR = 12 * 60 * 60 * 1000;
const who = document.querySelector("script[data-who]").dataset.who;
const banner = document.querySelector("[data-unsaved]");
const LABELS = { open: ["To discuss", "blue"], discussed: ["Discussed", "green"], put_off: ["Put off", "grey"] };
const items = [];
const FAR = "There is no connection. What you typed is kept in this browser and is sent when the line is back.";

function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function readKept(place) {
  try {
    return JSON.parse(localStorage.getItem(place));
  } catch {
    return null;
  }
}

// Words kept too long go, whoever typed them and in whichever meeting: the machine may be shared.
for (const place of Object.keys(localStorage).filter((name) => name.startsWith("meeting:"))) {
  if (!(Date.now() - readKept(place)?.at < KEPT_FOR)) localStorage.removeItem(place);
}

class Item {
  constructor(form) {
    this.form = form;
    this.said = form.querySelector("[data-said]");
    this.place = `meeting:${who}:${form.dataset.item}`;
    this.dirty = false; // typed and not saved
    this.sending = null; // the body that is on its way, or may have arrived
    this.stopped = false; // a person has to look first
    this.saved = this.words();
    form.addEventListener("input", () => this.changed(WAIT));
    form.addEventListener("change", () => this.changed(200));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.stopped = false;
      this.changed(0);
    });
    this.comeBack();
  }

  field(name) {
    return this.form.elements.namedItem(name);
  }

  // Everything a person can type here, as one text to compare.
  words() {
    const all = [...new FormData(this.form)].filter(([name]) => !/^(csrfmiddlewaretoken|key|version)$/.test(name));
    return new URLSearchParams(all).toString();
  }

  put(words) {
    const given = new URLSearchParams(words);
    for (const field of this.form.elements) {
      if (!field.name || field.type === "hidden" || field.type === "submit") continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = given.get(field.name) === field.value;
      else field.value = given.get(field.name) ?? "";
    }
  }

  changed(wait) {
    this.dirty = this.words() !== this.saved;
    if (!this.dirty) this.forget();
    else this.keep();
    if (this.dirty && !this.stopped) this.say("Not yet saved");
    else if (!this.dirty && this.said.textContent.startsWith("Not yet")) this.say("");
    show();
    clearTimeout(this.timer);
    if (this.dirty && !this.stopped) this.timer = setTimeout(() => this.send(), wait);
  }

  say(words) {
    if (this.said.textContent !== words) this.said.textContent = words;
  }

  keep() {
    const kept = { at: Date.now(), words: this.words(), version: this.field("version").value, sending: this.sending };
    try {
      localStorage.setItem(this.place, JSON.stringify(kept));
    } catch {
      // No room, or not allowed: the page itself still holds the words.
    }
  }

  forget() {
    localStorage.removeItem(this.place);
  }

  // What this person had typed on this machine when the page was closed or lost its line.
  comeBack() {
    const kept = readKept(this.place);
    if (!kept) return;
    this.put(kept.words);
    this.sending = kept.sending;
    if (!kept.sending) this.field("version").value = kept.version; // older than the page: somebody saved since
    this.changed(0);
  }

  // One or two of the three parts of a day are not sent: a person is still typing them.
  halfADay() {
    const parts = ["day", "month", "year"].map((part) => this.field(`due_on_${part}`).value.trim());
    return parts.some(Boolean) && !parts.every(Boolean);
  }

  async send() {
    if (this.busy || this.stopped || (!this.dirty && !this.sending)) return;
    if (!this.sending) {
      if (this.halfADay()) return this.say("Not yet saved: the day is not complete.");
      this.field("key").value = newKey();
      this.sending = new URLSearchParams(new FormData(this.form)).toString();
      this.keep();
    }
    this.busy = true;
    let answer = null;
    try {
      answer = await fetch(this.form.action, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
        body: this.fresh(this.sending),
        redirect: "manual",
      });
    } catch {
      answer = null;
    }
    this.busy = false;
    if (!answer || answer.status >= 500) return this.later();
    const type = answer.headers.get("Content-Type") || "";
    if (!type.startsWith("application/json")) return this.stop("Not yet saved: you are signed out, or the page is too old. What you typed is kept in this browser. Sign in again and open this page.");
    const told = await answer.json();
    const sent = this.sending;
    this.sending = null;
    if (answer.ok) this.arrived(sent, told);
    else if (answer.status === 409) this.compare(told);
    else this.stop(`Not yet saved. ${told.problem}`);
  }

  // The same words under the same key, with the token the page has now.
  fresh(body) {
    const given = new URLSearchParams(body);
    given.set("csrfmiddlewaretoken", this.field("csrfmiddlewaretoken").value);
    return given.toString();
  }

  arrived(sent, told) {
    const given = new URLSearchParams(sent);
    for (const name of ["csrfmiddlewaretoken", "key", "version"]) given.delete(name);
    this.saved = given.toString();
    this.field("version").value = told.version;
    this.say(told.saved);
    this.tag(told.state);
    this.changed(0);
  }

  tag(state) {
    const place = document.querySelector(`[data-state-of="${this.form.dataset.item}"] .govuk-tag`);
    if (!place) return;
    place.textContent = LABELS[state][0];
    place.className = `govuk-tag govuk-tag--${LABELS[state][1]}`;
  }

  later() {
    this.say(`Not yet saved. ${FAR}`);
    this.keep();
    show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), AGAIN);
  }

  stop(words) {
    this.stopped = true;
    this.say(words);
    this.keep();
    show();
  }

  // Somebody else saved meanwhile: both texts stand, and a person chooses.
  compare(told) {
    this.stop(`Not yet saved. ${told.problem}`);
    this.form.querySelector("[data-theirs]")?.remove();
    const box = document.createElement("div");
    box.className = "govuk-inset-text";
    box.dataset.theirs = "";
    const choose = (label, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "govuk-button govuk-button--secondary";
      button.textContent = label;
      button.addEventListener("click", () => {
        box.remove();
        this.field("version").value = told.theirs.version;
        this.stopped = false;
        act();
        this.changed(0);
      });
      return button;
    };
    const words = document.createElement("p");
    words.className = "govuk-body";
    words.textContent = `Theirs: ${told.theirs.discussion || "nothing discussed"}. Decision: ${told.theirs.decision || "none"}.`;
    const buttons = document.createElement("div");
    buttons.className = "govuk-button-group";
    const takeTheirs = () => {
      const { version, ...fields } = told.theirs;
      const all = new URLSearchParams(this.words());
      for (const [name, value] of Object.entries(fields)) all.set(name, value);
      this.put(all);
      this.saved = this.words();
      this.tag(fields.state);
      this.say("");
    };
    buttons.append(choose("Take theirs", takeTheirs), choose("Keep mine", () => {}));
    box.append(words, buttons);
    this.form.prepend(box);
  }
}

// Who came: each answer goes by itself, and again until there is a line.
class List {
  constructor(form) {
    this.form = form;
    this.said = form.querySelector("[data-said]");
    this.dirty = false;
    form.addEventListener("change", () => this.send());
  }

  async send() {
    clearTimeout(this.timer);
    this.dirty = true;
    const given = new URLSearchParams(new FormData(this.form)).toString();
    let told = null;
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
        body: given,
        redirect: "manual",
      });
      told = answer.ok || answer.status === 400 ? await answer.json() : null;
    } catch {
      told = null;
    }
    if (!told) this.timer = setTimeout(() => this.send(), AGAIN);
    else if (given === new URLSearchParams(new FormData(this.form)).toString()) this.dirty = false;
    this.said.textContent = told ? told.saved || `Not yet saved. ${told.problem}` : `Not yet saved. ${FAR}`;
    show();
  }
}

const list = document.querySelector("form[data-list]");
if (list) items.push(new List(list));
items.push(...[...document.querySelectorAll("form[data-item]")].map((form) => new Item(form)));

function show() {
  const waiting = items.filter((item) => item.dirty || item.sending).length;
  const words = waiting ? `Not yet saved: ${waiting} item${waiting === 1 ? "" : "s"}.${navigator.onLine ? "" : ` ${FAR}`}` : "";
  if (banner.textContent !== words) banner.textContent = words;
}

show();
window.addEventListener("online", () => items.filter((item) => item.dirty || item.sending).forEach((item) => item.send()));
window.addEventListener("offline", show);
