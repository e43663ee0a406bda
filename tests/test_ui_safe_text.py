"""Log text reaches the screen only through renderers that do not parse it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ui").rglob("*.py")])
PAGES = sorted((ROOT / "pages").glob("*.py"))

# Measured: each of these renders Markdown (or HTML), where an image in a log calls its host.
PARSERS = {
    "markdown", "write", "write_stream", "caption", "title", "header", "subheader", "latex",
    "badge", "info", "success", "warning", "error", "exception", "toast", "metric", "table", "html",
    "checkbox", "radio", "selectbox", "multiselect", "toggle", "button", "form_submit_button",
    "download_button", "link_button", "page_link", "text_input", "text_area", "number_input",
    "file_uploader", "date_input", "time_input", "slider", "select_slider", "segmented_control",
    "pills", "expander", "popover", "tabs", "dialog", "status", "spinner", "progress",
    "chat_message", "graphviz_chart", "mermaid_chart", "iframe", "Page", "navigation",
    "set_page_config",
}  # fmt: skip
FIRST_IS_A_NUMBER = {"progress"}
LABELS_OF_NAMES = {"ui/shell/people.py", "ui/shell/sign_in_page.py"}
"""Put names, held to a plain alphabet by `people.label`, on buttons."""


def calls(source: Path) -> list[ast.Call]:
    return [n for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.Call)]


def is_ours(node: ast.expr | None) -> bool:
    """Words written in this repository: literals, our constants, and counts put into them.

    A parameter called `words` or `label` counts as ours: a function that has one is given ours.
    """
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.IfExp):
        return is_ours(node.body) and is_ours(node.orelse)
    if isinstance(node, ast.List | ast.Tuple):
        return all(is_ours(part) for part in node.elts)
    if isinstance(node, ast.Subscript):
        return is_ours(node.value)
    if isinstance(node, ast.JoinedStr):
        return all(
            isinstance(part, ast.Constant)
            or (isinstance(part, ast.FormattedValue) and _is_number(part.value))
            for part in node.values
        )
    return isinstance(node, ast.Name) and (node.id.isupper() or node.id in ("words", "label"))


def _is_number(node: ast.expr) -> bool:
    """A count, or a count with its noun: `len(…)`, `phrases.count(…)`, a constant in capitals."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("len", "phrases.count", "phrases.number")
    return isinstance(node, ast.Name) and node.id.isupper()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_streamlit_parses_is_written_by_us(source: Path) -> None:
    where = str(source.relative_to(ROOT))
    wrong = []
    for call in calls(source):
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr not in PARSERS:
            continue
        if where in LABELS_OF_NAMES and function.attr in ("button", "popover"):
            continue
        parsed = [] if function.attr in FIRST_IS_A_NUMBER else list(call.args[:1])
        parsed += [k.value for k in call.keywords if k.arg in ("label", "body", "help", "text")]
        if function.attr in ("html", "Page", "navigation", "set_page_config"):
            parsed = []  # looked at below, and by the test of the frame
        wrong += [f"{where}:{call.lineno} {function.attr}" for arg in parsed if not is_ours(arg)]
    assert not wrong


def test_html_is_only_ever_a_file_of_ours() -> None:
    for source in SOURCES:
        for call in calls(source):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "html":
                assert isinstance(call.args[0], ast.Name), source
                assert call.args[0].id.isupper() or call.args[0].id == "sheet", source


def test_nothing_switches_the_protection_off() -> None:
    for source in SOURCES:
        text = source.read_text()
        for word in ("unsafe_allow_html", "unsafe_allow_javascript", "ImageColumn", "LinkColumn",
                     "components.v1", "mark_image"):  # fmt: skip
            assert word not in text, f"{source} uses {word}"


PLAIN_COLUMNS = {"TextColumn", "NumberColumn", "DateColumn", "DatetimeColumn"}
"""Of Streamlit's grid: the kinds whose cells are text on a canvas, and nothing else."""


def test_a_grid_has_no_columns_that_make_more_of_a_cell_than_text() -> None:
    for source in SOURCES:
        kinds = {
            node.attr
            for node in ast.walk(ast.parse(source.read_text()))
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "st.column_config"
        }
        assert kinds <= PLAIN_COLUMNS, source


def test_streamlits_own_export_is_off() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["client"]["disableDataExport"] is True


def test_the_scripts_of_our_elements_never_parse_text() -> None:
    scripts = sorted((ROOT / "ui").rglob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                     "eval(", "new Function", "DOMParser", "srcdoc",
                     "createContextualFragment"):  # fmt: skip
            assert word not in text, f"{script} uses {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_page_asks_who_is_looking_before_it_does_anything(page: Path) -> None:
    body = ast.parse(page.read_text()).body
    statements = [
        node
        for node in body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    first = statements[0]
    value = first.value if isinstance(first, ast.Assign | ast.Expr) else None
    assert isinstance(value, ast.Call), f"{page.name} does something before the guard"
    assert ast.unparse(value.func) == "session.require"


def test_only_the_screen_knows_streamlit() -> None:
    for folder in ("trail", "alerts", "enrich", "cases", "demo"):
        for source in (ROOT / folder).rglob("*.py"):
            imported = {
                name.partition(".")[0]
                for node in ast.walk(ast.parse(source.read_text()))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert not imported & {"streamlit", "ui", "pages"}, source
