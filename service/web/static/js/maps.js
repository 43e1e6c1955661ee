/* Map pages: the address follows the layers, and a search for streets. Without this script the form still works. */
(function () {
  "use strict";
  const WAIT_MS = 250; // between the last key and the search
  const CLOSE = 17; // zoom at which a street is read

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector(".map-filters form");
    if (form) follow(form);
    const find = document.querySelector("[data-names]");
    if (window.saferPlaces && window.saferPlaces.map) keepView(window.saferPlaces.map);
    if (find && window.saferPlaces && window.saferPlaces.map) search(find);
  });

  /* The address keeps the view, behind "#": that part stays in the browser and in no log. Links and the form carry it on. */
  function keepView(map) {
    const kept = /^#map=([\d.]+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(window.location.hash);
    let moved = Boolean(kept);
    if (kept) map.setView([Number(kept[2]), Number(kept[3])], Number(kept[1]), { animate: false });
    const write = () => {
      if (!moved || document.documentElement.classList.contains("sp-printing")) return;
      const middle = map.getCenter();
      const hash = "#map=" + [map.getZoom(), middle.lat.toFixed(5), middle.lng.toFixed(5)].join("/");
      window.history.replaceState(null, "", window.location.pathname + window.location.search + hash);
      document.querySelectorAll(".map-kinds a, [data-map-state=embed]").forEach((link) => (link.hash = hash));
      document.querySelectorAll(".map-filters form").forEach((form) => {
        const target = new URL(form.action);
        target.hash = hash;
        form.action = target.href;
      });
    };
    map.on("zoomstart dragstart", () => (moved = true));
    map.getContainer().addEventListener("keydown", () => (moved = true));
    map.on("moveend", write);
    write();
  }

  /* The address, the download and the frame say what is shown. */
  function follow(form) {
    form.querySelectorAll("[data-sp-layer]").forEach((box) =>
      box.addEventListener("change", () => {
        const query = new URLSearchParams(window.location.search);
        query.delete("layers");
        const boxes = [...form.querySelectorAll("[data-sp-layer]")];
        const on = boxes.filter((one) => one.checked).map((one) => one.value);
        (on.length ? on : [""]).forEach((name) => query.append("layers", name));
        window.history.replaceState(null, "", "?" + query + window.location.hash);
        document.querySelectorAll("[data-map-state]").forEach((link) => {
          const target = new URL(link.href);
          const wanted = new URLSearchParams(query);
          if (link.dataset.mapState === "embed") wanted.set("embed", "1");
          target.search = wanted.toString();
          link.href = target.href;
        });
      })
    );
  }

  function search(find) {
    const make = window.saferPlaces.make;
    const input = find.querySelector("input");
    const said = find.querySelector("[role=status]");
    const list = find.querySelector("ul");
    let timer = 0;
    let asked = null;
    let here = null;
    find.hidden = false;

    function show(name) {
      const map = window.saferPlaces.map;
      const at = [name.latitude, name.longitude];
      if (here) here.remove();
      here = L.circleMarker(at, { radius: 18, className: "map-here", interactive: false }).addTo(map);
      window.saferPlaces.look(map, at, CLOSE);
      list.replaceChildren();
      said.textContent = name.name + " is in the middle of the map.";
      map.getContainer().scrollIntoView({ block: "nearest" });
    }

    function fill(names, words) {
      list.replaceChildren(
        ...names.map((name) => {
          const button = make("button", { type: "button" }, [make("span", {}, [name.name]), make("small", {}, [name.kind])]);
          button.addEventListener("click", () => show(name));
          return make("li", {}, [button]);
        })
      );
      said.textContent = names.length ? "" : words ? "No street or landmark of that name is known here." : "";
    }

    function ask() {
      const words = input.value.trim();
      if (asked) asked.abort();
      if (words.length < 2) return fill([], "");
      const mine = (asked = new AbortController());
      return fetch(find.dataset.names + "?" + new URLSearchParams({ q: words }), { signal: mine.signal })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
        .then((found) => fill(found.names, words))
        .catch((error) => {
          if (error.name !== "AbortError") said.textContent = "The search does not answer. Try again in a moment.";
        });
    }

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("keydown", (event) => {
      const first = list.querySelector("button");
      if (event.key === "Enter" && first) {
        event.preventDefault();
        first.click();
      }
    });
  }
})();
