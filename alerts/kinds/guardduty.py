"""A GuardDuty finding, in any spelling of its keys, as an `Alert`."""

from __future__ import annotations

import re
from dataclasses import replace

from alerts.account_of_key import account_of_key
from alerts.alert import Alert, Principal
from alerts.arns import assumed_role_arn, partition_of, principal_of_arn, role_arn
from alerts.draft import Draft
from alerts.json_place import NOWHERE, Place, first_text
from alerts.json_text import json_in
from trail.access_keys import is_access_key, is_stand_in
from trail.counted import counted
from trail.events import session_name_of
from trail.read.flat import undotted
from trail.read.place import join
from trail.read.tables import FLATTENED

_AUTHENTICATED = re.compile(
    r"(?:aws-iam-authenticator|heptio-authenticator-aws):(?P<account>\d{12}):(?P<id>A[A-Z0-9]{15,})"
)
"""The uid that EKS gives a Kubernetes user whom IAM vouched for."""


def is_flattened(place: Place) -> bool:
    """Whether it is a finding whose nested keys were made dotted ones, as Splunk does."""
    return any(isinstance(key, str) and FLATTENED.match(key) for key in place.value)


def nested_again(place: Place) -> Place:
    """The finding behind such a row."""
    matches = (FLATTENED.match(key) for key in place.value if isinstance(key, str))
    before = next((match["before"] for match in matches if match is not None), "")
    columns = {
        key.removeprefix(before): value
        for key, value in place.value.items()
        if isinstance(key, str) and key.startswith(before)
    }
    if all(isinstance(value, list) for value in columns.values()):  # Elastic's `fields`
        columns = {key: value[0] if len(value) == 1 else value for key, value in columns.items()}
    path = join(place.path, before.removesuffix(".")) if before else place.path
    return Place(undotted(columns), path)


def is_sentinel_row(place: Place) -> bool:
    """Whether it is a row of Sentinel's AWSGuardDuty table, which has JSON in two columns."""
    return place.at("ResourceDetails").text is not None and (
        place.at("ServiceDetails").text is not None
    )


def sentinel_finding(place: Place) -> Place:
    """The finding behind such a row."""
    finding = dict(place.value)
    finding["type"] = place.at("ActivityType").text or place.at("Type").text
    for name, column in (("resource", "ResourceDetails"), ("service", "ServiceDetails")):
        finding[name] = json_in(place.at(column).text or "")
    for name, column in (("createdAt", "TimeCreated"), ("updatedAt", "TimeGenerated")):
        if place.at(column).text is not None:
            finding.setdefault(name, place.at(column).text)
    return Place(finding, place.path)


def read_finding(place: Place, shape: str) -> Alert:
    """The alert of the finding at `place`: principal, window and call as far as it has them."""
    draft = Draft()
    service = place.at("service")
    draft.take("id", place.at("id"), place.at("arn"))
    draft.take("finding_type", place.at("type"))
    draft.take("title", place.at("title"), place.at("type"))
    stated = (place.at("severity"), place.at("severity", "code"))  # the code is Elastic's
    draft.take("severity", *stated, read=lambda found: found.severity)
    draft.take_account(place.at("accountId"), account_in(place.at("arn")))
    draft.take("region", place.at("region"))
    note_sample(draft, _is_sample(place))
    seen = service.at("event")  # Elastic's, too
    draft.take_times(
        [service.at("eventFirstSeen"), seen.at("firstSeen")],
        [service.at("eventLastSeen"), seen.at("lastSeen")],
    )
    _take_call(draft, service.at("action"))
    if "user_agent" not in draft.fields:
        additional = _additional(service)
        draft.take("user_agent", *(found.at("userAgent", "fullUserAgent") for found in additional))
    partition = place.at("partition").text or partition_of(draft.fields.get("region"))
    sequence = service.at("detection", "sequence")
    is_sequence = place.at("resource", "resourceType").text == "AttackSequence" or (
        sequence.is_object
    )
    if is_sequence:
        # A key of the resource may be another than those of the sequence's actors: each is kept.
        _add_key_of(draft, place.at("resource", "accessKeyDetails"), partition)
        read_sequence(draft, sequence, partition, place.at("description"), place.at("title"))
    else:
        _read_resource(draft, place.at("resource"), partition)
    if "first_seen" not in draft.fields:
        draft.fall_back_on(
            [place.at("createdAt"), place.at("updatedAt")],
            "when GuardDuty created the finding, or last updated it",
        )
    return draft.alert("guardduty", shape, place.value)


