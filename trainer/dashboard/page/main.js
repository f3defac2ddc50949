// The page: which view is shown, in which colours, and what is wrong with the connections.

import { connect, hear } from "./connection.js";
import { find, make } from "./elements.js";
import * as devices from "./devices.js";
import * as draw from "./draw.js";
import * as inside from "./inside.js";
import * as learn from "./learn.js";
import * as library from "./library.js";

const VIEWS = { devices, draw, inside, library, learn };

let shown = null;

function show() {
  const name = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "devices";
  if (name === shown) return;
  VIEWS[shown]?.leave?.();
  const first = shown === null;
  shown = name;
  for (const other of Object.keys(VIEWS)) find(`view-${other}`).hidden = other !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${find(`title-${name}`).textContent} – Inkling`;
  VIEWS[name].enter?.();
  if (!first) {
    find("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function setUpTheme() {
  const choice = find("theme");
  const apply = () => {
    if (choice.value) document.documentElement.dataset.theme = choice.value;
    else delete document.documentElement.dataset.theme;
  };
  choice.value = localStorage.getItem("theme") ?? "";
  choice.addEventListener("change", () => {
    localStorage.setItem("theme", choice.value);
    apply();
  });
  apply();
}

const troubles = { server: null, broker: null, keeping: null, complaint: null };

function showTroubles() {
  const shownNow = Object.entries(troubles).filter(([, text]) => text);
  find("troubles").replaceChildren(
    ...shownNow.map(([kind, text]) => make("p", { className: kind === "complaint" ? "trouble mild" : "trouble" }, text)),
  );
}

hear("connected", (connected) => {
  troubles.server = connected ? null : "The server does not answer: does ‘inkling-trainer dashboard’ still run? Trying again …";
  document.body.classList.toggle("stale", !connected);
  showTroubles();
});
hear("broker", ({ where, problem }) => {
  troubles.broker = problem ? `Broker ${where}: ${problem}` : null;
  showTroubles();
});
hear("keeping", (problem) => {
  troubles.keeping = problem ? `Library: ${problem}` : null;
  showTroubles();
});
hear("complaint", (complaint) => {
  troubles.complaint = complaint;
  showTroubles();
});

setUpTheme();
for (const view of Object.values(VIEWS)) view.start();
addEventListener("hashchange", show);
show();
connect();
