"""The report: complete in every form, and harmless whatever the logs say."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cases import case, enrichment, evidence, inbox, review
from cases.database import Database
from cases.errors import CaseRefused
from cases.evidence import _coverage
from cases.report import FORMATS, render_report
from cases.report.blocks import (
    Block,
    Box,
    ChainPicture,
    Code,
    Facts,
    Heading,
    Table,
    Words,
    _covered,
)
from cases.report.credentials import MASK, without_credentials
from cases.report.html import render_html
from cases.report.markdown import code_span, fenced, render_markdown
from cases.report.pdf import FONT_SETTING, render_pdf
from cases.visible import visible
from tests.a_case import LiteralStore, a_case, an_alert, an_answer, five_answers
from tests.an_event import an_event
from tests.pdf_text import pdf_text
from trail.index.build import add
from trail.store import open_store

pytest_plugins = ("tests.case_databases",)

EVENT = "11111111-0000-4000-8000-000000000001"
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "`code` ``` ~~~",
    "| a | b |\n|---|---|",
    "[x](javascript:alert(1)) ![y](http://evil.example/beacon)",
    "# heading\n- list\n> quote\n<!-- ",
    "https://evil.example www.evil.example a@evil.example @mention #1",
    "\u202egnp.exe \u200b \x00 \x1b[31m \ud83d \r\n",
    "&lt;b&gt; &amp; \\u003cb\\u003e $x^2$ :smile:",
    "漢字 Привет שלום 😀",
    "',./*--\\",
]


def a_full_case(database: Database, words: str = "Ordinary words") -> int:
    """A closed and approved case in which every text field holds the words."""
    alert = an_alert(
        title=words, user_agent=words, finding_type=words, account_id=words, region=words
    )
    opened = a_case(database, alert)
    alert_id = inbox.queue(database).alerts[0].id
    answers = five_answers()
    answers.append(
        an_answer(
            "another_question",
            question=words,
            sentence=words,
            data={words: [words, {"key": words}]},
            caveats=(words,),
        )
    )
    enrichment.save_answers(database, alert_id, "v1", [answers])
    record = json.dumps({"eventTime": "2026-03-10T11:50:00Z", "userAgent": words})
    store = LiteralStore({EVENT: record})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    evidence.pin_event(database, "ann", opened.id, EVENT, store, words)
    case.add_note(database, "ann", opened.id, words + "\nsecond line")
    version = case.get_case(database, opened.id).version
    saved = case.save_case(
        database, "ann", opened.id, version, {"summary": words, "tags": [words], "reason": words}
    )
    closed = case.close_case(database, "ann", opened.id, saved.version, verdict="true_positive")
    review.approve(database, "lea", opened.id, closed.version, words)
    return opened.id


def text_of(content: bytes, form: str) -> str:
    if form == "pdf":
        return pdf_text(content)
    if form == "html":
        return re.sub(r"<[^>]*>", " ", html.unescape(content.decode()))
    return content.decode()


@pytest.mark.parametrize("form", FORMATS)
def test_every_part_of_the_case_is_in_every_form(sqlite_database: Database, form: Any) -> None:
    case_id = a_full_case(sqlite_database, "The quick brown fox")
    found = case.case_file(sqlite_database, case_id)
    text = re.sub(r"\s+", "", text_of(render_report(sqlite_database, case_id, form), form))
    expected = [
        "The quick brown fox",
        "true positive" if form != "json" else "true_positive",
        "alice assumed reader from the command line.",
        "arn:aws:iam::111122223333:role/admin",
        "PutBucketPolicy",
        EVENT,
        "second line",
        "case approved",
        found.case.seal or "no seal",
        str(found.head),
        *(entry.hash for entry in found.history),
        *(one.sha256 for one in found.evidence if one.kind != "alert"),
    ]
    missing = [one for one in expected if re.sub(r"\s+", "", one) not in text]
    assert missing == []


@pytest.mark.parametrize("form", ["md", "json"])
def test_a_call_goes_by_the_name_that_people_know(sqlite_database: Database, form: Any) -> None:
    """Without its version date, but in the data as it was logged."""
    dated = "UpdateFunctionConfiguration20150331v2"
    opened = a_case(sqlite_database, an_alert(event_name=dated))
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    calls = [{"event_name": dated, "event_source": "lambda.amazonaws.com", "count": 2,
              "first": "2026-03-10T11:50:00Z"}]  # fmt: skip
    chain = [{"event_name": dated, "event_time": "2026-03-10T11:50:00Z", "by": {}}]
    answers = [
        an_answer("interesting_calls", data={"calls": calls}),
        an_answer("assumed_by", data={"chain": chain, "origin": {}}),
    ]
    enrichment.save_answers(sqlite_database, alert_id, "v1", [answers])
    record = json.dumps({"eventTime": "2026-03-10T11:50:00Z", "eventName": dated})
    evidence.pin_event(
        sqlite_database, "ann", opened.id, EVENT, LiteralStore({EVENT: record}), "seen"
    )
    told = text_of(render_report(sqlite_database, opened.id, form), form)
    assert "UpdateFunctionConfiguration" in told
    if form == "json":
        assert f'"event_name": "{dated}"' in told
    else:
        # The record as it was logged has it once more.
        assert [
            line for line in told.splitlines() if dated in line and "eventName" not in line
        ] == []


class Structure(html.parser.HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def structure(content: bytes) -> tuple[set[str], set[str]]:
    parser = Structure()
    parser.feed(content.decode("utf-8"))
    return parser.tags, parser.attributes


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_words_are_shown_and_do_nothing(sqlite_database: Database, payload: str) -> None:
    case_id = a_full_case(sqlite_database, payload)
    page = render_report(sqlite_database, case_id, "html")
    tags, attributes = structure(page)
    assert not tags & {"script", "a", "img", "iframe", "link", "object", "form", "b", "base"}
    assert not {one for one in attributes if one.startswith("on")} | (attributes & {"src", "href"})
    shown = html.unescape(page.decode("utf-8"))
    assert visible(payload.replace("\r\n", "\n"), newlines=True) in shown
    for form in FORMATS:
        render_report(sqlite_database, case_id, form)


def test_the_page_loads_nothing_and_is_told_to_run_nothing(sqlite_database: Database) -> None:
    page = render_report(sqlite_database, a_full_case(sqlite_database), "html").decode()
    assert "default-src 'none'" in page
    outside = re.findall(r"https?://[^\"'<\s]+", page)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in page
    assert "@import" not in page


# Markdown: nothing quoted is outside a code span or fence


def markdown_outside_code(markdown: str) -> str:
    """What a CommonMark reader takes as markup: the text without code spans and fenced blocks."""
    kept: list[str] = []
    fence: str | None = None
    for line in markdown.split("\n"):
        if fence is not None:
            if re.fullmatch(rf" {{0,3}}{fence}`*[ \t]*", line):
                fence = None
            continue
        opening = re.match(r" {0,3}(`{3,})[^`]*$", line)
        if opening:
            fence = opening[1]
            continue
        kept.append(_outside_spans(line))
    assert fence is None, "a fence is left open"
    return "\n".join(kept)


def _outside_spans(line: str) -> str:
    out, at = "", 0
    while at < len(line):
        if line[at] != "`":
            out += line[at]
            at += 1
            continue
        run = len(line[at:]) - len(line[at:].lstrip("`"))
        rest = line[at + run :]
        closing = re.search(rf"(?<!`)`{{{run}}}(?!`)", rest)
        assert closing is not None, "a code span is left open"
        at += run + closing.end()
    return out


HOSTILE = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(alphabet=st.characters(codec=None), max_size=60),
    st.text(alphabet="`~\n\r |[]()<>#*_!\\$&:@-", max_size=60),
)


@given(HOSTILE)
@example("`")
@example("``")
@example(" ` ")
@example("\n```\n")
@example("```")
def test_markdown_quotes_any_text_as_code(words: str) -> None:
    mark = "Ж" + words + "Ж"
    blocks: list[Block] = [
        Heading(1, "Label", words or "x"),
        Facts((("Label", words), ("Label", mark))),
        Words(words),
        Code(mark),
        Table(("A", "B"), ((words, mark),)),
        ChainPicture((Box((words,), words, (mark,)), Box((), mark, ()))),
    ]
    outside = markdown_outside_code(render_markdown(blocks).decode("utf-8"))
    assert re.fullmatch(r"[#A-Za-z\s*():-]*", outside), outside


@given(HOSTILE)
def test_a_code_span_is_one_line_and_a_fence_closes(words: str) -> None:
    assert "\n" not in code_span(words)
    assert markdown_outside_code(fenced(words)) == ""


# HTML and PDF take any text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(HOSTILE)
def test_any_text_gives_a_page_of_our_own_elements_and_a_pdf(words: str) -> None:
    blocks: list[Block] = [
        Heading(2, "Label", words),
        Facts((("Label", words),)),
        Words(words),
        Code(words * 3),
        Table(("A", "B", "C", "D"), ((words, words, words, words),)),
        ChainPicture((Box((), words, (words,)), Box((words, words), words, (words,)))),
    ]
    page = render_html(blocks)
    tags, attributes = structure(page)
    assert tags <= {"html", "head", "meta", "title", "style", "body", "h2", "dl", "dt", "dd"} | {
        "div",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "svg",
        "text",
        "rect",
        "path",
    }
    assert not {one for one in attributes if one.startswith("on")}
    text = html.unescape(page.decode("utf-8"))
    assert not set(text) & set("\x00\x1b\u202e\u200b\u2066\ufeff")
    assert render_pdf(blocks).startswith(b"%PDF-")


def test_a_pdf_spells_out_what_its_font_lacks() -> None:
    words = "é ü ß 漢 Ж 😀 \u202e"
    text = pdf_text(render_pdf([Words(words)]))
    assert "é ü ß \\u{6F22} \\u{416} \\u{1F600} \\u{202E}" in text


def test_a_pdf_breaks_texts_of_any_length_over_lines_and_pages() -> None:
    long = "x" * 20_000
    content = render_pdf([Words(long), Table(("A", "B"), (("a", long),)), Facts((("L", long),))])
    text = re.sub(r"[^x]", "", pdf_text(content))
    assert len(text) == 60_000


def test_a_font_that_is_none_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (tmp_path / "none.ttf", tmp_path / "text.ttf"):
        monkeypatch.setenv(FONT_SETTING, str(file))
        with pytest.raises(CaseRefused, match=FONT_SETTING):
            render_pdf([Words("x")])
        (tmp_path / "text.ttf").write_text("no font")


def test_a_case_about_which_little_is_known_has_a_report_too(database: Database) -> None:
    opened = a_case(
        database,
        an_alert(
            principals=(),
            first_seen=None,
            last_seen=None,
            severity=None,
            finding_type=None,
            account_id=None,
            region=None,
            source_ip_address=None,
            raw="",
        ),
    )
    for form in FORMATS:
        render_report(database, opened.id, form)
    page = render_report(database, opened.id, "md").decode()
    assert "No question has been answered" in page
    assert "none: not approved yet" in page


@pytest.mark.parametrize(
    "data",
    [None, [], "text", {"chain": None}, {"chain": ["x", {}]}, {"chain": [{"by": "x"}]}]
    + [{"roles": {}}, {"calls": [None]}, {"all_apis": {"pairs": 3}}, {"from": 1, "to": []}],
    ids=str,
)
def test_answers_of_odd_shape_do_not_break_a_report(sqlite_database: Database, data: Any) -> None:
    opened = a_case(sqlite_database)
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    answers = [an_answer(a.name, data=data) for a in five_answers()]
    enrichment.save_answers(sqlite_database, alert_id, "v1", [answers])
    for form in FORMATS:
        render_report(sqlite_database, opened.id, form)


def test_a_record_nested_beyond_all_sense_is_shown_as_it_is(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    record = '{"a":' * 3000 + "1" + "}" * 3000
    store = LiteralStore({EVENT: record})
    evidence.pin_event(sqlite_database, "ann", opened.id, EVENT, store)
    for form in FORMATS:
        for redacted in (False, True):
            content = render_report(sqlite_database, opened.id, form, redacted=redacted)
            if form == "md":
                assert record in content.decode()


def test_answers_that_were_not_saved_are_marked(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    enrichment.save_answers(sqlite_database, alert_id, "v1", [five_answers()])
    page = render_report(sqlite_database, opened.id, "md").decode()
    assert page.count("no: not saved to the case") == 5


def test_a_report_says_what_became_of_every_record(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"Records": [an_event(), {"eventName": "?"}]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    found = _coverage(open_store(tmp_path / "index"), an_alert())
    said = _covered(json.loads(json.dumps(found, default=str)))
    assert said.endswith("; 2 records read = 1 kept + 0 repeated + 1 rejected + 0 skipped")


TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD" + "x" * 200
SECRET = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYzzzzzzzzzz"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("redacted", [False, True])
def test_credentials_that_a_record_shows_are_in_no_report(
    sqlite_database: Database, form: Any, redacted: bool
) -> None:
    minted = {"accessKeyId": "ASIAQXQXQXQXQXQXQXQX", "sessionToken": TOKEN}
    record = an_event(
        eventName="AssumeRole",
        eventID=EVENT,
        responseElements={"credentials": minted},
        requestParameters={"quoted": json.dumps({"secretAccessKey": SECRET})},
    )
    opened = a_case(sqlite_database, an_alert(raw=json.dumps(record)))
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    enrichment.save_answers(sqlite_database, alert_id, "v1", [five_answers()])
    store = LiteralStore({EVENT: json.dumps(record, indent=1)})
    evidence.freeze_answers(sqlite_database, "ann", opened.id, alert_id, store)
    evidence.pin_event(sqlite_database, "ann", opened.id, EVENT, store, "look")
    content = render_report(sqlite_database, opened.id, form, redacted=redacted)
    said = "".join(text_of(content, form).split())
    assert TOKEN not in said
    assert TOKEN[:40] not in said
    assert SECRET not in said
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" in said
    if form == "json":
        assert json.loads(content)["masked_credentials"] >= 2
    else:
        assert "ofcredentials(sessiontokensandthelike)thattherecordsshow" in said


def test_only_secrets_are_masked() -> None:
    document = {
        "records": {"1": f'{{"sessionToken": "{MASK}", "tokenId": "abcdefghi"}}'},
        "kept": {"secretAccessKey": None, "sessionName": "abcdefghijkl", "session_token": "short"},
        "athena": "{accesskeyid=ASIAQ, sessiontoken=IQoJb3JpZ2luX2Vj, expiration=x}",
        "url": "?X-Amz-Security-Token=IQoJb3JpZ2luX2Vj%2F&X-Amz-Date=20260310",
    }
    masked = without_credentials(document)
    assert masked.pop("masked_credentials") == 2
    assert masked == {
        **document,
        "athena": f"{{accesskeyid=ASIAQ, sessiontoken={MASK}, expiration=x}}",
        "url": f"?X-Amz-Security-Token={MASK}&X-Amz-Date=20260310",
    }
