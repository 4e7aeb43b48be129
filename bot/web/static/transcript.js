// The transcript: shows entries, patches what grew, keeps everything else as it stands.
import { copy, make } from "./browser.js";
import { moment, say } from "./words.js";

export class Transcript {
  /**
   * `onWhy(turn)` opens the reasons, `onWish(turn, wished)` asks for something about an answer and says whether
   * it was done, `votes` remembers this reader's, `onRetry(id)` sends a message again, `ownName()` says who reads.
   */
  constructor(place, { onWhy, onWish, votes, onRetry, ownName }) {
    this.place = place;
    this.onWhy = onWhy;
    this.onWish = onWish;
    this.votes = votes;
    this.onRetry = onRetry;
    this.ownName = ownName;
    this.entries = new Map(); // id → what the server said
    this.order = [];
    this.unsent = new Map(); // id → { text, trouble }
    this.elements = new Map();
  }

  clear() {
    this.entries.clear();
    this.order = [];
    this.unsent.clear();
    this.elements.clear();
    this.place.replaceChildren();
  }

  get isEmpty() {
    return this.order.length === 0 && this.unsent.size === 0;
  }

  /** Take in what the server sent; returns the answers that came to their end with it. */
  take({ entries, order }) {
    const ended = [];
    for (const entry of entries) {
      const before = this.entries.get(entry.id);
      if (before && isRunning(before) && !isRunning(entry)) ended.push(entry);
      this.entries.set(entry.id, entry);
      this.unsent.delete(entry.id);
    }
    if (order) {
      this.order = order;
      for (const id of this.entries.keys()) if (!order.includes(id)) this.entries.delete(id);
    }
    this.draw(new Set(entries.map((entry) => entry.id)));
    return ended;
  }

  /** Show a message that is on its way to the server; `trouble` is "", "failed" or the server's words. */
  hold(id, text, trouble = "") {
    if (this.entries.has(id)) return;
    this.unsent.set(id, { text, trouble });
    this.draw(new Set([id]));
  }

  /** Say an entry as it is read out: its text without marks and buttons. */
  spoken(id) {
    const body = this.elements.get(id).querySelector(":scope > .body").cloneNode(true);
    for (const head of body.querySelectorAll(".code-head")) head.remove();
    return body.textContent.trim();
  }

  draw(changed) {
    const wanted = [...this.order, ...this.unsent.keys()];
    for (const [id, element] of this.elements) {
      if (!wanted.includes(id)) {
        element.remove();
        this.elements.delete(id);
      }
    }
    wanted.forEach((id, index) => {
      let element = this.elements.get(id);
      if (!element) {
        element = make("article", "entry");
        element.dataset.id = id;
        this.elements.set(id, element);
        changed.add(id);
      }
      if (this.place.children[index] !== element) this.place.insertBefore(element, this.place.children[index] ?? null);
      if (changed.has(id)) this.fill(element, id);
    });
  }

  fill(element, id) {
    const entry = this.entries.get(id);
    if (!entry) return fillPerson(element, { text: this.unsent.get(id).text, author: this.ownName() }, this, id);
    if (entry.state === "heard") return fillPerson(element, entry, this, id);
    return fillAnswer(element, entry, this);
  }
}

function isRunning(entry) {
  return entry.state === "waiting" || entry.state === "writing";
}

function fillPerson(element, entry, transcript, id) {
  element.className = "entry person";
  const name = make("h3", entry.author === transcript.ownName() ? "unseen" : "name", say("message-from", { name: entry.author }));
  const body = make("div", "body", entry.text);
  body.dir = "auto";
  element.replaceChildren(name, body);
  const held = transcript.unsent.get(id);
  if (held) element.append(delivery(held.trouble, () => transcript.onRetry(id)));
}

function delivery(trouble, retry) {
  if (!trouble) return make("p", "delivery", say("delivery-sending"));
  const line = make("p", "delivery trouble", trouble === "failed" ? say("delivery-failed") : trouble);
  line.append(" ", quiet(say("delivery-retry"), retry));
  return line;
}

function fillAnswer(element, entry, transcript) {
  element.className = `entry bot ${entry.state}`;
  let body = element.querySelector(":scope > .body");
  if (!body) {
    body = make("div", "body prose");
    body.dir = "auto";
    element.replaceChildren(make("h3", "unseen", say("answer")), body, make("footer", "under"));
  }
  element.setAttribute("aria-busy", String(isRunning(entry)));
  if (entry.html) patch(body, entry.html);
  else body.replaceChildren();
  element.querySelector(":scope > footer").replaceChildren(...under(entry, transcript));
}

function under(entry, transcript) {
  return isRunning(entry) ? underRunning(entry, transcript) : underEnded(entry, transcript);
}

