// Makes elements out of the tree that ui/markup.py sends. Text only ever becomes a text node.
const TAGS = new Set([
  "div", "span", "p", "a", "strong", "small", "code", "pre", "time",
  "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td",
  "h2", "h3", "h4", "section", "nav", "details", "summary",
]);
const ATTRIBUTES = new Set(["title", "id", "role", "aria-label", "scope", "colspan", "lang"]);
const OUR_PAGES = /^(?:[a-z_]*(?:\?[^\s\\]*)?|#[\w-]+)$/;

function make(node) {
  if (typeof node !== "object" || node === null) return document.createTextNode(String(node));
  const element = document.createElement(TAGS.has(node.t) ? node.t : "span");
  if (node.c) element.className = node.c.split(" ").map((name) => "bt-" + name).join(" ");
  for (const [given, value] of Object.entries(node.a ?? {})) {
    const name = given.replaceAll("_", "-");
    if (name === "href") {
      if (OUR_PAGES.test(value)) element.setAttribute("href", value);
    } else if (name === "part") {
      element.style.setProperty("--bt-part", String(Number(value)));
    } else if (name === "open") {
      element.open = Boolean(value);
    } else if (ATTRIBUTES.has(name)) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of node.k ?? []) element.append(make(child));
  return element;
}

export default function ({ parentElement, data }) {
  let root = parentElement.querySelector(":scope > .bt-root");
  if (!root) {
    root = document.createElement("div");
    root.className = "bt-root";
    parentElement.append(root);
  }
  const drawing = new TextDecoder().decode(data);
  if (root.drawing !== drawing) {
    root.drawing = drawing;
    root.replaceChildren(...JSON.parse(drawing).map(make));
  }
  root.onclick = (click) => {
    const link = click.target.closest?.("a[href]");
    if (!link || click.button !== 0) return;
    const href = link.getAttribute("href");
    if (href.startsWith("#")) {
      click.preventDefault();
      document.getElementById(href.slice(1))?.scrollIntoView({ behavior: "smooth" });
    } else if (!click.ctrlKey && !click.metaKey && !click.shiftKey && !click.altKey) {
      // Stay in this session, with one step of history, as the browser's own Back would go there.
      // (st.switch_page with parameters leaves a second, wrong step behind.)
      click.preventDefault();
      history.pushState({}, "", href);
      window.dispatchEvent(new PopStateEvent("popstate"));
      document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    }
  };
}
