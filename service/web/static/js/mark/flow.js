/* The marking page: one question at a time in the sheet. All answers live in this page's memory and nowhere else. */

import { carriedNames, receiptWords } from "./carried.js";
import { Device } from "./device.js";
import { keepApp } from "./kept_app.js";
import { Outbox, newId, newSecret } from "./outbox.js";
import { SealedOutbox } from "./sealed_outbox.js";
import { find } from "./search.js";
import { findWay, fit } from "./way.js";
import { Where } from "./where.js";
import { Words } from "./words.js";

const LAST = 5;
const MOST_REASONS = 10;
const SETTLE_MS = 400; // a second tap so soon was meant for the screen before
const OVER = "This workshop is over. It takes no new marks. Please tell the adult with you.";
const FEELINGS = { safe: "Feels safe", unsafe: "Feels unsafe", mixed: "It depends" };
const FIELD_STEP = { geometry: 1, kind: 1, feeling: 2, times: 3, reasons: 4, note: 5, suggestion: 5, people: 5 };

const at = (id) => document.getElementById(id);
const flow = at("flow");
const sheet = at("sheet");
const base = flow.dataset.base;
const way = await findWay(flow); // what this way of marking asks, and where it sends
const steps = [1, 2, 3, 4, LAST].filter((one) => (one !== 3 || way.times) && (one !== 4 || way.reasons));
const outbox = way.app ? new SealedOutbox(base, receiptWords(way.app), told) : new Outbox(way.url, told);
const device = way.app ? new Device(outbox, over) : null;
const carried = way.app ? carriedNames(way.app) : null;
const words = new Words(base, at("look-again"));
let where = null;
let step = 0;
let person = newSecret();
let current = null; // the mark that the last screen is about
let corrects = null; // id of a refused mark that the next one stands for
let left = false;
let shownAt = 0;

/* ---- moving between questions --------------------------------------------------------------------------------- */

function show(next, remember = true) {
  step = next;
  shownAt = performance.now();
  const marking = next !== 0;
  document.body.classList.toggle("is-marking", marking);
  at("intro").hidden = marking;
  flow.hidden = !marking;
  if (remember) history.pushState({ step: next }, "");
  if (!marking) {
    window.scrollTo(0, 0);
    at("intro").querySelector("h1").focus();
    return;
  }
  flow.dataset.at = String(next);
  sheet.querySelectorAll("[data-step]").forEach((part) => {
    part.hidden = part.dataset.step !== String(next);
  });
  const asking = typeof next === "number";
  at("progress").parentElement.hidden = !asking;
  if (asking) {
    const reached = steps.indexOf(next) + 1;
    at("progress").max = steps.length;
    at("progress").value = reached;
    at("progress-words").textContent = reached + " of " + steps.length;
  }
  at("back").parentElement.hidden = !asking;
  at("after").hidden = asking;
  if (where) {
    where.open = next === 1;
    window.saferPlaces.map.invalidateSize({ animate: false });
  }
  if (next === 4) fitReasons();
  if (next === 5) summarise();
  refresh();
  at("sheet-body").scrollTop = 0;
  const heading = sheet.querySelector(`[data-step="${next}"] h2`);
  heading.focus({ preventScroll: true });
  // where the page is higher than the screen (a phone on its side, large text) the place or the question comes first
  if (next === 1) window.scrollTo(0, 0);
  else sheet.scrollIntoView({ block: "start" });
}

function complain(words) {
  at("problem").textContent = words;
  at("problem").hidden = !words;
}

function chosen(name) {
  return Array.from(sheet.querySelectorAll(`input[name="${name}"]:checked`), (input) => input.value);
}

/* The words of the main button say what it will do. */
function refresh() {
  const next = at("next");
  const skips = (step === 3 && !chosen("times").length) || (step === 4 && !chosen("reasons").length);
  if (step === 1 && !where.points.length) next.textContent = "Use the cross";
  else next.textContent = step === LAST ? words.button : skips ? "Skip" : "Next";
  if (step !== 1) return;
  at("undo").hidden = where.kind === "point" || !where.points.length;
  at("where-state").textContent = whereWords();
  flow.classList.toggle("has-mark", where.points.length > 0);
  sheet.querySelectorAll("[data-draw]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.draw === where.kind));
  });
}

