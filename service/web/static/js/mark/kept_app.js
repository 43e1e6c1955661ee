/* Let this page open with no network: the service worker, and the ground map of the workshop's area within bounds. */

const GROUND = "ground";
const MOST_TILES = 400;
const MOST_BYTES = 30000000;
const FINEST = 17;

export function keepApp(base, way) {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(base + "/sw.js", { scope: base + "/j" }).catch(() => null);
  if (way.shell || !window.caches) return;
  keepGround(way.bbox).catch(() => null); // no room, or no network any more: the map then has names and no streets
}

async function keepGround(box) {
  const map = window.saferPlaces.map;
  let ground = null;
  map.eachLayer((layer) => {
    if (layer.options && (layer.options.kind === "pmtiles" || layer.options.kind === "raster") && layer.options.url) ground = layer.options;
  });
  if (!ground) return;
  const cache = await caches.open(GROUND);
  const wanted = ground.kind === "pmtiles" ? [ground.url] : tiles(ground, box || whole());
  const addresses = wanted.map((url) => new URL(url, window.location.href).href);
  for (const held of await cache.keys()) if (!addresses.includes(held.url)) await cache.delete(held);
  for (const url of addresses) {
    if (await cache.match(url)) continue;
    if (ground.kind === "pmtiles" && !(await fits(url))) return;
    await cache.add(url).catch(() => null); // a tile that is not there
  }
}

function whole() {
  const bounds = window.saferPlaces.layers.areas[0].getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

async function fits(url) {
  const head = await fetch(url, { headers: { Range: "bytes=0-0" } });
  const total = Number((head.headers.get("content-range") || "").split("/")[1]);
  return total > 0 && total <= MOST_BYTES;
}

/* All tiles of the box, from the whole of it down to the finest zoom that stays within the bound: which of them are
   kept follows from the workshop alone, never from where somebody looked. */
function tiles(ground, [west, south, east, north]) {
  const found = [];
  for (let zoom = 11; zoom <= Math.min(FINEST, ground.maxDataZoom); zoom += 1) {
    const [left, top] = tile(west, north, zoom);
    const [right, bottom] = tile(east, south, zoom);
    if (found.length + (right - left + 1) * (bottom - top + 1) > MOST_TILES) break;
    for (let x = left; x <= right; x += 1)
      for (let y = top; y <= bottom; y += 1) found.push(ground.url.replace("{z}", zoom).replace("{x}", x).replace("{y}", y));
  }
  return found;
}

function tile(longitude, latitude, zoom) {
  const count = Math.pow(2, zoom);
  const angle = (latitude * Math.PI) / 180;
  const y = ((1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2) * count;
  return [Math.floor(((longitude + 180) / 360) * count), Math.floor(y)];
}
