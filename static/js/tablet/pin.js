// Who is recording, and their PIN.

import { button, h, say, screen } from "./dom.js";
import { dayInWords, hours, ofTheHour, toCome } from "./day.js";
import { firstPin, hall, unlock } from "./hall.js";

const DIGITS = 6;

export function names() {
  const { tablet, volunteers, sessions } = hall.state;
  const today = ofTheHour(sessions);
  const next = toCome(sessions);
  const when = today
    ? `${dayInWords(today.on)}, ${hours(today)}`
    : `No session today. ${next ? `The next is on ${dayInWords(next.on)}, ${hours(next)}.` : ""}`;
  screen(
    "Who is recording?",
    h("h1", {}, h("span", { class: "tab-caption" }, `${tablet.pantry}. ${when}`), "Who is recording?"),
    notice(),
    volunteers.length
      ? h("ul", { class: "tab-names" }, volunteers.map((each) => h("li", {}, button(each.called, () => hall.show("pin", each), "name", { disabled: !today }))))
      : h("p", {}, "Nobody is on the list of this pantry’s volunteers yet. The pantry manager adds them."),
    volunteers.length && today ? h("p", { class: "tab-quiet" }, "Not here? The pantry manager adds you to the list of volunteers.") : null,
  );
  if (hall.notice) say(hall.notice);
}

function notice() {
  return hall.notice ? h("p", { class: "tab-inset" }, hall.notice) : null;
}

// The PIN of one volunteer; `locked` where somebody was at work.
export function ask(volunteer, locked = false) {
  hall.me = volunteer;
  if (!volunteer.has_pin) return starting(volunteer);
  pad({
    title: locked ? "Locked" : "Your PIN",
    words: locked ? `${volunteer.called}, your PIN takes you back to where you were.` : `${volunteer.called}, type your 6-digit PIN.`,
    label: "PIN",
    other: button(locked ? "Somebody else" : "Back", () => hall.show("names"), "quiet"),
    done: (pin) => unlock(volunteer, pin),
  });
}

function starting(volunteer, problem = "") {
  pad({
    title: "Starting code",
    words: `${volunteer.called}, type the starting code that the pantry manager gave you.`,
    label: "Starting code",
    problem,
    other: button("Back", () => hall.show("names"), "quiet"),
    done: async (code) => choose(volunteer, code),
  });
}

function choose(volunteer, code, problem = "") {
  pad({
    title: "Choose a PIN",
    words: "6 digits that nobody guesses: not a birthday, not 123456.",
    label: "New PIN",
    problem,
    other: button("Back", () => starting(volunteer), "quiet"),
    done: async (pin) => again(volunteer, code, pin),
  });
  return "next";
}

function again(volunteer, code, pin) {
  pad({
    title: "The same PIN again",
    words: "So that it is the one you meant.",
    label: "The same PIN again",
    other: button("Back", () => choose(volunteer, code), "quiet"),
    done: async (second) => {
      if (second !== pin) return choose(volunteer, code, "The two were not the same. Choose again.");
      const problem = await firstPin(volunteer, code, pin);
      if (!problem) return null;
      starting(volunteer, problem);
      return "next";
    },
  });
  return "next";
}

// Six digits by keypad or keyboard. `done(digits)` gives null (unlocked), "next" (another screen is there) or a problem.
function pad({ title, words, label, problem = "", other, done }) {
  const told = h("p", { class: "tab-problem", id: "pin-problem" });
  const field = h("input", {
    id: "pin", class: "tab-pin", inputmode: "none", autocomplete: "off", maxlength: DIGITS, "aria-describedby": "pin-problem",
    oninput: () => {
      field.value = field.value.replace(/\D/g, "");
      if (field.value.length === DIGITS) enough();
    },
  });
  let busy = false;
  const tell = (said) => {
    told.textContent = said;
    if (said) say(said);
  };
  async function enough() {
    if (busy) return;
    busy = true;
    told.textContent = "One moment.";
    const answer = await done(field.value);
    busy = false;
    if (answer === "next") return;
    if (answer === null) return hall.show("unlocked");
    if (!hall.state) return;
    if (hall.notice) return hall.show("names");
    field.value = "";
    field.focus();
    tell(answer);
  }
  const press = (digit) => {
    if (busy || field.value.length >= DIGITS) return;
    field.value += digit;
    if (field.value.length === DIGITS) enough();
  };
  const key = (digit) => button(String(digit), () => press(digit), "key");
  const back = button("Delete", () => !busy && (field.value = field.value.slice(0, -1)), "key tab-button--small");
  screen(
    title,
    h("div", { class: "tab-pinpad" },
      h("h1", {}, title),
      h("p", {}, words),
      h("label", { for: "pin", class: "tab-label" }, label),
      field, told,
      h("div", { class: "tab-keys" }, [1, 2, 3, 4, 5, 6, 7, 8, 9].map(key), other, key(0), back)),
  );
  tell(problem);
  field.focus({ preventScroll: true });
}