function whereWords() {
  const points = where.points.length;
  if (where.kind === "point" && !points) return "Tap the map.";
  if (where.kind === "point") return `Marked ${where.words()}`.trim() + ". Tap again to move it.";
  const fewest = where.kind === "area" ? 3 : 2;
  if (points >= fewest) return `${points} points. Tap to add more, or press Next.`;
  const thing = { route: "along your way", area: "around the area", border: "along the border" }[where.kind];
  return points ? `${points} of at least ${fewest} points.` : `Tap ${fewest} or more points ${thing}.`;
}

function advance() {
  complain("");
  if (step === 1 && !where.points.length) {
    where.tap(window.saferPlaces.map.getCenter());
    return;
  }
  if (step === 1 && !where.ready) return complain("Add more points, or choose a spot.");
  if (step === 2 && !chosen("feeling").length) return complain("Pick the one that fits best.");
  if (step === 4 && chosen("reasons").length > MOST_REASONS) return complain("Pick ten at most.");
  if (step === LAST) return check();
  show(steps[steps.indexOf(step) + 1]);
}

function fitReasons() {
  const feeling = chosen("feeling")[0];
  sheet.querySelectorAll('[data-step="4"] li').forEach((item) => {
    const fits = feeling === "mixed" || item.dataset.feeling === "both" || item.dataset.feeling === feeling;
    item.hidden = !fits;
    if (!fits) item.querySelector("input").checked = false;
  });
}

function labels(name) {
  return Array.from(sheet.querySelectorAll(`input[name="${name}"]:checked`), (input) => input.nextElementSibling.textContent.trim());
}

function summarise() {
  const parts = [FEELINGS[chosen("feeling")[0]], ...labels("times"), ...labels("reasons")];
  at("summary").textContent = "You say: " + parts.join(" · ");
}

/* ---- sending -------------------------------------------------------------------------------------------------- */

function feature() {
  const value = (name) => (sheet.elements[name] ? sheet.elements[name].value.trim() : "");
  const properties = {
    kind: where.kind,
    feeling: chosen("feeling")[0],
    times: chosen("times"),
    reasons: chosen("reasons"),
    publish: sheet.elements.never.checked ? "never" : "count",
    people: Number(value("people")) || 1,
    contributor_key: person,
  };
  if (value("note")) properties.note = value("note");
  if (value("suggestion")) properties.suggestion = value("suggestion");
  return { type: "Feature", id: newId(), geometry: where.geometry(), properties: properties, receipt: newSecret() };
}

/* Before words are sent their writer sees which of them tell about a person; sending stays one press away. */
async function check() {
  const typed = ["note", "suggestion"].map((name) => (sheet.elements[name] ? sheet.elements[name].value.trim() : ""));
  const shown = shownAt;
  at("next").disabled = true;
  const [stop] = await Promise.all([words.look(typed), device ? outbox.ask() : null]);
  at("next").disabled = false;
  if (shown !== shownAt) return; // the screen was left meanwhile
  if (over()) return tooLate();
  if (!stop) return send();
  refresh();
  at("look-again").scrollIntoView({ block: "nearest" });
}

function tooLate() {
  words.forget();
  current = null;
  at("receipt").hidden = true;
  at("q6").textContent = "Not sent";
  at("sent-state").textContent = OVER;
  show("sent");
}

function send() {
  words.forget();
  at("receipt").hidden = true;
  at("q6").textContent = "Sending";
  at("sent-state").textContent = "One moment.";
  current = outbox.add(feature(), corrects);
  corrects = null;
  show("sent");
}

/* The outbox says what became of a mark. */
function told(item) {
  if (device) {
    device.show();
    if (item === null) return kept();
  } else {
    at("unsent").textContent = outbox.unsent === 1 ? "1 not sent yet" : outbox.unsent + " not sent yet";
    at("unsent").hidden = outbox.unsent === 0;
  }
  if (item.state === "refused") return refuse(item);
  if (item !== current) return device ? undefined : late(item); // a sealed mark has shown its receipt at once
  if (item.state === "kept" || item.state === "loose") return receive(item);
  if (item.state === "sent") {
    at("q6").textContent = "Sent. Thank you.";
    const demo = flow.dataset.mode === "demo";
    at("sent-state").textContent = demo ? "This is a demo: it stands with made-up marks." : "Staff will read it.";
    receive(item);
  } else {
    at("q6").textContent = "Not sent yet";
    at("sent-state").textContent =
      item.problem && item.problem.status === 401
        ? way.title
          ? "This device is not in the workshop any more. Tell the adult with you. Keep this page open."
          : "Your sign-in has ended. Please sign in again in a new tab. Keep this page open: it keeps trying."
        : "It is not sent yet. We are trying again. Keep this page open. You can mark another place now: the receipt comes when it is sent.";
  }
}

