// The queue: one mark at a time, every act by key or press, nothing moves while a hand is on its way.

import { ask, desk, giveBack, Refused } from "./api.js";
import { Chooser, isAtOnce, selectedSpans, showWords } from "./words.js";

const root = document.getElementById("queue");
const $ = (id) => document.getElementById(id);
const FEELINGS = { safe: "Feels safe", unsafe: "Feels unsafe", mixed: "It depends" };
const KIND_WORDS = { point: "a spot", route: "a way", area: "an area", border: "a border" };
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const SHOWN = 20;
const state = { mark: null, busy: true, skipped: [], panel: "", waiting: 0, decisions: [] };
const chooser = new Chooser($("words-text"), (words) => ($("chosen").textContent = words));

const say = (words) => ($("said").textContent = words);
const checked = () => [...root.querySelectorAll("input[name=check]:checked")].map((box) => box.value);

function complain(words) {
  $("problem").textContent = words;
  $("problem").hidden = !words;
}

async function run(work) {
  // one thing at a time: a key pressed meanwhile is not kept for the next mark
  if (state.busy) return;
  state.busy = true;
  complain("");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    complain([error.message, ...error.fields.map((one) => one.message).filter((words) => words !== error.message)].join("\n"));
    if (error.status === 409 || error.status === 410 || error.status === 404) await load(state.mark?.id);
  } finally {
    state.busy = false;
  }
}

async function load(prefer = null) {
  const found = await ask("/next", { desk, skip: state.skipped, prefer });
  state.waiting = found.waiting;
  show(found.mark, { isNew: true });
}

function show(mark, { isNew }) {
  state.mark = mark;
  chooser.stop();
  closePanel();
  $("desk").hidden = !mark;
  $("empty").hidden = Boolean(mark);
  $("waiting").textContent = state.waiting === 1 ? "1 mark waits." : `${state.waiting} marks wait.`;
  if (!mark) return;
  $("feeling").textContent = FEELINGS[mark.feeling];
  $("facts").textContent = [mark.people > 1 ? `for ${mark.people} people` : "for 1 person", day.format(new Date(`${mark.day}T12:00:00`)), KIND_WORDS[mark.kind]].join(" · ");
  showWords($("words-text"), mark);
  showFound(mark);
  $("reasons").textContent = `${mark.reasons.join("; ") || "No reasons given"}.`;
  $("times").textContent = mark.times.join("; ");
  $("public").textContent = mark.public_text ?? "None";
  $("publish").textContent = mark.publish === "never" ? "Never published" : "Counted once it is approved";
  $("publish-words").textContent = mark.publish === "never" ? "Count again" : "Never publish";
  root.querySelector("[data-do=merge]").disabled = !mark.has_others;
  if (isNew) freshDesk(mark);
}

function freshDesk(mark) {
  const words = Array.from(`${mark.note ?? ""} ${mark.suggestion ?? ""}`.matchAll(/\S+/gu)).length;
  $("cover-words").textContent = words === 1 ? "1 word" : `${words} words`;
  veil(words > 0);
  $("where").hidden = true;
  for (const box of root.querySelectorAll("input[name=check]")) {
    box.checked = false;
    box.closest(".check").classList.toggle("is-hint", mark.hints.includes(box.value));
    $(`warning-${box.value}`).hidden = true;
  }
  $("override-text").value = "";
  $("mark-title").focus({ preventScroll: true });
}

function showFound(mark) {
  const labels = new Map(mark.found.map((one) => [one.label, one.words]));
  $("found").replaceChildren(...[...labels].map(([label, words]) => {
    const item = document.createElement("li");
    item.textContent = words;
    item.classList.toggle("at-once", isAtOnce(label));
    return item;
  }));
}

function veil(isOn) {
  $("words").dataset.veiled = isOn;
  $("words-text").inert = isOn;
  $("words-text").setAttribute("aria-hidden", isOn);
  $("found").style.visibility = isOn ? "hidden" : "visible";
}

const isVeiled = () => $("words").dataset.veiled === "true";

async function decide(act, more = {}) {
  const { id, version } = state.mark;
  const answer = await ask(`/marks/${id}/decide`, { desk, act, version, checks: checked(), ...more });
  decided(answer.done ? "Done." : "Saved.");
  if (answer.done) await load();
  else show({ ...answer.mark }, { isNew: false });
}

