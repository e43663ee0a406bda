"""The old build server's key leaks: roles are tried by name, two are chained, secrets are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from demo import calls, findings, identities
from demo.company import BUILD_SERVER, CI_LEGACY, DEV, PROD, Role
from demo.records import Session, iso
from demo.routines import HOUR, LEGACY_AGENT, legacy_build
from demo.stories.stage import Stage, moment
from demo.truth import Plot, hop

KEY = "leaked-build-key"
BROKER = Role(DEV, "example-deploy-broker", "/build/")
READER = Role(PROD, "example-secrets-reader")
WATCHED = (CI_LEGACY.id, BROKER.id, READER.id)
_FINDER, _THIEF = "203.0.113.80", "203.0.113.77"
_BOTO = (
    "Boto3/1.39.17 md/Botocore#1.39.17 ua/2.1 os/linux#6.8.0-71-generic md/arch#x86_64 "
    "lang/python#3.12.3 md/pyimpl#CPython m/Z,b,D cfg/retry-mode#legacy Botocore/1.39.17"
)
_SECRETS = ("shop/db-password", "shop/payment-token", "shop/mail", "shop/search")
_GUESSES = [
    "admin",
    "Administrator",
    "AdminRole",
    "OrganizationAccountAccessRole",
    "deploy",
    "deployer",
    "DeployRole",
    "ci",
    "cicd",
    "CodeBuildRole",
    "jenkins",
    "terraform",
    "TerraformRole",
    "infra",
    "ops",
    "OpsRole",
    "devops",
    "backup",
    "lambda-admin",
    "SecurityAudit",
    "ReadOnly",
    "PowerUser",
    "ecsTaskExecutionRole",
    "eks-admin",
]


def _ordinary_days(stage: Stage) -> None:
    """Builds by day; at night the broker fetches two secrets for the release notes."""
    rng = stage.rng("history")
    for day in stage.days():
        legacy_build(stage.ledger, rng, day + 9 * HOUR + rng.randrange(6 * HOUR), stage.some(14))
        at = day + 4 * HOUR + rng.randrange(600)
        server = Session(identities.user_identity(CI_LEGACY), DEV, BUILD_SERVER, LEGACY_AGENT)
        broker = identities.by_caller(stage.ledger, rng, server, BROKER, "nightly", at)
        caller = Session(broker.identity(), DEV, BUILD_SERVER, LEGACY_AGENT)
        reader = identities.by_caller(stage.ledger, rng, caller, READER, "nightly", at + 2)
        session = Session(reader.identity(), PROD, BUILD_SERVER, LEGACY_AGENT)
        for n, name in enumerate(_SECRETS[2:]):
            call = calls.read(
                "secretsmanager", "GetSecretValue", secretId=calls.secret_arn(PROD, name)
            )
            stage.say(rng, session, call, at + 4 + n)


def tell(stage: Stage) -> list[Plot]:
    _ordinary_days(stage)
    rng = stage.rng("attack")
    ledger = stage.ledger
    user = identities.user_identity(CI_LEGACY)
    at = moment("2026-03-25T22:58:41")
    finder = Session(user, DEV, _FINDER, "TruffleHog")
    stage.say(rng, finder, calls.read("sts", "GetCallerIdentity"), at)

    thief = Session(user, DEV, _THIEF, _BOTO)
    at = moment("2026-03-25T23:34:10")
    stage.say(rng, thief, calls.read("sts", "GetCallerIdentity"), at)
    for call in (
        calls.denied(calls.read("iam", "ListUsers"), CI_LEGACY.arn, f"arn:aws:iam::{DEV}:user/"),
        calls.denied(calls.read("iam", "ListRoles"), CI_LEGACY.arn, f"arn:aws:iam::{DEV}:role/"),
        calls.denied(calls.read("iam", "ListAttachedUserPolicies"), CI_LEGACY.arn, CI_LEGACY.arn),
    ):
        at += rng.randrange(2, 9)
        stage.say(rng, thief, call, at)

    first_try = at + 20
    at = first_try
    tried: list[str] = []
    for number, name in enumerate(_GUESSES):
        for account in (DEV, PROD) if number % 2 else (DEV,):
            target = f"arn:aws:iam::{account}:role/{name}"
            tried.append(stage.refuse(rng, thief, target, at)["eventID"])
            at += rng.choice((0, 1, 1, 2))
    # The second try of one role: a count above one.
    tried.append(stage.refuse(rng, thief, f"arn:aws:iam::{DEV}:role/admin", at)["eventID"])
    last_try = at

    at += 45
    broker = identities.by_caller(ledger, rng, thief, BROKER, f"botocore-session-{at}", at)
    as_broker = Session(broker.identity(), DEV, _THIEF, _BOTO)
    stage.say(rng, as_broker, calls.read("sts", "GetCallerIdentity"), at + 3)
    why = " because no identity-based policy allows the sts:AssumeRole action"
    for n, name in enumerate(("OrganizationAccountAccessRole", "github-deploy", "OpsSwitchAdmin")):
        stage.refuse(rng, as_broker, f"arn:aws:iam::{PROD}:role/{name}", at + 20 + 4 * n, why)

    at = moment("2026-03-26T00:06:52")
    reader = identities.by_caller(ledger, rng, as_broker, READER, f"botocore-session-{at}", at)
    session = Session(reader.identity(), PROD, _THIEF, _BOTO)
    who = READER.session_arn(reader.session_name)
    stage.say(rng, session, calls.read("sts", "GetCallerIdentity"), at + 2)
    stage.say(rng, session, calls.read("secretsmanager", "ListSecrets"), at + 9)
    read_at = at + 15
    secret = {}
    for n, name in enumerate(_SECRETS):
        call = calls.read("secretsmanager", "GetSecretValue", secretId=calls.secret_arn(PROD, name))
        secret = stage.say(rng, session, call, read_at + 5 * n)
    for n, name in enumerate(("payroll/export", "ops/root-mfa")):
        call = calls.denied(
            calls.read("secretsmanager", "GetSecretValue"), who, calls.secret_arn(PROD, name)
        )
        stage.say(rng, session, call, read_at + 30 + 6 * n)
    stage.say(
        rng,
        session,
        calls.ec2_denied(calls.read("ec2", "DescribeInstances"), who, 3),
        read_at + 60,
    )

    alert_at = read_at + 5 * (len(_SECRETS) - 1)
    origin = {"type": "IAMUser", "label": CI_LEGACY.name, "arn": CI_LEGACY.arn}
    finding = findings.Finding(
        "Discovery:IAMUser/AnomalousBehavior",
        "The user ci-legacy-deployer invoked APIs in an anomalous way.",
        "APIs commonly used to discover resources were invoked by the user ci-legacy-deployer "
        "under anomalous circumstances. Many calls were denied.",
        5.0,
        DEV,
        CI_LEGACY.key,
        CI_LEGACY.id,
        CI_LEGACY.name,
        "IAMUser",
        "AssumeRole",
        "sts.amazonaws.com",
        _THIEF,
        iso(first_try),
        iso(last_try),
        len(tried),
        error="AccessDenied",
        user_agent=_BOTO,
        info={"userAgent": {"fullUserAgent": _BOTO, "userAgentCategory": "Boto3"}},
    )
    enumeration = Plot(
        "leaked-key-enumeration",
        KEY,
        "A build user tries dozens of roles",
        "The old build server's long-term key is used from a hosting provider to try role "
        "after role; one of them opens.",
        "attack",
        findings.event_bridge(finding, rng),
        "GuardDuty EventBridge",
        CI_LEGACY,
        None,
        CI_LEGACY.key,
        first_try,
        last_try,
        _THIEF,
        _BOTO,
        _BOTO,
        "sts.amazonaws.com",
        "AssumeRole",
        tried,
        origin,
        [],
        notes=["The key is older than the logs; nothing minted it within them."],
    )
    secrets = Plot(
        "leaked-key-secrets",
        KEY,
        "Secrets read at the end of a role chain",
        "A role that fetches two secrets each night reads all of them, from an address it "
        "has never used. Who is two assumptions behind it?",
        "attack",
        secret,
        "CloudTrail record",
        READER,
        reader.session_name,
        reader.key,
        alert_at,
        alert_at,
        _THIEF,
        _BOTO,
        _BOTO,
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        [secret["eventID"]],
        origin,
        [hop(reader, "access_key"), hop(broker, "access_key")],
        session_created=reader.at,
        notes=["The second assumption crosses accounts: the same call is in both trails."],
    )
    return [enumeration, secrets, _sequence(stage, enumeration, secrets)]


def _sequence(stage: Stage, enumeration: Plot, secrets: Plot) -> Plot:
    """The finding that sees both ends of it and names two principals."""
    user = findings.Actor("IAMUser", CI_LEGACY.name, CI_LEGACY.id, CI_LEGACY.key, DEV)
    created = iso(secrets.session_created or secrets.first)
    reader = findings.Actor(
        "AssumedRole",
        READER.name,
        f"{READER.id}:{secrets.session_name}",
        secrets.access_key_id,
        PROD,
        created,
        READER.arn,
    )
    first, last = enumeration.first, secrets.last
    finding = findings.Finding(
        "AttackSequence:IAM/CompromisedCredentials",
        "Potential credential compromise of IAMUser/ci-legacy-deployer indicated by a sequence "
        "of actions.",
        "A sequence of actions in two accounts indicates that a credential is compromised.",
        9.0,
        DEV,
        CI_LEGACY.key,
        CI_LEGACY.id,
        CI_LEGACY.name,
        "IAMUser",
        "AssumeRole",
        "sts.amazonaws.com",
        _THIEF,
        iso(first),
        iso(last),
        len(enumeration.event_ids) + len(_SECRETS),
        user_agent=_BOTO,
    )
    signals = [
        findings.Signal(
            "API:AssumeRole",
            "sts.amazonaws.com",
            "AssumeRole",
            user,
            iso(first),
            iso(enumeration.last),
            len(enumeration.event_ids),
            "AccessDenied",
        ),
        findings.Signal(
            "API:GetSecretValue",
            "secretsmanager.amazonaws.com",
            "GetSecretValue",
            reader,
            iso(secrets.first - 15),
            iso(last),
            len(_SECRETS),
        ),
    ]
    common: dict[str, Any] = {
        "id": "leaked-key-sequence",
        "title": "One key, two accounts: an attack sequence",
        "description": "GuardDuty joins the tried roles and the read secrets into one finding "
        "that names two principals.",
        "alert": findings.sequence(finding, [user, reader], signals, stage.rng("sequence")),
        "form": "GuardDuty attack sequence, EventBridge",
        "first": first,
        "last": last,
        "agent": _BOTO,
        "event_source": "sts.amazonaws.com",
        "event_name": "AssumeRole",
        "event_ids": (),
    }
    return replace(enumeration, **common, also=[replace(secrets, **common)])
