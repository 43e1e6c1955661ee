/* What the writer is told about words before they are sent: which tell about a person, and where help is. The check
   runs on our own server and keeps nothing; without an answer in time nothing is held up. */

const TIME_OUT_MS = 4000;

export class Words {
  constructor(base, box) {
    this.url = base + "/api/v1/words/check";
    this.box = box;
    this.shown = false;
  }

  get button() {
    return this.shown ? "Send it as it is" : "Send";
  }

  /* Take the warning away; returns whether there was one. */
  forget() {
    const was = this.shown;
    this.shown = false;
    if (this.box) this.box.hidden = true;
    return was;
  }

  /* Returns whether the writer should look again; what was shown once is not asked again. */
  async look(texts) {
    const typed = texts.filter(Boolean);
    if (!this.box || !typed.length || this.shown) return false;
    const found = await this.ask(typed);
    if (!found || !(found.personal.length || found.help)) return false;
    this.say(found);
    return true;
  }

  async ask(texts) {
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ texts: texts }),
        signal: AbortSignal.timeout(TIME_OUT_MS),
      });
      return response.ok ? await response.json() : null;
    } catch (error) {
      return null;
    }
  }

  say(found) {
    const parts = [];
    if (found.help) {
      parts.push(line("Is someone hurt or scared? You can talk to the adult with you now, or call Childline free on 0800 1111. In danger? Call 999. If you send this, we will pass it on."));
    }
    if (found.personal.length) {
      const told = line("This may tell who someone is. Can you take it out? ");
      found.personal.forEach((text, at) => {
        const mark = document.createElement("mark");
        mark.textContent = text;
        told.append(at ? ", " : "", mark);
      });
      parts.push(told);
    }
    this.box.replaceChildren(...parts);
    this.box.hidden = false;
    this.shown = true;
  }
}

function line(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}
