"""A log full of what an attacker would write: the analyst's browser calls nobody."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from alerts import parse_alerts
from cases import case, enrichment, evidence, inbox, review, users
from cases.database import open_database
from tests.a_case import LiteralStore, an_answer
from tests.a_dashboard import chromium, dashboard, settled
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from trail.index.build import add
from ui.triage import intake

pytestmark = pytest.mark.browser


class Beacon:
    """A server that remembers whoever calls it."""

    def __init__(self) -> None:
        calls: list[str] = []

        class Remember(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.calls = calls
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Remember)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    made = Beacon()
    yield made
    made.server.shutdown()
    made.server.server_close()


def payloads(beacon: str) -> list[str]:
    """Ten things to write into a log: images, links, forged badges, HTML and script."""
    return [
        f"![image]({beacon}/markdown.png)",
        f"[click me]({beacon}/link)",
        f"{beacon}/bare.png",
        f'<img src="{beacon}/html.png">',
        f"<script>fetch('{beacon}/script')</script>",
        f'<svg onload="fetch(\'{beacon}/svg\')"><image href="{beacon}/image.png"/></svg>',
        ":green-badge[SAFE] :material/check: :red[**x**]",
        f'" onmouseover="fetch(\'{beacon}/attribute\')" x="',
        "$\\LaTeX$ # Heading",
        f"[x](javascript:fetch('{beacon}/javascript'))",
    ]


def hostile_events(beacon: str) -> list[dict[str, object]]:
    """Every payload in many fields that a caller can choose, turned by one from event to event."""
    texts = payloads(beacon)
    events: list[dict[str, object]] = []
    for number in range(len(texts)):
        turned = texts[number:] + texts[:number]
        key = f"ASIAHOSTILE7Q{number:07}"
        events.append(
            an_assumption(
                "reader",
                turned[0],
                key=key,
                userIdentity=a_user(turned[1]),
                userAgent=turned[2],
                sourceIPAddress=turned[3],
            )
        )
        events.append(
            an_event(
                userIdentity=a_role_session("reader", turned[0], key=key),
                eventName=f"Put{turned[4]}",
                eventSource=f"{turned[5]}.amazonaws.com",
                eventTime="2026-03-10T12:00:00Z",
                awsRegion=turned[6],
                sourceIPAddress=turned[7],
                userAgent=turned[8],
                errorCode=turned[9],
                errorMessage=turned[0],
                requestParameters={turned[1]: turned[2]},
                readOnly=False,
            )
        )
    events.append(
        an_assumption(
            errorCode="AccessDenied",
            errorMessage=f"User: x is not authorized to perform: sts:AssumeRole on resource: "
            f"arn:aws:iam::111122223333:role/{payloads(beacon)[0]}",
            requestParameters=None,
            responseElements=None,
        )
    )
    return events


def hostile_finding(beacon: str) -> str:
    """A GuardDuty finding that says the same things in its title, names and addresses."""
    texts = payloads(beacon)
    return json.dumps(
        {
            "Id": texts[0],
            "AccountId": "111122223333",
            "Region": texts[6],
            "Type": "Recon:IAMUser/UserPermissions",
            "Title": texts[0],
            "Description": texts[3],
            "Severity": 5,
            "Resource": {
                "ResourceType": "AccessKey",
                "AccessKeyDetails": {
                    "AccessKeyId": texts[2],
                    "PrincipalId": texts[1],
                    "UserName": texts[0],
                    "UserType": "IAMUser",
                },
            },
            "Service": {
                "EventFirstSeen": "2026-03-10T12:00:00Z",
                "EventLastSeen": "2026-03-10T12:00:00Z",
                "Action": {
                    "ActionType": "AWS_API_CALL",
                    "AwsApiCallAction": {
                        "Api": texts[4],
                        "ServiceName": texts[5],
                        "RemoteIpDetails": {"IpAddressV4": texts[7]},
                    },
                },
            },
        }
    )


def open_everything(page: Page) -> None:
    """Every fold, switch and pop-over of the page, and the mouse over every chart."""
    for summary in page.locator("details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
            settled(page)  # what is folded may be sent only now
    for label in page.locator("[data-testid=stCheckbox] label").all():
        label.click()
        settled(page)
    for popover in page.locator("[data-testid=stPopover] button").all():
        popover.click()
        page.wait_for_timeout(200)
        settled(page)
        page.keyboard.press("Escape")
    for chart in page.locator("[data-testid=stVegaLiteChart]").all():
        chart.hover()
        page.wait_for_timeout(50)


NAMES = [
    "constructor",
    "__proto__",
    "toString",
    "   ",
    "\u202egnp.exe",
    "zero\u200bwidth\u2066",
    "\x1b[31mred",
    "half \ud83d pair",
    "\U000e0041tag",
]
"""Names that mean something to JavaScript, or that hide."""


def all_payload(record: Any, texts: list[str], inside: str = "") -> Any:
    """The record with a payload for every string in it, the same for the same string, so that
    what belonged together still does. Times stay, and the ids that a test asks for."""
    if isinstance(record, dict):
        return {key: all_payload(value, texts, key) for key, value in record.items()}
    if isinstance(record, list):
        return [all_payload(value, texts, inside) for value in record]
    if isinstance(record, str) and inside not in ("eventTime", "eventID", "creationDate"):
        return texts[zlib.crc32(record.encode()) % len(texts)]
    return record


def payload_only_events(beacon: str) -> list[dict[str, object]]:
    """Ordinary records whose every string is a payload or a name that hides, in every turn."""
    texts = [*payloads(beacon), *NAMES]
    events: list[dict[str, object]] = []
    for number in range(len(texts)):
        turned = texts[number:] + texts[:number]
        ordinary = [
            an_assumption(),
            an_event(userIdentity=a_role_session(), readOnly=False, requestParameters={"a": "b"}),
            an_event(errorCode="AccessDenied", errorMessage="x is not authorized to perform: y"),
        ]
        kept = "type" if number % 2 else ""  # half of them of identities that we know
        for event in ordinary:
            made = all_payload(event, turned)
            if kept:
                made["userIdentity"]["type"] = event["userIdentity"]["type"]
            events.append(made)
    return events


def a_hostile_case(folder: Path, finding: str, beacon: str) -> int:
    """A case over the finding, with payloads in all that people can write; closed and in review."""
    texts = payloads(beacon)
    database = open_database(str(folder / "cases.db"))
    users.add_user(database, "constructor", "constructor", "lead")
    users.add_user(database, "constructor", texts[0], "analyst")
    inbox.receive(database, "constructor", parse_alerts(finding))
    for number in range(4):
        changed = json.loads(finding) | {"Id": f"{texts[number]}{number}", "Title": NAMES[number]}
        inbox.receive(database, "constructor", parse_alerts(json.dumps(changed)))
    (first, *_) = inbox.queue(database).alerts
    opened = case.open_case(database, texts[0], [first.id], title=texts[3])
    enrichment.save_answers(
        database, first.id, "v1", [[an_answer(sentence=texts[3], evidence=(texts[0],))]]
    )
    evidence.freeze_answers(
        database, texts[0], opened.id, first.id, LiteralStore({texts[0]: json.dumps(texts)})
    )
    case.add_note(database, texts[0], opened.id, "\n".join([*texts, *NAMES[:-2]]))
    now = case.get_case(database, opened.id)
    changes = {"summary": texts[4], "tags": [texts[1], "constructor"]}
    now = case.save_case(database, texts[0], now.id, now.version, changes)
    now = case.close_case(
        database, texts[0], now.id, now.version, verdict="benign", reason=texts[5]
    )
    review.request_review(database, texts[0], now.id, texts[6])
    database.close()
    return opened.id


def test_no_page_fetches_or_links_what_a_log_says(tmp_path: Path, beacon: Beacon) -> None:
    events = hostile_events(beacon.address)
    all_of_it = payload_only_events(beacon.address)
    logs = tmp_path / "logs"
    logs.mkdir()
    # A file's name is hostile text too, and a record without a time is listed with its file.
    records = [*events, *all_of_it, {"eventName": "X"}]
    (logs / "![x](beacon)\u202e.json").write_text(json.dumps({"Records": records}))
    add([logs], tmp_path / "index")
    texts = payloads(beacon.address)
    alerts = [f"triage?event={events[number]['eventID']}" for number in (1, 3, 9)]
    finding = hostile_finding(beacon.address)
    packed = intake.pack(finding)
    number = a_hostile_case(tmp_path, finding, beacon.address)
    opened = [alerts[0], "index", f"case?id={number}", "review?view=metrics"]
    addresses = [
        *alerts,
        *(f"triage?event={one['eventID']}" for one in all_of_it[:: len(all_of_it) // 9]),
        f"triage?text={packed}",
        f"triage?text={packed}&check=1",
        *(f"entity?of={quote(text, safe='')}" for text in (texts[0], *NAMES[:3], NAMES[4])),
        "entity?of=ASIAHOSTILE0Q0Q0Q0Q0",
        "events",
        "events?page=2",
        f"events?service={quote(NAMES[0], safe='')}&ip={quote(texts[3], safe='')}",
        f"events?event={events[1]['eventID']}",
        f"events?event={all_of_it[1]['eventID']}",
        f"triage?event={quote(texts[0], safe='')}",
        "index",
        "inbox",
        "cases",
        f"case?id={number}",
        "review",
        "review?view=metrics",
        "review?view=history",
        "review?view=people",
    ]
    with (
        dashboard(tmp_path, BACKTRAIL_USER="constructor") as home,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        # The control: were an image to be fetched, the beacon would know.
        page.set_content(f'<img src="{beacon.address}/control.png">')
        page.wait_for_timeout(300)
        assert beacon.calls == ["/control.png"]
        beacon.calls.clear()
        outside: list[str] = []
        broken: list[str] = []
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(
                    (home, "data:", "blob:", "about:", home.replace("http", "ws"))
                )
                else outside.append(request.url)
            ),
        )
        page.on("pageerror", lambda error: broken.append(f"{page.url}: {error}"))
        for address in addresses:
            page.goto(f"{home}/{address}")
            settled(page)
            if address in opened:
                open_everything(page)
            leading_out = page.evaluate(
                "origin => [...document.querySelectorAll('a[href], img[src], image, iframe')]"
                ".map(e => e.href?.baseVal ?? e.href ?? e.src)"
                ".filter(u => u && u.startsWith(origin))",
                beacon.address,
            )
            assert leading_out == [], address
            foreign = page.evaluate(
                "() => document.querySelectorAll("
                "'.bt-root img, .bt-root svg, .bt-root script, .bt-root iframe, [onmouseover],"
                " [onload], .stMain .katex').length"
            )
            assert foreign == 0, address
            assert page.locator("[data-testid=stException]").count() == 0, address
            assert "Something went wrong" not in page.inner_text("body"), address
            read = page.inner_text("body")
            assert not [sign for sign in read if sign in HIDING], address
        # The text itself is there to be read, as text.
        page.goto(f"{home}/{alerts[0]}")
        settled(page)
        assert texts[0] in page.inner_text("body")
        page.wait_for_timeout(500)
    assert beacon.calls == []
    assert outside == []
    assert broken == []
    log = (tmp_path / "server.log").read_text(errors="replace")
    assert "Traceback" not in log
    assert not [text for text in (*texts, *NAMES[4:]) if text in log]


HIDING = "\u202e\u200b\u2066\x1b\U000e0041"


def test_names_that_javascript_knows_and_names_that_hide_are_drawn(tmp_path: Path) -> None:
    """Their bars stand in the charts, and what hides is written out."""
    events = [
        an_event(eventSource=name, eventName="constructor", userAgent=NAMES[4], readOnly=False)
        for name in ("constructor", "__proto__", "toString", "ec2.amazonaws.com")
    ]
    (tmp_path / "log.json").write_text(json.dumps({"Records": events}))
    add([tmp_path / "log.json"], tmp_path / "index")
    with dashboard(tmp_path) as home, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(f"{home}/triage?event={events[0]['eventID']}")
        settled(page)
        chart = page.locator(".st-key-card-of-services_used [data-testid=stVegaLiteChart]")
        chart.locator("svg, canvas").first.wait_for()
        assert "\\u{202E}gnp.exe" in page.inner_text("body")
        page.goto(f"{home}/events?event={events[0]['eventID']}")
        settled(page)
        raw = page.locator("[data-testid=stCode]").inner_text()
        assert "\\u202egnp.exe" in raw
        assert broken == []
