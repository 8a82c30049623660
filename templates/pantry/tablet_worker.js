// Keeps the tablet's page on the tablet, so that it opens without a network, and the reader of cards once it has been
// asked for. Nothing else is kept here: what is asked about members is never in this store.

const STORE = "hall-{{ version }}";
const KEPT = {{ kept|safe }};
const LATER = {{ later|safe }};

addEventListener("install", (event) => {
  const whole = KEPT.map((address) => new Request(address, { cache: "no-cache" }));
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(whole)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("hall-") && name !== STORE);
  const dropped = caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name))));
  event.waitUntil(dropped.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || ![...KEPT, ...LATER].includes(pathname)) return;
  event.respondWith(answer(pathname, event.request));
});

async function answer(pathname, request) {
  const store = await caches.open(STORE);
  const found = await store.match(pathname);
  if (found) return found;
  const fresh = await fetch(request);
  if (fresh.ok && LATER.includes(pathname)) await store.put(pathname, fresh.clone());
  return fresh;
}
