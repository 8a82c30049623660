// A member's card before the camera. Its square code is read by the browser where it can, otherwise by a reader that is
// fetched when it is first needed. No picture leaves the device, and none is kept.

const EVERY = 150; // milliseconds between two looks
const SIDE = 480; // pixels of the square that our reader looks at: a phone reads it in time

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia);

// What went wrong, and what to do instead, in words.
export function words(why) {
  if (why.name === "NotAllowedError") return "The camera is not allowed on this page. Allow it in the browser, or type what is on the card.";
  if (why.name === "NotFoundError" || why.name === "OverconstrainedError") return "No camera is found on this device. Type what is on the card.";
  return "The camera cannot be used just now. Type what is on the card.";
}

let reader = null;

// A function that gives the texts of the codes in a video's present picture.
async function make() {
  const own = globalThis.BarcodeDetector;
  const kinds = (await own?.getSupportedFormats().catch(() => [])) || [];
  if (kinds.includes("qr_code")) {
    const native = new own({ formats: ["qr_code"] });
    return async (video) => (await native.detect(video)).map((each) => each.rawValue);
  }
  const { default: decode } = await import("../../qr/decode.js");
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const square = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    square.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, SIDE, SIDE);
    try {
      return [decode(square.getImageData(0, 0, SIDE, SIDE))];
    } catch {
      return []; // no code in this picture
    }
  };
}

// Fetched ahead, so that it is there without a network.
export async function ready() {
  reader ??= make();
  try {
    return await reader;
  } catch (why) {
    reader = null;
    throw why;
  }
}

// Shows the camera in `video` until `take(text)` says yes to a code, the video leaves the page or nobody looks at it any
// more. The camera is off afterwards in any case. Rejects where there is none: words() says why.
export async function look(video, take, facing = "environment") {
  const picture = { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: picture, audio: false });
  const on = () => video.isConnected && document.visibilityState === "visible";
  try {
    const read = await ready();
    if (!on()) return;
    video.srcObject = stream;
    await video.play();
    while (on()) {
      for (const text of video.videoWidth ? await read(video) : []) if (on() && (await take(text))) return;
      await new Promise((done) => setTimeout(done, EVERY));
    }
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}

// Whether there is a second camera to turn to; known once one has been allowed.
export async function others() {
  const found = await navigator.mediaDevices.enumerateDevices();
  return found.filter(({ kind }) => kind === "videoinput").length > 1;
}
