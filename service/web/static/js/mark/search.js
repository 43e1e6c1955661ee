/* Search for a street or a landmark; only what was typed is sent, and only when asked for. */

const at = (id) => document.getElementById(id);

const SLOW_MS = 300; // a line before that would only flicker

function tell(words) {
  at("found-none").textContent = words;
  at("found-none").hidden = !words;
}

async function ask(base, words) {
  const response = await fetch(base + "/api/v1/names?q=" + encodeURIComponent(words), { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).names;
}

/* carried: a search over names that the page brought along; without it our server is asked */
export async function find(base, where, carried) {
  const words = at("find").value.trim();
  const list = at("found");
  list.replaceChildren();
  list.hidden = true;
  tell("");
  if (!words) return;
  let names = [];
  const slow = setTimeout(() => tell("Looking."), SLOW_MS);
  try {
    names = carried ? await carried(words) : await ask(base, words);
  } catch (error) {
    tell("The search does not work right now. Tap the map instead.");
    return;
  } finally {
    clearTimeout(slow);
  }
  tell("");
  if (!names.length) {
    tell("Nothing found. Try another word, or tap the map.");
    return;
  }
  names.slice(0, 6).forEach((name) => list.append(row(name, where)));
  list.hidden = false;
}

function row(name, where) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.append(name.name + " ");
  const kind = document.createElement("small");
  kind.textContent = name.kind;
  button.append(kind);
  button.addEventListener("click", () => {
    where.go(name.latitude, name.longitude);
    at("found").hidden = true;
    tell("");
    at("where-state").textContent = "Marked at " + name.name + ". Tap the map to move it.";
    at("next").focus({ preventScroll: true }); // the place stays in sight
  });
  item.append(button);
  return item;
}
