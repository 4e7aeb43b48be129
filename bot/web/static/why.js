// "Why this answer": the panel that shows what the model read.
import { make } from "./browser.js";
import { number, say } from "./words.js";

/** Fill the panel's body with the reasons the server told. */
export function showReasons(body, why) {
  body.replaceChildren(facts(why), ...messages(why), ...files(why), ...notes(why));
}

/** Fill the panel's body with one line of text. */
export function showLine(body, text) {
  body.replaceChildren(make("p", "faint", text));
}

function facts(why) {
  const list = make("dl", "facts");
  const add = (word, text) => list.append(make("div", "", "", make("dt", "", say(word)), make("dd", "", text)));
  add("why-model", why.model || "–");
  if (why.prompt_tokens || why.completion_tokens) {
    add("why-tokens", say("why-tokens-value", { read: number(why.prompt_tokens), written: number(why.completion_tokens) }));
  }
  if (why.budget) add("why-budget", say("why-budget-value", { count: number(why.tokens), limit: number(why.budget) }));
  add("why-seconds", time(why));
  add("why-attempts", number(why.attempts));
  return list;
}

function time(why) {
  const whole = say("why-seconds-value", { seconds: number(why.seconds, 1) });
  if (why.first_text_seconds === null) return whole;
  return `${whole} · ${say("why-first-text", { seconds: number(why.first_text_seconds, 1) })}`;
}

function messages(why) {
  const parts = [make("h3", "", say("why-messages"))];
  const totals = totalsLine(why);
  if (totals) parts.push(make("p", "faint", totals));
  const list = make("ol", "reasons");
  for (const reason of why.reasons) list.append(line(reason));
  if (why.reasons.length) parts.push(list);
  return parts;
}

// The question itself is in no stretch of messages: it is read whole anyhow.
function totalsLine(why) {
  const sum = (spans) => spans.reduce((total, span) => total + span.tokens, 0);
  const parts = [["why-whole", why.whole], ["why-summary", why.summarised], ["why-left-out", why.left_out]];
  return parts
    .filter(([, spans]) => spans.length)
    .map(([word, spans]) => `${say(word)}: ${say("why-message-tokens", { count: number(sum(spans)) })}`)
    .join(" · ");
}

function line(reason) {
  const head = make("div", "reason-head", "", make("span", `badge ${reason.reading}`, say(`why-${reason.reading}`)));
  if (reason.author) head.append(make("strong", "", reason.author));
  head.append(make("span", "faint", say("why-message-tokens", { count: number(reason.tokens) })));
  const text = make("p", "", reason.text);
  text.dir = "auto";
  return make("li", reason.reading, "", head, text);
}

// Each is named with what was read of it, or with why nothing was.
function files(why) {
  return listed("why-files", why.files);
}

function notes(why) {
  if (why.pruned) return listed("why-notes", [say("why-pruned")]);
  return listed("why-notes", why.shortened ? [say("why-shortened"), ...why.notes] : why.notes);
}

function listed(word, lines) {
  if (!lines.length) return [];
  const list = make("ul", "notes");
  for (const text of lines) {
    const item = make("li", "", text);
    item.dir = "auto";
    list.append(item);
  }
  return [make("h3", "", say(word)), list];
}
