"""The table of what can be done: it lacks nothing that is on a page, and it is kept everywhere."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cases import case, evidence, inbox, review, sign_in, users
from cases.database import Database, open_database
from cases.errors import NotAllowed
from cases.permissions import MAY, Permission, Role
from cases.report.made import make_report
from cases.verify import verify
from tests.a_case import (
    Clock,
    LiteralStore,
    a_case,
    a_closed_case,
    an_alert,
    five_answers,
    put_in_inbox,
)
from tests.a_case_page import a_page_for, read
from tests.a_page import APP
from tests.a_sign_in import ROLES as ROLES_SETTING
from tests.a_sign_in import in_the_hands_of, look_as, signed_in
from tests.an_event import an_event
from trail.errors import IndexMissing
from trail.index.build import add
from ui.cases import review_page
from ui.inbox import background
from ui.shell import data, jobs, session
from ui.shell.permissions import ACTIONS, ANYBODY, PAGES, VIEWS, action_of, rights
from ui.shell.who import User

pytest_plugins = ("tests.case_pages", "tests.case_databases")

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")])
DOING = {
    "button", "form_submit_button", "download_button", "file_uploader", "link_button",
    "menu_button", "chat_input", "camera_input", "audio_input", "data_editor", "pills",
    "segmented_control", "feedback",
}  # fmt: skip
"""Widgets by which something is done. Those that choose what is looked at are not among them."""
STANDS_FOR = {"prefix": "case-1-1"}
"""What a variable at the beginning of a key holds; any other counts as a number."""
WAYS: dict[str, Role | None] = {
    "lead": "lead", "analyst": "analyst", "viewer": "viewer", "nobody": None, "signed out": None
}  # fmt: skip


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_ROLES", ROLES_SETTING)


# The table lacks nothing


def keys_of(call: ast.Call) -> list[str]:
    """What the call's key may be, with something in the place of what varies."""
    given = [one.value for one in call.keywords if one.arg == "key"]
    if not given and ast.unparse(call.func) == "deed.button":
        given = [call.args[1]]
    if not given:
        return []
    ends = [given[0].body, given[0].orelse] if isinstance(given[0], ast.IfExp) else given
    return [_key(one) for one in ends]


def _key(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr), f"a test cannot tell this key: {ast.unparse(node)}"
    return "".join(
        str(part.value)
        if isinstance(part, ast.Constant)
        else STANDS_FOR.get(ast.unparse(part.value), "1")  # type: ignore[attr-defined]
        for part in node.values
    )


def doing_calls() -> Iterator[tuple[Path, ast.Call]]:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if named and node.func.attr in DOING and file.name != "deed.py":
                yield file, node


def test_every_widget_that_does_something_is_in_the_table() -> None:
    found: set[str] = set()
    for file, call in doing_calls():
        where = f"{file.relative_to(ROOT)}:{call.lineno}"
        keys = keys_of(call)
        assert keys, f"{where} has no key, so that nothing says who may use it"
        for key in keys:
            action = action_of(key)
            assert action is not None, f"{where}: ui.shell.permissions lacks {key!r}"
            found.add(action)
    assert found == {*ACTIONS, *ANYBODY} - {"bring in alerts of this machine"}
    # … which is no widget of its own: a field that leads have in the form of the others.
    text = (ROOT / "ui" / "inbox" / "bring_in.py").read_text()
    assert 'user.can("bring in alerts of this machine")' in text


def test_the_table_has_every_page_and_view() -> None:
    assert set(PAGES) == {file.stem for file in (ROOT / "pages").glob("*.py")}
    assert set(VIEWS) == set(review_page.VIEWS)
    for action in ACTIONS.values():
        assert set(action.pages) <= set(PAGES)
        for page in action.pages:  # nobody could do there what takes less than opening the page
            assert MAY["viewer"] & {action.permission} <= MAY["viewer"] & {PAGES[page]}


