// Draws a trace as a tree of rows beside a time axis; its rows are made by waterfall_rows.js.
// Rows are virtual: only the visible ones are in the page, so cost does not grow with the trace.

const OVERSCAN_ROWS = 8;
const MINIMAP_PX = 44;
const MINIMAP_LINES_MAX = 4000;
const TICKS = 5;
const ZOOM_SHARE_MIN = 0.0001; // a drag shorter than this is a click, which shows all again
const LEFT_SHARE_DEFAULT = 0.42;

const instances = new WeakMap();

class Waterfall {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.viewport = this.find(".viewport");
    this.pad = this.find(".pad");
    this.axis = this.find(".axis");
    this.minimap = this.find("canvas");
    this.query = this.find("input");
    this.count = this.find(".count");
    this.version = null;
    this.leftShare = LEFT_SHARE_DEFAULT;
    this.observer = new ResizeObserver(() => this.drawMinimap());
    this.observer.observe(this.minimap);
  }

  update(data, select) {
    this.data = data;
    this.cols = data.cols;
    this.select = select;
    this.rows = data.cols.name.length;
    this.total = Math.max(data.total_ms, 1e-6);
    this.lowNames = data.cols.name.map((name) => name.toLowerCase());
    this.lowServices = data.services.map((name) => name.toLowerCase());
    Object.assign(this, shapeOf(data.cols.depth));
    if (this.version !== data.version) this.reset();
    const moved = data.selected >= 0 && data.selected !== this.selected;
    this.selected = this.cursor = data.selected;
    this.viewport.style.height = data.height_px + "px";
    this.listen();
    this.layout();
    if (moved) this.reveal(data.selected);
    this.root.dataset.ready = String(this.rows);
  }

  reset() {
    this.version = this.data.version;
    this.closed = new Set();
    this.from = 0;
    this.to = 1;
    this.errorsOnly = false;
    this.criticalOnly = false;
    this.selected = -1;
    this.query.value = "";
    this.viewport.scrollTop = 0;
  }

  // --- which rows are there -------------------------------------------------------------------

  matches(i, words) {
    if (this.errorsOnly && !(this.cols.flags[i] & ERROR)) return false;
    if (this.criticalOnly && !(this.cols.flags[i] & CRITICAL)) return false;
    if (!words) return true;
    return (
      this.lowNames[i].includes(words) ||
      this.lowServices[this.cols.service[i]].includes(words) ||
      this.cols.id[i].startsWith(words)
    );
  }

  /** Matching rows and their ancestors stay; a fold hides what is below it. */
  layout() {
    const words = this.query.value.trim().toLowerCase();
    const filtered = Boolean(words) || this.errorsOnly || this.criticalOnly;
    this.hits = null;
    let kept = null;
    if (filtered) {
      this.hits = new Set();
      kept = new Set();
      for (let i = 0; i < this.rows; i++) {
        if (!this.matches(i, words)) continue;
        this.hits.add(i);
        for (let k = i; k >= 0 && !kept.has(k); k = this.parents[k]) kept.add(k);
      }
    }
    this.shown = [];
    let foldDepth = Infinity;
    for (let i = 0; i < this.rows; i++) {
      if (this.cols.depth[i] > foldDepth) continue;
      foldDepth = Infinity;
      if (kept && !kept.has(i)) continue;
      this.shown.push(i);
      if (!filtered && this.closed.has(i)) foldDepth = this.cols.depth[i];
    }
    this.pad.style.height = this.shown.length * ROW_PX + "px";
    this.count.textContent = this.hits
      ? `${this.hits.size} of ${this.rows} spans match`
      : `${this.shown.length} of ${this.rows} spans shown`;
    this.find(".errors").setAttribute("aria-pressed", String(this.errorsOnly));
    this.find(".critical").setAttribute("aria-pressed", String(this.criticalOnly));
    this.find(".unzoom").hidden = this.from === 0 && this.to === 1;
    this.find(".none").hidden = this.shown.length > 0;
    this.root.style.setProperty("--left", (this.leftShare * 100).toFixed(1) + "%");
    this.drawAxis();
    this.drawMinimap();
    this.paint();
  }

  // --- drawing --------------------------------------------------------------------------------

  paint() {
    const top = this.viewport.scrollTop;
    const first = Math.max(0, Math.floor(top / ROW_PX) - OVERSCAN_ROWS);
    const last = Math.ceil((top + this.viewport.clientHeight) / ROW_PX) + OVERSCAN_ROWS;
    const page = document.createDocumentFragment();
    for (let k = first; k < Math.min(last, this.shown.length); k++) page.append(rowOf(this, k));
    this.pad.replaceChildren(page);
    if (this.cursor >= 0) this.viewport.setAttribute("aria-activedescendant", "span-" + this.cursor);
  }

  drawAxis() {
    this.axis.replaceChildren();
    for (let k = 0; k < TICKS; k++) {
      const share = this.from + ((this.to - this.from) * k) / TICKS;
      const tick = element("span", "tick", formatMs(share * this.total));
      tick.style.left = (100 * k) / TICKS + "%";
      this.axis.append(tick);
    }
  }

  drawMinimap() {
    const width = this.minimap.clientWidth;
    if (!width || !this.cols) return;
    const scale = window.devicePixelRatio || 1;
    this.minimap.width = width * scale;
    this.minimap.height = MINIMAP_PX * scale;
    const pen = this.minimap.getContext("2d");
    pen.scale(scale, scale);
    const step = Math.max(1, Math.ceil(this.rows / MINIMAP_LINES_MAX));
    const thick = Math.min(4, Math.max(1, MINIMAP_PX / this.rows - 0.5));
    for (let i = 0; i < this.rows; i++) {
      const failed = this.cols.flags[i] & ERROR;
      if (i % step && !failed) continue;
      pen.fillStyle = failed ? "#D55E00" : colorOf(this, i);
      const x = (this.cols.start[i] / this.total) * width;
      const long = Math.max(1, (this.cols.dur[i] / this.total) * width);
      pen.fillRect(x, (i / this.rows) * (MINIMAP_PX - 4) + 2, long, thick);
    }
    pen.fillStyle = "rgba(127,127,127,.4)";
    pen.fillRect(0, 0, this.from * width, MINIMAP_PX);
    pen.fillRect(this.to * width, 0, width, MINIMAP_PX);
  }

  // --- moving ---------------------------------------------------------------------------------

  /** Opens what is folded above a row and scrolls it into the upper third. */
  reveal(i) {
    for (let k = this.parents[i]; k >= 0; k = this.parents[k]) this.closed.delete(k);
    this.layout();
    this.scrollTo(this.shown.indexOf(i), 1 / 3);
  }

  scrollTo(k, share) {
    if (k < 0) return;
    const top = k * ROW_PX;
    const view = this.viewport;
    if (top < view.scrollTop || top + ROW_PX > view.scrollTop + view.clientHeight) {
      const edge = top < view.scrollTop ? 0 : view.clientHeight - ROW_PX;
      view.scrollTop = Math.max(0, top - (share === undefined ? edge : view.clientHeight * share));
    }
    this.paint();
  }

  move(k) {
    const bounded = Math.max(0, Math.min(this.shown.length - 1, k));
    if (this.shown.length === 0) return;
    this.cursor = this.shown[bounded];
    this.scrollTo(bounded);
  }

  pick(i) {
    if (i < 0) return;
    this.selected = this.cursor = i;
    this.paint();
    this.select(i);
  }

  fold(i, close) {
    if (!this.hasChildren[i]) return;
    if (close) this.closed.add(i);
    else this.closed.delete(i);
    this.layout();
  }

  foldAll() {
    if (this.closed.size > 0) this.closed.clear();
    else {
      for (let i = 0; i < this.rows; i++) {
        if (this.hasChildren[i] && this.cols.depth[i] >= 1) this.closed.add(i);
      }
    }
    this.layout();
  }

  nextError(step) {
    const wanted = (i) => this.cols.flags[i] & ERROR;
    for (let n = 1, i = this.cursor; n <= this.rows; n++) {
      i = (i + step + this.rows) % this.rows;
      if (!wanted(i)) continue;
      this.reveal(i);
      this.pick(i);
      return;
    }
  }

  /** The axis shows one span with a margin; once more, and it shows all. */
  zoomTo(i) {
    if (i < 0 || this.from > 0 || this.to < 1) return this.zoom(0, 1);
    const margin = Math.max(this.cols.dur[i], this.total / 1000) / 10;
    const start = this.cols.start[i] - margin;
    const end = this.cols.start[i] + this.cols.dur[i] + margin;
    this.zoom(start / this.total, end / this.total);
  }

  clear() {
    this.query.value = "";
    this.from = 0;
    this.to = 1;
    this.errorsOnly = this.criticalOnly = false;
    this.layout();
  }

  onKey(event) {
    const k = this.shown.indexOf(this.cursor);
    const page = Math.floor(this.viewport.clientHeight / ROW_PX) - 1;
    const i = this.cursor;
    const actions = {
      ArrowDown: () => this.move(k + 1),
      ArrowUp: () => this.move(k - 1),
      PageDown: () => this.move(k + page),
      PageUp: () => this.move(k - page),
      Home: () => this.move(0),
      End: () => this.move(this.shown.length - 1),
      Enter: () => this.pick(i),
      " ": () => this.pick(i),
      ArrowLeft: () =>
        this.hasChildren[i] && !this.closed.has(i)
          ? this.fold(i, true)
          : this.move(this.shown.indexOf(this.parents[i])),
      ArrowRight: () => (this.closed.has(i) ? this.fold(i, false) : this.move(k + 1)),
      "/": () => this.query.focus(),
      e: () => this.nextError(1),
      E: () => this.nextError(-1),
      z: () => this.zoomTo(i),
      Escape: () => this.clear(),
    };
    const known = Object.hasOwn(actions, event.key) && !event.ctrlKey && !event.metaKey;
    if (!known || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (i < 0 && event.key.startsWith("Arrow")) this.move(0);
    else actions[event.key]();
  }

  // --- listening ------------------------------------------------------------------------------

  /** Handlers are assigned, never added: this runs again on every change of data or theme. */
  listen() {
    this.viewport.onscroll = () => requestAnimationFrame(() => this.paint());
    this.viewport.onkeydown = (event) => this.onKey(event);
    this.pad.onclick = (event) => {
      const row = event.target.closest(".row");
      if (!row) return;
      const i = Number(row.dataset.row);
      const caret = event.target.classList.contains("caret") && this.hasChildren[i];
      if (caret) this.fold(i, !this.closed.has(i));
      else this.pick(i);
    };
    this.query.oninput = () => this.layout();
    this.query.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.clear();
      if (event.key !== "Enter" || !this.hits || this.hits.size === 0) return;
      const hits = this.shown.filter((i) => this.hits.has(i));
      this.pick(hits.find((i) => i > this.cursor) ?? hits[0]);
      this.scrollTo(this.shown.indexOf(this.selected), 1 / 3);
    };
    const toggle = (name) => () => {
      this[name] = !this[name];
      this.viewport.scrollTop = 0;
      this.layout();
    };
    this.find(".errors").onclick = toggle("errorsOnly");
    this.find(".critical").onclick = toggle("criticalOnly");
    this.find(".next").onclick = () => this.nextError(1);
    this.find(".fold").onclick = () => this.foldAll();
    this.find(".unzoom").onclick = () => this.zoom(0, 1);
    this.drag(this.minimap, (a, b) => this.zoom(a, b), (share) => share);
    const inView = (share) => this.from + share * (this.to - this.from);
    this.drag(this.axis, (a, b) => this.zoom(a, b), inView);
    this.resize(this.find(".divider"));
  }

  zoom(a, b) {
    const tiny = Math.abs(a - b) < ZOOM_SHARE_MIN;
    this.from = tiny ? 0 : Math.max(0, Math.min(a, b));
    this.to = tiny ? 1 : Math.min(1, Math.max(a, b));
    this.layout();
  }

  drag(area, done, toShare) {
    const share = (event) => {
      const box = area.getBoundingClientRect();
      return toShare((event.clientX - box.left) / box.width);
    };
    let start = null;
    area.onpointerdown = (event) => {
      start = share(event);
      area.setPointerCapture(event.pointerId);
    };
    area.onpointerup = (event) => {
      if (start !== null) done(start, share(event));
      start = null;
    };
  }

  resize(divider) {
    divider.onpointerdown = (event) => divider.setPointerCapture(event.pointerId);
    divider.onpointermove = (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const box = this.root.getBoundingClientRect();
      this.leftShare = Math.max(0.15, Math.min(0.8, (event.clientX - box.left) / box.width));
      this.root.style.setProperty("--left", (this.leftShare * 100).toFixed(1) + "%");
    };
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let waterfall = instances.get(parentElement);
  if (!waterfall) {
    waterfall = new Waterfall(parentElement.querySelector(".waterfall"));
    instances.set(parentElement, waterfall);
  }
  waterfall.update(data, (row) => setTriggerValue("select", data.cols.id[row]));
  return () => {
    waterfall.observer.disconnect();
    instances.delete(parentElement);
  };
}
