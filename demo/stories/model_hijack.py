"""A program's key is stolen and sold: somebody else's questions are put to the models."""

from __future__ import annotations

from typing import Any

from demo import calls, findings, identities
from demo.company import ADMIN, BOTO3, DATA, MODEL_USER, NAT, PRIYA, SECOND_REGION
from demo.records import Call, Session, iso, spelled
from demo.routines import HOUR
from demo.stories.stage import DAY, Stage, moment
from demo.truth import Hop, Plot, hop

KEY = "model-hijack"
WATCHED = (MODEL_USER.id,)
_THIEVES = ("203.0.113.120", "203.0.113.121")
_AGENT = (
    "Boto3/1.34.144 md/Botocore#1.34.144 ua/2.0 os/linux#5.15.0-1064-kvm md/arch#x86_64 "
    "lang/python#3.10.12 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.144"
)
_MODELS = ("example.large-v2:0", "example.opus-like-v1:0")
_OWN_MODEL = "example.small-v1:0"


def _invoke(model: str, name: str = "InvokeModel") -> Call:
    return Call("bedrock", name, params={"modelId": model})


def _key_is_made(stage: Stage) -> list[Hop]:
    """A person makes the program its key, by the book."""
    rng = stage.rng("birth")
    at = moment("2026-03-09T09:40:12")
    minted, session = identities.by_identity_center(
        stage.ledger, rng, PRIYA, DATA, ADMIN, at, PRIYA.homes[0], console=False
    )
    named = {"userName": MODEL_USER.name}
    stage.say(rng, session, calls.read("iam", "GetUser", **named), at + 60)
    made = stage.say(
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
                    "accessKeyId": MODEL_USER.key,
                    "status": "Active",
                    "createDate": spelled(at + 75),
                }
            },
        ),
        at + 75,
    )
    maker: dict[str, Any] = made["userIdentity"]
    born = Hop(
        made["eventID"],
        "CreateAccessKey",
        iso(at + 75),
        "key_created",
        None,
        MODEL_USER.key,
        {
            "type": maker["type"],
            "arn": maker["arn"],
            "principal_id": maker["principalId"],
            "access_key_id": maker["accessKeyId"],
            "user_name": None,
            "invoked_by": None,
        },
    )
    return [born, hop(minted, "creation_date")]


def _ordinary_days(stage: Stage) -> None:
    rng = stage.rng("history")
    own = Session(identities.user_identity(MODEL_USER), DATA, NAT[DATA], BOTO3)
    for day in range(max(stage.start, moment("2026-03-10T00:00:00")), stage.end, DAY):
        at = day + 5 * HOUR + rng.randrange(900)
        for _ in range(stage.some(18)):
            at += rng.randrange(20, 120)
            stage.say(rng, own, _invoke(_OWN_MODEL), at, SECOND_REGION)


def tell(stage: Stage) -> list[Plot]:
    chain = _key_is_made(stage)
    _ordinary_days(stage)
    rng = stage.rng("attack")
    user = identities.user_identity(MODEL_USER)
    prober = Session(user, DATA, _THIEVES[0], _AGENT)
    start = at = moment("2026-03-27T21:30:19")
    stage.say(rng, prober, calls.read("sts", "GetCallerIdentity"), at - 40, "us-east-1")
    probed: list[str] = []
    for region in ("us-east-1", "us-west-2", "eu-central-1", "ap-southeast-2"):
        for model in _MODELS:
            allowed = region in ("us-east-1", "us-west-2")
            probe = (
                _invoke(model).failing(
                    "ValidationException",
                    "max_tokens_to_sample: -1 is not greater or equal to 1",
                )
                if allowed
                else _invoke(model).failing(
                    "AccessDeniedException",
                    "You don't have access to the model with the specified model ID.",
                )
            )
            at += rng.randrange(1, 6)
            probed.append(stage.say(rng, prober, probe, at, region)["eventID"])
    for call in (
        calls.read("bedrock", "ListFoundationModels"),
        calls.read("bedrock", "GetFoundationModelAvailability", modelId=_MODELS[0]),
        calls.denied(
            calls.read("bedrock", "GetModelInvocationLoggingConfiguration"), MODEL_USER.arn
        ),
        calls.denied(calls.write("bedrock", "PutUseCaseForModelAccess"), MODEL_USER.arn),
        calls.denied(calls.read("iam", "ListAttachedUserPolicies"), MODEL_USER.arn),
    ):
        at += rng.randrange(3, 25)
        stage.say(rng, prober, call, at, "us-east-1")
    for n in range(120):
        at += rng.randrange(4, 50)
        customer = Session(user, DATA, _THIEVES[n % 3 // 2], _AGENT)
        name = "InvokeModelWithResponseStream" if n % 4 == 3 else "InvokeModel"
        region = "us-east-1" if n % 5 else "us-west-2"
        event = stage.say(rng, customer, _invoke(_MODELS[n % 2], name), at, region)
        probed.append(event["eventID"])
    finding = findings.Finding(
        "Impact:IAMUser/AnomalousModelInvocation",
        "The user svc-summaries invoked foundation models in an anomalous way.",
        "Models were invoked by the user svc-summaries in Regions and from addresses that it "
        "does not usually use.",
        5.0,
        DATA,
        MODEL_USER.key,
        MODEL_USER.id,
        MODEL_USER.name,
        "IAMUser",
        "InvokeModel",
        "bedrock.amazonaws.com",
        _THIEVES[0],
        iso(start),
        iso(at),
        len(probed),
        region="us-east-1",
        user_agent=_AGENT,
        resource={"modelDetails": [{"modelId": model} for model in _MODELS]},
    )
    return [
        Plot(
            KEY,
            KEY,
            "Models asked on the company's bill",
            "The key of a program that summarises reviews probes models in Regions where it has "
            "never worked, then uses the dearest of them for an hour.",
            "attack",
            findings.camel(finding, rng),
            "GuardDuty S3 export",
            MODEL_USER,
            None,
            MODEL_USER.key,
            start,
            at,
            _THIEVES[0],
            _AGENT,
            _AGENT,
            "bedrock.amazonaws.com",
            "InvokeModel",
            probed,
            {"type": "IAMUser", "label": MODEL_USER.name, "arn": MODEL_USER.arn},
            chain,
            notes=[
                "The chain is the birth of the key: a person made it for the program. The user "
                "itself stays the origin; nobody assumed anything."
            ],
        )
    ]
