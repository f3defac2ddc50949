// Learn and deliver: the network learns what was labelled, and devices are given what came of it.

import { ask, hear } from "./connection.js";
import { known } from "./devices.js";
import { find, make, percent, say, write } from "./elements.js";
import { offerWeights } from "./weights.js";

const SAYING = {
  sent: "has not answered yet",
  offline: "is offline; it gets them when it is back",
  trial: "tries them",
  done: "runs",
  refused: "refuses",
  overtaken: "has a later order than this",
};
const NAMES = { test: "MNIST’s test images", own_held_out: "own digits, held out", no_digits: "no digits (not said to be one)" };

let retraining = { state: "idle" }, delivery = null;

const isShown = () => !find("view-learn").hidden;

export function start() {
  find("retrain").addEventListener("submit", retrain);
  find("retrain-stop").addEventListener("click", () => ask("/stop", {}).catch(complain("retrain-report")));
  find("deliver").addEventListener("submit", deliver);
  hear("retraining", (news) => {
    const wasDone = retraining.state === "done";
    retraining = news;
    showRetraining();
    if (news.state === "done" && !wasDone) {
      say(news.name ? `retrained: ${news.name}` : "retrained, and not written");
      if (isShown()) offer(news.name);
    }
  });
  hear("delivery", (news) => {
    delivery = news;
    showDelivery();
  });
  hear("library", ({ count, labelled }) => {
    write(find("learn-library"), labelled ? `${labelled.toLocaleString()} of ${count.toLocaleString()} digits have a label.` : "No digit has a label yet: give some in the library.");
  });
  hear("devices", () => {
    if (isShown()) offerDevices();
  });
}

export function enter() {
  offer();
  offerDevices();
}

const complain = (place) => (error) => find(place).replaceChildren(make("p", { className: "bad" }, error.message));

async function offer(chosen = null) {
  const own = find("deliver").elements.weights;
  try {
    const parent = find("retrain").elements.weights;
    const isFirst = !parent.value;
    const weights = await offerWeights(parent, own);
    // What was retrained before is learnt anew with the rest of the library.
    if (isFirst) parent.value = weights.find(({ name }) => !name.startsWith("retrained-"))?.name;
    allow();
    if (chosen) own.value = chosen;
  } catch (error) {
    complain("retrain-report")(error);
  }
}

async function retrain(event) {
  event.preventDefault();
  const form = event.target.elements;
  const wish = { weights: form.weights.value, epochs: form.epochs.valueAsNumber, seed: form.seed.valueAsNumber, no_digits: form.no_digits.valueAsNumber, force: form.force.checked };
  try {
    await ask("/retrain", wish);
  } catch (error) {
    complain("retrain-report")(error);
  }
}

const isRunning = () => retraining.state === "running" || retraining.state === "stopping";

function allow() {
  find("retrain-go").disabled = isRunning() || !find("retrain").elements.weights.value;
}

function showRetraining() {
  const { state, doing, share, losses } = retraining;
  const running = isRunning();
  allow();
  find("retrain-stop").hidden = !running;
  find("retrain-stop").disabled = state === "stopping";
  find("retrain-progress").hidden = !running;
  if (running) {
    write(find("retrain-doing"), `${state === "stopping" ? "stopping" : doing}: ${percent(share)}`);
    find("retrain-share").value = share;
    find("retrain-report").replaceChildren();
  }
  drawCurve(losses ?? []);
  if (state === "failed" || state === "stopped") complain("retrain-report")(new Error(retraining.error));
  if (state === "done") find("retrain-report").replaceChildren(...report(retraining));
}

function report({ name, model, objections, metrics, learnt }) {
  const rows = Object.entries(metrics).map(([key, one]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, NAMES[key] ?? key),
      make("td", {}, one.images.toLocaleString()),
      make("td", {}, tellShare(one.accuracy_before, one.interval_before)),
      make("td", {}, tellShare(one.accuracy, one.interval)),
      make("td", {}, one.p_value < 0.001 ? "< 0.001" : one.p_value.toFixed(3)),
    ),
  );
  const head = ["read right", "images", "before", "after", "p"].map((text) => make("th", { scope: "col" }, text));
  const kinds = Object.entries(learnt).map(([label, count]) => `${count} × ${label}`).join(", ");
  const parts = [
    make("p", {}, name ? `${name} (${model}) is written, and can be delivered.` : "The new weights were not written."),
    metrics.own_held_out ? null : make("p", {}, "Too few own digits to hold any out: whether they are read better is not known."),
    ...objections.map((text) => make("p", { className: "bad" }, text)),
    make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Before and after" },
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))),
    make("p", { className: "note" }, `Learnt: ${kinds}. Below each share is its 95 % interval; p is the chance that luck alone makes the two differ so much (McNemar).`),
  ];
  return parts.filter((part) => part !== null);
}

