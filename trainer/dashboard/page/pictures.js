// Pictures: 28x28 pictures on canvases, and the ten outputs as bars.

import { make, percent, write } from "./elements.js";

const SIDE = 28;
const FOR = [43, 121, 194], AGAINST = [209, 73, 91];

export function decode(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Make a canvas for a 28x28 picture; what it shows is told with `label`. */
export function makePicture(className, label) {
  return make("canvas", { width: SIDE, height: SIDE, className: `picture ${className}`, role: "img", "aria-label": label });
}

function paint(canvas, colour) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  for (let place = 0; place < SIDE * SIDE; place++) pixels.data.set(colour(place), 4 * place);
  context.putImageData(pixels, 0, 0);
}

/** Show ink, white on black as the network sees it; null shows nothing. */
export function showInk(canvas, text, label) {
  const ink = text ? decode(text) : new Uint8Array(SIDE * SIDE);
  paint(canvas, (place) => [ink[place], ink[place], ink[place], 255]);
  canvas.setAttribute("aria-label", label);
}

/** Show values about 128: what is above in blue, what is below in red, on the page's own colour. */
export function showSigned(canvas, text, label) {
  const values = decode(text);
  paint(canvas, (place) => {
    const value = (values[place] - 128) / 127;
    return [...(value < 0 ? AGAINST : FOR), Math.round(255 * Math.min(1, Math.abs(value)) ** 0.7)];
  });
  canvas.setAttribute("aria-label", label);
}

/** Make ten bars; `update` shows outputs in them. */
export function makeBars() {
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const value = make("span", { className: "value" });
    const fill = make("span", { className: "fill" });
    const bar = make("span", { className: "bar" }, value, make("span", { className: "track" }, fill), make("span", { className: "digit" }, String(digit)));
    return { bar, fill, value };
  });
  const element = make("div", { className: "bars", role: "img", "aria-label": "ten outputs" }, ...bars.map(({ bar }) => bar));
  return { element, update: (outputs) => updateBars(element, bars, outputs) };
}

function updateBars(element, bars, outputs) {
  const known = Array.isArray(outputs) && outputs.length === 10;
  const order = known ? [...outputs.keys()].sort((one, other) => outputs[other] - outputs[one]) : [];
  bars.forEach(({ bar, fill, value }, digit) => {
    const output = known ? Math.min(1, Math.max(0, outputs[digit])) : 0;
    fill.style.setProperty("--share", output.toFixed(3));
    bar.classList.toggle("loudest", digit === order[0]);
    write(value, known && output >= 0.05 ? output.toFixed(2) : "");
  });
  element.classList.toggle("unknown", !known);
  element.setAttribute(
    "aria-label",
    known
      ? `outputs: ${order.slice(0, 3).map((digit) => `${digit} ${outputs[digit].toFixed(2)}`).join(", ")}`
      : "outputs: none",
  );
}

/** Make the panel of an answer: what the network sees, what it says, and which inputs spoke. */
export function makeAnswer({ large = true } = {}) {
  const seen = makePicture(large ? "large" : "middle", "nothing");
  const spoke = makePicture(`${large ? "large" : "middle"} signed`, "nothing");
  const digit = make("p", { className: "answer-digit" }, "–");
  const sure = make("p", { className: "answer-sure" }, "");
  const bars = makeBars();
  const element = make(
    "div",
    { className: "answer" },
    make("div", { className: "answer-said" }, digit, sure),
    make("figure", {}, seen, make("figcaption", {}, "what the network sees")),
    make("figure", {}, spoke, make("figcaption", {}, make("b", { className: "for" }, "spoke for it"), ", ", make("b", { className: "against" }, "against it"))),
    bars.element,
  );
  const update = (answer, empty = "") => {
    write(digit, answer ? String(answer.digit) : "–");
    write(sure, answer ? `${percent(answer.confidence)} sure` : empty);
    bars.update(answer?.outputs);
    if (answer) {
      showInk(seen, answer.image, `28 by 28 pixels, read as ${answer.digit}`);
      showSigned(spoke, answer.spoke, `pixels that spoke for ${answer.digit}, and against it`);
    } else {
      showInk(seen, null, "nothing");
      spoke.getContext("2d").clearRect(0, 0, SIDE, SIDE);
      spoke.setAttribute("aria-label", "nothing");
    }
    element.classList.toggle("unknown", !answer);
  };
  update(null);
  return { element, update };
}