def test_every_page_asks_for_itself() -> None:
    for name in PAGES:
        text = (ROOT / "pages" / f"{name}.py").read_text()
        assert f'user = session.require("{name}")' in text


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        # A part that runs by itself has to ask for itself.
        ("st.fragment", {"ui/shell/session.py"}),
        # The database in nobody's hands is for finding out who somebody is.
        ("unguarded", {"ui/shell/opened.py", "ui/shell/server.py", "ui/shell/who.py"}),
        ("unguarded_if_any", {"ui/shell/opened.py", "ui/shell/people.py", "ui/shell/session.py"}),
        ("open_database", {"ui/shell/opened.py", "ui/inbox/ahead.py"}),
        ("open_store", {"ui/shell/data.py", "ui/inbox/ahead.py"}),
        # A picture would be a file that the door lets anybody have (`ui.shell.door`).
        ("st.image", set()),
        ("st.pyplot", set()),
    ],
)
def test_what_goes_past_the_question_is_in_few_places(name: str, allowed: set[str]) -> None:
    found = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) == name:
                found.add(str(file.relative_to(ROOT)))
    assert found <= allowed


# Every page, in every role, and signed out


@pytest.fixture
def filled(page_database: Database, tmp_path: Path) -> Database:
    """An index of one event; an inbox, an open case with evidence, a closed and a sealed one."""
    logs = tmp_path / "logs.json"
    logs.write_text(json.dumps({"Records": [an_event(eventName="ListBuckets", eventID="e1")]}))
    add([logs], tmp_path / "index")
    put_in_inbox(page_database, an_alert(id="9" * 32))
    a_case(page_database, an_alert(title="SECRET TITLE"))
    a_closed_case(page_database, an_alert(id="a" * 32, severity=8.0))
    sealed = a_closed_case(page_database, an_alert(id="b" * 32, severity=8.0))
    review.approve(page_database, "lou", sealed.id, sealed.version, "Right.")
    return page_database


ADDRESSES: list[tuple[str, dict[str, str]]] = [
    ("triage", {}), ("triage", {"event": "e1"}), ("inbox", {}), ("cases", {}),
    ("case", {"id": "1", "evidence": "1"}), ("case", {"id": "2"}), ("case", {"id": "3"}),
    ("review", {}), *[("review", {"view": view}) for view in VIEWS],
    ("events", {}), ("entity", {"of": "198.51.100.7"}), ("index", {}),
]  # fmt: skip


def widgets(at: AppTest) -> set[str]:
    """The keys of what can be done on the page."""
    shown = [*at.button, *at.get("download_button"), *at.get("file_uploader")]
    return {str(one.key) for one in shown}


def only_what_they_may(at: AppTest, page: str, role: Role | None) -> None:
    assert not at.exception
    for key in widgets(at):
        name = action_of(key)
        assert name is not None, key
        if name in ANYBODY:
            continue
        assert role is not None, key
        assert ACTIONS[name].permission in MAY[role], f"{role} is offered {key}"
        assert page in ACTIONS[name].pages, f"{key} is on {page}"


