"""Detection and guard rails: switched off, blinded, left.

GuardDuty, Config, Security Hub, Macie, Access Analyzer, WAF, CloudWatch alarms, and the
organization's policies; fields by their API references.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, last_part, listing, named, texts_at, values_at
from alerts.content.plain import plainly
from alerts.content.readers import Reader, Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "detection_off": "A detector was deleted or switched off, or accounts were taken out of it.",
    "detection_on": "A detector was switched on.",
    "detection_blinded": "Findings are hidden, or addresses trusted, or a part is switched off.",
    "organization_left": "The account left its organization, or was taken out of it.",
    "guard_rail_removed": "A policy of the organization no longer limits an account.",
    "account_invited": "An account was asked into the organization.",
    "region_enabled": "A Region was opened in which nobody may look.",
}

_OFF = "T1562.001"


def _detector(call: Call) -> Iterator[ContentSign]:
    about = named("detector", call.given("detectorId"))
    off = sorted(
        {
            name
            for feature in values_at(call.request, "features")
            if next(texts_at(feature, "status"), "").upper() == "DISABLED"
            for name in texts_at(feature, "name")
        }
    )
    if call.said("enable", False):
        yield ContentSign(
            "detection_off", "for", True, f"UpdateDetector switched {about} off.", (_OFF,),
            about=about,
        )  # fmt: skip
    elif off:
        yield ContentSign(
            "detection_blinded", "for", False,
            f"UpdateDetector switched parts of {about} off: {listing(off)}.", (_OFF,), about=about,
        )  # fmt: skip
    elif call.said("enable", True):
        yield ContentSign(
            "detection_on", "against", False, f"{call.name} has {about} switched on.", about=about
        )


def _filter(call: Call) -> Iterator[ContentSign]:
    if call.given("action").upper() != "ARCHIVE":
        return
    about = named("filter", call.given("name") or call.given("filterName"))
    fields = sorted(_criteria(call))
    told = f" (by {listing(fields)})" if fields else ""
    yield ContentSign(
        "detection_blinded", "for", False,
        f"{call.name} has GuardDuty archive findings unseen: {about}{told}.", (_OFF,), about=about,
    )  # fmt: skip


def _criteria(call: Call) -> set[str]:
    return {
        key
        for criterion in values_at(call.request, "findingCriteria.criterion")
        if isinstance(criterion, dict)
        for key in list(criterion)[:50]
    }


def _trusted(call: Call) -> Iterator[ContentSign]:
    if not call.said("activate", True):
        return
    about = named("address list", call.given("name") or call.given("ipSetId"))
    where = call.given("location")
    yield ContentSign(
        "detection_blinded", "for", False,
        f"{call.name} has GuardDuty trust the addresses of {about}"
        f"{f', kept at {last_part(where)}' if where else ''}.",
        (_OFF,), about=about,
    )  # fmt: skip


def _off(verb: str, thing: str, *paths: str, grave: bool = True) -> Reader:
    return plainly("detection_off", verb, thing, *paths, techniques=_OFF, grave=grave)


READERS: Readers = readers(
    ("guardduty", "UpdateDetector CreateDetector", _detector),
    ("guardduty", "CreateFilter UpdateFilter", _filter),
    ("guardduty", "CreateIPSet UpdateIPSet", _trusted),
    ("guardduty", "DeleteDetector", _off("deleted", "detector", "detectorId")),
    ("guardduty", "DisassociateFromMasterAccount DisassociateFromAdministratorAccount",
     _off("took this account from GuardDuty's administrator, detector", "detector", "detectorId")),
    ("guardduty", "StopMonitoringMembers DeleteMembers DisassociateMembers",
     _off("took from GuardDuty's watch", "account", "accountIds")),
    ("guardduty", "DeletePublishingDestination",
     _off("stopped the export of findings of", "detector", "detectorId", grave=False)),
    ("securityhub", "DisableSecurityHub", _off("switched off", "Security Hub")),
    ("securityhub", "BatchDisableStandards",
     _off("switched off standards of", "Security Hub", grave=False)),
    ("config", "StopConfigurationRecorder",
     _off("stopped", "configuration recorder", "configurationRecorderName")),
    ("config", "DeleteConfigurationRecorder",
     _off("deleted", "configuration recorder", "configurationRecorderName")),
    ("config", "DeleteDeliveryChannel",
     _off("deleted", "delivery channel", "deliveryChannelName")),
    ("config", "DeleteConfigRule",
     _off("deleted", "configuration rule", "configRuleName", grave=False)),
    ("macie2", "DisableMacie", _off("switched off", "Macie")),
    ("access-analyzer", "DeleteAnalyzer", _off("deleted", "analyzer", "analyzerName")),
    ("inspector2", "Disable", _off("switched off", "Inspector")),
    ("detective", "DeleteGraph", _off("deleted", "behaviour graph", "graphArn")),
    ("wafv2 waf waf-regional", "DeleteWebACL",
     _off("deleted", "web firewall", "name", "webACLId", grave=False)),
    ("monitoring", "DeleteAlarms DisableAlarmActions",
     _off("silenced", "alarm", "alarmNames", grave=False)),
    ("events", "DisableRule DeleteRule", _off("stopped", "event rule", "name", grave=False)),
    ("organizations", "LeaveOrganization",
     plainly("organization_left", "took the account out of", "its organization",
             techniques="T1666", grave=True)),
    ("organizations", "RemoveAccountFromOrganization",
     plainly("organization_left", "took out of the organization", "account", "accountId",
             techniques="T1666", grave=True)),
    ("organizations", "DetachPolicy",
     plainly("guard_rail_removed", "lifted a policy of the organization from", "target",
             "targetId", techniques="T1666", grave=True)),
    ("organizations", "DeletePolicy",
     plainly("guard_rail_removed", "deleted", "policy", "policyId", techniques="T1666",
             grave=True, tail=" of the organization")),
    ("organizations", "DisablePolicyType",
     plainly("guard_rail_removed", "switched off policies of", "type", "policyType",
             techniques="T1666", grave=True, tail=" in the organization")),
    ("organizations", "InviteAccountToOrganization",
     plainly("account_invited", "asked into the organization", "account", "target.id",
             techniques="T1136.003")),
    ("account", "EnableRegion",
     plainly("region_enabled", "opened", "Region", "regionName", techniques="T1535")),
)  # fmt: skip
