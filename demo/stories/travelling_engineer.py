"""An engineer on call changes the database from a hotel: it looks bad and is not."""

from __future__ import annotations

from demo import calls, findings
from demo.company import ADMIN, MAYA, PROD, permission_set_role
from demo.records import Call, Session, iso
from demo.routines import HOUR, whereabouts, work
from demo.stories.stage import DAY, Stage, moment
from demo.truth import Plot, hop

KEY = "travelling-engineer"
ROLE = permission_set_role(PROD, ADMIN)
WATCHED = (ROLE.id,)
_HOTEL = MAYA.homes[1]
_GRANT = (PROD, ADMIN)
_SUNDAYS = ("2026-03-08T09:05:00", "2026-03-15T09:04:00", "2026-03-22T09:02:00")


def _window() -> list[Call]:
    """The Sunday maintenance, as the runbook has it."""
    named = {"dBInstanceIdentifier": "example-shop-db"}
    return [
        calls.read("rds", "DescribeDBInstances", **named),
        calls.write("rds", "CreateDBSnapshot", **named, dBSnapshotIdentifier="before-maintenance"),
        calls.read("rds", "DescribeDBSnapshots", **named),
        calls.write("rds", "ModifyDBInstance", **named, applyImmediately=True),
        calls.write("rds", "RebootDBInstance", **named),
        calls.read("rds", "DescribeEvents"),
        calls.write("ec2", "StopInstances", instancesSet={"items": [{"instanceId": "i-0example"}]}),
        calls.write(
            "ec2", "StartInstances", instancesSet={"items": [{"instanceId": "i-0example"}]}
        ),
        calls.read("monitoring", "DescribeAlarms"),
    ]


def _maintain(stage: Stage, part: str, session: Session, at: int) -> list[tuple[int, str]]:
    rng = stage.rng(part)
    done = []
    for call in _window():
        at += rng.randrange(20, 200)
        done.append((at, stage.say(rng, session, call, at)["eventID"]))
    return done


def tell(stage: Stage) -> list[Plot]:
    rng = stage.rng("history")
    for day in stage.days():
        ip = whereabouts(MAYA, day, rng)
        at = day + 8 * HOUR + rng.randrange(3 * HOUR)
        work(stage.ledger, rng, MAYA, _GRANT, at, ip, stage.some(25), console=False)
    for sunday in _SUNDAYS:
        at = moment(sunday)
        if at < stage.start + DAY:
            continue
        part = f"maintenance {sunday}"
        ip = whereabouts(MAYA, at, stage.rng(f"{part} place"))
        _, session = work(stage.ledger, stage.rng(part), MAYA, _GRANT, at, ip, 4, console=False)
        _maintain(stage, f"{part} window", session, at + 30)

    rng = stage.rng("alert")
    at = moment("2026-03-29T09:03:10")
    minted, session = work(stage.ledger, rng, MAYA, _GRANT, at, _HOTEL, 5, console=False)
    done = _maintain(stage, "alert window", session, at + 60)
    names = [call.name for call in _window()]
    first, last = done[3][0], done[4][0]
    finding = findings.Finding(
        "Impact:IAMUser/AnomalousBehavior",
        "A role invoked APIs in an anomalous way.",
        "APIs commonly used to tamper with data or processes were invoked on a Sunday from a "
        "network that few principals of this account use.",
        8.0,
        PROD,
        session.identity["accessKeyId"],
        session.identity["principalId"],
        ROLE.name,
        "AssumedRole",
        names[3],
        "rds.amazonaws.com",
        _HOTEL,
        iso(first),
        iso(last),
        2,
        user_agent=MAYA.cli,
    )
    return [
        Plot(
            KEY,
            KEY,
            "A database changed from a hotel on a Sunday",
            "An administrator modifies and restarts the shop's database from a hotel network. "
            "The history knows the address, the laptop and the Sunday habit.",
            "benign",
            findings.event_bridge(finding, rng),
            "GuardDuty EventBridge",
            ROLE,
            MAYA.mail,
            session.identity["accessKeyId"],
            first,
            last,
            _HOTEL,
            MAYA.cli,
            MAYA.cli,
            "rds.amazonaws.com",
            names[3],
            [done[3][1], done[4][1]],
            {"type": "IdentityCenterUser", "label": MAYA.mail, "arn": None},
            [hop(minted, "creation_date")],
            session_created=minted.at,
        )
    ]
