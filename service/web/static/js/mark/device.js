/* What waits on this device, said in words: how much is unsent, that an adult should know, and how to clear the device. */

const at = (id) => document.getElementById(id);

function marks(count) {
  return count === 1 ? "1 mark" : count + " marks";
}

export class Device {
  /* over(): whether the workshop takes no new marks */
  constructor(outbox, over) {
    this.outbox = outbox;
    this.over = over;
    if (!at("device")) return;
    at("device").hidden = false;
    at("clear").addEventListener("click", () => this.ask());
    at("clear-keep").addEventListener("click", () => this.answer("Nothing was wiped."));
    at("clear-send").addEventListener("click", () => this.send());
    at("clear-adult").addEventListener("change", () => {
      at("clear-wipe").disabled = !at("clear-adult").checked;
    });
    at("clear-wipe").addEventListener("click", () => this.wipe());
    window.addEventListener("online", () => this.show());
    window.addEventListener("offline", () => this.show());
  }

  /* Called whenever the counts change. */
  show() {
    const { unsent, refused } = this.outbox;
    const stuck = refused + (this.over() ? unsent : 0);
    if (at("unsent")) {
      at("unsent").textContent = unsent + " not sent yet";
      at("unsent").hidden = unsent === 0 || stuck > 0;
    }
    if (at("stuck")) {
      at("stuck").textContent = `Not sent: tell an adult. ${marks(stuck)}.`;
      at("stuck").hidden = stuck === 0;
    }
    if (at("offline")) at("offline").hidden = navigator.onLine;
    if (at("device-state")) at("device-state").textContent = this.words();
    if (at("clear-ask") && !at("clear-ask").hidden) this.count();
  }

  words() {
    const { unsent, refused } = this.outbox;
    if (!unsent && !refused) return "Nothing waits on this device.";
    const parts = [];
    if (unsent) parts.push(`${marks(unsent)} not sent yet. Nobody can read ${unsent === 1 ? "it" : "them"} on this device. Open this page where there is Wi-Fi, and we send ${unsent === 1 ? "it" : "them"}.`);
    if (refused) parts.push(`${marks(refused)} could not be taken. Tell the adult with you.`);
    return parts.join(" ");
  }

  /* The first step shows what would be lost, as a number; only a device that holds nothing is cleared at once. */
  async ask() {
    await this.outbox.count();
    this.show();
    const { unsent, refused } = this.outbox;
    if (!unsent && !refused) {
      await this.outbox.clear();
      return this.answer("This device is clear.");
    }
    at("clear-adult").checked = false;
    at("clear-wipe").disabled = true;
    at("clear-ask").hidden = false;
    at("clear-done").textContent = "";
    this.count();
    at("clear-what").focus();
  }

  count() {
    const all = this.outbox.unsent + this.outbox.refused;
    at("clear-what").textContent = `${marks(all)} on this device ${all === 1 ? "is" : "are"} not sent`;
    at("clear-wipe").textContent = `Wipe ${marks(all)} for good`;
    if (!all) this.answer("All is sent. You can clear this device now.");
  }

  async send() {
    at("clear-done").textContent = "Sending.";
    await this.outbox.hurry();
    this.show();
    if (this.outbox.unsent + this.outbox.refused) at("clear-done").textContent = "Not sent. Is there Wi-Fi? Keep this device and try again.";
  }

  async wipe() {
    if (!at("clear-adult").checked) return;
    await this.outbox.clear();
    this.answer("This device is clear.");
  }

  answer(words) {
    at("clear-ask").hidden = true;
    at("clear-done").textContent = words;
    at("clear").focus();
    this.show();
  }
}