@pytest.mark.parametrize("asked", ADDRESSES, ids=lambda one: one[0] + str(one[1] or ""))
def test_a_page_offers_each_role_what_it_may(
    filled: Database, asked: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, parameters = asked
    monkeypatch.setattr(background, "_start", lambda *_: None)  # no job outlives the test
    seen: dict[str, set[str]] = {}
    for name, role in (("lea", "lead"), ("ann", "analyst"), ("vic", "viewer")):
        at = a_page_for(name, page, parameters)
        only_what_they_may(at, page, role)  # type: ignore[arg-type]
        seen[name] = widgets(at)
        closed = PAGES[page] not in MAY[role]  # type: ignore[index]
        assert ("This page is not open to your role" in read(at)) is closed
        assert not (role == "viewer" and "SECRET TITLE" in read(at))
    for way, role in WAYS.items():
        found = None if way == "signed out" else signed_in(filled, f"p-{way}", way)
        look_as(monkeypatch, found and found.id)
        at = a_page_for("lea", page, parameters)  # what was chosen in local mode counts nothing
        only_what_they_may(at, page, role)
        said = read(at)
        assert ("Sign in to Backtrail" in said) is (way == "signed out")
        assert ("You have no role in Backtrail" in said) is (way == "nobody")
        if role is None:
            assert widgets(at) <= {"sign-in-default", "sign-out"}
            assert "ListBuckets" not in said
        if way == "lead" and PAGES[page] == "read":
            assert seen["lea"] - {"become-ann"} <= widgets(at)


@pytest.mark.parametrize("way", ["analyst", "nobody", "signed out"])
def test_an_open_page_ends_with_its_sign_in(
    filled: Database, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = signed_in(filled, "Ann", "analyst")
    look_as(monkeypatch, found.id)
    at = AppTest.from_file(str(APP), default_timeout=30).run()
    at.switch_page("pages/case.py")
    at.query_params["id"] = "1"
    at.run()
    assert "SECRET TITLE" in read(at)
    if way == "signed out":
        sign_in.end(filled, found.id)
    elif way == "nobody":
        monkeypatch.setenv("BACKTRAIL_ROLES", "lead=sec-leads")
    at.run()
    assert ("SECRET TITLE" in read(at)) is (way == "analyst")


# Every action, in every role, and signed out


@pytest.fixture(scope="module")
def prepared(migrated_sqlite: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("prepared") / "cases.db"
    file.write_bytes(migrated_sqlite)
    database = open_database(str(file), Clock())
    put_in_inbox(database, an_alert(id="9" * 32), an_alert(id="8" * 32))
    a_case(database, an_alert())
    a_closed_case(database, an_alert(id="a" * 32, severity=8.0))
    sealed = a_closed_case(database, an_alert(id="b" * 32, severity=8.0))
    review.approve(database, "lou", sealed.id, sealed.version, "Right.")
    database.close()
    return file.read_bytes()


class Hands:
    """Somebody's hands on a database that has two alerts and cases 1 (open), 2 (closed) and 3
    (sealed), and the page run that they are in."""

    def __init__(self, database: Database, way: str) -> None:
        begun = signed_in(database, "p", "lead" if way == "signed out" else way)
        self.database = database.acting_as(begun.actor)
        self.user = User(begun.actor.name, WAYS[way], begun.actor)
        self.name = begun.actor.name
        self.free = [one.id for one in inbox.queue(database).alerts if one.state == "new"]
        self.store = LiteralStore({"11111111-0000-4000-8000-000000000001": "{}"})
        self.versions = {one.id: one.version for one in case.find_cases(database)}
        self.held = case.case_file(database, 1).alerts[0].id
        if way == "signed out":  # with the page still open, and the handle in it
            sign_in.end(database, begun.id)


def _index(hands: Hands) -> None:
    try:
        data.open_index()
    except IndexMissing:
        return  # they were let in, to where nothing is


ATTEMPTS: dict[str, Callable[[Hands], Any]] = {
    "ask about an alert": _index,
    "look up a name": _index,
    "search events": _index,
    "go to the index page": lambda at: session.action("go to the index page"),
    "export events": lambda at: session.guarded(at.user, "export events", bytes)(),
    "export tables of the index": lambda at: session.guarded(
        at.user, "export tables of the index", bytes
    )(),
    "export numbers": lambda at: session.guarded(at.user, "export numbers", bytes)(),
    "take evidence away": lambda at: session.guarded(at.user, "take evidence away", bytes)(),
    "take a report away": lambda at: make_report(at.database, at.name, 1, "md"),
    "take a redacted report away": lambda at: make_report(
        at.database, at.name, 1, "md", redacted=True
    ),
    "add uploaded logs": lambda at: jobs.add_uploads(Path("x")),
    "add logs of this machine": lambda at: jobs.add_folder(Path("x")),
    "make the demo": lambda at: jobs.start_demo(),
    "bring alerts in": lambda at: (
        inbox.receive(at.database, at.name, [an_alert(id="7" * 32)]),
        background.take_in_uploads("Reading the files", ["x"]),
    ),
    "bring in alerts of this machine": lambda at: background.take_in_folder(Path("x")),
    "find alerts in the logs": lambda at: background.detect(),
    "delete an alert": lambda at: inbox.delete_alert(at.database, at.name, at.free[0]),
    "open a case": lambda at: case.open_case(at.database, at.name, at.free[:1]),
    "add an alert to a case": lambda at: case.add_alert(at.database, at.name, 1, at.free[0]),
    "close with a verdict": lambda at: case.close_case(
        at.database, at.name, 1, at.versions[1], verdict="benign", reason="Planned."
    ),
    "freeze answers": lambda at: evidence.freeze_answers(
        at.database, at.name, 1, at.held, at.store, answers=five_answers()
    ),
    "pin an event": lambda at: evidence.pin_event(
        at.database, at.name, 1, next(iter(at.store.records)), at.store
    ),
    "write a note": lambda at: case.add_note(at.database, at.name, 1, "Seen."),
    "save a case": lambda at: case.save_case(
        at.database, at.name, 1, at.versions[1], {"title": "Another"}
    ),
    "close a case": lambda at: case.close_case(
        at.database, at.name, 1, at.versions[1], verdict="benign", reason="Planned."
    ),
    "reopen a case": lambda at: case.reopen_case(at.database, at.name, 2, "More came."),
    "ask for a review": lambda at: review.request_review(at.database, at.name, 2, "Look."),
    "approve and seal a case": lambda at: review.approve(at.database, at.name, 2, at.versions[2]),
    "return a case": lambda at: review.return_case(at.database, at.name, 2, at.versions[2], "No."),
    "reopen a sealed case": lambda at: case.reopen_case(at.database, at.name, 3, "More came."),
    "verify the history": lambda at: (session.action("verify the history"), verify(at.database)),
    "add a user": lambda at: users.add_user(at.database, at.name, "new", "viewer"),
    "change a user": lambda at: users.change_user(at.database, at.name, "abe", active=False),
}
OFF = {"add a user"}
"""What nobody does where people sign in."""


def test_every_action_of_the_table_is_attempted() -> None:
    assert set(ATTEMPTS) == set(ACTIONS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_action_is_done_for_those_who_may_and_refused_to_all_others(
    name: str, way: str, prepared: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cases.db").write_bytes(prepared)
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    clock = Clock()
    database = open_database(str(tmp_path / "cases.db"), clock)
    for module in ("ui.shell.who.unguarded", "ui.shell.session.unguarded_if_any"):
        monkeypatch.setattr(module, lambda: database)
    started: list[object] = []
    monkeypatch.setattr(jobs, "_start", lambda *given: started.append(given))
    monkeypatch.setattr(background, "_start", lambda *given: started.append(given))
    hands = Hands(database, way)
    look_as(monkeypatch, hands.user.actor.sign_in)
    before = database_says(database)
    need: Permission = ACTIONS[name].permission
    role = WAYS[way]
    if role is not None and need in MAY[role] and name not in OFF:
        ATTEMPTS[name](hands)
    else:
        with pytest.raises(case.CaseRefused if (name in OFF and way == "lead") else NotAllowed):
            ATTEMPTS[name](hands)
        assert database_says(database) == before
        assert not started
    database.close()


def database_says(database: Database) -> tuple[int, int, int]:
    file = case.case_file(database, 1)
    return (file.head.seq, inbox.queue(database).total, len(case.find_cases(database)))


def test_hands_of_the_pages_are_of_those_who_are_there(
    page_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page's handle is not somebody else's: neither by name nor by what was chosen before."""
    hands = in_the_hands_of(page_database, "Ann", "analyst")
    with pytest.raises(NotAllowed):
        users.change_user(hands, "lea", "abe", active=False)


def test_the_documentation_says_what_the_table_says() -> None:
    text = (ROOT / "docs" / "sign-in.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- rights -->\n")
    written, _, _ = rest.partition("<!-- /rights -->")
    assert written == rights(), "run python -m ui.shell.permissions and put it between the marks"