function underRunning(entry, { onWish }) {
  const parts = [];
  if (!entry.html) {
    const dots = make("span", "dots", "", make("i"), make("i"), make("i"));
    dots.setAttribute("aria-hidden", "true");
    parts.push(make("span", "waiting-line", "", dots, make("span", "", say("waiting"))));
  }
  if (entry.turn) {
    const stop = quiet(say("stop"), async () => {
      stop.disabled = true;
      stop.disabled = await onWish(entry.turn, { wish: "stop" });
    });
    parts.push(stop);
  }
  return parts;
}

function underEnded(entry, transcript) {
  const parts = [];
  if (entry.state === "failed") parts.push(make("span", "badge trouble", say("failed")));
  if (entry.state === "stopped") parts.push(make("span", "badge left-out", say("stopped")));
  if (entry.text) parts.push(copyButton(say("copy-answer"), () => entry.text));
  if (entry.turn) parts.push(...wishes(entry.turn, transcript));
  const time = make("time", "", moment(entry.at));
  time.dateTime = entry.at;
  parts.push(time);
  return parts;
}

function wishes(turn, { onWhy, onWish, votes }) {
  const why = quiet(say("why"), () => onWhy(turn));
  why.dataset.why = turn;
  const again = quiet(say("again"), () => onWish(turn, { wish: "again" }));
  const thumbs = make("span", "thumbs");
  drawThumbs(thumbs, turn, onWish, votes);
  return [again, why, thumbs];
}

function drawThumbs(place, turn, onWish, votes) {
  const thumb = (value) => {
    const pressed = votes.of(turn) === value;
    const button = quiet("", async () => {
      const wanted = pressed ? "" : value;
      if (!(await onWish(turn, { wish: "vote", value: wanted }))) return;
      votes.keep(turn, wanted);
      drawThumbs(place, turn, onWish, votes);
      if (wanted === "down") place.append(reasonForm(place, turn, onWish, votes));
    });
    button.append(hand());
    button.classList.add(value);
    button.setAttribute("aria-label", say(`vote-${value}`));
    button.title = say(`vote-${value}`);
    button.setAttribute("aria-pressed", String(pressed));
    return button;
  };
  place.replaceChildren(thumb("up"), thumb("down"));
}

// Drawn here, for not every machine has a font with hands; the style sheet turns it down.
function hand() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M4 11h3v9H4zM7 11l4-7c1.6 0 2.3 1.2 2 2.6L12.4 10H19a1.6 1.6 0 0 1 1.6 2l-1.7 6.6A1.9 1.9 0 0 1 17 20H7");
  svg.append(path);
  return svg;
}

// A reason is welcome and never needed: the vote counts already.
function reasonForm(place, turn, onWish, votes) {
  const field = make("input");
  field.placeholder = say("vote-reason");
  field.setAttribute("aria-label", say("vote-reason"));
  field.maxLength = 2000;
  const close = () => drawThumbs(place, turn, onWish, votes);
  const form = make("form", "reason", "", field, make("button", "quiet", say("vote-send")), quiet(say("vote-skip"), close));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = field.value.trim();
    if (!reason) return close();
    if (await onWish(turn, { wish: "vote", value: "down", reason })) form.replaceWith(make("span", "faint", say("vote-thanks")));
  });
  requestAnimationFrame(() => field.focus());
  return form;
}

function quiet(label, act) {
  const button = make("button", "quiet", label);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

// Blocks that did not change stay the very same elements: a selection, a focus, a scrolled
// code block survive, and nothing jumps.
function patch(body, html) {
  const sheet = document.createElement("template");
  sheet.innerHTML = html;
  const blocks = [...sheet.content.children];
  blocks.forEach((block, index) => {
    const standing = body.children[index];
    const source = block.outerHTML;
    if (standing?.source === source) return;
    if (standing && block.tagName === "PRE" && standing.language === (block.dataset.language ?? "")) {
      standing.querySelector("code").replaceWith(block.querySelector("code"));
      standing.source = source;
      return;
    }
    const dressed = dress(block);
    dressed.source = source;
    if (standing) standing.replaceWith(dressed);
    else body.append(dressed);
  });
  while (body.children.length > blocks.length) body.lastElementChild.remove();
}

function dress(block) {
  if (block.tagName === "PRE") return codeBox(block);
  for (const pre of block.querySelectorAll("pre")) {
    const mark = document.createComment("");
    pre.replaceWith(mark);
    mark.replaceWith(codeBox(pre));
  }
  if (block.tagName !== "TABLE") return block;
  const box = make("div", "wide", "", block);
  box.tabIndex = 0;
  return box;
}

function codeBox(pre) {
  pre.tabIndex = 0;
  pre.dir = "ltr";
  const language = pre.dataset.language ?? "";
  const head = make("div", "code-head", "", make("span", "", language), copyButton(say("copy"), () => pre.textContent));
  const box = make("div", "code", "", head, pre);
  box.language = language;
  return box;
}

function copyButton(label, text) {
  const button = make("button", "quiet copy", label);
  button.type = "button";
  button.addEventListener("click", async () => {
    await copy(text());
    button.textContent = say("copied");
    setTimeout(() => (button.textContent = label), 1600);
  });
  return button;
}
