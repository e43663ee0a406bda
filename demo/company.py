"""The company: its accounts, people, roles, networks. Nothing here exists outside this demo.

Networks are the documentation ranges of RFC 5737 and RFC 3849, split so that a reader can tell
them apart: 198.51.100.0/24 the company's offices, homes and NAT gateways; 192.0.2.0/24 AWS's and
other cloud providers' machines; 203.0.113.0/24 the rest of the world; 10.0.0.0/8 inside a VPC.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo.ids import long_term_key, named_guid, named_hexadecimal, unique_id

ORGANIZATION = "o-exampleorg1"
HOME_REGION = "eu-west-1"
SECOND_REGION = "eu-central-1"
GLOBAL_REGION = "us-east-1"

MANAGEMENT = "111122223333"
SECURITY = "222233334444"
PROD = "444455556666"
STAGING = "555566667777"
DEV = "777788889999"
DATA = "888899990000"
ACCOUNTS = {
    MANAGEMENT: "management",
    SECURITY: "security",
    PROD: "prod",
    STAGING: "staging",
    DEV: "dev",
    DATA: "data",
}
VENDOR = "333322221111"
"""A monitoring vendor's account: its own logs are not ours to see."""
STRANGER = "999900001111"
"""An account of nobody we know."""

IDENTITY_STORE = f"arn:aws:identitystore::{MANAGEMENT}:identitystore/d-93exampl01"
OFFICE = "198.51.100.10"
VPN = "198.51.100.11"
BUILD_SERVER = "198.51.100.40"
NAT = {
    MANAGEMENT: "198.51.100.201",
    SECURITY: "198.51.100.202",
    PROD: "198.51.100.204",
    STAGING: "198.51.100.205",
    DEV: "198.51.100.207",
    DATA: "198.51.100.208",
}
BROWSERS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/145.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/145.0.0.0 Safari/537.36",
)
CLI_MAC = (
    "aws-cli/2.33.7 md/awscrt#0.31.1 ua/2.1 os/macos#25.3.0 md/arch#arm64 lang/python#3.13.11 "
    "md/pyimpl#CPython m/E,b,Z,AD cfg/retry-mode#standard md/installer#exe md/prompt#off"
)
CLI_LINUX = (
    "aws-cli/2.31.22 md/awscrt#0.28.4 ua/2.1 os/linux#6.14.0-37-generic md/arch#x86_64 "
    "lang/python#3.13.9 md/pyimpl#CPython m/E,b,Z,AD cfg/retry-mode#standard md/installer#exe "
    "md/prompt#off"
)
CLI_WINDOWS = (
    "aws-cli/2.32.1 md/awscrt#0.29.1 ua/2.1 os/windows#11 md/arch#amd64 lang/python#3.13.9 "
    "md/pyimpl#CPython m/E,b,AD cfg/retry-mode#standard md/installer#exe md/prompt#off"
)
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) "
    "terraform-provider-aws/6.19.0 (+https://registry.terraform.io/providers/hashicorp/aws) "
    "aws-sdk-go-v2/1.39.4 ua/2.1 os/linux lang/go#1.24.8 md/GOOS#linux md/GOARCH#amd64 "
    "api/ec2#1.257.2 m/E,i"
)
BOTO3 = (
    "Boto3/1.42.9 md/Botocore#1.42.9 ua/2.1 os/linux#6.14.0-37-generic md/arch#x86_64 "
    "lang/python#3.12.3 md/pyimpl#CPython m/D,Z,b cfg/retry-mode#legacy Botocore/1.42.9"
)


@dataclass(frozen=True)
class Role:
    """An IAM role. Its path is in `arn` and never in the ARN of its sessions."""

    account: str
    name: str
    path: str = "/"

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    @property
    def id(self) -> str:
        return unique_id("AROA", self.account, self.name)

    def session_arn(self, session_name: str) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{session_name}"


@dataclass(frozen=True)
class User:
    """An IAM user, with the long-term key that programs use."""

    account: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:user/{self.name}"

    @property
    def id(self) -> str:
        return unique_id("AIDA", self.account, self.name)

    @property
    def key(self) -> str:
        return long_term_key(self.account, self.name)


