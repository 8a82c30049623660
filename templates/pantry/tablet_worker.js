// Keeps the tablet's page on the tablet, so that it opens without a network. Nothing else is kept here: what is asked
// about members is never in this store.

const STORE = "hall-{{ version }}";
const KEPT = {{ kept|safe }};

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
  if (event.request.method !== "GET" || origin !== location.origin || !KEPT.includes(pathname)) return;
  event.respondWith(caches.open(STORE).then((store) => store.match(pathname)).then((found) => found || fetch(event.request)));
});