/* The network was tried: what is still here waits on the device. */
function kept() {
  if (!current || (current.state !== "kept" && current.state !== "loose")) return;
  const loose = current.state === "loose";
  at("q6").textContent = loose ? "Not sent yet" : "Kept on this device";
  at("sent-state").textContent = loose
    ? "It is not sent yet. We are trying again. Keep this page open."
    : "There is no network right now. Your mark is locked, so that nobody can read it here. We send it when there is Wi-Fi. You can mark another place or close this page.";
}

function over() {
  return Boolean(way.seat) && Date.now() >= Date.parse(way.seat.closesAt);
}

/* A mark that was sent after its screen was left: its receipt waits on the next such screen, for the same person only. */
function late(item) {
  if (item.state !== "sent" || item.feature.properties.contributor_key !== person) return;
  const line = document.createElement("li");
  line.textContent = wordsOf(item.answer.receipt);
  at("late-receipts").append(line);
  at("late").hidden = false;
}

function wordsOf(receipt) {
  return receipt.words ? receipt.words.join(" ") : receipt.secret;
}

/* Something in the mark cannot be taken: go back to that question, with the answers still there. */
function refuse(item) {
  const problem = item.problem || {};
  const errors = problem.errors || [];
  if (device && item !== current) return; // the page says "Not sent: tell an adult" as long as it is kept
  if (device && errors.length) corrects = item.feature.id;
  if (device && !errors.length) {
    at("q6").textContent = "Not sent: tell an adult";
    at("sent-state").textContent = "Your mark is kept on this device. " + (problem.detail || "");
    return;
  }
  if (item === current && problem.status === 410) {
    at("q6").textContent = "Not sent";
    at("sent-state").textContent = problem.detail + " Tell the adult with you.";
    return;
  }
  const field = errors.length ? errors[0].field.replace(/^properties\./, "").split(/[.[]/)[0] : "geometry";
  if (item === current) show(FIELD_STEP[field] || 1);
  const why = errors.length ? errors[0].message : problem.detail || "This could not be sent. Please tell the adult with you.";
  complain(item === current ? why : "A mark you made before was not taken. " + why);
}

async function receive(item) {
  if (item.shown || item !== current) return;
  item.shown = true;
  const receipt = item.answer.receipt;
  at("receipt").hidden = false;
  at("receipt-words").textContent = wordsOf(receipt);
  const picture = at("receipt-qr");
  picture.hidden = true;
  try {
    const response = await fetch(base + "/receipt/qr", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ receipt: receipt.secret }),
    });
    if (!response.ok) return;
    const drawn = await response.blob();
    if (item !== current) return; // its screen was left: never the code of one mark beside the words of another
    picture.src = URL.createObjectURL(drawn);
    picture.hidden = false;
  } catch (error) {
    picture.hidden = true; // the words are enough
  }
}

function again() {
  words.forget();
  if (device) outbox.forget();
  corrects = null;
  if (at("receipt-qr").src) URL.revokeObjectURL(at("receipt-qr").src);
  at("receipt-words").textContent = "";
  current = null;
  sheet.reset();
  where.reset();
  at("find").value = "";
  at("found").hidden = true;
  at("found-none").hidden = true;
  complain("");
  show(1);
}

/* ---- the place ------------------------------------------------------------------------------------------------ */

function locate() {
  const button = at("locate");
  if (!navigator.geolocation) {
    at("where-state").textContent = "This device cannot tell where it is.";
    return;
  }
  button.disabled = true;
  at("where-state").textContent = "Looking for where you are.";
  navigator.geolocation.getCurrentPosition(
    (position) => {
      button.disabled = false;
      const { latitude, longitude } = position.coords;
      where.go(latitude, longitude);
      where.showHere(latitude, longitude);
      at("where-state").textContent = "Marked where you are now. Your phone's location is off again.";
    },
    () => {
      button.disabled = false;
      at("where-state").textContent = "We could not find where you are. Tap the map instead.";
    },
    { enableHighAccuracy: true, timeout: 10000, maximumAge: 0 }
  );
}

