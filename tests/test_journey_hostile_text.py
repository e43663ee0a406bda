"""A log full of what an attacker would write: the analyst's browser calls nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.a_dashboard import chromium, dashboard, settled
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from trail.build import add
from ui import intake

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


def test_no_page_fetches_or_links_what_a_log_says(tmp_path: Path, beacon: Beacon) -> None:
    events = hostile_events(beacon.address)
    logs = tmp_path / "logs"
    logs.mkdir()
    # A file's name is hostile text too, and a record without a time is listed with its file.
    (logs / "![x](beacon).json").write_text(json.dumps({"Records": [*events, {"eventName": "X"}]}))
    add([logs], tmp_path / "index")
    texts = payloads(beacon.address)
    alerts = [f"triage?event={events[number]['eventID']}" for number in (1, 3, 9)]
    finding = intake.pack(hostile_finding(beacon.address))
    addresses = [
        *alerts,
        f"triage?text={finding}",
        f"triage?text={finding}&check=1",
        f"entity?of={quote(texts[0], safe='')}",
        "entity?of=ASIAHOSTILE0Q0Q0Q0Q0",
        "events",
        f"events?event={events[1]['eventID']}",
        f"triage?event={quote(texts[0], safe='')}",
        "index",
        "inbox",
        "cases",
    ]
    with dashboard(tmp_path) as home, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        # The control: were an image to be fetched, the beacon would know.
        page.set_content(f'<img src="{beacon.address}/control.png">')
        page.wait_for_timeout(300)
        assert beacon.calls == ["/control.png"]
        beacon.calls.clear()
        outside: list[str] = []
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
        for address in addresses:
            page.goto(f"{home}/{address}")
            settled(page)
            if address in (alerts[0], "index"):
                open_everything(page)
            leading_out = page.evaluate(
                "origin => [...document.querySelectorAll('a[href], img[src], image, iframe')]"
                ".map(e => e.href?.baseVal ?? e.href ?? e.src)"
                ".filter(u => u && u.startsWith(origin))",
                beacon.address,
            )
            assert leading_out == [], address
            assert page.locator("[data-testid=stException]").count() == 0, address
        # The text itself is there to be read, as text.
        page.goto(f"{home}/{alerts[0]}")
        settled(page)
        assert texts[0] in page.inner_text("body")
        page.wait_for_timeout(500)
    assert beacon.calls == []
    assert outside == []