def note_sample(draft: Draft, sample: bool) -> None:
    """Marks the alert as a generated sample, or as none."""
    draft.fields["sample"] = sample
    if sample:
        draft.note(
            "This is a sample finding that AWS generated: its key, principal, call and address "
            "are placeholders, and nothing is looked up for them."
        )


def is_placeholder(place: Place) -> bool:
    return (place.text or "").startswith("GeneratedFinding")


def _take_call(draft: Draft, action: Place) -> None:
    call = action.at("awsApiCallAction")
    draft.take("event_name", call.at("api"))
    draft.take("event_source", call.at("serviceName"))
    draft.take("error_code", call.at("errorCode"))
    draft.take("user_agent", call.at("userAgent"))
    remote = call.at("remoteIpDetails")
    if draft.take("source_ip_address", remote.at("ipAddressV4"), remote.at("ipAddressV6")):
        return
    if (domain := call.at("domainDetails", "domain").text) is not None:
        draft.note(f"The caller is given as a domain, not as an address: {domain}.")
    for kind, words in (
        ("kubernetesApiCallAction", "a Kubernetes API call"),
        ("rdsLoginAttemptAction", "a database login"),
        ("networkConnectionAction", "a network connection"),
        ("portProbeAction", "a port probe"),
    ):
        remote = action.at(kind, "remoteIpDetails")
        if kind == "portProbeAction":
            probes = action.at(kind, "portProbeDetails").items()
            remote = probes[0].at("remoteIpDetails") if probes else remote
        listed = [*action.at(kind, "sourceIps").items(), *action.at(kind, "sourceIPs").items()]
        far_end = (remote.at("ipAddressV4"), remote.at("ipAddressV6"), *listed)
        if draft.take("source_ip_address", *far_end):
            draft.note(f"The address is the far end of {words}: it need not have called AWS's API.")
            return


def _additional(service: Place) -> list[Place]:
    """The additional information: an object, and what the API's form holds as JSON text."""
    additional = service.at("additionalInfo")
    value = additional.at("value")
    inner = json_in(value.text) if value.text else None
    return [additional] if inner is None else [additional, value.inside(inner)]


def _is_sample(place: Place) -> bool:
    """Whether GuardDuty says so, or has its placeholders where only GuardDuty writes.

    Names, tags and user agents do not count: whoever chooses them could hide a real finding.
    """
    if (place.at("title").text or "").startswith("[SAMPLE]"):
        return True
    if any(found.at("sample").is_true for found in _additional(place.at("service"))):
        return True
    details = place.at("resource", "accessKeyDetails")
    action = place.at("service", "action")
    written_by_guardduty = [details.at("accessKeyId"), details.at("principalId")]
    for kind in ("awsApiCallAction", "networkConnectionAction"):
        organization = action.at(kind, "remoteIpDetails", "organization")
        written_by_guardduty += [organization.at(name) for name in ("isp", "org", "asnOrg")]
    return any(map(is_placeholder, written_by_guardduty))


def _read_resource(draft: Draft, resource: Place, partition: str) -> None:
    account = draft.fields.get("account_id")
    if _add_key_of(draft, resource.at("accessKeyDetails"), partition):
        return
    instance = resource.at("instanceDetails")
    profile = instance.at("iamInstanceProfile", "arn")
    if instance.at("instanceId").text is not None:
        add_instance_principal(draft, instance.at("instanceId"), profile, account)
        return
    function = resource.at("lambdaDetails")
    if (role := function.at("role")).text is not None:
        add_workload(draft, role, function.at("functionName"), "Lambda function", "name", account)
        return
    task = resource.at("ecsClusterDetails", "taskDetails")
    if (task_arn := task.at("arn")).text is not None:
        _add_task(draft, task_arn, first_text([task.at("taskRoleArn"), task.at("roleArn")]))
        return
    user = resource.at("kubernetesDetails", "kubernetesUserDetails")
    if user.at("username").text is not None:
        _add_kubernetes_user(draft, user, account)
        return
    draft.note("The finding names no AWS identity: give the principal to look for.")