@dataclass(frozen=True)
class Person:
    """Somebody who signs in through IAM Identity Center."""

    name: str
    homes: tuple[str, ...]
    """The addresses that they work from when they are not in the office, the usual one first."""
    browser: str
    cli: str
    grants: tuple[tuple[str, str], ...]
    """(account, permission set) pairs, the most used first."""
    away_since: str | None = None
    """From this time on the person travels, and works from the last of the homes."""

    @property
    def mail(self) -> str:
        return f"{self.name}@example.com"

    @property
    def user_id(self) -> str:
        return named_guid(f"identity-store:{self.name}")


def permission_set_role(account: str, permission_set: str) -> Role:
    """The role that Identity Center reserves for a permission set in an account."""
    tail = named_hexadecimal(f"sso:{account}:{permission_set}", 16)
    path = f"/aws-reserved/sso.amazonaws.com/{HOME_REGION}/"
    return Role(account, f"AWSReservedSSO_{permission_set}_{tail}", path)


def service_linked_role(account: str, service: str, name: str) -> Role:
    """`AWSServiceRoleFor…` under its service's path."""
    return Role(account, f"AWSServiceRoleFor{name}", f"/aws-service-role/{service}/")


def instance_id(account: str, name: str) -> str:
    """The id of the instance that the company calls `name`."""
    return f"i-0{named_hexadecimal(f'instance:{account}:{name}', 16)}"


ADMIN, POWER, READ, ANALYST, AUDIT, BILLING = (
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "DataAnalyst",
    "SecurityAudit",
    "Billing",
)
_MAC, _WINDOWS, _LINUX = BROWSERS

MAYA = Person(
    "maya.ortiz",
    ("198.51.100.21", "203.0.113.45"),
    _MAC,
    CLI_MAC,
    ((PROD, ADMIN), (STAGING, ADMIN), (MANAGEMENT, READ)),
    "2026-03-19T00:00:00Z",
)
TOM = Person(
    "tom.ashby", ("198.51.100.23",), _WINDOWS, CLI_WINDOWS, ((DATA, POWER), (STAGING, READ))
)
PRIYA = Person("priya.nair", ("198.51.100.24",), _MAC, CLI_MAC, ((DATA, ADMIN), (DEV, POWER)))
PEOPLE = (
    MAYA,
    TOM,
    PRIYA,
    Person("jonas.weber", ("198.51.100.22",), _LINUX, CLI_LINUX, ((DEV, POWER), (STAGING, READ))),
    Person(
        "lena.fischer",
        ("198.51.100.25", "2001:db8:25::14"),
        _LINUX,
        CLI_LINUX,
        ((SECURITY, ADMIN), (PROD, AUDIT), (MANAGEMENT, AUDIT)),
    ),
    Person("sam.okafor", ("198.51.100.26",), _MAC, CLI_MAC, ((PROD, POWER), (STAGING, ADMIN))),
    Person("ines.duarte", ("2001:db8:27::9",), _MAC, CLI_MAC, ((DEV, POWER), (PROD, READ))),
    Person("kenji.mori", ("198.51.100.28",), _WINDOWS, CLI_WINDOWS, ((DATA, ANALYST),)),
    Person("ruth.cole", ("198.51.100.29",), _WINDOWS, CLI_WINDOWS, ((MANAGEMENT, BILLING),)),
    Person("omar.haddad", ("198.51.100.30",), _LINUX, CLI_LINUX, ((DEV, POWER), (STAGING, POWER))),
    Person("alice.byrne", ("198.51.100.31",), _MAC, CLI_MAC, ((STAGING, POWER), (DEV, READ))),
    Person("felix.lund", ("203.0.113.18",), _LINUX, CLI_LINUX, ((DEV, POWER),)),
)

NOAH = User(MANAGEMENT, "noah.petrov")
"""From before Identity Center: signs in to the console and switches into other accounts."""
BREAK_GLASS = User(MANAGEMENT, "break-glass-example")
CI_LEGACY = User(DEV, "ci-legacy-deployer")
MODEL_USER = User(DATA, "svc-summaries")
OPS_SWITCH = Role(PROD, "OpsSwitchAdmin")
WEB = Role(PROD, "shop-web-instance")
"""The role of the public web servers' instance profile."""
