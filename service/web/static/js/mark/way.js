/* How this page may mark: what it asks and where it sends. In a workshop that is kept for when there is no network,
   without the title of the workshop: what lies on the device says nothing about who uses it. */

import { Kept } from "./kept.js";
import { canSeal } from "./seal.js";

/* Return the way of the page. `seat` stands only where marks can be sealed and kept. */
export async function findWay(flow) {
  const way = JSON.parse(flow.dataset.way);
  if (!way.sealed) return way;
  if (!canSeal) return { ...way, sealed: null };
  return way.shell ? fromDevice(way) : fromServer(way);
}

/* A page from the network: it brings the pass of the seat, which the server has sealed. */
function fromServer(way) {
  const { workshop, key, closes, app, seat } = way.sealed;
  const asked = { ...way, title: "", sealed: null };
  const kept = { workshop: workshop, seat: seat, publicKey: key, closesAt: closes, since: Date.now(), way: asked };
  new Kept().putSeat(kept).catch(() => null); // a browser that keeps nothing still seals and sends
  return { ...way, seat: kept, app: app };
}

/* The kept page: the workshop that was joined last on this device, if it is not over. */
async function fromDevice(way) {
  const app = way.sealed.app;
  const seats = await new Kept().seats().catch(() => []);
  const last = seats.sort((one, other) => other.since - one.since)[0];
  if (!last) return { ...way, app: app, seat: null };
  return { ...last.way, shell: true, sealed: way.sealed, app: app, seat: last };
}

/* Take out of the kept page what this workshop does not ask. */
export function fit(way, sheet) {
  const drop = (found) => found && found.remove();
  if (!way.words) ["note", "suggestion"].forEach((name) => drop(sheet.querySelector("#" + name)?.closest(".field")));
  if (!way.words) drop(sheet.querySelector("#look-again"));
  if (!way.groups) drop(sheet.querySelector("#people")?.closest(".field"));
  if (!way.borders) drop(sheet.querySelector('[data-draw="border"]'));
}