def _add_kubernetes_user(draft: Draft, user: Place, account: str | None) -> None:
    """Adds whom a Kubernetes user is in IAM, where the cluster says so: its name may be an ARN, and
    its uid has the account and the id that the authenticator saw (§7.2)."""
    name, uid = user.at("username"), user.at("uid")
    named = next((item for item in user.at("sessionName").items() if item.text), NOWHERE)
    known = _AUTHENTICATED.fullmatch(uid.text or "")
    principal = principal_of_arn(name.text or "")
    session = (principal.session_name if principal is not None else None) or named.text
    if principal is None and known is not None:
        by_role = known["id"].startswith("AROA")
        principal = Principal(
            "AssumedRole" if by_role else "IAMUser",
            session_name=session if by_role else None,
            account_id=known["account"],
        )
    if principal is None:
        draft.add_principal(
            Principal("Unknown", session_name=session, user_name=name.text, account_id=account),
            user_name=name.path,
        )
        draft.note(
            "The principal is a Kubernetes user: which IAM identity it stands for is set in the "
            "cluster's access entries."
        )
        return
    is_same = known is not None and principal.account_id in (None, known["account"])
    if known is not None and is_same:
        by_session = known["id"].startswith("AROA") and session is not None
        whole = f"{known['id']}:{session}" if by_session else known["id"]
        principal = replace(principal, principal_id=whole)
    draft.add_principal(
        replace(
            principal,
            type="AssumedRole" if principal.role_arn else principal.type,
            session_name=session if principal.role_arn else principal.session_name,
        ),
        arn=name.path,
        role_arn=name.path,
        principal_id=uid.path,
        session_name=named.path if named.text == session else name.path,
    )
    draft.note("The principal is the IAM identity that the cluster knows its Kubernetes user by.")


def _add_key_of(draft: Draft, details: Place, partition: str) -> bool:
    """Adds whom a finding's access key details name; False if they name nobody."""
    told = [details.at(name) for name in ("accessKeyId", "principalId", "userName")]
    if not details.is_object or not first_text(told).text:
        return False
    add_key_principal(
        draft,
        kind=details.at("userType"),
        name=details.at("userName"),
        principal_id=details.at("principalId"),
        key=details.at("accessKeyId"),
        account=draft.fields.get("account_id"),
        partition=partition,
    )
    return bool(draft.principals)


def account_in(arn: Place) -> Place:
    """The place of the account id in an ARN, for a finding whose own is missing or masked."""
    parts = (arn.text or "").split(":", 5)
    return Place(parts[4] if len(parts) == 6 else None, arn.path)


def add_key_principal(
    draft: Draft,
    *,
    kind: Place,
    name: Place,
    principal_id: Place,
    key: Place,
    account: str | None,
    partition: str,
    created: Place = NOWHERE,
) -> None:
    """Adds the principal of an access key's details, with the ARN that they do not carry."""
    user_type = kind.text or "Unknown"
    if user_type == "AWSAccount" and account == draft.fields.get("account_id"):
        account = _callers_account(draft, principal_id, key)
    arn: str | None = None
    issuer: str | None = None
    session: str | None = None
    origins = {
        field: place.path
        for field, place in (("type", kind), ("principal_id", principal_id), ("access_key_id", key))
        if place.text is not None
    }
    if created.time is not None:
        origins["session_created"] = created.path
    sample = draft.fields.get("sample", False)
    told = (name.text, principal_id.text, key.text if sample or is_access_key(key.text) else None)
    if all(text is None or is_stand_in(text) for text in told) and user_type != "Root":
        if key.text is not None:
            draft.note_no_key(key.text)
        return
    placeholder = sample or is_stand_in(name.text)
    if is_stand_in(principal_id.text):
        draft.note_stand_in("principal id", principal_id.text)
        principal_id = replace(principal_id, value=None)
    user_name = name.text
    if user_type in ("AssumedRole", "Role"):
        session = session_name_of(principal_id.text)
        if name.text and account and not placeholder:
            issuer = role_arn(account, name.text, partition)
            origins["role_arn"] = f"{name.path}, with the finding's account id; its path is unknown"
            if session:
                arn = assumed_role_arn(account, name.text, session, partition)
        if name.text and not account and not placeholder:
            draft.note(f"The finding names the role {name.text}, and no account to look for it in.")
        user_name = None
        if session:
            origins["session_name"] = principal_id.path
    elif account and not placeholder:
        if user_type == "Root":
            arn = f"arn:{partition}:iam::{account}:root"
        elif user_type == "IAMUser" and name.text:
            arn = f"arn:{partition}:iam::{account}:user/{name.text}"
        elif user_type == "FederatedUser" and ":" in (principal_id.text or ""):
            federated = (principal_id.text or "").partition(":")[2]
            arn = f"arn:{partition}:sts::{account}:federated-user/{federated}"
    if user_name:
        origins["user_name"] = name.path
    if arn:
        origins["arn"] = "built from the account id, the name and the principal id"
        draft.note(
            "The finding carries no ARN: the principal's was built from its account id, "
            "name and principal id."
        )
        if user_type == "IAMUser":
            draft.note("If the IAM user has a path, the built ARN lacks it.")
    draft.add_principal(
        Principal(
            type=user_type,
            arn=arn,
            principal_id=principal_id.text,
            access_key_id=key.text,
            role_arn=issuer,
            session_name=session,
            session_created=created.time,
            user_name=user_name,
            account_id=account,
        ),
        **origins,
    )


