"""Machines: start-up code, many or costly ones, and ways of running commands on them.

Fields by EC2's and Systems Manager's API references. User data itself is masked in CloudTrail, so
that only its change is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from alerts.content.call import Call, last_part, listing, named, texts_at, values_at
from alerts.content.plain import plainly, things
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.counted import counted

KINDS = {
    "user_data_changed": "The start-up code of an instance was replaced.",
    "machines_costly": "GPU or very large machines were started.",
    "machines_many": "Many machines were started at once.",
    "remote_command": "Commands were run on instances.",
    "remote_shell": "A shell or tunnel to an instance was opened.",
    "ssh_key_pushed": "An SSH key was pushed to an instance.",
    "serial_console_open": "The account's serial consoles were opened.",
    "instance_role_changed": "An instance was given another role.",
}

MANY = 10
"""Machines of one call that are many."""
_GPU = re.compile(r"(?:p[2-9]|g[3-9]|gr\d|inf\d|trn\d|vt\d|dl\d)[a-z0-9-]*\.", re.I)
_LARGE = re.compile(r"[a-z0-9-]+\.(?:(?:[89]|[1-9]\d+)xlarge|metal(?:-\d+xl)?)", re.I)


def _started(call: Call) -> Iterator[ContentSign]:
    kinds = sorted(set(call.all_given("instanceType", "instancesSet.instanceType")))
    started = len(list(values_at(call.response, "instancesSet.instanceId")))
    asked = sum(
        int(text) for text in texts_at(call.request, "instancesSet.maxCount") if text.isdigit()
    )
    number = started or min(asked, 100_000)
    machines = counted(number, "machine")
    of = f" of type {listing(kinds)}" if kinds else ""
    about = f"{machines}{of}"
    gpu = [one for one in kinds if _GPU.match(one)]
    large = [one for one in kinds if _LARGE.fullmatch(one)]
    region = call.text_of("aws_region")
    where = f" in {region}" if re.fullmatch(r"[a-z0-9-]{5,25}", region) else ""
    if gpu or large:
        yield ContentSign(
            "machines_costly",
            "for",
            False,
            f"RunInstances started {machines}{of}{where}: {'GPU' if gpu else 'very large'}"
            " machines.",
            ("T1496.001", "T1578.002"),
            about=about,
        )
    elif number >= MANY:
        yield ContentSign(
            "machines_many",
            "for",
            False,
            f"RunInstances started {machines}{of}{where} with one call.",
            ("T1496.001", "T1578.002"),
            about=about,
        )


def _instance_attribute(call: Call) -> Iterator[ContentSign]:
    has_data = next(values_at(call.request, "userData"), None) is not None
    if not has_data and call.given("attribute") != "userData":
        return
    about = named("instance", call.given("instanceId"))
    yield ContentSign(
        "user_data_changed",
        "for",
        True,
        f"ModifyInstanceAttribute replaced the start-up code (user data) of {about}.",
        ("T1578", "T1059.009"),
        about=about,
    )


def _command(call: Call) -> Iterator[ContentSign]:
    about = things(call, "instance", "instanceIds")
    if not call.given("instanceIds"):
        tags = [
            f"{key}={listing(list(texts_at(target, 'values')), 2)}"
            for target in values_at(call.request, "targets")
            for key in texts_at(target, "key")
        ]
        about = f"instances with {listing(tags)}" if tags else "instances"
    document = last_part(call.given("documentName"))
    yield ContentSign(
        "remote_command",
        "for",
        False,
        f"SendCommand ran {named('document', document)} on {about}.",
        ("T1651",),
        about=about,
    )


READERS: Readers = readers(
    ("ec2", "RunInstances", _started),
    ("ec2", "ModifyInstanceAttribute", _instance_attribute),
    ("ssm", "SendCommand", _command),
    ("ssm", "StartSession",
     plainly("remote_shell", "opened a session on", "instance", "target",
             techniques="T1651 T1021.007")),
    ("ec2-instance-connect", "SendSSHPublicKey",
     plainly("ssh_key_pushed", "pushed an SSH key to", "instance", "instanceId",
             techniques="T1021.004 T1098.004")),
    ("ec2-instance-connect", "SendSerialConsoleSSHPublicKey",
     plainly("ssh_key_pushed", "pushed an SSH key to the serial console of", "instance",
             "instanceId", techniques="T1021.004 T1021.008", grave=True)),
    ("ec2", "EnableSerialConsoleAccess",
     plainly("serial_console_open", "opened the serial consoles of", "the account's instances",
             techniques="T1021.008", grave=True)),
    ("ec2", "AssociateIamInstanceProfile",
     plainly("instance_role_changed", "gave a role to", "instance",
             "AssociateIamInstanceProfileRequest.InstanceId", "instanceId",
             techniques="T1548.005")),
    ("ec2", "ReplaceIamInstanceProfileAssociation",
     plainly("instance_role_changed", "gave another role to the instance of", "association",
             "ReplaceIamInstanceProfileAssociationRequest.AssociationId", "associationId",
             techniques="T1548.005")),
)  # fmt: skip
