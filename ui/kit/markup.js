// Makes elements out of the tree that ui/kit/markup.py sends. Text only ever becomes a text node.
const TAGS = new Set([
  "div", "span", "p", "a", "strong", "small", "code", "pre", "time",
  "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td",
  "h1", "h2", "h3", "h4", "section", "nav", "details", "summary", "button",
]);
const ATTRIBUTES = new Set([
  "title", "id", "role", "aria-label", "aria-sort", "aria-pressed", "aria-current", "scope", "colspan", "lang", "type",
]);
// Words of ours that the sheet and the functions below look for.
const MARKS = new Set(["ask", "given", "tab", "by", "of", "rest", "arrive"]);
const OUR_PAGES = /^(?:[a-z_]*(?:\?[^\s\\]*)?|#[\w-]+)$/;

function make(node) {
  if (typeof node !== "object" || node === null) return document.createTextNode(String(node));
  const element = document.createElement(TAGS.has(node.t) ? node.t : "span");
  if (node.c) element.className = node.c.split(" ").map((name) => "bt-" + name).join(" ");
  for (const [given, value] of Object.entries(node.a ?? {})) {
    const name = given.replaceAll("_", "-");
    if (name === "href") {
      if (OUR_PAGES.test(value)) element.setAttribute("href", value);
    } else if (name === "go") {
      if (OUR_PAGES.test(value)) queueMicrotask(() => go(value));
    } else if (name === "part") {
      element.style.setProperty("--bt-part", String(Number(value)));
    } else if (name === "open") {
      element.open = Boolean(value);
    } else if (MARKS.has(name)) {
      element.dataset[name] = String(value);
    } else if (ATTRIBUTES.has(name)) {
      element.setAttribute(name, String(value));
    }
  }
  if (node.a?.rest) element.hidden = true;
  for (const child of node.k ?? []) element.append(make(child));
  return element;
}

// The tab says what the page is about. Streamlit writes its own words there with every run.
// It is compared with what the browser made of it, which takes runs of blanks out: else a name with
// two of them would be set again for ever.
let named = {};
function nameTab() {
  const tab = document.querySelector(".bt-root [data-tab]")?.dataset.tab;
  if (tab === undefined || (tab === named.tab && document.title === named.title)) return;
  document.title = tab;
  named = { tab, title: document.title };
}
new MutationObserver(nameTab).observe(document.head, {
  subtree: true, childList: true, characterData: true,
});

// A button pressed in a form that is gone leaves the focus nowhere: it goes to the new title.
let seen = false;
function arrive(root) {
  nameTab();
  const title = root.querySelector("h1[data-tab]");
  if (title && seen && (document.activeElement ?? document.body) === document.body) {
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }
  seen = true;
  const opened = root.querySelector("[data-arrive]");
  if (opened && !opened.dataset.arrived) {
    opened.dataset.arrived = "1";
    opened.tabIndex = -1;
    opened.focus({ preventScroll: true });
  }
}

// Shows the rows of the table below that are of the pressed kind, or all of them.
function sift(button) {
  const whole = button.closest(".bt-sifted");
  const all = button.dataset.by === "rest";
  const on = button.getAttribute("aria-pressed") !== "true";
  for (const other of whole.querySelectorAll("button[data-by]")) {
    const mine = other === button;
    if (mine || (!all && other.dataset.by !== "rest")) other.setAttribute("aria-pressed", String(mine && on));
  }
  const kinds = [...whole.querySelectorAll("button[aria-pressed=true]")].map((one) => one.dataset.by);
  const kind = kinds.find((one) => one !== "rest");
  const every = kinds.includes("rest");
  for (const row of whole.querySelectorAll("tr[data-of]")) {
    row.hidden = kind ? !row.dataset.of.split(" ").includes(kind) : !every && Boolean(row.dataset.rest);
  }
}

// Changes only what differs, so that a fold stays open and the focus where it was.
function renew(parent, before, now) {
  now.forEach((node, place) => {
    const old = before[place];
    const there = parent.childNodes[place];
    if (!there) parent.append(make(node));
    else if (JSON.stringify(old) === JSON.stringify(node)) return;
    else if (alike(old, node)) {
      if (node.a?.given) there.dataset.given = String(node.a.given);
      else delete there.dataset?.given;
      renew(there, old.k ?? [], node.k ?? []);
    } else there.replaceWith(make(node));
  });
  while (parent.childNodes.length > now.length) parent.lastChild.remove();
}

function alike(old, node) {
  if (typeof old !== "object" || typeof node !== "object" || !old || !node) return false;
  const own = (one) => JSON.stringify([one.t, one.c, { ...one.a, given: node.a?.given }]);
  return own(old) === own(node);
}

// A fold whose content is made when it is first opened.
function opened(event) {
  const fold = event.target;
  if (!fold.open || !fold.dataset?.ask || fold.dataset.given) return;
  const given = [...this.querySelectorAll("details[data-given]")].map((one) => one.dataset.ask);
  this.say("open", [...given, fold.dataset.ask]);
}

// To another page of ours in this session, with one step of history, as the browser's own Back
// would go there. (st.switch_page with parameters leaves a second, wrong step behind.)
function go(href) {
  history.pushState({}, "", href);
  window.dispatchEvent(new PopStateEvent("popstate"));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

async function copied(button) {
  const source = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.firstChild.data = "Copied";
    setTimeout(() => { button.firstChild.data = "Copy"; }, 2000);
  } catch {
    getSelection().selectAllChildren(source); // no permission: ready for Ctrl-C
  }
}

export default function ({ parentElement, data, setStateValue }) {
  let root = parentElement.querySelector(":scope > .bt-root");
  if (!root) {
    root = document.createElement("div");
    root.className = "bt-root";
    root.addEventListener("toggle", opened, true); // it does not bubble
    root.trees = [];
    parentElement.append(root);
  }
  root.say = setStateValue;
  const drawing = new TextDecoder().decode(data);
  if (root.drawing !== drawing) {
    const trees = JSON.parse(drawing);
    renew(root, root.trees, trees);
    Object.assign(root, { drawing, trees });
    arrive(root);
  }
  root.onclick = (click) => {
    const copy = click.target.closest?.("button.bt-copy");
    if (copy) copied(copy);
    const by = click.target.closest?.("button[data-by]");
    if (by) sift(by);
    const link = click.target.closest?.("a[href]");
    if (!link || click.button !== 0) return;
    const href = link.getAttribute("href");
    if (href.startsWith("#")) {
      click.preventDefault();
      const place = document.getElementById(href.slice(1));
      if (place?.tagName === "DETAILS") {
        place.open = true;
        place.querySelector("summary")?.focus({ preventScroll: true });
      }
      place?.scrollIntoView({ behavior: "smooth" });
    } else if (!click.ctrlKey && !click.metaKey && !click.shiftKey && !click.altKey) {
      click.preventDefault();
      go(href);
    }
  };
}
