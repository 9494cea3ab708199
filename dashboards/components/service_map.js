// Draws who calls whom; service_map_layout.js says where. Names were recorded by others: they get
// into the page as text only.

const SVG = "http://www.w3.org/2000/svg";
const LABEL_GAP_PX = 8;
const LINES_TOLD_MAX = 40; // of more lines only those that failed or were retried bear numbers

const instances = new WeakMap();

class ServiceMap {
  constructor(root) {
    this.root = root;
    this.field = root.querySelector(".field");
    this.svg = root.querySelector("svg");
    this.untold = root.querySelector(".untold");
    this.pen = document.createElement("canvas").getContext("2d");
    this.width = 0;
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(root);
  }

  update(data, select) {
    this.data = data;
    this.select = select;
    this.draw();
  }

  resized() {
    if (this.data && this.root.clientWidth !== this.width) this.draw();
  }

  draw() {
    this.width = this.root.clientWidth;
    if (!this.width) return;
    this.field.querySelectorAll(".box, .label").forEach((one) => one.remove());
    this.svg.replaceChildren();
    const names = this.data.nodes.map((node) => node.name);
    this.layout = boxesFor(this.data.layers, names, this.width);
    this.field.style.width = this.layout.width + "px";
    this.field.style.height = this.layout.height + "px";
    this.drawLines();
    this.drawBoxes();
    this.look(null);
    this.root.dataset.ready = String(this.data.nodes.length);
  }

  drawLines() {
    const count = (end, at) => this.data.edges.filter((edge) => edge[end] === at).length;
    const lines = linesFor(this.data.edges, this.layout);
    this.lines = lines.map((line, number) => {
      const edge = this.data.edges[number];
      const path = pathOf(line);
      const drawn = this.shape("path", `edge ${edge.tone}`, { d: path, "stroke-width": edge.width });
      const [x, y] = line.points.at(-1);
      const back = line.bulges || x < line.points[0][0] ? -1 : 1;
      const arrow = `M${x + back * ARROW_PX},${y}l${-back * ARROW_PX},-4.5v9z`;
      const head = this.shape("path", `arrow ${edge.tone}`, { d: arrow });
      const lean = Math.sign(count("from", edge.from) - count("to", edge.to));
      return { drawn, head, path, lean };
    });
    const bad = this.lines.filter((line, number) => this.data.edges[number].tone === "bad");
    for (const { drawn, head } of bad) this.svg.append(drawn, head); // over the others
    // What takes the clicks lies over all lines.
    this.lines.forEach(({ path }, number) => {
      const hit = this.shape("path", "hit", { d: path });
      const title = document.createElementNS(SVG, "title");
      title.textContent = this.data.edges[number].told;
      hit.append(title);
      hit.onclick = () => this.select({ edge: number });
      hit.onmouseenter = () => this.look({ edge: number });
      hit.onmouseleave = () => this.look(null);
    });
  }

  shape(kind, name, attributes) {
    const made = document.createElementNS(SVG, kind);
    made.setAttribute("class", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    this.svg.append(made);
    return made;
  }

  drawBoxes() {
    const chosen = this.data.chosen.node;
    const reachable = chosen >= 0 ? chosen : 0; // the Tab key stops at one box, arrows go on
    this.boxes = this.data.nodes.map((node, number) => {
      const made = document.createElement("button");
      const { x, y, width, height } = this.layout.boxes[number];
      Object.assign(made.style, { left: x + "px", top: y + "px", width: width + "px", height: height + "px" });
      made.type = "button";
      made.className = `box ${node.tone}` + (number === chosen ? " chosen" : "");
      made.tabIndex = number === reachable ? 0 : -1;
      made.title = node.told;
      made.append(this.part("name", node.name), this.part("counts", node.counts));
      made.setAttribute("aria-label", node.told);
      made.onclick = () => this.select({ node: number });
      made.onmouseenter = made.onfocus = () => this.look({ node: number });
      made.onmouseleave = made.onblur = () => this.look(null);
      made.onkeydown = (event) => this.step(event, number);
      this.field.append(made);
      return made;
    });
  }

  part(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  step(event, number) {
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    const next = this.boxes[(number + by + this.boxes.length) % this.boxes.length];
    this.boxes.forEach((box) => (box.tabIndex = box === next ? 0 : -1));
    next.focus();
  }

  /** Brings out one service or call with its neighbours; with nothing at hand, the chosen one. */
  look(at) {
    const held = at || this.data.chosen;
    const near = this.data.edges.map(
      (edge, number) => number === held.edge || edge.from === held.node || edge.to === held.node,
    );
    const looking = near.some(Boolean) || held.node >= 0;
    this.root.classList.toggle("looking", looking);
    const beside = new Set([held.node]);
    this.data.edges.forEach((edge, number) => {
      if (near[number]) beside.add(edge.from).add(edge.to);
      this.lines[number].drawn.classList.toggle("near", near[number]);
      this.lines[number].head.classList.toggle("near", near[number]);
    });
    this.boxes.forEach((box, number) => box.classList.toggle("near", beside.has(number)));
    this.drawLabels(looking ? near : null, beside);
  }

  /** Numbers on lines, those that failed most first, as far as there is room for them. */
  drawLabels(near, beside) {
    this.field.querySelectorAll(".label").forEach((one) => one.remove());
    const taken = this.layout.boxes.filter((box, number) => !near || beside.has(number));
    const many = !near && this.data.edges.length > LINES_TOLD_MAX;
    let untold = 0;
    for (const number of this.data.order) {
      if (near && !near[number]) continue;
      const { label, tone } = this.data.edges[number];
      const shown = !(many && tone === "fine") &&
        (this.drawLabel(label, number, taken) || this.drawLabel(label.slice(0, 1), number, taken));
      if (!shown) untold += 1;
    }
    this.untold.textContent = untold ? `numbers of ${untold} more lines: point at them` : "";
  }

  drawLabel(texts, number, taken) {
    this.pen.font = "11px " + getComputedStyle(this.root).fontFamily;
    const width = Math.max(...texts.map((text) => this.pen.measureText(text).width)) + LABEL_GAP_PX;
    const { drawn, lean } = this.lines[number];
    const place = placeFor(drawn, lean, width, texts.length, taken, this.layout);
    if (!place) return false;
    taken.push(place);
    const made = document.createElement("div");
    made.className = "label";
    Object.assign(made.style, { left: place.x + "px", top: place.y + "px", width: place.width + "px" });
    made.append(...texts.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
    this.field.append(made);
    return true;
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let map = instances.get(parentElement);
  if (!map) {
    map = new ServiceMap(parentElement.querySelector(".map"));
    instances.set(parentElement, map);
  }
  map.update(data, ({ node, edge }) => {
    const { from, to } = edge === undefined ? {} : data.edges[edge];
    const names = edge === undefined ? [node] : [from, to];
    setTriggerValue("select", names.map((at) => data.nodes[at].id));
  });
  return () => {
    map.observer.disconnect();
    instances.delete(parentElement);
  };
}
