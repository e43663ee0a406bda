// Makes elements out of the tree that ui/kit/markup.py sends. Text only ever becomes a text node.
const TAGS = new Set([
  "div", "span", "p", "a", "strong", "small", "code", "pre", "time",
  "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td",
  "h2", "h3", "h4", "section", "nav", "details", "summary", "button",
]);
const ATTRIBUTES = new Set([
  "title", "id", "role", "aria-label", "aria-sort", "scope", "colspan", "lang", "type",
]);
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
    } else if (name === "ask" || name === "given") {
      element.dataset[name] = String(value);
    } else if (ATTRIBUTES.has(name)) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of node.k ?? []) element.append(make(child));
  return element;
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
  }
  root.onclick = (click) => {
    const copy = click.target.closest?.("button.bt-copy");
    if (copy) copied(copy);
    const link = click.target.closest?.("a[href]");
    if (!link || click.button !== 0) return;
    const href = link.getAttribute("href");
    if (href.startsWith("#")) {
      click.preventDefault();
      document.getElementById(href.slice(1))?.scrollIntoView({ behavior: "smooth" });
    } else if (!click.ctrlKey && !click.metaKey && !click.shiftKey && !click.altKey) {
      click.preventDefault();
      go(href);
    }
  };
}
