// The library: own digits as a grid, of which a keystroke says what each is.

import { ask, hear } from "./connection.js";
import { find, make, percent, rove, say, tellTime, write } from "./elements.js";
import { makeBars, makePicture, showInk } from "./pictures.js";

let digits = [], matching = 0, chosen = null, bars = null, picture = null, about = null, tidy = null, version = 0;
let stale = false;
let turn = Promise.resolve();
const undoable = [];

export function start() {
  const form = find("library-filter");
  const offered = [...Array(10).keys()].map((digit) => make("option", { value: String(digit) }, String(digit)));
  form.elements.digit.append(...offered, make("option", { value: "none" }, "no digit"));
  form.addEventListener("change", () => load());
  find("library-reload").addEventListener("click", () => load());
  find("library-more").addEventListener("click", () => load(true));
  find("label-undo").addEventListener("click", undo);
  find("label-skip").addEventListener("click", () => step(1));
  for (const label of [...Array(10).keys(), "none"]) {
    find("label-keys").append(
      make("button", { type: "button", onclick: () => giveLabel(label) }, label === "none" ? "no digit" : String(label)),
    );
  }
  find("tiles").addEventListener("keydown", press);
  find("tiles").addEventListener("focusin", (event) => choose(event.target.closest("button")?.dataset.number));
  tidy = rove(find("tiles"));
  bars = makeBars();
  picture = makePicture("large", "");
  about = make("p", { className: "note" });
  find("library-chosen").append(picture, about, bars.element);
  hear("library", (news) => {
    stale = true;
    showCounts(news);
  });
}

export function enter() {
  if (stale) load();
}

function showCounts({ path, count, labelled }) {
  write(find("library-note"), `${count.toLocaleString()} digits, ${labelled.toLocaleString()} with a label, in ${path}`);
}

async function load(more = false) {
  const own = ++version;
  const wishes = new URLSearchParams(new FormData(find("library-filter")));
  if (more) wishes.set("from", String(digits.length));
  let content;
  try {
    content = await ask(`/digits?${wishes}`);
  } catch (error) {
    showNothing(error.message);
    return;
  }
  if (own !== version) return; // something else was wished for meanwhile
  stale = false;
  const there = new Set(more ? digits.map((one) => one.number) : []);
  digits = more ? [...digits, ...content.digits.filter((one) => !there.has(one.number))] : content.digits;
  matching = content.matching;
  showCounts(content);
  offerDevices(content.devices);
  show(content.count);
}

function offerDevices(names) {
  const choice = find("library-filter").elements.device;
  const before = choice.value;
  choice.replaceChildren(make("option", { value: "" }, "any"), ...names.map((name) => make("option", { value: name }, name)));
  choice.value = names.includes(before) ? before : "";
}

function showNothing(text) {
  find("shelf").hidden = true;
  find("library-empty").hidden = false;
  write(find("library-empty"), text);
}

function show(count) {
  if (!digits.length) {
    showNothing(count ? "None of the digits is such." : "No digits yet: they come as devices read them.");
    return;
  }
  find("library-empty").hidden = true;
  find("shelf").hidden = false;
  find("tiles").replaceChildren(...digits.map(makeTile));
  find("library-more").hidden = digits.length >= matching;
  write(find("library-more"), `Show more of ${matching.toLocaleString()}`);
  choose(digits.some((one) => String(one.number) === chosen) ? chosen : String(digits[0].number));
  tidy();
}

function describe(digit) {
  const label = digit.label === null ? "no label" : `labelled ${digit.label === "none" ? "no digit" : digit.label}`;
  return `read as ${digit.digit}, ${percent(digit.confidence)} sure, ${label}`;
}

function makeTile(digit) {
  const canvas = makePicture("tile-picture", "");
  canvas.setAttribute("aria-hidden", "true");
  showInk(canvas, digit.image, "");
  const tile = make(
    "button",
    { type: "button", className: "tile" },
    canvas,
    make("span", { className: "tile-text" }),
  );
  tile.dataset.number = digit.number;
  showLabel(tile, digit);
  return tile;
}

function showLabel(tile, digit) {
  tile.setAttribute("aria-label", describe(digit));
  const isWrong = digit.label !== null && digit.label !== digit.digit;
  tile.classList.toggle("labelled", digit.label !== null);
  tile.classList.toggle("misread", isWrong);
  const truth = { className: "tile-label" };
  tile.lastChild.replaceChildren(
    make("span", {}, `${digit.digit} · ${percent(digit.confidence)}`),
    ...(digit.label === null ? [] : [make("b", truth, digit.label === "none" ? "✓ none" : `✓ ${digit.label}`)]),
  );
}

function choose(number) {
  if (number === undefined) return;
  chosen = number;
  for (const tile of find("tiles").children) tile.setAttribute("aria-current", String(tile.dataset.number === number));
  const digit = digits.find((one) => String(one.number) === number);
  if (!digit) return;
  showInk(picture, digit.image, `28 by 28 pixels, ${describe(digit)}`);
  write(about, `Number ${digit.number}, ${digit.device}, ${tellTime(digit.time)}: ${describe(digit)}`);
  bars.update(digit.outputs);
}

const tileOf = (number) => [...find("tiles").children].find((tile) => tile.dataset.number === String(number));

function step(by) {
  const tiles = [...find("tiles").children];
  const next = tiles[tiles.findIndex((tile) => tile.dataset.number === chosen) + by];
  next?.focus();
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (/^[0-9]$/.test(key)) giveLabel(Number(key));
  else if (key === "n") giveLabel("none");
  else if (key === "s") step(1);
  else if (key === "u") undo();
  else if (key === "delete" || key === "backspace") giveLabel(null);
  else return;
  event.preventDefault();
}

/** Do it when what was asked for before is done: however quick the keys, the last is what is taken back. */
function inTurn(act) {
  turn = turn.then(act).catch(complain);
}

/** Say what the chosen digit is, and go on to the next one. */
function giveLabel(label) {
  const number = Number(chosen);
  if (label !== null) step(1);
  inTurn(async () => {
    const { digit, change } = await ask("/label", { number, label });
    undoable.push(change);
    settle(digit, label === null ? "label taken away" : `labelled ${label === "none" ? "no digit" : label}`);
  });
}

function undo() {
  inTurn(async () => {
    if (!undoable.length) return;
    const { digit } = await ask("/undo", { change: undoable.pop() });
    settle(digit, "taken back");
    tileOf(digit.number)?.focus();
  });
}

/** Show a digit as it is now. */
function settle(digit, text) {
  digits = digits.map((one) => (one.number === digit.number ? digit : one));
  const tile = tileOf(digit.number);
  if (tile) showLabel(tile, digit);
  if (String(digit.number) === chosen) choose(chosen);
  find("label-undo").disabled = !undoable.length;
  say(`${text}: number ${digit.number}`);
}

function complain(error) {
  find("label-undo").disabled = !undoable.length;
  write(about, error.message);
  say(error.message);
}
