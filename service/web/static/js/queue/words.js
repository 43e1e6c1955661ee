// A person's words on the page: as text only, with what the detector points at, and choosing pieces to take out.
// Offsets count Unicode code points, as the server does; JavaScript's own string offsets would be off after an emoji.

const AT_ONCE = new Set(["disclosure", "self_harm"]);

export function isAtOnce(label) {
  return AT_ONCE.has(label);
}

function pieces(text) {
  // words and blanks between them, with code point offsets
  const found = [];
  let at = 0;
  for (const part of text.match(/\s+|\S+/gu) ?? []) {
    const length = Array.from(part).length;
    found.push({ text: part, start: at, stop: at + length, isWord: /\S/u.test(part) });
    at += length;
  }
  return found;
}

function marksIn(piece, found) {
  return found.filter((one) => one.start < piece.stop && one.stop > piece.start);
}

function wordNode(piece, field, found) {
  const node = document.createElement("span");
  node.className = "word";
  node.dataset.field = field;
  node.dataset.start = piece.start;
  node.dataset.stop = piece.stop;
  const hits = marksIn(piece, found);
  if (!hits.length) {
    node.textContent = piece.text;
    return node;
  }
  const mark = document.createElement("mark");
  mark.title = hits.map((one) => one.words).join("; ");
  mark.classList.toggle("at-once", hits.some((one) => isAtOnce(one.label)));
  mark.textContent = piece.text;
  node.append(mark);
  return node;
}

function paragraph(field, title, text, found) {
  const nodes = [];
  const head = document.createElement("h3");
  head.textContent = title;
  const body = document.createElement("p");
  body.dataset.field = field;
  const here = found.filter((one) => one.field === field);
  for (const piece of pieces(text)) body.append(piece.isWord ? wordNode(piece, field, here) : piece.text);
  nodes.push(head, body);
  return nodes;
}

export function showWords(box, mark) {
  const parts = [];
  if (mark.note) parts.push(...paragraph("note", "They said", mark.note, mark.found));
  if (mark.suggestion) parts.push(...paragraph("suggestion", "What would help", mark.suggestion, mark.found));
  if (!parts.length) {
    const none = document.createElement("p");
    none.className = "none";
    none.textContent = "No words: only the reasons below.";
    parts.push(none);
  }
  box.replaceChildren(...parts);
  box.scrollTop = 0;
}

export class Chooser {
  // Chooses words by arrows, by pressing them, or by selecting with the mouse.
  constructor(box, say) {
    this.box = box;
    this.say = say;
    this.isOn = false;
    box.addEventListener("click", (event) => {
      const word = event.target.closest?.(".word");
      if (!this.isOn || !word || String(getSelection()).trim()) return;
      const at = this.words.indexOf(word);
      this.to = this.from >= 0 && event.shiftKey ? at : (this.from = at);
      this.paint();
    });
  }

  get words() {
    return [...this.box.querySelectorAll(".word")];
  }

  start() {
    this.isOn = this.words.length > 0;
    this.from = this.to = this.isOn ? 0 : -1;
    this.box.classList.toggle("is-redacting", this.isOn);
    this.paint();
    return this.isOn;
  }

  stop() {
    this.isOn = false;
    this.box.classList.remove("is-redacting");
    for (const word of this.words) word.classList.remove("is-chosen", "is-at");
    this.say("");
  }

  move(step, more) {
    const last = this.words.length - 1;
    this.to = Math.min(Math.max(this.to + step, 0), last);
    if (!more) this.from = this.to;
    this.paint();
  }

  paint() {
    if (!this.isOn) return;
    const [low, high] = [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    const words = this.words;
    words.forEach((word, at) => {
      word.classList.toggle("is-chosen", at >= low && at <= high);
      word.classList.toggle("is-at", at === this.to);
    });
    words[this.to]?.scrollIntoView({ block: "nearest" });
    const chosen = words.slice(low, high + 1).map((word) => word.textContent).join(" ");
    this.say(`Chosen: ${chosen}. Press Enter or "Take words out" to take it out, Escape to stop.`);
  }

  spans() {
    const selected = selectedSpans(this.box);
    if (selected.length) return selected;
    const [low, high] = [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    const byField = new Map();
    for (const word of this.words.slice(low, high + 1)) {
      const { field, start, stop } = word.dataset;
      const span = byField.get(field) ?? { field, start: Number(start), stop: Number(stop) };
      byField.set(field, { ...span, stop: Number(stop) });
    }
    return [...byField.values()];
  }
}

export function selectedSpans(box) {
  // what is selected with the mouse, as code point offsets of each paragraph
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return [];
  const range = selection.getRangeAt(0);
  const spans = [];
  for (const part of box.querySelectorAll("p[data-field]")) {
    if (!range.intersectsNode(part)) continue;
    const whole = document.createRange();
    whole.selectNodeContents(part);
    const cut = whole.cloneRange();
    if (range.compareBoundaryPoints(Range.START_TO_START, whole) > 0) cut.setStart(range.startContainer, range.startOffset);
    if (range.compareBoundaryPoints(Range.END_TO_END, whole) < 0) cut.setEnd(range.endContainer, range.endOffset);
    const before = document.createRange();
    before.setStart(whole.startContainer, whole.startOffset);
    before.setEnd(cut.startContainer, cut.startOffset);
    const start = Array.from(before.toString()).length;
    const length = Array.from(cut.toString()).length;
    if (length) spans.push({ field: part.dataset.field, start, stop: start + length });
  }
  return spans;
}
