// The sheet: who draws a digit sees the network answer while it is drawn.

import { ask } from "./connection.js";
import { find, make, percent, say } from "./elements.js";
import { decode, makeAnswer } from "./pictures.js";

const SIDE = 280, PEN = 20, STEP = 10, FINE_STEP = 3;
// What is sent has so many pixels on a side: more than enough for 28.
const SENT = 140;

let strokes = [], pen = { x: SIDE / 2, y: SIDE / 2, down: false };
let answer = null, asking = false, stale = false;

/** The answer just given, for who wants to look into it; null if there is none. */
export let latest = null;

export function start() {
  answer = makeAnswer();
  find("drawing-answer").append(answer.element);
  answer.update(null, "draw a digit");
  const paper = find("paper");
  paper.addEventListener("pointerdown", begin);
  paper.addEventListener("pointermove", follow);
  for (const kind of ["pointerup", "pointercancel"]) paper.addEventListener(kind, () => changed());
  paper.addEventListener("keydown", press);
  paper.addEventListener("focus", () => showPen(document.activeElement === paper && paper.matches(":focus-visible")));
  paper.addEventListener("blur", () => showPen(false));
  find("clear-paper").addEventListener("click", clear);
  find("undo-stroke").addEventListener("click", undo);
  for (let digit = 0; digit < 10; digit++) {
    find("examples").append(make("button", { type: "button", onclick: () => drawExample(digit) }, String(digit)));
  }
}

function place(event) {
  const box = find("paper").getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
}

function begin(event) {
  if (event.button !== 0) return;
  event.target.setPointerCapture(event.pointerId);
  showPen(false);
  strokes.push([place(event)]);
  changed();
}

function follow(event) {
  if (!event.target.hasPointerCapture(event.pointerId)) return;
  const events = event.getCoalescedEvents?.() ?? [];
  strokes.at(-1).push(...(events.length ? events : [event]).map(place));
  changed();
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = event.shiftKey ? FINE_STEP : STEP;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (event.key in moves) movePen(...moves[event.key]);
  else if (event.key === " ") setPen(!pen.down);
  else if (event.key === "Backspace" || event.key === "Delete") clear();
  else if (event.key.toLowerCase() === "u") undo();
  else if (/^[0-9]$/.test(event.key)) drawExample(Number(event.key));
  else return;
  event.preventDefault();
}

function movePen(right, down) {
  const keep = (number) => Math.min(SIDE, Math.max(0, number));
  pen.x = keep(pen.x + right);
  pen.y = keep(pen.y + down);
  showPen(true);
  if (!pen.down) return;
  strokes.at(-1).push({ x: pen.x, y: pen.y });
  changed();
}

function setPen(down) {
  pen.down = down;
  if (down) strokes.push([{ x: pen.x, y: pen.y }]);
  showPen(true);
  say(down ? "pen down" : "pen up");
  if (down) changed();
}

function showPen(isShown) {
  const mark = find("pen");
  mark.hidden = !isShown;
  mark.style.left = `${(100 * pen.x) / SIDE}%`;
  mark.style.top = `${(100 * pen.y) / SIDE}%`;
  mark.classList.toggle("down", pen.down);
}

function clear() {
  strokes = [];
  pen.down = false;
  showPen(!find("pen").hidden);
  say("the sheet is empty");
  changed();
}

function undo() {
  strokes.pop();
  pen.down = false;
  showPen(!find("pen").hidden);
  changed();
}

async function drawExample(digit) {
  try {
    const { image } = await ask(`/example/${digit}?seed=${Math.floor(Math.random() * 1e6)}`);
    strokes = [{ image: decode(image) }];
    pen.down = false;
    changed();
  } catch (error) {
    answer.update(null, error.message);
  }
}

function redraw() {
  const context = find("paper").getContext("2d", { willReadFrequently: true });
  context.clearRect(0, 0, SIDE, SIDE);
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#14161a", fillStyle: "#14161a" });
  for (const stroke of strokes) {
    if (stroke.image) {
      drawPicture(context, stroke.image);
      continue;
    }
    context.beginPath();
    context.arc(stroke[0].x, stroke[0].y, PEN / 2, 0, 2 * Math.PI); // of a stroke without length nothing else is drawn
    context.fill();
    context.beginPath();
    for (const point of stroke) context.lineTo(point.x, point.y);
    context.stroke();
  }
}

/** Draw a 28x28 picture over the whole sheet, smoothly. */
function drawPicture(context, ink) {
  const small = new OffscreenCanvas(28, 28);
  const pixels = new ImageData(28, 28);
  ink.forEach((value, index) => pixels.data.set([20, 22, 26, value], 4 * index));
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, SIDE, SIDE);
}

function changed() {
  redraw();
  stale = true;
  if (!asking) read();
}

/** Ask for an answer until none is out of date; one question at a time, the latest drawing each time. */
async function read() {
  asking = true;
  while (stale) {
    stale = false;
    if (!strokes.length) {
      latest = null;
      answer.update(null, "draw a digit");
      continue;
    }
    try {
      const told = await ask("/read/drawing", takeInk());
      latest = told.digit === null ? null : told;
      answer.update(latest, "draw a digit");
      if (latest) say(`${latest.digit}, ${percent(latest.confidence)} sure`);
    } catch (error) {
      latest = null;
      answer.update(null, error.message);
    }
  }
  asking = false;
}

function takeInk() {
  const small = new OffscreenCanvas(SENT, SENT);
  const context = small.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(find("paper"), 0, 0, SENT, SENT);
  const pixels = context.getImageData(0, 0, SENT, SENT).data;
  return Uint8Array.from({ length: SENT * SENT }, (_, index) => pixels[4 * index + 3]);
}
