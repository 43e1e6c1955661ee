/* Areas of a boundary set coloured by the class of a measure, and hot spots with hatched outlines. */
(function () {
  "use strict";
  const saferPlaces = window.saferPlaces;
  const MOST_STANDING = 60; // more names than that do not fit on any screen: then the largest areas are named

  /* options: areas [{code, name, geometry, at: [lat, lon], rank, step, status, card}], ramp, labels */
  saferPlaces.classes.AreaLayer = L.FeatureGroup.extend({
    initialize(options) {
      L.FeatureGroup.prototype.initialize.call(this, []);
      L.setOptions(this, options);
      options.areas.forEach((area) => this.addLayer(this.draw(area)));
    },
    draw(area) {
      const fill = area.status === "value" ? "sp-fill-" + this.options.ramp + "-" + area.step : "sp-fill-" + area.status;
      const shape = { type: "Feature", geometry: area.geometry, properties: {} };
      const inside = L.geoJSON(shape, { style: { className: "sp-area " + fill, weight: 0, smoothFactor: 0.4 }, pane: "sp-areas" });
      const edge = L.geoJSON(shape, {
        style: { className: "sp-area-edge", weight: area.focus ? 4 : 1, smoothFactor: 0.4, fill: false }, pane: "sp-edges", interactive: false,
      });
      if (area.card) inside.bindPopup(() => saferPlaces.card(area.card), { maxWidth: 280 });
      inside.on("mouseover", () => edge.setStyle({ weight: 3 }));
      inside.on("mouseout", () => edge.setStyle({ weight: area.focus ? 4 : 1 }));
      return L.featureGroup([inside, edge]);
    },
    onAdd(map) {
      ["sp-areas", "sp-edges"].forEach((pane) => map.getPane(pane) || map.createPane(pane));
      L.FeatureGroup.prototype.onAdd.call(this, map);
      if (!this.options.labels) return;
      const few = this.options.areas.length <= MOST_STANDING;
      map.labels.put(
        this,
        this.options.areas.map((area) => ({
          at: area.at, text: area.name, className: "sp-label-area", stands: few,
          rank: few && !area.focus ? 100 + this.options.areas.length - area.rank : 100 + area.rank, // the smallest first
          inside: (latlng) => saferPlaces.within(area.geometry, latlng),
        }))
      );
    },
    onRemove(map) {
      L.FeatureGroup.prototype.onRemove.call(this, map);
      map.labels.drop(this);
    },
  });

  /* options: hotspots [{geometry, at, rank, confidence, card}] */
  saferPlaces.classes.HotspotLayer = L.FeatureGroup.extend({
    initialize(options) {
      L.FeatureGroup.prototype.initialize.call(this, []);
      L.setOptions(this, options);
      options.hotspots.forEach((spot) => {
        const shape = { type: "Feature", geometry: spot.geometry, properties: {} };
        [["sp-hot-halo", false], ["sp-hot sp-hot-" + spot.confidence, true]].forEach(([name, open]) => {
          const layer = L.geoJSON(shape, { style: { className: name }, interactive: open, pane: "sp-hot" });
          if (open) layer.bindPopup(() => saferPlaces.card(spot.card), { maxWidth: 280 });
          this.addLayer(layer);
        });
      });
    },
    onAdd(map) {
      if (!map.getPane("sp-hot")) map.createPane("sp-hot");
      L.FeatureGroup.prototype.onAdd.call(this, map);
      map.labels.put(
        this,
        this.options.hotspots.map((spot) => ({
          at: spot.at, text: String(spot.rank), rank: 1000 - spot.rank, className: "sp-label-rank", always: true,
          inside: (latlng) => saferPlaces.within(spot.geometry, latlng),
        }))
      );
    },
    onRemove(map) {
      L.FeatureGroup.prototype.onRemove.call(this, map);
      map.labels.drop(this);
    },
  });
})();
