// Where the boxes, lines and labels of the service map stand, for whatever width there is. Pure.

const BOX_PX_MIN = 98;
const BOX_PX_MAX = 190;
const BOX_HEIGHT_PX = 52; // a name of two lines and the counts
const BOX_HEIGHT_PX_LONG = 66; // three lines
const LONG_NAME = 20; // characters that may not fit into two lines
const GAP_PX_MIN = 34;
const GAP_PX_WANTED = 104; // room for the numbers of a line
const GAP_PX_MAX = 260;
const BETWEEN_PX = 14; // boxes of a column
const ROWS_MIN = 9; // a layer with no more services stands in one column
const MARGIN_PX = 14;
const PORT_PX_MAX = 5; // between lines that end at the same side of a box
const LABEL_LINE_PX = 13;
const ARROW_PX = 8;
const PLACES = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82]; // along a line
const PLACES_AT_END = [0.7, 0.62, 0.78, 0.54, 0.46, 0.38, 0.3, 0.22];

/** Boxes for `layers` (of each its number of services, left to right) in a width. */
function boxesFor(layers, names, width) {
  const long = names.some((name) => name.length > LONG_NAME);
  const boxHeight = long ? BOX_HEIGHT_PX_LONG : BOX_HEIGHT_PX;
  const room = Math.max(0, width - 2 * MARGIN_PX);
  const columns = Math.max(layers.length, Math.floor((room + GAP_PX_MIN) / (BOX_PX_MIN + GAP_PX_MIN)));
  const most = Math.max(1, ...layers);
  let rows = Math.min(ROWS_MIN, most);
  const needed = () => layers.reduce((sum, size) => sum + Math.ceil(size / rows), 0);
  while (rows < most && needed() > columns) rows += 1;
  const used = needed();
  const boxWidth = clamped((room - (used - 1) * GAP_PX_WANTED) / used, BOX_PX_MIN, BOX_PX_MAX);
  const gap = clamped((room - used * boxWidth) / Math.max(1, used - 1), GAP_PX_MIN, GAP_PX_MAX);
  const height = rows * (boxHeight + BETWEEN_PX);
  const boxes = [];
  let column = 0;
  for (const size of layers) {
    const wide = Math.ceil(size / rows); // neighbours stand in turn in so many columns
    for (let place = 0; place < size; place += 1) {
      const at = column + (place % wide);
      boxes.push({
        column: at,
        x: MARGIN_PX + at * (boxWidth + gap),
        y: MARGIN_PX + ((place + 0.5) * height) / size - boxHeight / 2,
        width: boxWidth,
        height: boxHeight,
      });
    }
    column += wide;
  }
  const total = 2 * MARGIN_PX + used * boxWidth + (used - 1) * gap;
  const aside = Math.max(0, (width - total) / 2); // a drawing of few columns stands in the middle
  for (const box of boxes) box.x += aside;
  return { boxes, width: Math.max(width, total), height: height + 2 * MARGIN_PX, columns: used };
}

/** Of each edge the points its line goes through: past the boxes between, not under them. */
function linesFor(edges, { boxes, columns }) {
  const inColumn = Array.from({ length: columns }, () => []);
  for (const box of boxes) inColumn[box.column].push(box);
  for (const column of inColumn) column.sort((one, other) => one.y - other.y);
  const ports = portsFor(edges, boxes);
  return edges.map((edge, number) => {
    const from = boxes[edge.from];
    const to = boxes[edge.to];
    const [out, into] = ports[number];
    const forward = to.column > from.column;
    const start = [forward || to.column === from.column ? from.x + from.width : from.x, out];
    const end = [forward ? to.x - ARROW_PX : to.x + to.width + ARROW_PX, into];
    const points = [start];
    const step = forward ? 1 : -1;
    if (to.column !== from.column) {
      for (let at = from.column + step; at !== to.column; at += step) {
        const y = throughGap(inColumn[at], points.at(-1), end);
        const left = inColumn[at][0].x - 6;
        const right = inColumn[at][0].x + inColumn[at][0].width + 6;
        points.push([forward ? left : right, y], [forward ? right : left, y]);
      }
    }
    points.push(end);
    return { points, bulges: to.column === from.column };
  });
}

/** Lines that share a side of a box end beside each other there, in the order they come from. */
function portsFor(edges, boxes) {
  const sides = new Map();
  edges.forEach((edge, number) => {
    for (const [end, own, other] of [[0, edge.from, edge.to], [1, edge.to, edge.from]]) {
      const right = boxes[other].column > boxes[own].column;
      const key = `${own} ${right}`;
      if (!sides.has(key)) sides.set(key, []);
      sides.get(key).push({ number, end, own, y: boxes[other].y });
    }
  });
  const ports = edges.map(() => [0, 0]);
  for (const ends of sides.values()) {
    ends.sort((one, other) => one.y - other.y || one.number - other.number || one.end - other.end);
    const apart = Math.min(PORT_PX_MAX, (boxes[0].height - 12) / ends.length);
    ends.forEach((one, place) => {
      const middle = boxes[one.own].y + boxes[one.own].height / 2;
      ports[one.number][one.end] = middle + (place - (ends.length - 1) / 2) * apart;
    });
  }
  return ports;
}

/** The height, nearest to the straight way, at which a line passes a column between its boxes. */
function throughGap(column, from, to) {
  const box = column[0];
  const share = (box.x + box.width / 2 - from[0]) / (to[0] - from[0]);
  const wanted = from[1] + share * (to[1] - from[1]);
  const hits = column.find((one) => one.y - 5 < wanted && wanted < one.y + one.height + 5);
  if (!hits) return wanted;
  const above = hits.y - 6;
  const below = hits.y + hits.height + 6;
  return wanted - above < below - wanted ? above : below;
}

/** The line as an SVG path, level at both ends. */
function pathOf({ points, bulges }) {
  const [x, y] = points[0];
  let path = `M${x},${y}`;
  for (let at = 1; at < points.length; at += 1) {
    const [fromX, fromY] = points[at - 1];
    const [toX, toY] = points[at];
    const bend = bulges ? 30 : (toX - fromX) / 2;
    path += `C${fromX + bend},${fromY} ${bulges ? toX + bend : toX - bend},${toY} ${toX},${toY}`;
  }
  return path;
}

/**
 * The first place along a line where a label covers nothing; null where there is none. `lean` says
 * at which end fewer lines run beside it: 1 at its own end, -1 at its beginning, 0 at neither.
 */
function placeFor(line, lean, width, lines, taken, field) {
  const length = line.getTotalLength();
  const height = lines * LABEL_LINE_PX;
  const places = lean ? PLACES_AT_END : PLACES;
  for (const place of places) {
    const share = lean < 0 ? 1 - place : place;
    const at = line.getPointAtLength(length * share);
    const box = { x: at.x - width / 2, y: at.y - height / 2, width, height };
    const inside = box.x >= 2 && box.y >= 2 && box.x + width <= field.width - 2 && box.y + height <= field.height - 2;
    if (inside && !taken.some((one) => overlap(one, box))) return box;
  }
  return null;
}

function overlap(one, other) {
  return (
    one.x < other.x + other.width + 2 && other.x < one.x + one.width + 2 &&
    one.y < other.y + other.height + 1 && other.y < one.y + one.height + 1
  );
}

function clamped(value, least, most) {
  return Math.max(least, Math.min(most, value));
}
