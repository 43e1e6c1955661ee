/* The ground map: a vector file of our own host, or tiles that our own host passes on. Quiet, so that marks speak. */
(function () {
  "use strict";
  const saferPlaces = window.saferPlaces;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--sp-map-" + name).trim();
  const FONT = "system-ui, sans-serif";

  // Layer names of the common vector schemas (Protomaps, OpenMapTiles, OS Open Zoomstack); one that a file lacks is not drawn.
  const LAND = ["earth", "land"];
  const GREEN = ["landuse", "landcover", "park", "greenspaces", "woodland", "national_parks"];
  const WATER = ["water", "surfacewater", "sea"];
  const BUILT = ["buildings", "building", "local_buildings", "district_buildings"];
  const ROADS = ["roads", "transportation", "roads_local", "roads_regional", "roads_national"];
  const RAIL = ["rail", "transit"];
  const STREET_NAMES = ["roads", "transportation_name", "road_names"];
  const PLACE_NAMES = ["places", "place", "names"];
  const BIG = ["highway", "motorway", "trunk", "primary", "major_road", "major", "A Road", "Motorway", "Primary"];

  function big(zoom, feature) {
    return BIG.includes(feature.props.kind) || BIG.includes(feature.props.class) || BIG.includes(feature.props.type);
  }

  function rules() {
    const line = (color, wide, at16) =>
      new protomapsL.LineSymbolizer({ color: color, width: (zoom) => Math.max(wide, at16 * Math.pow(1.5, zoom - 16)) });
    const polygon = (color) => new protomapsL.PolygonSymbolizer({ fill: color });
    const paint = [];
    LAND.forEach((name) => paint.push({ dataLayer: name, symbolizer: polygon(token("land")) }));
    GREEN.forEach((name) => paint.push({ dataLayer: name, symbolizer: polygon(token("green")) }));
    WATER.forEach((name) => paint.push({ dataLayer: name, symbolizer: polygon(token("water")) }));
    BUILT.forEach((name) => paint.push({ dataLayer: name, symbolizer: polygon(token("road-edge")), minzoom: 15 }));
    RAIL.forEach((name) => paint.push({ dataLayer: name, symbolizer: line(token("road-edge"), 1, 3) }));
    ROADS.forEach((name) => paint.push({ dataLayer: name, symbolizer: line(token("road-edge"), 0.6, 9) }));
    ROADS.forEach((name) => paint.push({ dataLayer: name, symbolizer: line(token("road"), 0.3, 6.5), minzoom: 12 }));
    ROADS.forEach((name) => paint.push({ dataLayer: name, symbolizer: line(token("road-edge"), 2, 13), filter: big }));
    ROADS.forEach((name) => paint.push({ dataLayer: name, symbolizer: line(token("road"), 1.2, 10), filter: big }));
    const words = { fill: token("label"), stroke: token("halo"), width: 3, labelProps: ["name", "name:en", "name1"] };
    const label = [];
    PLACE_NAMES.forEach((name) =>
      label.push({ dataLayer: name, symbolizer: new protomapsL.CenteredTextSymbolizer({ ...words, font: "600 13px " + FONT }) })
    );
    STREET_NAMES.forEach((name) =>
      label.push({ dataLayer: name, symbolizer: new protomapsL.LineLabelSymbolizer({ ...words, font: "12px " + FONT }), minzoom: 14 })
    );
    return { paint: paint, label: label };
  }

  function vector(options) {
    const made = rules();
    return protomapsL.leafletLayer({
      url: options.url, paintRules: made.paint, labelRules: made.label, backgroundColor: token("ground"),
      maxDataZoom: options.maxDataZoom, attribution: "", lang: document.documentElement.lang, pane: "tilePane", noWrap: true,
    });
  }

  /* options: kind "pmtiles" or "raster", url, attribution, maxDataZoom */
  saferPlaces.classes.GroundLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
    },
    onAdd(map) {
      this.theme = window.matchMedia("(prefers-color-scheme: dark)");
      this.repaint = () => this.draw(map);
      this.theme.addEventListener("change", this.repaint);
      map.getContainer().classList.add("sp-ground-" + this.options.kind);
      map.attributionControl.addAttribution(this.escaped());
      this.draw(map);
    },
    onRemove(map) {
      this.theme.removeEventListener("change", this.repaint);
      map.getContainer().classList.remove("sp-ground-" + this.options.kind);
      map.attributionControl.removeAttribution(this.escaped());
      this.tiles.remove();
    },
    /* Leaflet writes an attribution as markup: give it the markup of the plain text. */
    escaped() {
      return saferPlaces.make("span", {}, [this.options.attribution || ""]).innerHTML;
    },
    draw(map) {
      if (this.tiles) this.tiles.remove();
      const raster = this.options.kind === "raster";
      this.tiles = raster ? L.tileLayer(this.options.url, { maxNativeZoom: this.options.maxDataZoom, maxZoom: 20 }) : vector(this.options);
      this.tiles.addTo(map);
    },
  });
})();
