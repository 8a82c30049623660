// A member's card read with the tablet's camera. Nobody needs a card, and nobody needs the camera: the box takes the code too.

import { look, others, possible, words } from "./camera.js";
import { codeIn, holderOf } from "./cards.js";
import { button, h, say, screen } from "./dom.js";
import { hall } from "./hall.js";
import { open } from "./list.js";

let facing = "environment"; // or "user": the one that looks at who holds the tablet

export const scanButton = () => (possible() ? button("Scan", () => hall.show("scan"), "secondary", { "aria-label": "Scan a card with the camera" }) : null);

function typed() {
  hall.show("list");
  document.getElementById("find").focus();
}

export function scan() {
  const video = h("video", { class: "tab-camera", playsinline: true, muted: true, "aria-label": "What the camera sees" });
  const told = h("p", { class: "tab-inset" }, "Starting the camera.");
  const choices = h("div", { class: "tab-do" }, button("Type it instead", typed, "secondary"));
  screen(
    "Scan a card",
    h("p", { class: "tab-backline" }, button("Back to the list", () => hall.show("list"), "back")),
    h("h1", {}, "Scan a card"),
    told,
    video,
    choices,
  );
  const tell = (said) => {
    if (told.textContent === said) return;
    told.textContent = said;
    say(said);
  };
  const take = async (text) => {
    const code = codeIn(text);
    const row = code && hall.open && (await holderOf(code, hall.open.members));
    if (!video.isConnected || !hall.open) return true;
    if (!row) {
      tell(code ? "No member on this list has this card. Ask for the name or the number." : "This is not a member’s card.");
      return false;
    }
    navigator.vibrate?.(60);
    open(row);
    return true;
  };
  video.addEventListener("playing", async () => {
    tell("Hold the square code of the card in front of the camera.");
    if (await others()) choices.prepend(button("Use the other camera", turn, "secondary"));
  }, { once: true });
  const turn = async () => {
    facing = facing === "user" ? "environment" : "user";
    video.remove();
    await looking; // one camera at a time
    scan();
  };
  const looking = look(video, take, facing).then(
    () => video.isConnected && hall.open && hall.show("list"), // nobody looked at it any more
    (why) => {
      video.remove();
      tell(words(why));
    },
  );
}
