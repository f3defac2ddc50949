// Inside the network: which inputs spoke, what it has in mind, and what its hidden nodes look for.

import { ask, hear } from "./connection.js";
import * as draw from "./draw.js";
import { known } from "./devices.js";
import { find, make, rove, write } from "./elements.js";
import { offerWeights } from "./weights.js";
import { decode, makeAnswer, makePicture, showInk, showSigned } from "./pictures.js";

const DRAWING = "your drawing";
const FIRST_NODES = 56;

let answer = null, network = null, loaded = null, shownFor = null, tidyNodes = null;

export function start() {
  answer = makeAnswer({ large: false });
  find("spoke-answer").append(answer.element);
  tidyNodes = rove(find("nodes"));
  find("spoke-source").addEventListener("change", () => explain());
  find("network-choice").addEventListener("change", async (event) => {
    try {
      await ask("/network", { weights: event.target.value });
    } catch (error) {
      write(find("network-name"), error.message);
    }
  });
  hear("network", (news) => {
    network = news;
    write(find("network-name"), `Network ${news.name}: ${news.layers.join(" – ")} nodes, ${news.activation}.`);
    if (!find("view-inside").hidden) enter();
  });
  hear("devices", () => {
    if (!find("view-inside").hidden) offerSources();
  });
}

export function enter() {
  offerSources();
  explain();
  load();
  offerNetworks();
}

async function offerNetworks() {
  const choice = find("network-choice");
  try {
    const weights = await offerWeights(choice);
    choice.value = weights.find(({ model }) => model === network?.name)?.name ?? "";
  } catch {
    choice.replaceChildren(); // the page says already that the server does not answer
  }
}

/** Answers that can be looked into: to the drawing, and the last one of each device. */
function offerSources() {
  const choice = find("spoke-source");
  const names = [...known.values()].filter((device) => device.seen.at(-1)?.image).map((device) => device.name).sort();
  const wanted = [DRAWING, ...names];
  const there = [...choice.options].map((option) => option.value);
  if (wanted.join() !== there.join()) {
    const before = choice.value;
    choice.replaceChildren(
      ...wanted.map((name) => make("option", { value: name }, name === DRAWING ? name : `what ${name} read last`)),
    );
    if (wanted.includes(before)) choice.value = before;
    if (!there.length && !draw.latest && names.length) choice.value = names[0];
  }
  if (choice.value !== DRAWING && known.get(choice.value)?.seen.at(-1)?.number !== shownFor) explain();
}

async function explain() {
  const source = find("spoke-source").value || DRAWING;
  if (source === DRAWING) {
    shownFor = null;
    answer.update(draw.latest, "draw a digit first");
    write(find("spoke-note"), "");
    return;
  }
  const device = known.get(source);
  const last = device.seen.at(-1);
  shownFor = last.number;
  const other = network && last.model !== network.name;
  write(
    find("spoke-note"),
    other
      ? `${device.name} read it as ${last.digit} with another network, ${last.model}; this is what ${network.name} makes of the same picture.`
      : `${device.name} read it as ${last.digit}.`,
  );
  try {
    answer.update(await ask("/read/image", decode(last.image)));
  } catch (error) {
    answer.update(null, error.message);
  }
}

async function load() {
  if (!network || loaded === network.name) return;
  write(find("nodes-note"), "looking inside …");
  try {
    const content = await ask("/inside");
    loaded = content.name;
    showMinds(content.minds);
    showNodes(content);
  } catch (error) {
    write(find("nodes-note"), error.message);
  }
}

function showMinds(minds) {
  const show = (kind, mind) => {
    const picture = makePicture("mind", "");
    const read = mind[`${kind}_read`];
    showInk(picture, mind[kind], `${kind === "climbed" ? "what excites" : "backquery of"} ${mind.digit}, read as ${read}`);
    const isWrong = read !== mind.digit;
    return make("figure", { className: isWrong ? "wrong" : "" }, picture, make("figcaption", {}, `reads ${read}`));
  };
  find("minds").replaceChildren(
    ...minds.map((mind) =>
      make("li", {}, make("p", { className: "mind-digit" }, String(mind.digit)), show("backquery", mind), show("climbed", mind)),
    ),
  );
}

function showNodes({ nodes, hidden }) {
  const count = nodes.length < hidden ? `The ${nodes.length} strongest of its ${hidden} hidden nodes` : `All ${hidden} nodes of its first hidden layer`;
  write(
    find("nodes-note"),
    `${count}, the strongest first: its link weights to the 784 inputs. Blue: ink there excites it; red: ink there silences it. Choose one to see ${nodes.some((node) => node.to) ? "what it says to the output nodes" : "it larger"}.`,
  );
  const buttons = nodes.map((node) => {
    const picture = makePicture("node signed", "");
    picture.setAttribute("aria-hidden", "true");
    showSigned(picture, node.weights, "");
    return make("button", { type: "button", "aria-label": `node ${node.number}`, onclick: (event) => showNode(node, event.currentTarget) }, picture);
  });
  find("nodes").replaceChildren(...buttons.slice(0, FIRST_NODES));
  const more = find("more-nodes");
  more.hidden = nodes.length <= FIRST_NODES;
  write(more, `Show all ${nodes.length}`);
  more.onclick = () => {
    find("nodes").append(...buttons.slice(FIRST_NODES));
    more.hidden = true;
    buttons[FIRST_NODES].focus();
  };
  tidyNodes();
  if (nodes.length) showNode(nodes[0], buttons[0]);
}

function showNode(node, button) {
  for (const other of find("nodes").children) other.setAttribute("aria-pressed", String(other === button));
  const picture = makePicture("large signed", "");
  showSigned(picture, node.weights, `link weights of node ${node.number} to the 28 by 28 inputs`);
  const largest = Math.max(...(node.to ?? [1]).map(Math.abs), 1e-9);
  const links = (node.to ?? []).map((weight, digit) => {
    const fill = make("span", { className: weight < 0 ? "link against" : "link for" });
    fill.style.setProperty("--share", (Math.abs(weight) / largest).toFixed(3));
    return make("li", {}, make("span", { className: "digit" }, String(digit)), fill, make("span", { className: "weight" }, weight.toFixed(2)));
  });
  find("node").replaceChildren(
    make("h3", {}, `Node ${node.number}`),
    picture,
    node.to ? make("ol", { className: "links", "aria-label": "its links to the output nodes" }, ...links) : make("p", { className: "note" }, "It speaks to the next hidden layer."),
  );
}