async function decided(words) {
  // not waited for: the next mark can be read and decided meanwhile
  say(words);
  const found = await ask("/decisions").catch(() => null);
  if (!found) return;
  state.decisions = found.decisions;
  const open = found.decisions.filter((one) => !one.undone);
  $("undo").disabled = !open.length;
  $("undo-words").textContent = open.length ? `Last: ${open[0].words}` : "";
  $("decisions").replaceChildren(...found.decisions.slice(0, SHOWN).map(decisionRow));
}

function decisionRow(one) {
  const row = document.createElement("li");
  const words = document.createElement("span");
  words.textContent = `${new Date(one.at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })} ${one.words}`;
  row.append(words);
  if (one.undone) {
    words.textContent += " (undone)";
    return row;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button secondary";
  button.textContent = "Undo";
  button.setAttribute("aria-label", `Undo: ${words.textContent}`);
  button.addEventListener("click", () => run(() => undo(one.number)));
  row.append(button);
  return row;
}

async function undo(number) {
  const answer = await ask(`/decisions/${number}/undo`, {});
  state.skipped = state.skipped.filter((id) => id !== answer.mark);
  await load(answer.mark);
  await decided("Undone.");
}

// ---- panels -------------------------------------------------------------------------------------------------------
const PANELS = { reject: "Why is it rejected?", reword: "Public wording", merge: "Merge with which mark?" };

function openPanel(name) {
  state.panel = name;
  $("panel").hidden = false;
  $("panel-title").textContent = PANELS[name];
  for (const other of Object.keys(PANELS)) $(`form-${other}`).hidden = other !== name;
  const first = $(`form-${name}`).querySelector("textarea, input");
  first?.focus();
  $("panel").scrollIntoView({ block: "center" });
}

function closePanel() {
  if (!state.panel) return;
  $(`form-${state.panel}`).reset();
  $("override-box").hidden = true;
  state.panel = "";
  $("panel").hidden = true;
  $("mark-title").focus({ preventScroll: true });
}

async function reword() {
  const more = { text: $("reword-text").value, override: $("override-text").value || null };
  try {
    await decide("reword", more);
  } catch (error) {
    const why = error instanceof Refused ? error.fields.filter((one) => ["wording", "checks"].includes(one.field)) : [];
    if (!why.length) throw error;
    $("override-why").replaceChildren(...why.map((one) => Object.assign(document.createElement("li"), { textContent: one.message })));
    $("override-box").hidden = false;
    $("override-text").focus();
    complain(error.message);
  }
}

async function openMerge() {
  const found = await ask(`/marks/${state.mark.id}/others`);
  const rows = found.others.map((one, at) => {
    const label = document.createElement("label");
    label.className = "check";
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "into", value: one.id });
    const words = document.createElement("span");
    const far = one.metres === null ? "" : `, ${one.metres} m away`;
    words.textContent = `${at + 1}. ${FEELINGS[one.feeling]}${far}: ${one.note ?? "no words"}`;
    label.append(input, words);
    return label;
  });
  $("others").replaceChildren(...rows);
  openPanel("merge");
}

async function showWhere() {
  if (!$("where").hidden) {
    $("where").hidden = true;
    return;
  }
  const found = await ask(`/marks/${state.mark.id}/where`);
  $("where-words").textContent = [found.ward ?? "Outside all wards", found.near].filter(Boolean).join(": ");
  const make = (name, values) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) node.setAttribute(key, value);
    return node;
  };
  const map = $("where-map");
  if (found.view_box) map.setAttribute("viewBox", found.view_box);
  map.replaceChildren(...found.paths.map((d) => make("path", { d })), make("circle", { cx: found.x, cy: found.y, r: 12 }));
  $("where").hidden = false;
}

// ---- acts ---------------------------------------------------------------------------------------------------------
async function redact() {
  const spans = chooser.isOn ? chooser.spans() : selectedSpans($("words-text"));
  if (spans.length) {
    getSelection().removeAllRanges();
    chooser.stop();
    await decide("redact", { spans });
  } else if (!chooser.start()) say("There are no words to take out.");
}

async function hold() {
  await ask(`/marks/${state.mark.id}/hold`, {});
  say("Passed to the lead. Nobody else sees it now.");
  await load();
}

