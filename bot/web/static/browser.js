// What browsers do in more than one way, or refuse at times.

/** Make an id; `crypto.randomUUID` is missing where the page comes over plain http from another machine. */
export function freshId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A drawer of the browser's storage; where storage is switched off it lasts as long as the page. */
export function drawer(name) {
  const stand = new Map();
  const store = () => window[name];
  return {
    get(key) {
      try {
        return store().getItem(key) ?? "";
      } catch {
        return stand.get(key) ?? "";
      }
    },
    set(key, value) {
      try {
        if (value) store().setItem(key, value);
        else store().removeItem(key);
      } catch {
        stand.set(key, value);
      }
    },
  };
}

/** Put text on the clipboard; the old way where the page has no right to the new one. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** Make an element: its class, its text, its children. */
export function make(tag, className = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}
