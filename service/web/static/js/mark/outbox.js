/* Sends marks, one after another, until each is stored. They live in memory only: nothing of a person is kept on the
   device. The device makes the id and the receipt, so the same mark sent twice is stored once. */

const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 30000;
const TIME_OUT_MS = 15000;
const SLOW = new Set([408, 425, 429]);

function random(bytes) {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/* A random UUID4; crypto.randomUUID is missing where the page is not served over HTTPS. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = random(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/* 128 random bits as base64url: a receipt, or the key of one person in one session. */
export function newSecret() {
  return btoa(String.fromCharCode(...random(16))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export class Outbox {
  /* changed(item): called whenever the state of an item changes: waiting, retrying, sent, refused */
  constructor(url, changed) {
    this.url = url;
    this.changed = changed;
    this.items = [];
    this.busy = false;
    this.wait = FIRST_WAIT_MS;
    this.timer = 0;
    window.addEventListener("online", () => this.hurry());
  }

  get unsent() {
    return this.items.filter((item) => item.state === "waiting" || item.state === "retrying").length;
  }

  add(feature) {
    const item = { feature: feature, state: "waiting", answer: null, problem: null };
    this.items.push(item);
    this.hurry();
    return item;
  }

  hurry() {
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    this.run();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    for (const item of this.items) {
      if (item.state === "sent" || item.state === "refused") continue;
      await this.send(item);
      this.changed(item);
      if (item.state === "retrying") break;
    }
    this.busy = false;
    this.items = this.items.filter((item) => item.state !== "sent" && item.state !== "refused");
    if (this.unsent) {
      this.timer = setTimeout(() => this.run(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    }
  }

  async send(item) {
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": item.feature.id },
        body: JSON.stringify(item.feature),
        signal: AbortSignal.timeout(TIME_OUT_MS),
      });
      const answer = await response.json();
      if (response.ok) {
        item.state = "sent";
        item.answer = answer;
      } else if (response.status >= 500 || SLOW.has(response.status) || response.status === 401) {
        item.state = "retrying";
        item.problem = answer;
      } else {
        item.state = "refused";
        item.problem = answer;
      }
    } catch (error) {
      item.state = "retrying"; // no network, no answer in time, or an answer that is not ours
      item.problem = null;
    }
  }
}
