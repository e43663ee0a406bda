"""A data engineer who is about to leave shares the warehouse's disks with a strange account."""

from __future__ import annotations

from demo import calls, findings, identities
from demo.company import DATA, POWER, STRANGER, TOM, permission_set_role
from demo.ids import named_hexadecimal
from demo.records import Call, iso
from demo.routines import HOUR, whereabouts, work
from demo.stories.stage import DAY, Stage, moment
from demo.truth import Plot, hop

KEY = "shared-snapshot"
ROLE = permission_set_role(DATA, POWER)
WATCHED = (ROLE.id,)
_HOME = TOM.homes[0]
_SNAPSHOTS = tuple(f"snap-0{named_hexadecimal(f'warehouse:{n}', 16)}" for n in range(3))


def _share(snapshot: str) -> Call:
    return Call(
        "ec2",
        "ModifySnapshotAttribute",
        read=False,
        params={
            "snapshotId": snapshot,
            "createVolumePermission": {"add": {"items": [{"userId": STRANGER}]}},
            "attributeType": "CREATE_VOLUME_PERMISSION",
        },
        response={"_return": True},
    )


def tell(stage: Stage) -> list[Plot]:
    rng = stage.rng("history")
    for day in stage.days():
        ip = _HOME if day % (4 * DAY) == 0 else whereabouts(TOM, day, rng)
        at = day + 8 * HOUR + rng.randrange(5 * HOUR)
        grant = (DATA, POWER)
        work(stage.ledger, rng, TOM, grant, at, ip, stage.some(25), console=False)

    rng = stage.rng("attack")
    at = moment("2026-03-23T20:48:02")
    minted, session = identities.by_identity_center(
        stage.ledger, rng, TOM, DATA, POWER, at, _HOME, console=False
    )
    who = ROLE.session_arn(TOM.mail)
    for call in (
        calls.read("sts", "GetCallerIdentity"),
        calls.read("ec2", "DescribeVolumes"),
        calls.read("ec2", "DescribeSnapshots", ownersSet={"items": [{"owner": "self"}]}),
        calls.read("ec2", "GetEbsDefaultKmsKeyId"),
    ):
        at += rng.randrange(6, 60)
        stage.say(rng, session, call, at)
    for snapshot in _SNAPSHOTS:
        at += rng.randrange(20, 70)
        volume = f"vol-0{named_hexadecimal(f'warehouse volume:{snapshot}', 16)}"
        call = calls.write(
            "ec2", "CreateSnapshot", {"snapshotId": snapshot, "status": "pending"}, volumeId=volume
        )
        stage.say(rng, session, call, at)
    at += 640
    first = at
    shared: list[str] = []
    for snapshot in _SNAPSHOTS:
        shared.append(stage.say(rng, session, _share(snapshot), at)["eventID"])
        last = at
        at += rng.randrange(9, 30)
    stage.say(
        rng,
        session,
        calls.denied(
            calls.write("rds", "ModifyDBSnapshotAttribute"),
            who,
            f"arn:aws:rds:eu-west-1:{DATA}:snapshot:warehouse",
        ),
        at,
    )
    for snapshot in _SNAPSHOTS:
        at += 300
        stage.say(
            rng,
            session,
            calls.write("ec2", "DeleteSnapshot", {"_return": True}, snapshotId=snapshot),
            at,
        )
    finding = findings.Finding(
        "Exfiltration:IAMUser/AnomalousBehavior",
        "A role invoked APIs in an anomalous way.",
        "APIs commonly used to take data out of an account were invoked by an AssumedRole under "
        "anomalous circumstances.",
        8.0,
        DATA,
        session.identity["accessKeyId"],
        session.identity["principalId"],
        ROLE.name,
        "AssumedRole",
        "ModifySnapshotAttribute",
        "ec2.amazonaws.com",
        _HOME,
        iso(first),
        iso(last),
        len(shared),
        user_agent=TOM.cli,
        affected={"AWS::EC2::Snapshot": _SNAPSHOTS[0]},
    )
    return [
        Plot(
            KEY,
            KEY,
            "Disk snapshots shared with an unknown account",
            "In the evening a data engineer copies the warehouse's disks and shares the copies "
            "with an account of nobody we know. Address and laptop are his usual ones.",
            "attack",
            findings.camel(finding, rng),
            "GuardDuty S3 export",
            ROLE,
            TOM.mail,
            session.identity["accessKeyId"],
            first,
            last,
            _HOME,
            TOM.cli,
            TOM.cli,
            "ec2.amazonaws.com",
            "ModifySnapshotAttribute",
            shared,
            {"type": "IdentityCenterUser", "label": TOM.mail, "arn": None},
            [hop(minted, "creation_date")],
            session_created=minted.at,
            notes=["The call itself is what is new; the address and the agent are known."],
        )
    ]
