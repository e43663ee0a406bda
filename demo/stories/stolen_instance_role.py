"""A web server's role credential, taken through its metadata, is used from outside."""

from __future__ import annotations

from demo import calls, findings, identities
from demo.company import OPS_SWITCH, PROD, WEB, instance_id
from demo.identities import Minted
from demo.ids import unique_id
from demo.records import Session, iso
from demo.routines import HOUR, WEB_AGENT, spread, vpc_endpoint
from demo.stories.stage import Stage, moment
from demo.truth import Plot, hop

KEY = "stolen-instance-role"
WATCHED = (WEB.id,)
_INSTANCE = instance_id(PROD, "web-7")
_THIEF = "203.0.113.66"
_KALI = (
    "aws-cli/2.28.1 md/awscrt#0.27.2 ua/2.1 os/linux#6.12.38+kali-amd64 md/arch#x86_64 "
    "lang/python#3.13.7 md/pyimpl#CPython m/E,b cfg/retry-mode#standard md/prompt#off"
)


def _ordinary_days(stage: Stage) -> dict[int, Minted]:
    """The instance's life: a new credential every six hours; gives them by day and quarter."""
    rng = stage.rng("history")
    minted: dict[int, Minted] = {}
    for day in stage.days(weekends=True):
        for quarter in range(day, day + 24 * HOUR, 6 * HOUR):
            own = stage.rng(f"credential {quarter}")
            at = quarter + own.randrange(1_200)
            one = identities.by_service(stage.ledger, own, WEB, _INSTANCE, "ec2.amazonaws.com", at)
            session = Session(
                one.identity(ec2RoleDelivery="1.0"),
                PROD,
                "10.4.1.27",
                WEB_AGENT,
                vpc_endpoint=vpc_endpoint("prod"),
            )
            spread(
                stage.ledger,
                rng,
                session,
                calls.web_server(PROD),
                at + 1,
                quarter + 6 * HOUR - at,
                stage.some(40),
            )
            minted[quarter] = one
    return minted


def tell(stage: Stage) -> list[Plot]:
    minted = _ordinary_days(stage)[moment("2026-03-26T00:00:00")]
    rng = stage.rng("attack")
    thief = Session(minted.identity(ec2RoleDelivery="1.0"), PROD, _THIEF, _KALI)
    who = WEB.session_arn(_INSTANCE)
    start = moment("2026-03-26T02:41:07")
    stage.say(rng, thief, calls.read("sts", "GetCallerIdentity"), start)
    steps = [
        calls.read("s3", "ListBuckets"),
        calls.denied(calls.read("iam", "ListAttachedRolePolicies"), who, WEB.arn),
        calls.denied(calls.read("iam", "ListRoles"), who, f"arn:aws:iam::{PROD}:role/"),
        calls.ec2_denied(calls.read("ec2", "DescribeInstances"), who, 1),
        calls.ec2_denied(calls.write("ec2", "CreateKeyPair", keyName="support"), who, 2),
        calls.read("ssm", "GetParametersByPath", path="/", recursive=True, withDecryption=True),
        calls.read("secretsmanager", "ListSecrets"),
        calls.read(
            "secretsmanager", "GetSecretValue", secretId=calls.secret_arn(PROD, "shop/db-password")
        ),
        calls.denied(
            calls.read("secretsmanager", "GetSecretValue"),
            who,
            calls.secret_arn(PROD, "shop/payment-token"),
        ),
    ]
    at = start
    for call in steps:
        at += rng.randrange(8, 75)
        stage.say(rng, thief, call, at)
    at += 40
    stage.refuse(rng, thief, OPS_SWITCH.arn, at)
    gets: list[str] = []
    for n in range(64):
        at += rng.randrange(2, 30)
        key = f"2026/03/orders-{n:04d}.csv"
        got = stage.say(rng, thief, calls.get_object(PROD, "example-shop-orders", key), at)
        gets.append(got["eventID"])
    finding = findings.Finding(
        "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "Credentials for the EC2 instance role shop-web-instance were used from an external IP "
        "address.",
        f"Credentials created exclusively for an EC2 instance using the instance role "
        f"shop-web-instance have been used from the external IP address {_THIEF}.",
        8.0,
        PROD,
        minted.key,
        f"{WEB.id}:{_INSTANCE}",
        WEB.name,
        "AssumedRole",
        "GetObject",
        "s3.amazonaws.com",
        _THIEF,
        iso(start),
        iso(at),
        64,
        resource={
            "instanceDetails": {
                "instanceId": _INSTANCE,
                "instanceType": "t3.large",
                "iamInstanceProfile": {
                    "arn": f"arn:aws:iam::{PROD}:instance-profile/{WEB.name}",
                    "id": unique_id("AIPA", PROD, WEB.name),
                },
                "instanceState": "running",
                "availabilityZone": "eu-west-1a",
                "tags": [{"key": "Name", "value": "example-web-7"}],
            }
        },
        affected={"AWS::S3::Bucket": "example-shop-orders"},
    )
    return [
        Plot(
            KEY,
            KEY,
            "A web server's credential used from outside AWS",
            "Somebody read the shop-web instance's role credential from its metadata service and "
            "downloads order files with it from a hosting provider at night.",
            "attack",
            findings.api(finding, rng),
            "GuardDuty GetFindings",
            WEB,
            _INSTANCE,
            minted.key,
            start,
            at,
            _THIEF,
            None,
            _KALI,
            "s3.amazonaws.com",
            "GetObject",
            gets,
            {"type": "AWSService", "label": f"EC2 instance {_INSTANCE}", "arn": None},
            [hop(minted, "access_key")],
            notes=["The instance uses the same session name by itself, through a VPC endpoint."],
        )
    ]
