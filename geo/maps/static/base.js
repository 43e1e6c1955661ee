/* Safer Places maps: small plain classes on Leaflet. Words are set as text, never as markup; colours live in the
   style sheet, so that a change of theme needs no redrawing. */
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  const saferPlaces = {
    map: null, // the first map of the page; the page's own script may use it
    maps: [],
    layers: {}, // key -> layers with that key, one a map
    classes: {}, // name -> class; the layer files register themselves here
    words: {},
    calm: calm,
  };
  window.saferPlaces = saferPlaces;

  /* An element with attributes and children; strings become text nodes. */
  saferPlaces.make = function (tag, attributes, children) {
    const node = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    });
    (children || []).forEach((child) => node.append(child));
    return node;
  };

  /* One of the symbols of the page's sprite. */
  saferPlaces.symbol = function (name, size) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 32 32");
    svg.setAttribute("width", size);
    svg.setAttribute("height", size);
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("focusable", "false");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", "#sp-sym-" + name);
    svg.append(use);
    return svg;
  };

  saferPlaces.say = function (key, values) {
    const words = saferPlaces.words[key] || key;
    return words.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  };

  saferPlaces.number = function (value) {
    return Number(value).toLocaleString(document.documentElement.lang || "en");
  };

  /* The content of a popup: a heading, pairs of words, a note and a link of our own site. */
  saferPlaces.card = function (card) {
    const make = saferPlaces.make;
    const node = make("div", { class: "sp-card" }, [make("p", { class: "sp-card-title" }, [card.title])]);
    if (card.rows && card.rows.length) {
      const list = make("dl", {});
      card.rows.forEach(([label, value]) => list.append(make("div", {}, [make("dt", {}, [label]), make("dd", {}, [String(value)])])));
      node.append(list);
    }
    if (card.note) node.append(make("p", { class: "sp-card-note" }, [card.note]));
    if (card.link && /^\/(?!\/)/.test(card.link.href)) {
      node.append(make("p", {}, [make("a", { href: card.link.href }, [card.link.text])]));
    }
    return node;
  };

  /* A marker that is a real control: a name for screen readers, keys, a target of 44 px. */
  saferPlaces.marker = function (latlng, options) {
    const size = options.size || 32;
    const target = Math.max(size, options.target || 32);
    const body = saferPlaces.make("span", { class: "sp-marker " + (options.className || "") }, [options.content]);
    const marker = L.marker(latlng, {
      icon: L.divIcon({ className: "sp-marker-box", html: body, iconSize: [target, target] }),
      keyboard: Boolean(options.keyboard),
      title: options.name,
      riseOnHover: true,
      zIndexOffset: options.raise || 0,
    });
    marker.on("add", () => {
      const node = marker.getElement();
      node.setAttribute("aria-label", options.name);
      node.setAttribute("role", options.keyboard ? "button" : "img");
      node.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault(); // Leaflet itself opens popups by Enter only, and nothing else
        if (marker.getPopup()) return marker.openPopup();
        marker.fire("click");
        if (marker._map || options.map) (marker._map || options.map).getContainer().focus(); // the marker may be gone
      });
    });
    return marker;
  };

  /* How much of the map's left side the legend covers: the view is fitted beside it. */
  function covered(map) {
    const legend = document.querySelector(".sp-legends");
    if (!legend || getComputedStyle(legend).position !== "absolute" || map.getSize().x < 700) return 12;
    return legend.offsetWidth + 24;
  }

  /* The middle of what the legend leaves free of the map, in pixels. */
  function freeMiddle(map) {
    const left = covered(map) > 12 ? covered(map) : 0;
    return L.point((left + map.getSize().x) / 2, map.getSize().y / 2);
  }

  /* Buttons and keys zoom about the middle of the free part: what a person looks at stays there. */
  function zoomFree(zoom, options) {
    if (!this._loaded) return L.Map.prototype.setZoom.call(this, zoom, options);
    return this.setZoomAround(freeMiddle(this), zoom, options);
  }

  /* Bring a place into the middle of the free part of the map. */
  saferPlaces.look = function (map, latlng, zoom, options) {
    const wanted = map.project(latlng, zoom).subtract(freeMiddle(map)).add(map.getSize().divideBy(2));
    map.setView(map.unproject(wanted, zoom), zoom, options);
  };

  saferPlaces.createMap = function (id, options) {
    const map = L.map(id, {
      zoomControl: false,
      minZoom: options.minZoom,
      maxZoom: options.maxZoom,
      zoomAnimation: !calm,
      fadeAnimation: !calm,
      markerZoomAnimation: !calm,
      inertia: !calm,
      zoomSnap: 0.25,
      zoomDelta: 1,
      wheelPxPerZoomLevel: 100,
    });
    map.attributionControl.setPrefix(false);
    saferPlaces.words = options.words;
    map.setZoom = zoomFree;
    map.fitBounds(options.bounds, { paddingTopLeft: [covered(map), 12], paddingBottomRight: [12, 12], animate: false });
    L.control
      .zoom({ position: "topright", zoomInTitle: saferPlaces.say("zoom_in"), zoomOutTitle: saferPlaces.say("zoom_out") })
      .addTo(map);
    if (options.furniture) {
      L.control.scale({ imperial: false, position: "bottomright", maxWidth: 120 }).addTo(map);
      new North({ position: "topright" }).addTo(map);
    }
    map.labels = new Labels().addTo(map);
    map.whole = options.bounds;
    saferPlaces.maps.push(map);
    if (!saferPlaces.map) saferPlaces.map = map;
    return map;
  };

  /* Make a layer of a registered class, keep it under its key and show it if it is to be shown. */
  saferPlaces.add = function (map, name, options) {
    const layer = new saferPlaces.classes[name](options);
    layer.key = options.key;
    (saferPlaces.layers[options.key] = saferPlaces.layers[options.key] || []).push(layer);
    layer.home = map;
    if (options.shown !== false) layer.addTo(map);
    return layer;
  };

  /* Show or hide the layers of a key, with their legend. */
  saferPlaces.show = function (key, shown) {
    (saferPlaces.layers[key] || []).forEach((layer) => {
      if (shown) layer.addTo(layer.home);
      else layer.remove();
    });
    document.querySelectorAll("[data-sp-legend]").forEach((node) => {
      if (node.dataset.spLegend === key) node.hidden = !shown;
    });
  };

  /* Every checkbox with data-sp-layer switches the layer of that key, wherever it stands in the page. */
  saferPlaces.bind = function () {
    document.querySelectorAll("input[data-sp-layer]").forEach((box) => {
      saferPlaces.show(box.dataset.spLayer, box.checked);
      box.addEventListener("change", () => saferPlaces.show(box.dataset.spLayer, box.checked));
    });
    saferPlaces.maps.forEach((map) => {
      new ResizeObserver(() => map.invalidateSize({ animate: false, pan: false })).observe(map.getContainer());
    });
    window.addEventListener("beforeprint", () => print(true));
    window.addEventListener("afterprint", () => print(false));
    document.documentElement.classList.add("sp-ready");
  };

  /* On paper the map has another size: show the whole of it there, and the view of before afterwards. */
  function print(starts) {
    document.documentElement.classList.toggle("sp-printing", starts);
    saferPlaces.maps.forEach((map) => {
      if (starts) map.before = [map.getCenter(), map.getZoom()];
      map.invalidateSize({ animate: false });
      if (starts) map.fitBounds(map.whole, { padding: [12, 12], animate: false });
      else if (map.before) map.setView(map.before[0], map.before[1], { animate: false });
    });
  }

  const North = L.Control.extend({
    onAdd() {
      const node = saferPlaces.make("div", { class: "sp-north", role: "img", "aria-label": saferPlaces.say("north") });
      node.append(saferPlaces.symbol("north", 28));
      return node;
    },
  });

  // names of areas always stand: on one line or two, smaller where there is no room, moved inside their area
  const SIZES = ["", "sp-label-small", "sp-label-least"];
  const MOVES = [];
  for (let dy = -90; dy <= 90; dy += 6) for (let dx = -96; dx <= 96; dx += 8) MOVES.push([dx, dy]);
  MOVES.sort((a, b) => Math.hypot(a[0], a[1]) - Math.hypot(b[0], b[1]));
  const TRIES = 4; // orders in which the names of areas are set
  const GRID = 7; // places of the screen where an area that reaches into it may be named

  /* A name on two lines, cut where they are most alike. */
  function folded(text) {
    const words = text.split(" ");
    const cuts = words.slice(1).map((_, k) => [words.slice(0, k + 1).join(" "), words.slice(k + 1).join(" ")]);
    cuts.sort((a, b) => Math.max(a[0].length, a[1].length) - Math.max(b[0].length, b[1].length));
    return cuts.length ? cuts[0].join("\n") : text;
  }

  function shared(a, b) {
    return Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  }

  // where a name may go instead, in pixels, the nearest first
  const HIDES_MOST = 0.4; // of a name's own box
  const SHIFTS = [];
  [0, -18, 18, -34, 34, -50, 50].forEach((dy) => [0, -24, 24, -48, 48].forEach((dx) => SHIFTS.push([dx, dy])));

  /* Whether a place lies in a GeoJSON polygon: rays to the east, holes counted. */
  saferPlaces.within = function (geometry, latlng) {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    let inside = false;
    polygons.forEach((rings) =>
      rings.forEach((ring) => {
        for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
          const [x, y] = ring[i];
          const [u, v] = ring[j];
          if (y > latlng.lat !== v > latlng.lat && latlng.lng < ((u - x) * (latlng.lat - y)) / (v - y) + x) inside = !inside;
        }
      })
    );
    return inside;
  };

  /* Names on the map: those of higher rank first, none over another. Hidden from screen readers: the table has them. */
  const Labels = L.Layer.extend({
    initialize() {
      this.sets = new Map();
    },
    onAdd(map) {
      const pane = map.getPane("sp-labels") || map.createPane("sp-labels");
      pane.setAttribute("aria-hidden", "true");
      this.pane = pane;
      map.on("zoomstart", this.hide, this).on("moveend zoomend resize", this.place, this);
    },
    onRemove(map) {
      map.off("zoomstart", this.hide, this).off("moveend zoomend resize", this.place, this);
    },
    /* names: [{at: [lat, lon], text, rank, className, minZoom, inside: whether a place is in its area, for names that may move}] */
    put(owner, names) {
      this.drop(owner);
      const nodes = names.map((name) => {
        const node = saferPlaces.make("span", { class: "sp-label " + (name.className || "") }, [name.text]);
        this.pane.append(node);
        return { at: L.latLng(name.at), rank: name.rank || 0, minZoom: name.minZoom || 0, inside: name.inside, always: name.always, stands: name.stands, text: name.text, node: node };
      });
      this.sets.set(owner, nodes);
      this.place();
    },
    drop(owner) {
      (this.sets.get(owner) || []).forEach((name) => name.node.remove());
      this.sets.delete(owner);
      this.place();
    },
    hide() {
      this.pane.classList.add("sp-moving");
    },
    /* Boxes of the markers on the map: names give way to them where they can. */
    markers() {
      const boxes = [];
      this._map.eachLayer((layer) => {
        if (!(layer instanceof L.Marker) || !layer.getElement()) return;
        const point = this._map.latLngToLayerPoint(layer.getLatLng());
        const half = layer.options.icon.options.iconSize[0] / 2 - 2;
        boxes.push([point.x - half, point.y - half, point.x + half, point.y + half]);
      });
      return boxes;
    },
    /* Of some places near its point, and inside its own area, the one free of names that covers least of the markers. */
    room(name, point, taken, markers) {
      const w = name.width / 2;
      const h = name.height / 2;
      let best = null;
      let least = Infinity;
      (name.inside ? SHIFTS : SHIFTS.slice(0, 1)).forEach(([dx, dy]) => {
        const at = point.add([dx, dy]);
        if ((dx || dy) && !name.inside(this._map.layerPointToLatLng(at))) return;
        const box = [at.x - w - 3, at.y - h, at.x + w + 3, at.y + h];
        if (taken.some((other) => shared(box, other) > 0)) return;
        const hidden = markers.reduce((sum, other) => sum + shared(box, other), 0);
        if (!name.always && hidden > HIDES_MOST * name.width * name.height) return; // a number under a name helps nobody: zoom in
        const cost = hidden + (Math.abs(dx) + Math.abs(dy)) / 4;
        if (cost < least) [best, least] = [box, cost];
      });
      return best;
    },
    /* The ways to write the name of an area with the room each takes; measured once. */
    shapes(name) {
      if (name.shapes) return name.shapes;
      const ways = [];
      SIZES.forEach((size) =>
        [...new Set([name.text, folded(name.text)])].forEach((text) => {
          this.write(name, { size: size, text: text });
          ways.push({ size: size, text: text, width: name.node.offsetWidth, height: name.node.offsetHeight });
        })
      );
      if (ways[0].width) name.shapes = ways; // a hidden map measures nothing
      return ways;
    },
    write(name, way) {
      name.node.textContent = way.text;
      SIZES.forEach((size) => size && name.node.classList.toggle(size, size === way.size));
    },
    /* Write a name that may give way, if there is room for it. */
    set(name, taken, markers) {
      const map = this._map;
      if (name.width === undefined) {
        name.width = name.node.offsetWidth;
        name.height = name.node.offsetHeight;
      }
      const seen = map.getZoom() >= name.minZoom && map.getBounds().pad(0.2).contains(name.at);
      const box = seen && this.room(name, map.latLngToLayerPoint(name.at), taken, markers);
      name.node.classList.toggle("sp-off", !box);
      if (!box) return;
      taken.push(box);
      L.DomUtil.setPosition(name.node, L.point(Math.round(box[0] + 3), Math.round(box[1])));
    },
    /* Where an area is named: its own point, or, where that is out of sight, the middle of the part that is in sight. */
    anchor(name, sight) {
      const point = this._map.latLngToLayerPoint(name.at);
      if (point.x > sight[0] && point.x < sight[2] && point.y > sight[1] && point.y < sight[3]) return point;
      const found = [];
      for (let k = 1; k < GRID; k += 1)
        for (let n = 1; n < GRID; n += 1) {
          const at = L.point(sight[0] + ((sight[2] - sight[0]) * k) / GRID, sight[1] + ((sight[3] - sight[1]) * n) / GRID);
          if (name.inside(this._map.layerPointToLatLng(at))) found.push(at);
        }
      if (!found.length) return null;
      const middle = found.reduce((sum, at) => sum.add(at), L.point(0, 0)).divideBy(found.length);
      return found.sort((a, b) => a.distanceTo(middle) - b.distanceTo(middle))[0];
    },
    /* The first way to write it, nearest to its point, that covers no other name and little of the markers. */
    stand(name, sight, taken, markers) {
      const point = this.anchor(name, sight);
      if (!point) return null;
      let least = null;
      for (const way of this.shapes(name)) {
        for (const [dx, dy] of MOVES) {
          const at = point.add([dx, dy]);
          const box = [at.x - way.width / 2 - 3, at.y - way.height / 2, at.x + way.width / 2 + 3, at.y + way.height / 2];
          if (box[0] < sight[0] || box[1] < sight[1] || box[2] > sight[2] || box[3] > sight[3]) continue;
          if (taken.some((other) => shared(box, other) > 0)) continue;
          if ((dx || dy) && !name.inside(this._map.layerPointToLatLng(at))) continue;
          const hidden = markers.reduce((sum, other) => sum + shared(box, other), 0) / (way.width * way.height);
          if (hidden <= HIDES_MOST / 2) return { box: box, way: way };
          if (!least || hidden < least.hidden) least = { box: box, way: way, hidden: hidden };
        }
      }
      return least;
    },
    /* Names of areas: those with the least room first; where one finds none, again with that one before the others. */
    standing(names, sight, kept, markers) {
      let order = names;
      let best = null;
      for (let k = 0; k < TRIES; k += 1) {
        const taken = kept.slice();
        const set = new Map();
        const lost = [];
        order.forEach((name) => {
          const found = this.stand(name, sight, taken, markers);
          if (found) taken.push(found.box);
          if (found) set.set(name, found);
          else if (this.anchor(name, sight)) lost.push(name);
        });
        if (!best || set.size > best.set.size) best = { set: set, taken: taken };
        if (!lost.length) break;
        order = [...lost, ...order.filter((name) => !lost.includes(name))];
      }
      return best || { set: new Map(), taken: kept };
    },
    /* What lies over the map: buttons and the legend. Names keep off them. */
    panels() {
      const frame = this._map.getContainer().getBoundingClientRect();
      const offset = this._map.containerPointToLayerPoint([0, 0]);
      const over = [...this._map.getContainer().querySelectorAll(".leaflet-control")];
      const legend = document.querySelector(".sp-legends");
      if (legend && getComputedStyle(legend).position === "absolute") over.push(legend);
      return over.map((node) => {
        const box = node.getBoundingClientRect();
        const [x, y] = [offset.x - frame.left, offset.y - frame.top];
        return [box.left + x, box.top + y, box.right + x, box.bottom + y];
      });
    },
    place() {
      const map = this._map;
      if (!map || !map._loaded) return;
      const all = [].concat(...this.sets.values()).sort((a, b) => b.rank - a.rank);
      const markers = this.markers();
      const corner = map.containerPointToLayerPoint([0, 0]);
      const sight = [corner.x + 2, corner.y + 2, corner.x + map.getSize().x - 2, corner.y + map.getSize().y - 2];
      const ranks = [];
      all.filter((name) => name.always).forEach((name) => this.set(name, ranks, markers));
      const stood = this.standing(all.filter((name) => name.stands), sight, [...this.panels(), ...ranks], markers);
      all.filter((name) => name.stands).forEach((name) => {
        const found = stood.set.get(name);
        name.node.classList.toggle("sp-off", !found);
        if (!found) return;
        this.write(name, found.way);
        L.DomUtil.setPosition(name.node, L.point(Math.round(found.box[0] + 3), Math.round(found.box[1])));
      });
      all.filter((name) => !name.stands && !name.always).forEach((name) => this.set(name, stood.taken, markers));
      this.pane.classList.remove("sp-moving");
    },
  });

  /* Names of stations, venues and the like, so that a person finds their way without a ground map. */
  saferPlaces.classes.LandmarkLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
    },
    onAdd(map) {
      map.labels.put(
        this,
        this.options.landmarks.map((mark) => ({
          at: [mark[1], mark[0]], text: mark[2], rank: mark[3], className: "sp-label-landmark", minZoom: this.options.minZoom,
        }))
      );
    },
    onRemove(map) {
      map.labels.drop(this);
    },
  });

  /* Keeps two maps at one view: day beside night. options: other, the id of the second map's element */
  saferPlaces.classes.SyncedViews = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
    },
    onAdd(map) {
      const other = saferPlaces.maps.find((one) => one.getContainer().id === this.options.other);
      map.sync(other);
      other.sync(map);
    },
    onRemove() {},
  });
})();
