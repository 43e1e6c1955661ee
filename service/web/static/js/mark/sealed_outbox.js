/* Keeps marks sealed on this device until they are delivered, and sends them in the order they were made. Other pages
   of the same browser may send at the same time: the server stores each id once. */

import { Kept } from "./kept.js";
import { seal } from "./seal.js";

const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 60000;
const TIME_OUT_MS = 20000;
const ASK_MS = 3000; // somebody waits for this answer
const MOST_MARKS = 10;
const MOST_LETTERS = 40000; // of one request; a single mark may be larger

export class SealedOutbox {
  /* changed(item): called whenever an item changes (waiting, kept, sent, refused), and with null when the counts do */
  constructor(base, words, changed) {
    this.url = base + "/api/v1/sealed";
    this.words = words; // async: secret -> words of the receipt, or null
    this.changed = changed;
    this.kept = new Kept();
    this.loose = []; // sealed marks that this browser could not keep: they live as long as the page
    this.items = new Map(); // what this page made, by id
    this.seat = null; // workshop, seat, publicKey, closesAt: set once it is known
    this.unsent = 0; // waiting for the network
    this.refused = 0; // for an adult to look at
    this.sealing = Promise.resolve();
    this.busy = false;
    this.wait = FIRST_WAIT_MS;
    this.timer = 0;
    this.asked = false; // whether this page knows from the server if the workshop is open
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  /* Whether something would be lost if this page was closed now. */
  get holds() {
    return this.loose.length > 0 || Array.from(this.items.values()).some((item) => item.state === "waiting");
  }

  /* Seal a mark and keep it; one that was refused and is now corrected goes for it. */
  add(feature, replaced) {
    const item = { feature: feature, state: "waiting", answer: null, problem: null };
    this.items.set(feature.id, item);
    this.sealing = this.sealing.then(() => this.keep(item, replaced));
    return item;
  }

  async keep(item, replaced) {
    const seat = this.seat;
    const secret = item.feature.receipt;
    item.answer = { receipt: { secret: secret, words: await this.words(secret) } };
    const content = JSON.stringify({ v: 1, seat: seat.seat, made: new Date().toISOString(), mark: item.feature });
    const sealed = await seal(seat.publicKey, seat.workshop, item.feature.id, content);
    const mark = { id: item.feature.id, workshop: seat.workshop, seat: seat.seat, sealed: sealed, state: "waiting", code: "" };
    try {
      await this.kept.add(mark, replaced);
      item.state = "kept";
    } catch (error) {
      this.loose.push(mark); // no room, or a private window: it goes on from memory, and leaving the page asks first
      item.state = "loose";
    }
    await this.count();
    this.changed(item);
    this.hurry();
  }

  /* What was said leaves the page's memory once its screen is left; the envelope stays. */
  forget() {
    for (const [id, item] of this.items) if (item.state !== "waiting") this.items.delete(id);
  }

  async marks() {
    try {
      return [...(await this.kept.marks()), ...this.loose];
    } catch (error) {
      return [...this.loose];
    }
  }

  async count() {
    const marks = await this.marks();
    this.unsent = marks.filter((mark) => mark.state === "waiting").length;
    this.refused = marks.length - this.unsent;
    return marks;
  }

  hurry() {
    this.wait = FIRST_WAIT_MS;
    return this.run();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    try {
      while (await this.deliver());
    } finally {
      this.busy = false;
    }
    await this.count();
    this.changed(null);
    if (!this.unsent) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  /* Send what fits into one request; say whether to go on at once. */
  async deliver() {
    const marks = await this.count();
    const batch = fitting(marks.filter((mark) => mark.state === "waiting"));
    if (!batch.length && (this.asked || !this.seat)) return false;
    const held = tally(marks, this.seat && this.seat.seat);
    const answer = await this.post({ marks: batch.map(({ id, sealed }) => ({ id, sealed })), held: held });
    if (answer === null) return false;
    await this.settle(answer.marks);
    await this.learn(answer.windows);
    return batch.length > 0 && answer.marks.every((one) => one.outcome !== "later");
  }

  /* Return the answer; null where there is no network or no answer of ours. */
  async post(body, patience = TIME_OUT_MS) {
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        credentials: "omit",
        cache: "no-store",
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
      });
      const answer = await response.json();
      if (response.ok) return answer;
      // one mark alone that the server cannot even read as a request: an adult has to look
      if ((response.status === 422 || response.status === 413) && body.marks.length === 1)
        return { marks: [{ id: body.marks[0].id, outcome: "refused", problem: answer }], windows: [] };
      return null;
    } catch (error) {
      return null;
    }
  }

  /* Delivered marks leave this device; refused ones stay until an adult wipes them. */
  async settle(outcomes) {
    const refused = outcomes.filter((one) => one.outcome === "refused");
    const gone = outcomes.filter((one) => one.outcome !== "refused" && one.outcome !== "later").map((one) => one.id);
    this.loose = this.loose.filter((mark) => !gone.includes(mark.id));
    this.loose.forEach((mark) => {
      if (refused.some((one) => one.id === mark.id)) mark.state = "refused";
    });
    if (gone.length) await this.kept.remove(gone);
    if (refused.length) await this.kept.refuse(refused.map((one) => one.id), refused.map((one) => one.problem.code));
    await this.count();
    for (const one of outcomes) {
      const item = this.items.get(one.id);
      if (!item || one.outcome === "later") continue;
      item.state = one.outcome === "refused" ? "refused" : "sent";
      item.problem = one.problem;
      this.changed(item);
      if (item.state === "sent") this.items.delete(one.id);
    }
  }

  /* Ask whether new marks are taken; without an answer in time what is known here counts. */
  async ask() {
    if (!this.seat || !navigator.onLine) return;
    const held = tally(await this.marks(), this.seat.seat);
    const answer = await this.post({ marks: [], held: held }, ASK_MS);
    if (answer) await this.learn(answer.windows);
  }

  /* The workshop may have been made longer, or ended: that decides about new marks only. */
  async learn(windows) {
    const found = this.seat && windows.find((one) => one.workshop === this.seat.workshop);
    if (!found) return;
    this.asked = true;
    const closes = found.is_open ? found.closes_at : new Date(Math.min(Date.now(), Date.parse(this.seat.closesAt))).toISOString();
    if (Date.parse(closes) === Date.parse(this.seat.closesAt)) return;
    this.seat.closesAt = closes;
    await this.kept.putSeat(this.seat).catch(() => null);
  }

  /* Wipe what is kept here, sent or not, and tell the adult's page that nothing is held any more. */
  async clear() {
    const seats = new Set([...(await this.marks()), ...(await this.kept.seats())].map((one) => one.seat));
    await this.kept.wipe();
    this.loose = [];
    this.items.clear();
    await this.count();
    if (seats.size) await this.post({ marks: [], held: Array.from(seats, (seat) => ({ seat: seat, unsent: 0 })).slice(0, 20) });
    this.changed(null);
  }
}

function fitting(marks) {
  let letters = 0;
  const batch = [];
  for (const mark of marks.slice(0, MOST_MARKS)) {
    letters += mark.sealed.length;
    if (batch.length && letters > MOST_LETTERS) break;
    batch.push(mark);
  }
  return batch;
}

/* How many marks each seat holds on this device; the seat of this page is named even when it holds none. */
function tally(marks, own) {
  const counts = new Map(own ? [[own, 0]] : []);
  marks.forEach((mark) => counts.set(mark.seat, (counts.get(mark.seat) || 0) + 1));
  return Array.from(counts, ([seat, unsent]) => ({ seat: seat, unsent: unsent })).slice(0, 20);
}
