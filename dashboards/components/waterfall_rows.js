// One row of the waterfall. waterfall.py puts this text before waterfall.js: one module, no build.
// Everything recorded is untrusted and is only ever written with textContent.

const ROW_PX = 24;
const GUIDES_MAX = 16;

// Bits of a row's flags; span_tree.py holds the same list.
const ERROR = 1;
const UNFINISHED = 2;
const COMPENSATION = 4;
const CRITICAL = 8;
const PARENT_MISSING = 16;

function formatMs(ms) {
  const size = Math.abs(ms);
  if (size === 0) return "0";
  if (size >= 60000) return (ms / 60000).toFixed(1) + " min";
  if (size >= 1000) return (ms / 1000).toFixed(2) + " s";
  if (size >= 1) return ms.toFixed(size < 10 ? 2 : 1) + " ms";
  return (ms * 1000).toFixed(0) + " µs";
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Parent row and "has children" of each row, from the depths of a depth-first list. */
function shapeOf(depths) {
  const parents = new Int32Array(depths.length).fill(-1);
  const hasChildren = new Uint8Array(depths.length);
  const open = [];
  for (let i = 0; i < depths.length; i++) {
    open.length = Math.min(open.length, depths[i]);
    if (open.length > 0) {
      parents[i] = open[open.length - 1];
      hasChildren[parents[i]] = 1;
    }
    open.push(i);
  }
  return { parents, hasChildren };
}

function colorOf(view, i) {
  return view.data.colors[view.cols.service[i] % view.data.colors.length];
}

/** One line: label at the left, lane with the bar at the right. */
function rowOf(view, k) {
  const i = view.shown[k];
  const row = element("div", "row");
  row.id = "span-" + i;
  row.dataset.row = String(i);
  row.style.top = k * ROW_PX + "px";
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", String(view.cols.depth[i] + 1));
  row.setAttribute("aria-selected", String(i === view.selected));
  if (view.hasChildren[i]) row.setAttribute("aria-expanded", String(!view.closed.has(i)));
  row.classList.toggle("selected", i === view.selected);
  row.classList.toggle("cursor", i === view.cursor);
  row.classList.toggle("dim", view.hits !== null && !view.hits.has(i));
  row.append(labelOf(view, i), laneOf(view, i));
  return row;
}

function labelOf(view, i) {
  const flags = view.cols.flags[i];
  const service = view.data.services[view.cols.service[i]];
  const label = element("div", "left");
  for (let d = 0; d < Math.min(view.cols.depth[i], GUIDES_MAX); d++) {
    label.append(element("span", "guide"));
  }
  const caret = view.hasChildren[i] ? (view.closed.has(i) ? "▸" : "▾") : "";
  label.append(element("span", "caret", caret));
  const chip = element("span", "chip");
  chip.style.background = colorOf(view, i);
  label.append(chip);
  if (flags & ERROR) label.append(element("span", "error", "✖"));
  label.append(element("span", "service", service), element("span", "name", view.cols.name[i]));
  for (const tag of view.data.tags[i] ?? []) label.append(element("span", "tag " + tag[0], tag[1]));
  label.title = `${service} · ${view.cols.name[i]} · ${durationOf(view, i)}`;
  return label;
}

function durationOf(view, i) {
  return view.cols.flags[i] & UNFINISHED ? "not finished" : formatMs(view.cols.dur[i]);
}

function laneOf(view, i) {
  const flags = view.cols.flags[i];
  const width = view.to - view.from;
  const at = (ms) => ((ms / view.total - view.from) / width) * 100;
  const left = at(view.cols.start[i]);
  const right = at(view.cols.start[i] + view.cols.dur[i]);
  const lane = element("div", "lane");
  const bar = element("span", "bar");
  bar.style.left = left + "%";
  bar.style.width = right - left + "%";
  bar.style.backgroundColor = colorOf(view, i);
  bar.classList.toggle("failed", Boolean(flags & ERROR));
  bar.classList.toggle("compensation", Boolean(flags & COMPENSATION));
  bar.classList.toggle("unfinished", Boolean(flags & UNFINISHED));
  bar.classList.toggle("on-path", Boolean(flags & CRITICAL));
  lane.append(bar);
  for (const ms of view.data.events[i] ?? []) {
    const mark = element("span", "event");
    mark.style.left = at(ms) + "%";
    lane.append(mark);
  }
  const text = element("span", "took", durationOf(view, i));
  if (right <= 84) text.style.left = Math.max(right, 0) + "%";
  else if (left >= 14) text.style.right = 100 - Math.min(left, 100) + "%";
  else text.classList.add("inside");
  lane.append(text);
  return lane;
}
