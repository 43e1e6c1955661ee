/* Where: a spot, a way or an area on the map, by tap or by keyboard; nothing has to be dragged. */

const SPOT_ZOOM = 16;
const NAMES_ZOOM = 13; // from here on landmarks are written
const NAMES_IN_SIGHT = 2; // without streets below, so many names stay in sight to find the way by
const NEAR_M = 600;
const DIGITS = 6; // 0.1 m
const SHAPES = { route: "LineString", area: "Polygon", border: "LineString" };
const FEWEST = { point: 1, route: 2, area: 3, border: 2 };

function rounded(latlng) {
  return [Number(latlng.lng.toFixed(DIGITS)), Number(latlng.lat.toFixed(DIGITS))];
}

export class Where {
  /* changed(): called whenever the shape changes */
  constructor(map, changed) {
    this.map = map;
    this.changed = changed;
    this.kind = "point";
    this.points = [];
    this.feeling = "";
    this.open = true;
    this.drawn = L.layerGroup().addTo(map);
    this.here = L.layerGroup().addTo(map);
    map.doubleClickZoom.disable(); // a second tap must not jump
    map.on("click", (event) => this.tap(event.latlng));
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === map.getContainer()) {
        event.preventDefault();
        this.tap(map.getCenter());
      }
    });
  }

  get ready() {
    return this.points.length >= FEWEST[this.kind];
  }

  tap(latlng) {
    if (!this.open) return;
    if (this.kind === "point") this.points = [latlng];
    else this.points.push(latlng);
    // a tap on the whole borough is rough: come closer, so that the person sees whether it is right
    const zoom = this.spotZoom(latlng);
    if (this.kind === "point" && this.map.getZoom() < zoom - 1) this.map.setView(latlng, zoom);
    this.draw();
  }

  /* Names on the map with the metres from a place, the nearest first. */
  names(latlng) {
    const layer = (window.saferPlaces.layers.landmarks || [])[0];
    const all = layer ? layer.options.landmarks.map((one) => ({ at: L.latLng(one[1], one[0]), name: one[2] })) : [];
    all.forEach((one) => (one.metres = this.map.distance(latlng, one.at)));
    return all.sort((a, b) => a.metres - b.metres);
  }

  /* How near to come: with streets below close up, else only so far that some names stay in sight around the place. */
  spotZoom(latlng) {
    if (window.saferPlaces.layers.ground) return SPOT_ZOOM;
    const near = this.names(latlng).slice(0, NAMES_IN_SIGHT);
    const half = this.map.getSize().divideBy(2).subtract([48, 24]); // a name needs room beside its dot
    for (let zoom = SPOT_ZOOM - 1; zoom > NAMES_ZOOM; zoom -= 0.5) {
      const here = this.map.project(latlng, zoom);
      const off = near.map((one) => this.map.project(one.at, zoom).subtract(here));
      if (off.every((by) => Math.abs(by.x) < half.x && Math.abs(by.y) < half.y)) return zoom;
    }
    return NAMES_ZOOM;
  }

  /* The chosen spot in words: what it is near to, and the ward. */
  words() {
    const at = this.points[0];
    const near = this.names(at).find((one) => one.metres <= NEAR_M);
    const areas = window.saferPlaces.layers.areas[0].options.areas;
    const ward = areas.find((area) => window.saferPlaces.within(area.geometry, at));
    return [near && "near " + near.name, ward && "in " + ward.name].filter(Boolean).join(", ");
  }

  /* Show a place that was found, and mark it. */
  go(lat, lng) {
    this.use("point");
    this.map.setView([lat, lng], Math.max(this.map.getZoom(), this.spotZoom(L.latLng(lat, lng))), { animate: false });
    this.tap(L.latLng(lat, lng));
  }

  use(kind) {
    this.kind = kind;
    this.points = [];
    window.scrollTo(0, 0); // on a phone on its side the map lies above the tools
    this.draw();
  }

  undo() {
    this.points.pop();
    this.draw();
  }

  feels(feeling) {
    this.feeling = feeling;
    this.draw();
  }

  reset() {
    this.feeling = "";
    this.here.clearLayers();
    this.use("point");
  }

  /* Keep the mark in sight when the sheet grows. */
  reveal() {
    if (!this.points.length) return;
    this.map.invalidateSize({ animate: false, pan: false });
    const box = L.latLngBounds(this.points);
    if (this.map.getBounds().pad(-0.15).contains(box)) return;
    if (this.points.length === 1) this.map.panTo(this.points[0], { animate: false });
    else this.map.fitBounds(box, { animate: false, padding: [24, 24], maxZoom: this.map.getZoom() });
  }

  showHere(lat, lng) {
    this.here.clearLayers();
    L.circleMarker([lat, lng], { radius: 8, className: "here", interactive: false }).addTo(this.here);
  }

  geometry() {
    const coordinates = this.points.map(rounded);
    if (this.kind === "point") return { type: "Point", coordinates: coordinates[0] };
    if (this.kind === "area") return { type: "Polygon", coordinates: [[...coordinates, coordinates[0]]] };
    return { type: SHAPES[this.kind], coordinates: coordinates };
  }

  draw() {
    this.drawn.clearLayers();
    const quiet = { interactive: false };
    if (this.kind !== "point" && this.points.length > 1) {
      if (this.kind === "area") L.polygon(this.points, { ...quiet, className: "draw-area" }).addTo(this.drawn);
      else {
        L.polyline(this.points, { ...quiet, className: "draw-case" }).addTo(this.drawn);
        L.polyline(this.points, { ...quiet, className: "draw-line" }).addTo(this.drawn);
      }
    }
    if (this.kind === "point") this.points.forEach((at) => this.pin(at));
    else this.points.forEach((at) => L.circleMarker(at, { ...quiet, radius: 6, className: "draw-dot" }).addTo(this.drawn));
    this.changed();
  }

  pin(at) {
    const size = this.feeling ? 40 : 44;
    const node = this.feeling ? window.saferPlaces.symbol("mark-" + this.feeling, size) : plainPin(size);
    const anchor = this.feeling ? [size / 2, size / 2] : [size / 2, size - 2];
    const icon = L.divIcon({ className: "pin", html: node, iconSize: [size, size], iconAnchor: anchor });
    L.marker(at, { icon: icon, interactive: false, keyboard: false }).addTo(this.drawn);
  }
}

function plainPin(size) {
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    return node;
  };
  const svg = make("svg", { viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true" });
  svg.append(make("path", { class: "pin-new", d: "M16 30S5.5 20.5 5.5 12.5a10.5 10.5 0 0 1 21 0C26.5 20.5 16 30 16 30z" }));
  svg.append(make("circle", { class: "pin-dot", cx: 16, cy: 12.5, r: 4 }));
  return svg;
}
