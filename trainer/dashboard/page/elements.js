// Elements: made of text only, so that nothing that a device says is ever taken as markup.

/** Make an element; children are elements or text, properties are the element's own. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const find = (id) => document.getElementById(id);

/** Set an element's text, if it is another, so that screen readers are not told the same again. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PAUSE_MS = 2000;
let saidAt = -PAUSE_MS, saying = 0;

/** Say something to who cannot see the page: at once, or of what comes too fast to be heard the latest. */
export function say(text) {
  clearTimeout(saying);
  const speak = () => {
    saidAt = performance.now();
    write(find("said"), text);
  };
  const wait = saidAt + PAUSE_MS - performance.now();
  if (wait <= 0) speak();
  else saying = setTimeout(speak, wait);
}

export function percent(share) {
  if (share === null || share === undefined) return "";
  // Nearly sure is not sure, so it is rounded down; what is wholly so has no digit to tell.
  const digits = share < 0.1 || (share >= 0.99 && share < 1) ? 1 : 0;
  const scale = 10 ** digits;
  return `${(Math.floor(100 * scale * share + 1e-9) / scale).toFixed(digits)} %`;
}

export function tellTime(text) {
  const time = new Date(text);
  const today = new Date().toDateString() === time.toDateString();
  return today ? time.toLocaleTimeString() : time.toLocaleString();
}

/** Tell a length of time in its largest unit. */
export function tellSpan(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60]];
  const [unit, length] = units.find(([, size]) => seconds >= 2 * size) ?? ["s", 1];
  return `${Math.floor(seconds / length).toLocaleString()} ${unit}`;
}

/** Let arrow keys move between the buttons in a container, of which Tab reaches one. */
export function rove(container) {
  const all = () => [...container.querySelectorAll("button")];
  const settle = (chosen) => all().forEach((button) => (button.tabIndex = button === chosen ? 0 : -1));
  container.addEventListener("focusin", (event) => settle(event.target.closest("button")));
  container.addEventListener("keydown", (event) => {
    const buttons = all();
    const place = buttons.indexOf(document.activeElement);
    if (place < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const top = buttons[place].offsetTop;
    const across = Math.max(1, buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    let next = place + (steps[event.key] ?? 0);
    if (event.key === "Home") next = 0;
    if (event.key === "End") next = buttons.length - 1;
    if (next === place || next < 0 || next >= buttons.length) {
      if (event.key in steps && top !== undefined) event.preventDefault();
      return;
    }
    event.preventDefault();
    buttons[next].focus();
  });
  return () => {
    const buttons = all();
    if (buttons.length && !buttons.some((button) => button.tabIndex === 0)) settle(buttons[0]);
  };
}
