// All about one device: what is held up, what it read before, how it is, and what its camera sees.

import { aim, ask, hear } from "./connection.js";
import { find, make, percent, rove, say, tellSpan, tellTime, write } from "./elements.js";
import { decode, makeBars, makePicture, showInk } from "./pictures.js";

/** Fill an element with all about a device; `show` tells which. */
export function makeDetail(element) {
  const parts = build(element);
  let device = null, picked = null, aimed = null, tidy = null;

  const setAim = (name) => {
    if (name === aimed) return;
    aimed = name;
    aim(name);
    parts.aimButton.setAttribute("aria-pressed", String(name !== null));
    write(parts.aimButton, name ? "Stop looking" : "Look through the camera");
    parts.view.hidden = true;
    write(parts.viewNote, name ? "waiting for a picture …" : "");
  };
  parts.aimButton.addEventListener("click", () => setAim(aimed ? null : device.name));
  hear("view", (view) => {
    if (view.device === aimed) showView(parts, view);
  });
  addEventListener("pagehide", () => setAim(null));
  tidy = rove(parts.history);

  const truths = new Map(); // what each digit was said to be, by its number
  const correct = async (label) => {
    const shown = device.seen.find((one) => one.number === picked) ?? device.seen.at(-1);
    if (!shown) return;
    const name = device.name;
    try {
      const { digit } = await ask("/correct", { device: name, seen: shown.number, label });
      truths.set(`${name} ${shown.number}`, digit.label);
      say(`labelled ${digit.label === "none" ? "no digit" : digit.label}`);
    } catch (error) {
      truths.set(`${name} ${shown.number}`, error);
    }
    if (device.name === name) draw();
  };
  for (const label of [..."0123456789"].map(Number).concat("none")) {
    parts.truth.append(make("button", { type: "button", onclick: () => correct(label) }, label === "none" ? "no digit" : String(label)));
  }
  parts.history.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const number = Number(event.target.closest("button")?.dataset.number);
    if (!number || !/^[0-9nN]$/.test(event.key)) return;
    event.preventDefault();
    pick(number);
    correct(event.key.toLowerCase() === "n" ? "none" : Number(event.key));
  });

  const pick = (number) => {
    picked = number === device.seen.at(-1)?.number ? null : number;
    draw();
  };

  const draw = () => {
    const last = device.seen.at(-1) ?? null;
    const looked = device.seen.find((one) => one.number === picked) ?? null;
    const shown = looked ?? last;
    const now = device.digit !== null && looked === null;
    write(parts.name, device.name);
    showState(parts, device);
    showReading(parts, device, shown, now);
    showHistory(parts.history, device.seen, shown, pick);
    tidy();
    showHealth(parts, device);
    parts.hint.hidden = device.seen.length > 0;
    parts.truth.parentElement.hidden = !device.seen.length;
    const truth = truths.get(`${device.name} ${shown?.number}`);
    for (const [place, button] of [...parts.truth.children].entries()) {
      button.setAttribute("aria-pressed", String(truth === (place === 10 ? "none" : place)));
    }
    const kept = truth !== undefined ? "It is in the library with this label." : "Say it, and the library keeps it to learn from.";
    write(parts.truthNote, truth instanceof Error ? truth.message : kept);
  };

  return {
    show: (news) => {
      if (news.seen.length && !news.seen.some((one) => one.number === picked)) picked = null;
      if (news.name !== device?.name) {
        picked = null;
        setAim(null);
      } else if (news.seen.at(-1)?.number !== device.seen.at(-1)?.number) {
        const last = news.seen.at(-1);
        if (last && !find("view-devices").hidden) say(`${news.name} reads ${last.digit}, ${percent(last.confidence)} sure`);
      }
      device = news;
      draw();
    },
    leave: () => setAim(null),
  };
}

function build(element) {
  const parts = {
    name: make("h2", { id: "device-name" }),
    state: make("p", { className: "state" }),
    problems: make("ul", { className: "problems", "aria-label": "Problems" }),
    picture: makePicture("large", "nothing seen yet"),
    digit: make("p", { className: "answer-digit" }),
    sure: make("p", { className: "answer-sure" }),
    bars: makeBars(),
    hint: make("p", { className: "note" }, "Hold a digit up to its camera."),
    history: make("ol", { className: "history", "aria-label": "Digits read, the latest first" }),
    truth: make("p", { id: "truth", className: "buttons keys", role: "group", "aria-label": "What it truly is" }),
    truthNote: make("p", { className: "note", role: "status" }),
    aimButton: make("button", { type: "button", "aria-pressed": "false" }, "Look through the camera"),
    view: make("canvas", { className: "view", role: "img", "aria-label": "what the camera sees", hidden: true }),
    viewNote: make("p", { className: "note", role: "status" }),
    health: make("dl", { className: "facts" }),
  };
  element.replaceChildren(
    make("div", { className: "head" }, parts.name, parts.state),
    parts.problems,
    make(
      "div",
      { className: "answer" },
      make("div", { className: "answer-said" }, parts.digit, parts.sure),
      make("figure", {}, parts.picture, make("figcaption", {}, "what the network saw")),
      parts.bars.element,
    ),
    parts.hint,
    make("h3", {}, "Read lately"),
    parts.history,
    make("div", {}, make("h3", {}, "What it truly is"), parts.truth, parts.truthNote),
    make("h3", {}, "Aim the camera"),
    make("p", {}, parts.aimButton),
    parts.viewNote,
    parts.view,
    make("h3", {}, "How it is"),
    parts.health,
  );
  return parts;
}

