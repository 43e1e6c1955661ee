/* The counts on the page of a workshop, asked for every few seconds while the page is looked at. */

const EVERY_MS = 4000;
const live = document.getElementById("live");

async function look() {
  if (document.hidden) return;
  try {
    const response = await fetch(live.dataset.url, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    show(await response.json());
  } catch (error) {
    return; // the numbers stay as they are until the network is back
  }
}

function show(now) {
  document.querySelectorAll("[data-count]").forEach((place) => {
    const text = String(now[place.dataset.count]);
    if (place.textContent !== text) place.textContent = text;
  });
  document.getElementById("devices-word").textContent = now.devices === 1 ? "device" : "devices";
  document.getElementById("unsent").hidden = now.unsent === 0;
  const silent = document.getElementById("no-words");
  if (silent) silent.hidden = now.words || live.dataset.state !== "open";
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
