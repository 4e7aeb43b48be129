// The page: puts threads, transcript, composer and panel together.
import { drawer, freshId, make } from "./browser.js";
import { Stream, ask, post, wish } from "./server.js";
import { Transcript } from "./transcript.js";
import { showLine, showReasons } from "./why.js";
import { language, moment, number, say } from "./words.js";

const LIMIT = 40000; // characters of one message
const NEAR = 60; // pixels from the end that still count as being there

const at = (id) => document.getElementById(id);
const kept = drawer("localStorage");
const drafts = drawer("sessionStorage");
const [scroller, field, name, sidebar, panel] = ["scroller", "composer-text", "person-name", "sidebar", "why"].map(at);

if (!kept.get("person")) kept.set("person", freshId());
name.value = kept.get("name");

let thread = "";
let threads = [];
let following = true; // whether the reader is at the end and stays there
const votes = { of: (turn) => kept.get(`vote ${turn}`), keep: (turn, vote) => kept.set(`vote ${turn}`, vote) };
const held = new Map(); // id → { thread, message, trouble } of what the server has not taken yet

const transcript = new Transcript(at("transcript"), { onWhy: openWhy, onWish: wishFor, votes, onRetry: (id) => deliver(held.get(id)), ownName });
const stream = new Stream({
  onNews: takeNews,
  onLost: () => (at("lost").hidden = false),
  onFound: () => (at("lost").hidden = true),
});

function ownName() {
  return name.value.trim() || say("guest");
}

// --- threads

function openThread(id) {
  const early = thread ? "" : field.value; // typed before this script was there
  if (thread) drafts.set(`draft ${thread}`, field.value);
  thread = id;
  transcript.clear();
  held.forEach(showHeld);
  following = true;
  field.value = early || drafts.get(`draft ${id}`);
  showProblem("");
  fit();
  at("empty").hidden = true;
  if (location.hash.slice(1) !== id) history.replaceState(null, "", `#${id}`);
  stream.follow(id);
  showThreads();
  closeSidebar();
}

function beginThread() {
  openThread(freshId());
  field.focus();
}

async function refreshThreads() {
  try {
    threads = (await ask("/api/threads")).threads;
    showThreads();
  } catch {
    // The stream tells of a lost connection; the list is asked for again with the next event.
  }
}

function showThreads() {
  at("threads").replaceChildren(...threads.map(threadLine));
  at("no-threads").hidden = threads.length > 0;
  const title = threads.find((item) => item.id === thread)?.title || say("new-thread");
  at("title").textContent = title;
  document.title = `${title} · Frontdesk`;
}

function threadLine(item) {
  const link = make("a", "", "", make("span", "thread-title", item.title || say("new-thread")), make("time", "", moment(item.at)));
  link.href = `#${item.id}`;
  if (item.id === thread) link.setAttribute("aria-current", "page");
  return make("li", "", "", link);
}

window.addEventListener("hashchange", () => {
  const id = location.hash.slice(1);
  if (isId(id) && id !== thread) {
    openThread(id);
    field.focus();
  }
});

function isId(text) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

// --- what comes

function takeNews(news) {
  const ended = transcript.take(news);
  for (const entry of news.entries) release(entry.id);
  at("empty").hidden = !transcript.isEmpty;
  stay();
  for (const entry of ended) announce(transcript.spoken(entry.id));
  if (news.order) refreshThreads();
}

// Read out once, when it is whole: a live region that grows word by word is noise.
function announce(text) {
  at("announcer").textContent = `${say("answer")} ${text}`;
}

function stay() {
  if (following) scroller.scrollTop = scroller.scrollHeight;
  at("to-newest").hidden = following;
}

scroller.addEventListener("scroll", () => {
  following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  at("to-newest").hidden = following;
}, { passive: true });

at("to-newest").addEventListener("click", () => {
  following = true;
  stay();
  field.focus();
});
new ResizeObserver(stay).observe(scroller);