function showState(parts, device) {
  const since = device.since ? ` since ${tellTime(device.since)}` : "";
  const state = device.online === null ? "unknown" : device.online ? "online" : "offline";
  write(parts.state, device.online === null ? "whether it is online is not known" : `${state}${since}`);
  parts.state.dataset.state = state;
  const texts = device.problems.join("\n");
  if (parts.problems.dataset.texts === texts) return;
  parts.problems.dataset.texts = texts;
  parts.problems.replaceChildren(...device.problems.map((problem) => make("li", {}, problem)));
  if (device.problems.length) say(`${device.name}: ${device.problems[0]}`);
}

function showReading(parts, device, shown, now) {
  const digit = now ? device.digit : shown?.digit;
  write(parts.digit, digit === undefined ? "–" : String(digit));
  const sure = percent(now ? device.confidence : shown?.confidence);
  const when = shown ? `, ${tellTime(shown.time)}` : "";
  write(parts.sure, now ? `is held up${sure ? `, ${sure} sure` : ""}` : shown ? `was read, ${sure} sure${when}` : "nothing was read yet");
  parts.bars.update((now ? device.outputs : null) ?? shown?.outputs);
  parts.digit.classList.toggle("past", !now);
  if (parts.picture.dataset.number !== String(shown?.number)) {
    parts.picture.dataset.number = String(shown?.number);
    showInk(parts.picture, shown?.image, shown ? `28 by 28 pixels, read as ${shown.digit}` : "nothing seen yet");
  }
}

function showHistory(list, seen, shown, pick) {
  const wanted = [...seen].reverse();
  const there = new Map([...list.children].map((item) => [item.dataset.number, item]));
  const items = wanted.map((one) => there.get(String(one.number)) ?? makeItem(one, pick));
  items.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    const isShown = item.dataset.number === String(shown?.number);
    item.firstChild.setAttribute("aria-current", String(isShown));
  });
  while (list.children.length > items.length) list.lastChild.remove();
}

function makeItem(one, pick) {
  const picture = makePicture("small", "");
  picture.setAttribute("aria-hidden", "true");
  showInk(picture, one.image, "");
  const button = make(
    "button",
    { type: "button", onclick: () => pick(one.number), "aria-label": `${one.digit}, ${percent(one.confidence)} sure, ${tellTime(one.time)}` },
    picture,
    make("span", { className: "item-digit" }, String(one.digit)),
    make("span", { className: "item-sure" }, percent(one.confidence)),
  );
  button.dataset.number = one.number;
  const item = make("li", {}, button);
  item.dataset.number = one.number;
  return item;
}

function showHealth(parts, device) {
  const health = device.health;
  const round = (number, places = 1) => Number(number).toLocaleString(undefined, { maximumFractionDigits: places });
  const facts = health
    ? [
        ["looks at", `${round(health.frames_per_s)} frames/s, ${round(health.frame_ms)} ms each`],
        ["memory", `${round(health.memory_mb, 0)} MB`],
        ["processor", health.temperature_c === null ? null : `${round(health.temperature_c, 0)} °C`],
        ["runs for", tellSpan(health.uptime_s)],
        ["events that wait", round(health.queued, 0)],
        ["events lost", round(health.dropped, 0)],
      ]
    : [["health", "not told yet"]];
  facts.push(["digits heard", round(device.events, 0)], ["software", device.software || null], ["network", device.model || null]);
  const shown = facts.filter(([, value]) => value !== null);
  const texts = JSON.stringify(shown);
  if (parts.health.dataset.texts === texts) return;
  parts.health.dataset.texts = texts;
  parts.health.replaceChildren(
    ...shown.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
}

async function showView(parts, view) {
  write(parts.viewNote, view.problem ?? "");
  if (!view.jpeg) return;
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([decode(view.jpeg)], { type: "image/jpeg" }));
  } catch {
    write(parts.viewNote, "a picture came that cannot be shown");
    return;
  }
  parts.view.width = bitmap.width;
  parts.view.height = bitmap.height;
  parts.view.getContext("2d").drawImage(bitmap, 0, 0);
  parts.view.hidden = false;
  bitmap.close();
}
