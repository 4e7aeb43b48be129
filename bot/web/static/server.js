// The conversation with the server: requests that are repeated, and a stream that comes back.
const PATIENCE = [500, 1000, 2000, 4000, 8000, 15000]; // milliseconds before each next try of a message

/** Ask for JSON; throws a Trouble where the server refuses or is not there. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch {
    throw new Trouble("", true);
  }
  if (response.status === 401) {
    location.assign("/login");
    throw new Trouble("", false);
  }
  if (response.ok) return response.json();
  const said = await response.json().catch(() => ({}));
  throw new Trouble(said.error ?? said.text ?? "", response.status >= 500, response.status);
}

/** Why a request came to nothing; `passing` says that another try may help. */
export class Trouble extends Error {
  constructor(text, passing, status = 0) {
    super(text);
    this.passing = passing;
    this.status = status;
  }
}

/** Post a message until it is accepted. The server knows its id, so a repeated one changes nothing. */
export async function post(thread, message) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask(`/api/threads/${thread}/messages`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(message),
      });
    } catch (trouble) {
      if (!trouble.passing || tries >= PATIENCE.length) throw trouble;
      await new Promise((resolve) => setTimeout(resolve, PATIENCE[tries]));
    }
  }
}

/** Ask for something about an answer: to stop it, to try again, to take a vote. */
export function wish(thread, turn, wished) {
  return ask(`/api/threads/${thread}/turns/${turn}/wishes`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wished),
  });
}

/** A thread's stream. It reconnects by itself and rests while nobody looks at the page. */
export class Stream {
  constructor({ onNews, onLost, onFound }) {
    this.onNews = onNews;
    this.onLost = onLost;
    this.onFound = onFound;
    this.thread = "";
    this.source = null;
    this.pause = 500;
    document.addEventListener("visibilitychange", () => this.rest());
    window.addEventListener("online", () => this.source?.readyState !== EventSource.OPEN && this.connect());
  }

  follow(thread) {
    this.thread = thread;
    this.pause = 500;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.source?.close();
    const source = new EventSource(`/api/threads/${this.thread}/events`);
    this.source = source;
    source.addEventListener("entries", (event) => {
      if (source !== this.source) return;
      this.calm();
      this.onNews(JSON.parse(event.data));
    });
    source.addEventListener("error", () => source === this.source && this.broken(source));
  }

  // Only what is sent tells that all is well again: a stream also opens while the database is away.
  calm() {
    this.pause = 500;
    clearTimeout(this.worry);
    this.worry = 0;
    this.onFound();
  }

  broken(source) {
    // A short gap, such as a page that is loaded again, is nobody's worry.
    this.worry ||= setTimeout(() => this.onLost(), 800);
    if (source.readyState !== EventSource.CLOSED) return;
    // The server answered with something else than a stream: the browser gives up, the page does not.
    ask("/api/threads").catch(() => {});
    this.timer = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(this.pause * 2, 10000);
  }

  // A browser opens only about six connections to one host, so tabs in the background give theirs back.
  rest() {
    clearTimeout(this.resting);
    if (document.hidden) {
      this.resting = setTimeout(() => this.source?.close(), 20000);
    } else if (this.thread && this.source?.readyState === EventSource.CLOSED) {
      this.connect();
    }
  }
}
