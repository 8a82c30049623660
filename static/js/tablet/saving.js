// One entry at a time is saved; a device that cannot save it says so, and what to do then.

import { button, h, say, screen } from "./dom.js";
import { hall } from "./hall.js";

let busy = false;

export async function saving(work) {
  if (busy || !hall.open) return;
  busy = true;
  try {
    await work();
  } catch (why) {
    say("Not saved");
    screen("Not saved", h("h1", {}, "Not saved"), h("p", { class: "tab-warning" }, `This device could not save it: ${why.message}. Write it on paper and tell the pantry manager.`), button("Back to the list", () => hall.show("list"), "big"));
  } finally {
    busy = false;
  }
}
