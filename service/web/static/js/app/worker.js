/* The service worker of the marking page (scope /j). The server puts APP before this text: base, address of the version,
   names of its files. It keeps that one version whole, opens the page with no network, and keeps no answer of the API. */

const PREFIX = "app ";
const CACHE = PREFIX + APP.app;
const GROUND = "ground";
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  const wanted = APP.files.map((name) => new Request(APP.app + "/" + name, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(wanted))); // all of them, or this version is not used
});

/* The browser waits with this until no page of the version before is open: two versions never mix. */
self.addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const path = url.pathname;
  if (path.startsWith(APP.app + "/")) event.respondWith(file(path));
  else if (path.startsWith(APP.base + "/maps/ground/")) event.respondWith(ground(request));
  else if (request.mode === "navigate" && (path === APP.base + "/j" || path.startsWith(APP.base + "/j/"))) event.respondWith(page(request));
});

async function file(path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) || fetch(path);
}

/* A page of ours comes from the network where there is one, and else the kept one opens. */
async function page(request) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const answer = await Promise.race([fetch(request).catch(() => null), late]);
  if (answer && answer.status < 500) return answer;
  return (await (await caches.open(CACHE)).match(APP.app + "/page")) || fetch(request);
}

/* The ground map of the workshop's area, where the page has put it aside: tiles, or the ranges of a vector file. */
async function ground(request) {
  const cache = await caches.open(GROUND);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") || "");
  const kept = await cache.match(range ? `${request.url}?bytes=${range[1]}-${range[2]}` : request.url);
  if (!kept || !range) return kept || fetch(request);
  const content = await kept.arrayBuffer();
  const headers = { "Content-Range": `bytes ${range[1]}-${Number(range[1]) + content.byteLength - 1}/*` };
  return new Response(content, { status: 206, headers: headers });
}
