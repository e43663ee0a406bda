"""A console user, phished, switches into production and leaves a back door."""

from __future__ import annotations

from typing import Any

from demo import calls, findings, identities
from demo.company import BROWSERS, MANAGEMENT, NOAH, OFFICE, OPS_SWITCH, PROD, User
from demo.records import Call, Session, iso, spelled
from demo.routines import HOUR, spread
from demo.stories.stage import Stage, moment
from demo.truth import Hop, Plot, hop

KEY = "switched-role"
BACK_DOOR = User(PROD, "deploy-backup-example")
WATCHED = (NOAH.id, OPS_SWITCH.id)
_PHISHER = "203.0.113.91"
_BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)


def _ordinary_days(stage: Stage) -> None:
    rng = stage.rng("history")
    for day in stage.days():
        at = day + 8 * HOUR + rng.randrange(HOUR)
        _, session = identities.user_console(stage.ledger, rng, NOAH, at, OFFICE, BROWSERS[1])
        pages = calls.console_pages(MANAGEMENT)
        spread(stage.ledger, rng, session, pages, at + 5, 300, stage.some(12))
        _, switched = identities.switch_role(stage.ledger, rng, session, OPS_SWITCH, at + 400)
        pages = calls.console_pages(PROD)
        spread(stage.ledger, rng, switched, pages, at + 405, 2_000, stage.some(20))


def tell(stage: Stage) -> list[Plot]:
    _ordinary_days(stage)
    rng = stage.rng("attack")
    login = moment("2026-03-24T19:12:33")
    login_event, console = identities.user_console(
        stage.ledger, rng, NOAH, login, _PHISHER, _BROWSER
    )
    stage.say(rng, console, calls.read("iam", "GetAccountSummary"), login + 14)
    stage.say(rng, console, calls.read("organizations", "ListAccounts"), login + 31)
    minted, session = identities.switch_role(stage.ledger, rng, console, OPS_SWITCH, login + 96)
    at = minted.at
    who = OPS_SWITCH.session_arn(NOAH.name)
    for name in ("ListUsers", "GetAccountSummary", "ListMFADevices", "ListAccessKeys"):
        at += rng.randrange(5, 40)
        stage.say(rng, session, calls.read("iam", name), at)
    start = at + 22
    named = {"userName": BACK_DOOR.name}
    key_made = stage.say(
        rng,
        session,
        Call(
            "iam",
            "CreateAccessKey",
            read=False,
            params=named,
            response={
                "accessKey": {
                    **named,
                    "accessKeyId": BACK_DOOR.key,
                    "status": "Active",
                    "createDate": spelled(start),
                }
            },
        ),
        start,
    )
    profile = {**named, "passwordResetRequired": False}
    steps: list[Call] = [
        Call(
            "iam",
            "CreateLoginProfile",
            read=False,
            params=profile,
            response={"loginProfile": {**profile, "createDate": spelled(start + 41)}},
        ),
        calls.write(
            "iam",
            "AttachUserPolicy",
            **named,
            policyArn="arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        calls.denied(
            calls.write("cloudtrail", "StopLogging"),
            who,
            f"arn:aws:cloudtrail:eu-west-1:{MANAGEMENT}:trail/example-org-trail",
        ),
        calls.denied(calls.write("iam", "DeactivateMFADevice"), who, NOAH.arn),
    ]
    at = start
    for call in steps:
        at += 41
        stage.say(rng, session, call, at)
    last = at
    _through_the_back_door(stage, last + 900)
    signed: dict[str, Any] = key_made["userIdentity"]
    finding = findings.Finding(
        "Persistence:IAMUser/AnomalousBehavior",
        "The role OpsSwitchAdmin invoked APIs in an anomalous way.",
        "APIs commonly used to keep access were invoked by AssumedRole : OpsSwitchAdmin under "
        "anomalous circumstances.",
        5.0,
        PROD,
        signed["accessKeyId"],
        signed["principalId"],
        OPS_SWITCH.name,
        "AssumedRole",
        "CreateAccessKey",
        "iam.amazonaws.com",
        _PHISHER,
        iso(start),
        iso(last),
        5,
        region="us-east-1",
        info={"recentApiCalls": [{"api": "CreateLoginProfile", "count": 1}]},
    )
    return [
        Plot(
            KEY,
            KEY,
            "A switched role makes keys for somebody else",
            "In the console, a role in production creates an access key and a password for "
            "another user. The key in the finding was minted by no event: whose session is it?",
            "attack",
            findings.event_bridge(finding, rng),
            "GuardDuty EventBridge",
            OPS_SWITCH,
            NOAH.name,
            signed["accessKeyId"],
            start,
            last,
            _PHISHER,
            None,
            _BROWSER,
            "iam.amazonaws.com",
            "CreateAccessKey",
            [key_made["eventID"]],
            {"type": "IAMUser", "label": NOAH.name, "arn": NOAH.arn},
            [hop(minted, "creation_date"), _sign_in(login_event, login)],
            session_created=minted.at,
            notes=[
                f"The new key {BACK_DOOR.key} is used a quarter of an hour later.",
            ],
        )
    ]


def _sign_in(event_id: str, at: int) -> Hop:
    """The console login that the switching user's session began with. It shows no key."""
    by = {
        "type": "IAMUser",
        "arn": NOAH.arn,
        "principal_id": NOAH.id,
        "access_key_id": None,
        "user_name": NOAH.name,
        "invoked_by": None,
    }
    return Hop(event_id, "ConsoleLogin", iso(at), "creation_date", None, None, by)


def _through_the_back_door(stage: Stage, at: int) -> None:
    """The key that was left behind is tried from the next address."""
    rng = stage.rng("back door")
    agent = "aws-cli/2.28.1 md/awscrt#0.27.2 ua/2.1 os/windows#10 md/arch#amd64 lang/python#3.13.7"
    session = Session(identities.user_identity(BACK_DOOR), PROD, "203.0.113.92", agent)
    for n, name in enumerate(("sts:GetCallerIdentity", "iam:ListUsers", "s3:ListBuckets")):
        stage.say(rng, session, calls.read(*name.split(":")), at + 17 * n)