def _callers_account(draft: Draft, principal_id: Place, key: Place) -> str | None:
    """The account of a caller of another account, which a finding does not name: as far as its id
    tells (§2.5), and never the finding's own."""
    if principal_id.account is not None:
        return principal_id.account
    account = account_of_key(principal_id.text) or account_of_key(key.text)
    if account is None or account == draft.fields.get("account_id"):
        draft.note(
            "The caller is of another account, which the finding does not name: only its id is"
            " looked for, and whether that account's logs are here cannot be told."
        )
        return None
    draft.note(
        f"The caller is of another account, which the finding does not name: by the caller's id it"
        f" is {account}."
    )
    return account


def add_instance_principal(
    draft: Draft, instance: Place, profile: Place, account: str | None
) -> None:
    """Adds the session that an instance's own credentials run under, if it has a profile."""
    if profile.text is None:
        draft.note(
            f"Instance {instance.text} has no instance profile in the finding, so no role's "
            "credentials to follow."
        )
        return
    parts = profile.text.split(":", 5)
    name = parts[-1].rsplit("/", 1)[-1]
    if len(parts) != 6 or not name:
        draft.note("The finding's instance profile is not an ARN: its role cannot be told.")
        return
    if draft.fields.get("sample", False):
        return
    partition, owner = parts[1] or "aws", account_in(profile).account or account
    if owner is None or is_stand_in(name):
        draft.note("The instance profile's account or name is masked: its role cannot be told.")
        return
    draft.add_principal(
        Principal(
            type="AssumedRole",
            arn=assumed_role_arn(owner, name, instance.text or "", partition),
            role_arn=role_arn(owner, name, partition),
            session_name=instance.text,
            account_id=owner,
        ),
        role_arn=profile.path,
        session_name=instance.path,
    )
    draft.note(
        f"Assumed: the instance's role is called {name}, as its instance profile is. The two "
        "names are usually equal, not always."
    )


def add_workload(
    draft: Draft, role: Place, session: Place, what: str, of_it: str, account: str | None
) -> None:
    parts = (role.text or "").split(":", 5)
    name = parts[-1].rsplit("/", 1)[-1]
    owner = account_in(role).account
    if owner is None or is_stand_in(name) or not parts[5].startswith("role/"):
        draft.note(f"The role of the {what} is not given as an ARN: correct it before running.")
        draft.add_principal(
            Principal("AssumedRole", session_name=session.text, account_id=account),
            session_name=session.path,
        )
        return
    draft.add_principal(
        Principal(
            type="AssumedRole",
            arn=assumed_role_arn(owner, name, session.text, parts[1]) if session.text else None,
            role_arn=role.text,
            session_name=session.text,
            account_id=owner,
        ),
        role_arn=role.path,
        session_name=session.path,
    )
    draft.note(f"Assumed: the {what}'s session is called by its {of_it}, as AWS calls it.")


