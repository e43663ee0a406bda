"""Every link on who is behind an alert leads to a name that the logs bear: its label may be words
about it, of which no event has any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from enrich.data.assumed_by import AssumedBy
from enrich.questions.assumed_by import ASSUMED_BY
from tests.an_alert import an_alert
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore
from ui.explore.entity_facts import kind_of
from ui.kit.markup import texts
from ui.triage.alert_line import who
from ui.triage.chain import chain_drawing

INSTANCE = "i-0123456789abcdef0"


def of_service(service: str) -> dict[str, Any]:
    return {
        "userIdentity": {"type": "AWSService", "invokedBy": service},
        "sourceIPAddress": service,
        "userAgent": service,
    }


def links_in(node: Any) -> Iterator[tuple[str, str]]:
    """(what the link says, the name that it leads to)."""
    if isinstance(node, Mapping):
        href = str(node.get("a", {}).get("href", "")) if isinstance(node.get("a"), Mapping) else ""
        href = href or str(node.get("href", ""))
        for name in parse_qs(urlsplit(href).query).get("of", ()):
            yield "".join(texts([node])), name
        for child in node.get("k", ()):
            yield from links_in(child)


CREATED = an_assumption(session=INSTANCE, **of_service("ec2.amazonaws.com"))
WORLDS = {
    "minted by EC2": (
        [CREATED, an_event(userIdentity=a_role_session(session=INSTANCE))],
        f"EC2 instance {INSTANCE}",
        INSTANCE,
    ),
    "an instance by its session's name": (
        [an_event(userIdentity=a_role_session(session=INSTANCE))],
        f"EC2 instance {INSTANCE}",
        INSTANCE,
    ),
    "minted by Lambda": (
        [
            an_assumption(session="mailer", **of_service("lambda.amazonaws.com")),
            an_event(userIdentity=a_role_session(session="mailer")),
        ],
        "Lambda function mailer",
        "mailer",
    ),
    "an AWS service": (
        [
            an_assumption(session="x", **of_service("rds.amazonaws.com")),
            an_event(userIdentity=a_role_session(session="x")),
        ],
        "AWS service rds.amazonaws.com",
        "rds.amazonaws.com",
    ),
    "a name that is an address": (
        [an_event(userIdentity=a_role_session(session="ann@example.com"))],
        "someone named ann@example.com",
        "ann@example.com",
    ),
    "a user": (
        [an_assumption(), an_event(userIdentity=a_role_session())],
        "alice",
        a_user()["arn"],
    ),
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_origin_leads_to_a_name_that_acted(world: str) -> None:
    records, label, name = WORLDS[world]
    alert = an_alert(records[-1])
    principal = alert.principals[0]
    found = ASSUMED_BY.ask(alert, principal, MemoryStore(records)).data
    assert isinstance(found, AssumedBy)
    in_line = [link for node in who(principal, found) for link in links_in(node)]
    in_chain = list(links_in(chain_drawing(alert, principal, found)))
    assert in_line[0] == in_chain[0] == (label, name)
    acted = MemoryStore(records).query(
        f"select count(*) as n from events where {kind_of(name).condition}", {"of": name}
    )
    assert acted.rows[0]["n"]