// --- what goes

function send(text) {
  const said = text.trim();
  if (!said) return;
  if (said.length > LIMIT) return showProblem(say("too-long", { limit: number(LIMIT) }));
  field.value = "";
  drafts.set(`draft ${thread}`, "");
  showProblem("");
  fit();
  if (said === "/new") return beginThread();
  following = true;
  const message = {
    id: freshId(),
    text: said,
    person: kept.get("person"),
    name: name.value.trim(),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "",
    locale: navigator.language || language,
  };
  deliver({ thread, message });
}

// What is on its way is kept over a reload, so that no text is lost while the server is away.
async function deliver(item) {
  item.trouble = "";
  held.set(item.message.id, item);
  keepHeld();
  showHeld(item);
  at("empty").hidden = true;
  stay();
  try {
    await post(item.thread, item.message);
    release(item.message.id);
    refreshThreads();
  } catch (trouble) {
    item.trouble = trouble.message || "failed";
    showHeld(item);
  }
}

function release(id) {
  if (held.delete(id)) keepHeld();
}

function keepHeld() {
  drafts.set("held", held.size ? JSON.stringify([...held.values()]) : "");
}

function showHeld({ thread: there, message, trouble }) {
  if (there === thread) transcript.hold(message.id, message.text, trouble);
}

function showProblem(text) {
  at("problem").textContent = text;
  at("problem").hidden = !text;
}

// Grow with the text; the style sheet sets the end of it.
function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  at("send").disabled = !field.value.trim();
}

field.addEventListener("input", fit);
field.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word. Some browsers only say so by the code 229.
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  send(field.value);
});
at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send(field.value);
  field.focus();
});
name.addEventListener("change", () => kept.set("name", name.value.trim()));

for (const word of ["example-1", "example-2", "example-3"]) {
  const button = make("button", "example", say(word));
  button.type = "button";
  button.addEventListener("click", () => {
    send(say(word));
    field.focus();
  });
  at("examples").append(button);
}

// --- what is wished of an answer

async function wishFor(turn, wished) {
  try {
    await wish(thread, turn, { person: kept.get("person"), locale: navigator.language || language, ...wished });
    showProblem("");
    return true;
  } catch (trouble) {
    showProblem(trouble.message || say("delivery-failed"));
    return false;
  }
}

// --- the panel

async function openWhy(turn) {
  const body = at("why-body");
  showLine(body, "…");
  panel.showModal();
  try {
    showReasons(body, await ask(`/api/threads/${thread}/turns/${turn}/why`));
  } catch (trouble) {
    showLine(body, trouble.message || say("why-none"));
  }
}

at("close-why").addEventListener("click", () => panel.close());
panel.addEventListener("click", (event) => event.target === panel && panel.close());

// --- the sidebar on a narrow page

function openSidebar() {
  sidebar.classList.add("open");
  at("veil").hidden = false;
  at("room").inert = true;
  at("open-sidebar").setAttribute("aria-expanded", "true");
  at("close-sidebar").focus();
}

function closeSidebar() {
  if (!sidebar.classList.contains("open")) return;
  sidebar.classList.remove("open");
  at("veil").hidden = true;
  at("room").inert = false;
  at("open-sidebar").setAttribute("aria-expanded", "false");
  at("open-sidebar").focus();
}

at("open-sidebar").addEventListener("click", openSidebar);
at("close-sidebar").addEventListener("click", closeSidebar);
at("veil").addEventListener("click", closeSidebar);
at("new-thread").addEventListener("click", beginThread);
window.addEventListener("focus", refreshThreads);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || panel.open) return;
  if (sidebar.classList.contains("open")) closeSidebar();
  else field.focus();
});

// --- the beginning

const wanted = location.hash.slice(1);
openThread(isId(wanted) ? wanted : freshId());
for (const item of JSON.parse(drafts.get("held") || "[]")) deliver(item);
refreshThreads();
