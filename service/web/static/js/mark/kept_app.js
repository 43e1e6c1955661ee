/* Let this page open with no network: the service worker, and the ground map of the workshop's area within bounds. */

const GROUND = "ground";
const MOST_TILES = 200; // for each device of a room that shares one line
const MOST_BYTES = 6000000;
const COARSEST = 10;
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
  const wanted = tiles(ground.maxDataZoom, box || whole());
  const mark = new URL("maps-ground-kept?" + new URLSearchParams([["url", ground.url], ["box", String(box)]]), window.location.href).href;
  const cache = await caches.open(GROUND);
  if (await cache.match(mark)) return; // this area of this map is here already
  await caches.delete(GROUND);
  const fresh = await caches.open(GROUND);
  if (ground.kind === "pmtiles") await keepRanges(fresh, ground.url, wanted);
  else await keepTiles(fresh, ground.url, wanted);
  await fresh.put(mark, new Response(""));
}

async function keepTiles(cache, address, wanted) {
  let bytes = 0;
  for (const [zoom, x, y] of wanted) {
    const url = address.replace("{z}", zoom).replace("{x}", x).replace("{y}", y);
    const answer = await fetch(url);
    if (!answer.ok) continue; // a tile that is not there
    bytes += (await answer.clone().blob()).size;
    if (bytes > MOST_BYTES) return;
    await cache.put(url, answer);
  }
}

/* Read the tiles as the map does, and keep each range that this takes, under an address of its own. */
async function keepRanges(cache, url, wanted) {
  const file = new protomapsL.PmtilesSource(url, false).p;
  const read = file.source.getBytes.bind(file.source);
  let bytes = 0;
  file.source.getBytes = async (offset, length, ...rest) => {
    const part = await read(offset, length, ...rest);
    bytes += part.data.byteLength;
    if (bytes <= MOST_BYTES) await cache.put(`${url}?bytes=${offset}-${offset + length - 1}`, new Response(part.data.slice(0)));
    return part;
  };
  for (const [zoom, x, y] of wanted) {
    if (bytes > MOST_BYTES) return;
    await file.getZxy(zoom, x, y);
  }
}

function whole() {
  const bounds = window.saferPlaces.layers.areas[0].getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

/* All tiles of the box, from the whole of it down to the finest zoom that stays within the bound: which of them are
   kept follows from the workshop alone, never from where somebody looked. */
function tiles(finest, [west, south, east, north]) {
  const found = [];
  for (let zoom = COARSEST; zoom <= Math.min(FINEST, finest); zoom += 1) {
    const [left, top] = tile(west, north, zoom);
    const [right, bottom] = tile(east, south, zoom);
    if (found.length + (right - left + 1) * (bottom - top + 1) > MOST_TILES) break;
    for (let x = left; x <= right; x += 1)
      for (let y = top; y <= bottom; y += 1) found.push([zoom, x, y]);
  }
  return found;
}

function tile(longitude, latitude, zoom) {
  const count = Math.pow(2, zoom);
  const angle = (latitude * Math.PI) / 180;
  const y = ((1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2) * count;
  return [Math.floor(((longitude + 180) / 360) * count), Math.floor(y)];
}
