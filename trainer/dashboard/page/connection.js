// The connection to the server: what it tells, and what it is asked.

const SILENCE_MS = 15000, BEAT_MS = 8000, LONGEST_WAIT_MS = 5000;

const listeners = new Map();
let socket = null, attempts = 0, silence = 0, wish = null;

/** Hear of one thing, each time it changes; "connected" tells whether the server is there. */
export function hear(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

function tell(name, fact) {
  for (const listener of listeners.get(name) ?? []) listener(fact);
}

export function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  const own = socket;
  own.onopen = () => {
    attempts = 0;
    tell("connected", true);
    if (wish) aim(wish);
    listen();
  };
  own.onmessage = (event) => {
    listen();
    for (const [name, fact] of Object.entries(JSON.parse(event.data))) tell(name, fact);
  };
  own.onclose = () => {
    if (own !== socket) return;
    clearTimeout(silence);
    tell("connected", false);
    setTimeout(connect, Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempts++));
  };
}

/** A connection that says nothing for long is dead, though nobody said so. */
function listen() {
  clearTimeout(silence);
  silence = setTimeout(() => socket.close(), SILENCE_MS);
}

function send(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

setInterval(() => send({}), BEAT_MS);

/** Look through a device's camera until told otherwise; null looks through none. */
export function aim(device) {
  wish = device;
  send({ aim: device });
}

/** Ask the server for something; what goes wrong is thrown as an error that can be shown. */
export async function ask(path, body) {
  const options = { credentials: "same-origin" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = body instanceof Uint8Array ? body : JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer: does 'inkling-trainer dashboard' still run?");
  }
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/json")) {
    const content = await response.json();
    if (response.ok) return content;
    throw new Error(content.error);
  }
  throw new Error(`the server says: ${(await response.text()).slice(0, 300)}`);
}