function tellShare(share, [low, high]) {
  const interval = `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
  return make("span", {}, `${(100 * share).toFixed(2)} %`, make("small", {}, interval));
}

/** The loss as it goes, over epochs. */
function drawCurve(points) {
  const canvas = find("retrain-curve");
  canvas.hidden = points.length < 2;
  if (canvas.hidden) return;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const [left, right, top, bottom] = [52, canvas.width - 8, 10, canvas.height - 26];
  const losses = points.map(([, , loss]) => loss);
  const [lowest, highest] = [Math.min(...losses), Math.max(...losses)];
  const x = (share) => left + share * (right - left);
  const y = (loss) => bottom - ((loss - lowest) / (highest - lowest || 1)) * (bottom - top);
  context.clearRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { font: "15px system-ui, sans-serif", fillStyle: style.color, strokeStyle: style.borderColor, lineWidth: 1 });
  context.strokeRect(left, top, right - left, bottom - top);
  context.fillText(highest.toFixed(3), 2, top + 12);
  context.fillText(lowest.toFixed(3), 2, bottom);
  context.fillText(`loss, epoch ${points.at(-1)[0]}`, left + 4, canvas.height - 6);
  context.beginPath();
  points.forEach(([, share, loss], place) => context[place ? "lineTo" : "moveTo"](x(share), y(loss)));
  Object.assign(context, { strokeStyle: style.outlineColor, lineWidth: 2.5, lineJoin: "round" });
  context.stroke();
  canvas.setAttribute("aria-label", `loss ${losses.at(-1).toFixed(3)} in epoch ${points.at(-1)[0]}`);
}

function offerDevices() {
  const place = find("deliver-to");
  const names = [...known.keys()].sort();
  const there = [...place.querySelectorAll("input")].map((input) => input.value);
  if (there.join() === ["", ...names].join()) {
    for (const name of names) write(place.querySelector(`[data-device="${name}"]`), tellModel(name));
    return;
  }
  const before = new Set([...place.querySelectorAll("input:checked")].map((input) => input.value));
  const boxes = ["", ...names].map((name) =>
    make(
      "label",
      {},
      make("input", { type: "checkbox", name: "device", value: name, checked: before.has(name) }),
      name ? make("span", {}, name) : make("span", {}, "all devices, also those that come later"),
      name ? make("small", { "data-device": name }, tellModel(name)) : null,
    ),
  );
  place.replaceChildren(place.firstElementChild, ...boxes);
}

function tellModel(name) {
  const device = known.get(name);
  const state = device.online === null ? "not known" : device.online ? "online" : "offline";
  return device.model ? `${state}, runs ${device.model.slice(0, 8)}` : state;
}

async function deliver(event) {
  event.preventDefault();
  const chosen = [...find("deliver-to").querySelectorAll("input:checked")].map((input) => input.value);
  const act = event.submitter?.value ?? "run";
  if (!chosen.length) {
    write(find("deliver-note"), "To whom? Choose devices first.");
    return;
  }
  const devices = chosen.includes("") ? [] : chosen;
  try {
    await ask("/deliver", { act, weights: find("deliver").elements.weights.value, devices });
  } catch (error) {
    write(find("deliver-note"), error.message);
  }
}

function showDelivery() {
  const { running, error, recipients, weights } = delivery;
  for (const button of find("deliver").querySelectorAll("button")) button.disabled = running;
  const what = weights || "the order";
  write(find("deliver-note"), error ?? (running ? `delivering ${what} …` : recipients.length ? `delivered ${what}` : "no device has ever spoken here; those that come will get it"));
  find("deliver-note").classList.toggle("bad", Boolean(error));
  find("deliver-answers").replaceChildren(
    ...recipients.map(({ device, state, why, model }) => {
      const text = `${SAYING[state] ?? state}${state === "done" ? ` ${model.slice(0, 8)}` : ""}${why ? `: ${why}` : ""}`;
      const item = make("li", {}, make("b", {}, device), ` ${text}`);
      item.dataset.state = state;
      return item;
    }),
  );
}
