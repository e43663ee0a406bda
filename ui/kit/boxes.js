// No box takes a text that is too long for it: said beside the box, before anything is drawn or sent.
// A browser takes seconds to lay out a megabyte in a box, and the page would be sent it with every
// click. Whoever gets around this meets the same limits at the server.
function boxes({ most, long, full }) {
  if (window.backtrailBoxes) return;
  window.backtrailBoxes = true;
  const IS_BOX = "textarea, input[type=text], input[type=search], input:not([type])";

  function say(box, words) {
    const place = box.closest("[data-testid=stTextArea], [data-testid=stTextInput]");
    if (!place) return;
    unsay(place);
    const said = document.createElement("p");
    said.className = "bt-too-long";
    said.setAttribute("role", "alert");
    said.textContent = words;
    place.append(said);
  }

  function unsay(place) {
    place?.querySelector(":scope > .bt-too-long")?.remove();
  }

  function asks(event) {
    const box = event.target;
    if (!box?.matches?.(IS_BOX)) return;
    const length = event.data?.length ?? 0;
    if (length > most) {
      event.preventDefault();
      say(box, long.replace("{}", length.toLocaleString("en")));
    } else if (length > 1) {
      const before = box.value;
      const ends = box.selectionEnd - box.selectionStart;
      setTimeout(() => { // Streamlit has put the old text back where there is no room
        if (box.value === before && ends === 0) say(box, full);
      });
    }
  }

  document.addEventListener("beforeinput", asks, true);
  document.addEventListener("input", (event) => {
    unsay(event.target.closest?.("[data-testid=stTextArea], [data-testid=stTextInput]"));
  }, true);
}
