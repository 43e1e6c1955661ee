/* A grid of density classes, painted on one canvas. The grid is square in metres and slightly turned in degrees. */
(function () {
  "use strict";
  const saferPlaces = window.saferPlaces;

  /* options: corners [[lon, lat] sw, se, ne, nw], columns, rows, classes: one digit a cell from the south-west, row by row */
  saferPlaces.classes.DensityLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
    },
    onAdd(map) {
      if (!map.getPane("sp-density")) map.createPane("sp-density");
      this.canvas = saferPlaces.make("canvas", { class: "sp-density-canvas leaflet-zoom-hide", "aria-hidden": "true" });
      map.getPane("sp-density").append(this.canvas);
      document.documentElement.classList.add("sp-has-density");
      this.theme = window.matchMedia("(prefers-color-scheme: dark)");
      this.repaint = () => this.paint();
      this.theme.addEventListener("change", this.repaint);
      map.on("moveend zoomend resize", this.paint, this);
      this.paint();
    },
    onRemove(map) {
      map.off("moveend zoomend resize", this.paint, this);
      this.theme.removeEventListener("change", this.repaint);
      this.canvas.remove();
      document.documentElement.classList.remove("sp-has-density");
    },
    corner(column, row) {
      const u = column / this.options.columns;
      const v = row / this.options.rows;
      const [sw, se, ne, nw] = this.options.corners;
      const mix = (axis) => (1 - v) * ((1 - u) * sw[axis] + u * se[axis]) + v * ((1 - u) * nw[axis] + u * ne[axis]);
      return this._map.latLngToContainerPoint([mix(1), mix(0)]);
    },
    paint() {
      const map = this._map;
      if (!map) return;
      const size = map.getSize();
      const sharp = window.devicePixelRatio || 1;
      this.canvas.width = size.x * sharp;
      this.canvas.height = size.y * sharp;
      this.canvas.style.width = size.x + "px";
      this.canvas.style.height = size.y + "px";
      L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
      const brush = this.canvas.getContext("2d");
      brush.scale(sharp, sharp);
      const tokens = getComputedStyle(document.documentElement);
      const colours = [1, 2, 3, 4, 5].map((step) => tokens.getPropertyValue("--sp-grey-" + step).trim());
      const { columns, rows, classes } = this.options;
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          const step = classes.charCodeAt(row * columns + column) - 48;
          if (step < 1) continue;
          const a = this.corner(column, row);
          const c = this.corner(column + 1, row + 1);
          if (c.x < 0 || c.y > size.y || a.x > size.x || a.y < 0) continue;
          const b = this.corner(column + 1, row);
          const d = this.corner(column, row + 1);
          brush.fillStyle = colours[step - 1];
          brush.beginPath();
          [a, b, c, d].forEach((point, index) => (index ? brush.lineTo(point.x, point.y) : brush.moveTo(point.x, point.y)));
          brush.closePath();
          brush.fill();
        }
      }
    },
  });
})();