async function skip() {
  state.skipped.push(state.mark.id);
  say("Put off: it comes back when you load the page again.");
  await load();
}

const ACTS = {
  reveal: () => veil(!isVeiled()),
  approve: () => decide("approve"),
  reject: () => openPanel("reject"),
  hold,
  reword: () => {
    openPanel("reword");
    $("reword-text").value = state.mark.public_text ?? "";
  },
  redact: () => (isVeiled() ? veil(false) : undefined, redact()),
  publish: () => decide(state.mark.publish === "never" ? "count" : "never"),
  merge: () => (state.mark.has_others ? openMerge() : say("There is no other mark of the same workshop.")),
  where: showWhere,
  skip,
  close: closePanel,
};
const ALWAYS = {
  undo: async () => {
    const last = state.decisions.find((one) => !one.undone);
    if (last) await undo(last.number);
  },
  again: () => {
    state.skipped = [];
    return load();
  },
};
const KEYS = { " ": "reveal", a: "approve", r: "reject", l: "hold", w: "reword", x: "redact", n: "publish", m: "merge", p: "where", s: "skip", u: "undo" };

function act(name) {
  if (name in ALWAYS) run(async () => ALWAYS[name]());
  else if (state.mark && (name === "close" || !state.panel || name === "hold")) run(async () => ACTS[name]());
}

function choose(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 5, ArrowUp: -5 };
  if (event.key in steps) chooser.move(steps[event.key], event.shiftKey);
  else if (event.key === "Enter") run(redact);
  else if (event.key === "Escape") chooser.stop();
  else return false;
  return true;
}

function pressCheck(number) {
  const box = root.querySelectorAll("input[name=check]")[number - 1];
  box?.click();
  return Boolean(box);
}

function pressReason(number) {
  const radio = $("form-reject").querySelectorAll("input[name=reason]")[number - 1];
  if (!radio) return false;
  radio.checked = true;
  if (radio.value === "other") $("reject-text").focus();
  else $("form-reject").requestSubmit();
  return true;
}

function inPanel(event) {
  if (event.key === "Escape") closePanel();
  else if (state.panel === "reject" && /^[1-9]$/.test(event.key) && event.target.id !== "reject-text") return pressReason(Number(event.key));
  else return false;
  return true;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest(".top, .foot, .queue-tabs, summary") && [" ", "Enter"].includes(event.key)) return;
  const isTyping = event.target.matches("input[type=text], textarea");
  if (state.panel) {
    if (inPanel(event)) event.preventDefault();
    return;
  }
  if (isTyping || (event.target.matches("button, a, input") && [" ", "Enter"].includes(event.key) && !chooser.isOn)) return;
  if (chooser.isOn && choose(event)) event.preventDefault();
  else if (/^[1-3]$/.test(event.key) && state.mark && pressCheck(Number(event.key))) event.preventDefault();
  else if (KEYS[event.key.toLowerCase()]) {
    event.preventDefault();
    act(KEYS[event.key.toLowerCase()]);
  }
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do);
});
root.addEventListener("mousedown", (event) => {
  // pressing "Take words out" must not lose what the mouse has selected
  if (event.target.closest("[data-do=redact]")) event.preventDefault();
});
root.addEventListener("change", (event) => {
  if (event.target.name === "check") $(`warning-${event.target.value}`).hidden = !event.target.checked;
});
document.addEventListener("keydown", onKey);
$("form-reject").addEventListener("submit", (event) => {
  event.preventDefault();
  const reason = $("form-reject").elements.reason.value || null;
  run(() => decide("reject", { reason, text: $("reject-text").value || null }));
});
$("form-reword").addEventListener("submit", (event) => {
  event.preventDefault();
  run(reword);
});
$("form-merge").addEventListener("submit", (event) => {
  event.preventDefault();
  run(() => decide("merge", { into: $("form-merge").querySelector("input:checked")?.value ?? null }));
});
addEventListener("pagehide", giveBack);
setInterval(() => {
  if (state.mark && !document.hidden) ask(`/marks/${state.mark.id}/keep`, { desk }).catch(() => {});
}, (Number(root.dataset.lease) * 1000) / 3);

state.busy = false;
run(() => load());
decided("");
