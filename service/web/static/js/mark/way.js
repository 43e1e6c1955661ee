/* How this page may mark: what it asks and where it sends. In a workshop that is kept for when there is no network,
   without the title of the workshop: what lies on the device says nothing about who uses it. */

import { Kept } from "./kept.js";
import { canSeal } from "./seal.js";

const TIME_OUT_MS = 8000;

async function ask(url, what) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIME_OUT_MS), ...what });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/* Return the way of the page. `sealed` stands only where marks can be sealed and kept. */
export async function findWay(flow) {
  const base = flow.dataset.base;
  const way = JSON.parse(flow.dataset.way);
  if (!way.sealed) return way;
  if (!canSeal) return { ...way, sealed: null };
  const kept = new Kept();
  return way.shell ? fromDevice(way, kept) : fromServer(base, way, kept);
}

/* A page from the network: fetch the pass of the seat, sealed by the server, and keep it with what the workshop asks. */
async function fromServer(base, way, kept) {
  const { workshop, key, closes, app } = way.sealed;
  try {
    const known = await kept.seat(workshop).catch(() => null);
    const answer = await ask(base + "/api/v1/workshop/pass", { cache: "no-store" }).catch(() => null);
    const pass = answer ? answer.pass : known && known.seat;
    if (!pass) return { ...way, sealed: null };
    const asked = { ...way, title: "", shell: undefined, sealed: undefined };
    const seat = { workshop: workshop, seat: pass, publicKey: key, closesAt: closes, since: Date.now(), way: asked };
    await kept.putSeat(seat).catch(() => null); // a browser that keeps nothing still seals and sends
    return { ...way, seat: seat, app: app };
  } catch (error) {
    return { ...way, sealed: null };
  }
}

/* The kept page: the workshop that was joined last on this device, if it is not over. */
async function fromDevice(way, kept) {
  const seats = await kept.seats().catch(() => []);
  const open = seats.filter((seat) => Date.parse(seat.closesAt) > Date.now()).sort((a, b) => b.since - a.since);
  const app = way.sealed.app;
  if (!open.length) return { ...way, app: app, seat: null, joined: seats.length > 0 };
  return { ...way, ...open[0].way, shell: true, sealed: way.sealed, app: app, seat: open[0], joined: true };
}

/* Take out of the kept page what this workshop does not ask. */
export function fit(way, sheet) {
  const drop = (found) => found && found.remove();
  if (!way.words) ["note", "suggestion"].forEach((name) => drop(document.getElementById(name)?.closest(".field")));
  if (!way.words) drop(document.getElementById("look-again"));
  if (!way.groups) drop(document.getElementById("people")?.closest(".field"));
  if (!way.borders) drop(sheet.querySelector('[data-draw="border"]'));
}
