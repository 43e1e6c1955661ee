/* On pages of a workshop that ask no questions: deliver what waits on this device, and say how much that is. */

import { Device } from "./device.js";
import { canSeal } from "./seal.js";
import { SealedOutbox } from "./sealed_outbox.js";

if (canSeal) {
  const panel = document.getElementById("device");
  const outbox = new SealedOutbox(panel.dataset.base, async () => null, () => device.show());
  const device = new Device(outbox, () => panel.dataset.over === "yes");
  outbox.hurry().then(() => device.show());
}
