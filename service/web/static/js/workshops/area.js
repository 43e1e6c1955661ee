/* Draw the area of a workshop on the map: points by tap or by keyboard, kept in a field of the form. */

import { Where } from "../mark/where.js";

const at = (id) => document.getElementById(id);
const choice = at("area");
let where = null;

function changed() {
  const points = where.points.length;
  at("drawn").value = points >= 3 ? JSON.stringify(where.geometry()) : "";
  at("draw-undo").hidden = !points;
  at("draw-state").textContent =
    points >= 3 ? points + " points. Tap to add more." : points ? points + " of at least 3 points." : "Tap three or more points around the area.";
}

function begin() {
  where = new Where(window.saferPlaces.map, changed);
  at("mark-map").querySelector(".sp-map").append(at("cross"));
  where.kind = "area";
  const map = window.saferPlaces.map;
  map.invalidateSize({ animate: false });
  map.labels.sets.forEach((names) => names.forEach((name) => delete name.width));
  map.fitBounds(window.saferPlaces.layers.areas[0].getBounds(), { animate: false });
  if (at("drawn").value) {
    const ring = JSON.parse(at("drawn").value).coordinates[0].slice(0, -1);
    where.points = ring.map(([lng, lat]) => L.latLng(lat, lng));
    where.draw();
  }
  changed();
}

function choose() {
  const drawn = choice.value === "drawn";
  at("draw").hidden = !drawn;
  if (drawn && !where) begin();
}

choice.querySelector(".needs-script").hidden = false;
choice.addEventListener("change", choose);
at("draw-undo").addEventListener("click", () => where.undo());
choose();
