// The queue: rows made by ui/kit/markup.js (text only ever becomes text), each with a checkbox that
// stands for the row's id. What is picked is a list of ids, so a changed list cannot move it.
export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let root = parentElement.querySelector(":scope > .bt-root");
  if (!root) {
    root = document.createElement("div");
    root.className = "bt-root";
    parentElement.append(root);
  }
  root.picked ??= new Set(data.picked); // afterwards the boxes are ahead of the server
  const picked = root.picked;
  const send = () => setStateValue("picked", [...picked].sort());
  const drawing = JSON.stringify(data.rows) + JSON.stringify(data.head);
  if (root.drawing !== drawing) {
    root.drawing = drawing;
    root.replaceChildren(make({ t: "table", c: "table queue", k: [data.head] }));
    const table = root.firstChild;
    for (const row of data.rows) {
      const body = make({ t: "tbody", k: row.rows });
      const cell = document.createElement("td");
      cell.rowSpan = row.rows.length;
      if (data.may_pick) {
        const box = document.createElement("input");
        box.type = "checkbox";
        box.dataset.pick = row.id;
        box.setAttribute("aria-label", "Select " + row.label);
        cell.append(box);
      }
      cell.className = "bt-pick";
      body.firstChild.prepend(cell);
      table.append(body);
    }
  }
  const boxes = [...root.querySelectorAll("input[data-pick]")];
  const show = () => {
    for (const box of boxes) {
      box.checked = picked.has(box.dataset.pick);
      box.closest("tbody").classList.toggle("bt-picked", box.checked);
    }
  };
  show();
  root.onchange = (change) => {
    const id = change.target.dataset?.pick;
    if (!id) return;
    if (change.target.checked) picked.add(id);
    else picked.delete(id);
    show();
    send();
  };
  root.onclick = (click) => {
    const link = click.target.closest?.("a[href]");
    if (!link || click.button !== 0) return;
    if (click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) return;
    click.preventDefault();
    setTriggerValue("go", link.getAttribute("href"));
  };
}
