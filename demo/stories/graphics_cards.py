"""A pull request's workflow leaks its role credential: expensive machines start far away."""

from __future__ import annotations

from typing import Any

from demo import calls, findings, identities
from demo.company import DEV, Role
from demo.ids import hexadecimal
from demo.records import Call, Session, iso
from demo.routines import GITHUB_AGENT, HOUR, deploy
from demo.stories.stage import Stage, moment
from demo.truth import Plot, hop

KEY = "graphics-cards"
ROLE = Role(DEV, "github-plan")
WATCHED = (ROLE.id,)
_RUNNER, _MINER = "192.0.2.99", "203.0.113.150"
_SUBJECT = "repo:example-org/sandbox:pull_request"
_CURL_LIKE = "Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux#5.4.0 lang/python#3.9.2"
_REGIONS = ("us-west-2", "ap-southeast-2", "sa-east-1", "us-east-1")


def _machines(kind: str, count: int, **more: Any) -> Call:
    return Call(
        "ec2",
        "RunInstances",
        read=False,
        params={
            "instancesSet": {
                "items": [{"imageId": "ami-0example", "minCount": 1, "maxCount": count}]
            },
            "instanceType": kind,
            "monitoring": {"enabled": False},
        },
        **more,
    )


def tell(stage: Stage) -> list[Plot]:
    history = stage.rng("history")
    for day in stage.days():
        deploy(
            stage.ledger,
            history,
            "sandbox",
            DEV,
            ROLE.name,
            day + 10 * HOUR + history.randrange(HOUR),
            stage.some(15),
        )

    rng = stage.rng("attack")
    at = moment("2026-03-28T13:05:27")
    minted = identities.by_web_identity(
        stage.ledger,
        rng,
        ROLE,
        "GitHubActions",
        identities.GITHUB,
        _SUBJECT,
        _RUNNER,
        GITHUB_AGENT,
        at,
    )
    runner = Session(minted.identity(), DEV, _RUNNER, GITHUB_AGENT)
    stage.say(rng, runner, calls.read("sts", "GetCallerIdentity"), at + 2)
    miner = Session(minted.identity(), DEV, _MINER, _CURL_LIKE)
    at += 300
    stage.say(rng, miner, calls.read("sts", "GetCallerIdentity"), at, "us-east-1")
    start = last = 0
    ran: list[str] = []
    for region in _REGIONS:
        at += rng.randrange(10, 40)
        quotas = calls.read("servicequotas", "ListServiceQuotas", serviceCode="ec2")
        stage.say(rng, miner, quotas, at, region)
        at += 5
        probe = _machines("g5.48xlarge", 1).failing(
            "Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set."
        )
        attempts = [probe]
        if region == "sa-east-1":
            attempts.append(
                _machines("p5.48xlarge", 4).failing(
                    "Client.VcpuLimitExceeded",
                    "You have requested more vCPU capacity than your current vCPU limit of 64 "
                    "allows for the instance bucket that the specified instance type belongs to.",
                )
            )
        else:
            started = [{"instanceId": f"i-0{hexadecimal(rng, 16)}"} for _ in range(2)]
            attempts.append(
                _machines("g5.48xlarge", 2, response={"instancesSet": {"items": started}})
            )
        for call in attempts:
            at += rng.randrange(4, 20)
            start = start or at
            last = at
            ran.append(stage.say(rng, miner, call, at, region)["eventID"])
    who = ROLE.session_arn("GitHubActions")
    stage.say(
        rng,
        miner,
        calls.ec2_denied(calls.write("ec2", "RequestSpotInstances"), who, 7),
        at + 15,
        "us-west-2",
    )
    finding = findings.Finding(
        "Impact:IAMUser/AnomalousBehavior",
        "The role github-plan invoked APIs in an anomalous way.",
        "APIs commonly used to start compute were invoked by AssumedRole : github-plan in "
        "Regions that this account does not use.",
        8.0,
        DEV,
        minted.key,
        f"{ROLE.id}:GitHubActions",
        ROLE.name,
        "AssumedRole",
        "RunInstances",
        "ec2.amazonaws.com",
        _MINER,
        iso(start),
        iso(last),
        len(ran),
        region="us-west-2",
        user_agent=_CURL_LIKE,
    )
    return [
        Plot(
            KEY,
            KEY,
            "Graphics machines started from a pull request",
            "A pipeline's role for planning starts the dearest machines in four Regions on a "
            "Saturday. Which workflow was given the credential?",
            "attack",
            findings.api(finding, rng),
            "GuardDuty GetFindings",
            ROLE,
            "GitHubActions",
            minted.key,
            start,
            last,
            _MINER,
            _CURL_LIKE,
            _CURL_LIKE,
            "ec2.amazonaws.com",
            "RunInstances",
            ran,
            {"type": "WebIdentityUser", "label": _SUBJECT, "arn": None},
            [hop(minted, "access_key")],
            session_created=None,
            notes=["Every workflow of the role has the same session name."],
        )
    ]
