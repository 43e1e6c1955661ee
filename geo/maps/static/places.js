/* Marks and verified safe places. Dense sets are grouped by the server and asked for by viewport. */
(function () {
  "use strict";
  const saferPlaces = window.saferPlaces;
  const FEW = 60; // up to this many markers each is a stop of the keyboard
  const WAIT_MS = 300; // a loading line before that would only flicker
  const FEELINGS = ["unsafe", "safe", "mixed"];
  const RING = 100;
  const APART_PX = 46; // centres of two markers whose targets do not meet

  /* Where markers crowd, only the first of them is a stop of the keyboard: no target lies under another (WCAG 2.5.8). */
  function thin(map, markers, others) {
    if (markers.length > FEW) return;
    const at = (marker) => map.latLngToContainerPoint(marker.getLatLng());
    const kept = others.map(at);
    markers.forEach((marker) => {
      const node = marker.getElement();
      const here = at(marker);
      const crowded = kept.some((other) => other.distanceTo(here) < APART_PX);
      if (!crowded) kept.push(here);
      if (!node) return;
      node.setAttribute("role", crowded ? "img" : "button");
      if (crowded) node.removeAttribute("tabindex");
      else node.setAttribute("tabindex", "0");
    });
  }

  /* A ring with one arc a feeling: its length is the share. The mark of the largest share stands below the number. */
  function ring(counts, size) {
    const total = counts.reduce((sum, n) => sum + n, 0);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 40 40");
    svg.setAttribute("width", size);
    svg.setAttribute("height", size);
    svg.setAttribute("aria-hidden", "true");
    const circle = (radius, name, dash, offset) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      Object.entries({ cx: 20, cy: 20, r: radius, class: name, pathLength: RING, transform: "rotate(-90 20 20)" }).forEach(([k, v]) =>
        node.setAttribute(k, v)
      );
      if (dash) {
        node.setAttribute("stroke-dasharray", dash);
        node.setAttribute("stroke-dashoffset", offset);
      }
      svg.append(node);
    };
    circle(19, "sp-group-outer");
    circle(17.6, "sp-group-inner");
    let start = 0;
    FEELINGS.forEach((feeling, index) => {
      const share = (RING * counts[index]) / total;
      if (share > 0) circle(15, "sp-group-arc sp-stroke-" + feeling, share + " " + (RING - share), -start);
      start += share;
    });
    return svg;
  }

  function group(entry) {
    const [lon, lat, unsafe, safe, mixed] = entry;
    const counts = [unsafe, safe, mixed];
    const total = unsafe + safe + mixed;
    const size = Math.round(34 + Math.min(22, 6 * Math.log10(total)));
    const main = FEELINGS[counts.indexOf(Math.max(...counts))];
    const content = saferPlaces.make("span", { class: "sp-group" }, [ring(counts, size)]);
    const short = total < 1000 ? String(total) : (total / 1000).toFixed(total < 10000 ? 1 : 0) + "k";
    content.append(saferPlaces.make("span", { class: "sp-group-words" }, [saferPlaces.make("b", {}, [short]), saferPlaces.symbol("plain-" + main, 11)]));
    const name = saferPlaces.say("group", {
      n: saferPlaces.number(total), unsafe: saferPlaces.number(unsafe), safe: saferPlaces.number(safe), depends: saferPlaces.number(mixed),
    });
    const here = FEELINGS.map((feeling, k) => saferPlaces.say(feeling) + ": " + counts[k]).join("; ");
    return { at: [lat, lon], content: content, name: name, short: here, size: size, raise: 500 };
  }

  /* options: url and query (linked), or for one offline file levels {zoom: {groups, places: positions in shared}}, shared */
  saferPlaces.classes.PlacesLayer = L.FeatureGroup.extend({
    initialize(options) {
      L.FeatureGroup.prototype.initialize.call(this, []);
      L.setOptions(this, options);
      Object.values(options.levels || {}).forEach((level) => (level.places = level.places.map((at) => options.shared[at])));
    },
    onAdd(map) {
      L.FeatureGroup.prototype.onAdd.call(this, map);
      this.status = saferPlaces.make("p", { class: "sp-status", role: "status" });
      map.getContainer().append(this.status);
      map.on("moveend", this.load, this);
      this.load();
    },
    onRemove(map) {
      map.off("moveend", this.load, this);
      if (this.asked) this.asked.abort();
      clearTimeout(this.timer);
      this.status.remove();
      L.FeatureGroup.prototype.onRemove.call(this, map);
    },
    load() {
      if (!this.options.levels) return this.fetch();
      const level = this.level();
      if (level === this.last) this.count(level);
      else this.draw(level);
    },
    level() {
      const zooms = Object.keys(this.options.levels).map(Number).sort((a, b) => a - b);
      const wanted = Math.floor(this._map.getZoom());
      return this.options.levels[zooms.filter((zoom) => zoom <= wanted).pop() || zooms[0]];
    },
    fetch() {
      const map = this._map;
      const box = map.getBounds().pad(0.15);
      const query = new URLSearchParams(this.options.query || {});
      query.set("bbox", [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((n) => n.toFixed(6)).join(","));
      query.set("zoom", map.getZoom());
      if (this.asked) this.asked.abort();
      const asked = (this.asked = new AbortController());
      clearTimeout(this.timer);
      this.timer = setTimeout(() => (this.status.textContent = saferPlaces.say("loading")), WAIT_MS);
      fetch(this.options.url + "?" + query, { signal: asked.signal, credentials: "same-origin", headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
        .then((found) => this._map && this.draw(found))
        .catch((error) => {
          if (error.name !== "AbortError") this.status.textContent = saferPlaces.say("load_failed");
        })
        .finally(() => {
          if (asked === this.asked) clearTimeout(this.timer);
        });
    },
    draw(found) {
      clearTimeout(this.timer);
      const open = this.getLayers().some((layer) => layer.isPopupOpen && layer.isPopupOpen());
      if (open && this.last === found) return;
      this.last = found;
      this.clearLayers();
      const few = found.groups.length + found.places.length <= FEW;
      found.groups.forEach((entry) => {
        const made = group(entry);
        const marker = saferPlaces.marker(made.at, { ...made, keyboard: few, target: 44, map: this._map });
        if (this._map.getZoom() >= this._map.getMaxZoom()) marker.bindPopup(() => saferPlaces.card({ title: made.short }), { maxWidth: 280 });
        else marker.on("click", () => saferPlaces.look(this._map, made.at, Math.min(this._map.getMaxZoom(), this._map.getZoom() + 2)));
        this.addLayer(marker);
      });
      const groups = this.getLayers();
      const single = found.places.map((place) => this.place(place, few));
      if (few) thin(this._map, single, groups);
      this._map.labels.place();
      this.count(found);
    },
    /* Say how many marks are in sight. */
    count(found) {
      const view = this._map.getBounds();
      const total =
        found.groups.reduce((sum, g) => sum + (view.contains([g[1], g[0]]) ? g[2] + g[3] + g[4] : 0), 0) +
        found.places.filter((place) => view.contains([place.at[1], place.at[0]])).length;
      this.status.textContent = total ? saferPlaces.say("in_view", { n: saferPlaces.number(total) }) : saferPlaces.say("none_in_view");
    },
    place(place, few) {
      if (place.geometry && place.geometry.type !== "Point") this.line(place);
      const marker = saferPlaces.marker([place.at[1], place.at[0]], {
        content: saferPlaces.symbol(place.kind === "border" ? "border" : "mark-" + place.feeling, 28),
        name: place.card.title + (place.card.rows.length ? ": " + place.card.rows.map((row) => row[1]).join("; ") : ""),
        keyboard: few,
      });
      marker.bindPopup(() => saferPlaces.card(place.card), { maxWidth: 280 });
      this.addLayer(marker);
      return marker;
    },
    /* Routes dotted, areas filled lightly, borders with cross ticks; a light casing keeps them apart from any ground. */
    line(place) {
      const shape = { type: "Feature", geometry: place.geometry, properties: {} };
      const parts = { border: ["casing", "border", "ticks"], route: ["casing", "route"], area: ["casing-thin", "area"] }[place.kind] || [];
      parts.forEach((part) => {
        const name = "sp-line-" + part + " sp-stroke-" + place.feeling;
        this.addLayer(L.geoJSON(shape, { style: { className: name, fill: part === "area" }, interactive: false }));
      });
    },
  });

  /* options: venues [{at: [lon, lat], card}] */
  saferPlaces.classes.VenueLayer = L.FeatureGroup.extend({
    initialize(options) {
      L.FeatureGroup.prototype.initialize.call(this, []);
      L.setOptions(this, options);
      const few = options.venues.length <= FEW;
      options.venues.forEach((venue) => {
        const marker = saferPlaces.marker([venue.at[1], venue.at[0]], {
          content: saferPlaces.symbol("venue", 30), name: venue.card.title, keyboard: few, raise: 200,
        });
        marker.bindPopup(() => saferPlaces.card(venue.card), { maxWidth: 280 });
        this.addLayer(marker);
      });
    },
    onAdd(map) {
      L.FeatureGroup.prototype.onAdd.call(this, map);
      map.on("moveend layeradd layerremove", this.later, this);
      this.later();
      map.labels.put(
        this,
        this.options.venues.map((venue) => ({
          at: [venue.at[1], venue.at[0]], text: venue.card.title, rank: 50, className: "sp-label-venue", minZoom: 15,
        }))
      );
    },
    later() {
      cancelAnimationFrame(this.soon);
      this.soon = requestAnimationFrame(() => this._map && this.thin());
    },
    thin() {
      const others = [];
      this._map.eachLayer((layer) => {
        if (layer instanceof L.Marker && !this.hasLayer(layer)) others.push(layer);
      });
      thin(this._map, this.getLayers(), others);
    },
    onRemove(map) {
      map.off("moveend layeradd layerremove", this.later, this);
      map.labels.drop(this);
      L.FeatureGroup.prototype.onRemove.call(this, map);
    },
  });
})();
