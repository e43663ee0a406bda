"""What is used at the owner's cost: mail, models, and the limits that were raised for them.

Fields by SES's, Bedrock's and Service Quotas' API references.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, last_part, named
from alerts.content.plain import plainly
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.quoted import short

KINDS = {
    "mail_unlimited": "Sending mail was switched on, or the limits of a new account were lifted.",
    "mail_identity": "An address or domain was set up to send mail from.",
    "model_access": "Access to a model was asked for or opened.",
    "limit_raised": "A higher limit was asked for.",
}

_MAIL = ("T1496.004",)
_MAIL_AND_MODELS = "T1496.004"


def _details(call: Call) -> Iterator[ContentSign]:
    if call.said("productionAccessEnabled", True):
        yield ContentSign(
            "mail_unlimited", "for", False,
            "PutAccountDetails asked for mail without the limits of a new account (out of the"
            " sandbox).",
            _MAIL, about="mail",
        )  # fmt: skip


def _sending(call: Call) -> Iterator[ContentSign]:
    if call.said("enabled", True) or call.said("sendingEnabled", True):
        yield ContentSign(
            "mail_unlimited", "for", False, f"{call.name} switched sending mail on.", _MAIL,
            about="mail",
        )  # fmt: skip


def _model(call: Call) -> Iterator[ContentSign]:
    model = call.given("modelId") or call.given("foundationModelId")
    about = named("model", last_part(model)) if model else "models"
    yield ContentSign(
        "model_access", "for", False, f"{call.name} asked for or opened access to {about}.",
        ("T1496.004",), about=about,
    )  # fmt: skip


def _limit(call: Call) -> Iterator[ContentSign]:
    service, quota = call.given("serviceCode"), call.given("quotaCode")
    wanted = call.given("desiredValue")
    about = f"quota {short(quota)} of {short(service)}"
    yield ContentSign(
        "limit_raised", "for", False,
        f"RequestServiceQuotaIncrease asked for more of {about}"
        f"{f': {short(wanted, 20)}' if wanted else ''}.",
        ("T1496.001",), about=about,
    )  # fmt: skip


READERS: Readers = readers(
    ("ses", "PutAccountDetails", _details),
    ("ses", "UpdateAccountSendingEnabled PutAccountSendingAttributes", _sending),
    ("ses", "CreateEmailIdentity VerifyEmailIdentity VerifyDomainIdentity",
     plainly("mail_identity", "set up", "sender", "emailIdentity", "emailAddress", "domain",
             "identity", techniques=_MAIL_AND_MODELS)),
    ("bedrock", "PutUseCaseForModelAccess PutFoundationModelEntitlement"
     " CreateFoundationModelAgreement", _model),
    ("servicequotas", "RequestServiceQuotaIncrease", _limit),
)  # fmt: skip