/* The second tap of a double tap must not send, skip a question or leave the receipt; keys (detail 0) are exempt. */
function stray(event) {
  if (!event.detail || performance.now() - shownAt >= SETTLE_MS) return;
  if (!event.target.closest(".sheet-actions, #mark-map")) return;
  event.preventDefault();
  event.stopPropagation();
}

function wire() {
  flow.addEventListener("click", stray, true);
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    if (document.activeElement === at("find")) find(base, where, carried);
    else advance();
  });
  sheet.addEventListener("change", () => {
    complain("");
    if (step === 2) where.feels(chosen("feeling")[0]);
    refresh();
  });
  sheet.addEventListener("input", (event) => {
    if (event.target.matches("textarea") && words.forget()) refresh();
  });
  at("back").addEventListener("click", () => history.back());
  window.addEventListener("popstate", (event) => {
    complain("");
    const to = event.state ? event.state.step : 0;
    // a sent mark is not asked again: back from there, and forward to there, begin a new one
    if (step === "sent" || to === "sent") again();
    else show(to, false);
  });
  at("again").addEventListener("click", again);
  at("person").addEventListener("click", () => {
    person = newSecret();
    at("late-receipts").replaceChildren();
    at("late").hidden = true;
    again();
    history.replaceState({ step: 0 }, "");
    show(0, false);
  });
  at("stop").addEventListener("click", () => window.location.replace(way.stop));
  at("undo").addEventListener("click", () => where.undo());
  at("locate").addEventListener("click", locate);
  at("find-go").addEventListener("click", () => find(base, where, carried));
  at("find").addEventListener("search", () => find(base, where, carried));
  sheet.querySelectorAll("[data-draw]").forEach((button) => {
    button.addEventListener("click", () => where.use(where.kind === button.dataset.draw ? "point" : button.dataset.draw));
  });
  at("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(at("receipt-words").textContent);
    at("copy").textContent = "Copied";
  });
}

function start(event) {
  event.preventDefault();
  if (over()) return closed();
  const first = !where;
  if (first) {
    where = new Where(window.saferPlaces.map, () => {
      complain(""); // what was wrong with the place before says nothing about this one
      refresh();
    });
    at("mark-map").querySelector(".sp-map").append(at("cross"));
    new ResizeObserver(() => {
      if (step !== 1) where.reveal(); // the sheet grew or shrank
    }).observe(at("mark-map"));
    at("more").open = window.matchMedia("(min-width: 64rem)").matches;
    wire();
  }
  show(1);
  if (first) {
    // only now has the map a size: measure its names again and fit the borough into it
    const map = window.saferPlaces.map;
    map.labels.sets.forEach((names) => names.forEach((name) => {
        delete name.width;
        delete name.shapes;
      }));
    const whole = window.saferPlaces.layers.areas[0].getBounds();
    const [west, south, east, north] = way.bbox || [];
    map.fitBounds(way.bbox ? [[south, west], [north, east]] : whole, { animate: false });
  }
}

/* ---- with no network ------------------------------------------------------------------------------------------ */

/* Say why nothing can be marked here now; what waits is sent all the same. */
function closed() {
  at("closed").textContent = way.seat ? OVER : "This device is in no workshop yet, and there is no network to join one. Find Wi-Fi, then load this page again.";
  at("closed").hidden = false;
  at("offline")?.remove(); // it says "go on"
  at("start").hidden = true;
}

async function open() {
  outbox.seat = way.seat;
  if (way.shell) {
    if (way.seat) fit(way, sheet);
    document.querySelectorAll("a[data-list]").forEach((link) => (link.hidden = true)); // those pages need the network
  }
  keepApp(base, way);
  await outbox.hurry();
  device.show();
  if (!way.seat || over()) closed();
}

/* Without scripts "Start" leads to the list; with them it is a button that opens the map. */
const begin = document.createElement("button");
begin.type = "button";
begin.id = "start";
begin.className = "button";
begin.textContent = at("start").textContent;
begin.addEventListener("click", start);
at("start").replaceWith(begin);
window.addEventListener("leaving", () => {
  left = true;
});
window.addEventListener("beforeunload", (event) => {
  if ((device ? outbox.holds : outbox.unsent) && !left) event.preventDefault();
});
if (device) open();