def _add_task(draft: Draft, task: Place, role: Place) -> None:
    parts = (task.text or "").split(":", 5)
    task_id = Place(parts[-1].rsplit("/", 1)[-1], task.path)
    account = account_in(task).account or draft.fields.get("account_id")
    if role.text is not None:
        add_workload(draft, role, task_id, "ECS task", "id", account)
        return
    draft.add_principal(
        Principal("AssumedRole", session_name=task_id.text, account_id=account),
        session_name=task.path,
    )
    draft.note(
        "Assumed: the task's session is called by the task's id. The finding does not say which "
        "role the task has."
    )


_DESCRIBED = re.compile(
    r"\b(IAMUser|AssumedRole|Role|Root|FederatedUser|AWSAccount|AWSService)/([\w+=,.@/-]*[\w+=@])"
    r"(?:\s+with\s+principalId\s+([\w:+=,.@-]+))?(?:\s+in\s+account\s+(\d{12}))?"
)
"""How AWS names the identity in an attack sequence's description, and in its title."""


def read_sequence(
    draft: Draft, sequence: Place, partition: str, description: Place, title: Place
) -> None:
    """Adds each actor of an attack sequence; without any, whom its description or title names."""
    named_before = len(draft.principals)
    for actor in sequence.at("actors").items():
        user = actor.at("user")
        if not user.is_object:
            continue
        account = user.at("account", "uid").account or draft.fields.get("account_id")
        created = actor.at("session", "createdTime")
        add_key_principal(
            draft,
            kind=user.at("type"),
            name=user.at("name"),
            principal_id=user.at("uid"),
            key=user.at("credentialUid"),
            account=account,
            partition=partition,
            created=created,
        )
    if len(draft.principals) == named_before:
        _add_described(draft, description, title, partition)
    if len(draft.principals) > 1:
        draft.note(f"The attack sequence names {counted(len(draft.principals), 'principal')}.")
    elif not draft.principals:
        draft.note("The attack sequence names no AWS identity: give the principal to look for.")
    _take_sequence_call(draft, sequence)


def _add_described(draft: Draft, description: Place, title: Place, partition: str) -> None:
    for place in (description, title):
        match = _DESCRIBED.search(place.text or "")
        if match is None:
            continue
        role, _, session = match[2].partition("/")
        # AWS names a role session by its role or by its session's own name. The id tells which,
        # unless they are the same: no ARN is made of a name that may be either.
        is_the_sessions = not session and role == session_name_of(match[3])
        add_key_principal(
            draft,
            kind=Place(match[1], place.path),
            name=Place(None if is_the_sessions else role, place.path),
            principal_id=Place(match[3], place.path),
            key=NOWHERE,
            account=match[4] or draft.fields.get("account_id"),
            partition=partition,
        )
        draft.note(f"The finding has no actors: who it is about was read from its {place.path}.")
        return


def _take_sequence_call(draft: Draft, sequence: Place) -> None:
    addresses = [end.at("ip") for end in sequence.at("endpoints").items() if end.at("ip").text]
    if addresses and "source_ip_address" not in draft.fields:
        draft.take("source_ip_address", *addresses)
        if len({address.text for address in addresses}) > 1:
            every = ", ".join(sorted({address.text or "" for address in addresses}))
            draft.note(f"The attack sequence has several addresses; the first is used: {every}.")
    signals = sequence.at("signals").items()
    calls = [
        activity.at("api")
        for signal in signals
        for activity in signal.at("activities").items()
        if activity.at("api", "operation").text
    ]
    if calls and "event_name" not in draft.fields:
        draft.take("event_name", calls[0].at("operation"))
        draft.take("event_source", calls[0].at("service"))
        draft.take("user_agent", calls[0].at("userAgent"))
        if len(names := {call.at("operation").text or "" for call in calls}) > 1:
            every = ", ".join(sorted(names))
            draft.note(f"The attack sequence has several calls; the first is used: {every}.")
    times = [
        (signal.at(name).time, signal.at(name).path)
        for signal in signals
        for name in ("firstSeenAt", "lastSeenAt")
    ]
    known = sorted((time, path) for time, path in times if time is not None)
    if known and "first_seen" not in draft.fields:
        draft.put("first_seen", *known[0])
        draft.put("last_seen", *known[-1])
