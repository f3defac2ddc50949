// The devices: a card for each, and all about the one that is chosen.

import { hear } from "./connection.js";
import { makeDetail } from "./detail.js";
import { find, make, percent, tellTime, write } from "./elements.js";
import { makePicture, showInk } from "./pictures.js";

const MOST_SEEN = 20;
// With more devices than these, one can be looked for by its name.
const MANY = 8;

const devices = new Map();
const cards = new Map();
let chosen = null, detail = null, server = null;

/** The latest of what each device said, by its name. */
export const known = devices;

export function start() {
  detail = makeDetail(find("device"));
  find("device-filter").querySelector("input").addEventListener("input", filter);
  hear("server", forget);
  hear("devices", (news) => news.forEach(note));
}

/** The server was started anew, and may know other devices than the one before. */
function forget(name) {
  if (server !== null && name !== server) {
    devices.clear();
    cards.clear();
    find("cards").replaceChildren();
  }
  server = name;
}

export function leave() {
  detail.leave();
}

function note(device) {
  const seen = [...(devices.get(device.name)?.seen ?? []), ...device.seen];
  // After the connection was lost, all is told anew.
  const unique = [...new Map(seen.map((one) => [one.number, one])).values()];
  device.seen = unique.sort((one, other) => one.number - other.number).slice(-MOST_SEEN);
  devices.set(device.name, device);
  if (!cards.has(device.name)) addCard(device.name);
  cards.get(device.name).update(device);
  if (chosen === null) choose(device.name);
  else if (chosen === device.name) detail.show(device);
}

function choose(name) {
  chosen = name;
  for (const [other, card] of cards) card.choose(other === name);
  detail.show(devices.get(name));
}

function addCard(name) {
  const card = makeCard(name);
  cards.set(name, card);
  const after = [...cards.keys()].sort().find((other) => other > name);
  find("cards").insertBefore(card.element, after ? cards.get(after).element : null);
  find("no-devices").hidden = true;
  find("devices").hidden = false;
  find("device-filter").hidden = cards.size <= MANY;
  filter();
}

function filter() {
  const wanted = find("device-filter").querySelector("input").value.trim().toLowerCase();
  for (const [name, card] of cards) card.element.hidden = !name.includes(wanted);
}

function makeCard(name) {
  const picture = makePicture("small", "");
  picture.setAttribute("aria-hidden", "true");
  const digit = make("span", { className: "card-digit" });
  const state = make("span", { className: "card-state" });
  const button = make(
    "button",
    { type: "button", className: "card", onclick: () => choose(name) },
    picture,
    make("span", { className: "card-text" }, make("span", { className: "card-name" }, name), state),
    digit,
  );
  let drawn = null;
  return {
    element: make("li", {}, button),
    choose: (isChosen) => button.setAttribute("aria-current", String(isChosen)),
    update: (device) => {
      const last = device.seen.at(-1);
      if (last && last.number !== drawn) showInk(picture, last.image, "");
      drawn = last?.number ?? null;
      button.dataset.state = device.problems.length && device.online ? "problem" : describeState(device);
      write(digit, device.digit === null ? "" : String(device.digit));
      write(state, tell(device));
    },
  };
}

function describeState(device) {
  if (device.online === null) return "unknown";
  return device.online ? "online" : "offline";
}

function tell(device) {
  if (device.online === null) return "not known";
  if (!device.online) return device.since ? `offline since ${tellTime(device.since)}` : "offline";
  if (device.problems.length) return `⚠ ${device.problems[0]}`;
  return device.confidence === null ? "online" : `online, ${percent(device.confidence)} sure`;
}
