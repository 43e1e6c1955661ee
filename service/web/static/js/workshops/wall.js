/* The wall: shows the state that the server sends. Every event is whole, so a lost connection loses nothing. */

const WORDS = {
  safe: "More people feel safe here",
  unsafe: "More people feel unsafe here",
  both: "Some feel safe, some feel unsafe",
};
const at = (id) => document.getElementById(id);

function show(wall) {
  const shown = wall.on && !wall.paused ? wall.areas : [];
  const states = new Map(shown.flatMap((area) => area.codes.map((code) => [code, area.state])));
  document.querySelectorAll("[data-code]").forEach((path) => {
    const state = states.get(path.dataset.code);
    path.setAttribute("class", state ? "is-" + state : "");
  });
  at("areas").replaceChildren(...shown.map(line));
  at("state").textContent = words(wall, shown.length);
}

function words(wall, count) {
  if (!wall.on) return "The wall is off.";
  if (wall.paused) return "The wall is paused.";
  return count ? "" : "Nothing is shown yet. It comes when the person who runs the session shows it.";
}

function line(area) {
  const item = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = area.name;
  const said = document.createElement("span");
  said.textContent = WORDS[area.state];
  item.className = "is-" + area.state;
  item.append(name, said);
  return item;
}

function listen() {
  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("wall", (event) => {
    at("lost").hidden = true;
    show(JSON.parse(event.data));
  });
  events.addEventListener("open", () => {
    at("lost").hidden = true;
  });
  events.addEventListener("error", () => {
    at("lost").hidden = false;
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

show(JSON.parse(document.body.dataset.wall));
listen();
