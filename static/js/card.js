// On the page of a session: a member's card read with the camera goes into the search box, as a scanner would type it.

import { look, possible, words } from "./tablet/camera.js";
import { codeIn } from "./tablet/cards.js";

const open = document.querySelector("[data-scan]");
const place = document.getElementById("camera");
const field = document.getElementById("q");

function show() {
  const video = Object.assign(document.createElement("video"), { className: "hubs-camera__video", playsInline: true, muted: true });
  video.setAttribute("aria-label", "What the camera sees");
  const told = place.querySelector("[role=status]");
  told.textContent = "Hold the square code of the card in front of the camera.";
  place.append(video);
  place.hidden = false;
  open.setAttribute("aria-expanded", "true");
  place.scrollIntoView({ block: "center" });
  const take = (text) => {
    const code = codeIn(text);
    if (code) {
      field.value = code;
      field.form.requestSubmit();
    } else told.textContent = "This is not a member’s card.";
    return Boolean(code);
  };
  look(video, take).then(() => video.isConnected && hide(), (why) => { // not the camera that was opened after this one
    video.remove();
    told.textContent = words(why);
  });
}

function hide() {
  place.querySelector("video")?.remove(); // the camera goes off
  place.hidden = true;
  open.setAttribute("aria-expanded", "false");
}

if (open && possible()) {
  open.hidden = false;
  open.addEventListener("click", () => (place.hidden ? show() : hide()));
}
