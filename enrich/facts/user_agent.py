"""What a user agent says of the tool behind it, and a normal form to compare by (§4.3).

A user agent is chosen by the caller. Its normal form keeps the tool, major and minor version,
operating system, language and execution environment: command suffixes, patch versions and
kernels change every few days and would make "new" agents out of nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class UserAgent:
    """The parts that could be read; null where the agent does not say."""

    tool: str
    """ "AWS CLI", "boto3", "Terraform", "Firefox", …; else the first product's own name."""
    kind: str
    """`sdk`, `console`, `browser`, `service`, `attack`, `transfer`, `http`, `other`."""
    version: str | None = None
    os: str | None = None
    language: str | None = None
    environment: str | None = None
    """`exec-env`: CloudShell, EC2, AWS_Lambda_python3.12, …"""
    command: str | None = None
    """The operation that AWS CLI v2 names: "s3.cp"."""

    @property
    def normal_form(self) -> str:
        """ "AWS CLI 2.15 · Linux · python 3.11 · CloudShell"."""
        name = self.tool if self.version is None else f"{self.tool} {self.version}"
        parts = (name, self.os, self.language, self.environment)
        return " · ".join(part for part in parts if part)


# First hit wins, the specific before the generic; matched without regard to case.
_TOOLS: tuple[tuple[str, str, str], ...] = (
    (r"stratus-red-team_[\w-]*", "Stratus Red Team", "attack"),
    (r"trufflehog(?:/(?P<v>[\d.]+))?", "TruffleHog", "attack"),
    (r"pacu(?:/(?P<v>[\d.]+))?\b", "Pacu", "attack"),
    (r"gitleaks|detect-secrets|keyhacks", "leaked-key check", "attack"),
    (r"s3 ?browser(?:/| )?(?P<v>[\d.]+)?", "S3 Browser", "transfer"),
    (r"scout ?suite(?:/(?P<v>[\d.]+))?", "ScoutSuite", "attack"),
    (r"prowler(?:/(?P<v>[\d.]+))?|apn_1826889", "Prowler", "attack"),
    (r"terraform-provider-aws/(?P<v>[\d.]+)", "Terraform", "sdk"),
    (r"hashicorp/1\.0 terraform/(?P<v>[\d.]+)", "Terraform", "sdk"),
    (r"opentofu(?:/(?P<v>[\d.]+))?", "OpenTofu", "sdk"),
    (r"pulumi(?:/(?P<v>[\d.]+))?", "Pulumi", "sdk"),
    (r"aws-cdk(?:/(?P<v>[\d.]+))?", "AWS CDK", "sdk"),
    (r"ansible(?:/(?P<v>[\d.]+))?", "Ansible", "sdk"),
    (r"steampipe|turbot", "Steampipe", "sdk"),
    (r"cloudquery|cartography|cloudmapper", "inventory", "sdk"),
    (r"cyberduck/(?P<v>[\d.]+)|mountain duck", "Cyberduck", "transfer"),
    (r"winscp(?:/(?P<v>[\d.]+))?", "WinSCP", "transfer"),
    (r"filezilla(?:/(?P<v>[\d.]+))?", "FileZilla", "transfer"),
    (r"rclone/v?(?P<v>[\d.]+)", "rclone", "transfer"),
    (r"s3fs/(?P<v>[\d.]+)|s3cmd(?:/(?P<v2>[\d.]+))?|s5cmd|minio|hadoop", "S3 tool", "transfer"),
    (r"awslogs", "awslogs", "sdk"),
    (r"aws-mcp\.amazonaws\.com", "AWS MCP proxy", "service"),
    (r"aws-toolkit-for-[\w-]+|kiro|amazonq|vscode", "IDE", "sdk"),
    (r"kubectl/v?(?P<v>[\d.]+)", "kubectl", "sdk"),
    (r"eksctl/v?(?P<v>[\d.]+)", "eksctl", "sdk"),
    (r"\bhelm/v?(?P<v>[\d.]+)", "Helm", "sdk"),
    (r"aws-vault|leapp|saml2aws|gimme-aws-creds", "credential broker", "sdk"),
    (r"amazon-ssm-agent/(?P<v>[\d.]+)", "SSM agent", "service"),
    (r"\b(?:wiz|datadog|lacework|orca)\b", "vendor scanner", "sdk"),
    (r"s3console/(?P<v>[\d.]+)|console\.[\w.-]*amazonaws\.com", "AWS console", "console"),
    (r"signin\.amazonaws\.com|aws signin,|aws-console-mobile", "AWS console", "console"),
    (r"jersey/\$\{project\.version\}", "Identity Center portal", "console"),
    (r"aws-internal/\d+|^aws internal|coral/netty\d*", "AWS internal", "service"),
    (r"^[\w-]+(?:\.[\w-]+)*\.amazonaws\.com(?:\.cn)?$", "AWS service", "service"),
    (r"awspowershell(?:\.netcore|\.common)?/(?P<v>[\d.]+)", "PowerShell", "sdk"),
    (r"aws-cli/(?P<v>[\d.]+)", "AWS CLI", "sdk"),
    (r"boto3/(?P<v>[\d.]+)", "boto3", "sdk"),
    (r"botocore/(?P<v>[\d.]+)", "botocore", "sdk"),
    (r"aws-sdk-go-v2/(?P<v>[\d.]+)", "AWS SDK Go v2", "sdk"),
    (r"aws-sdk-go/(?P<v>[\d.]+)", "AWS SDK Go", "sdk"),
    (r"aws-sdk-java/(?P<v>[\d.]+)", "AWS SDK Java", "sdk"),
    (r"aws-sdk-kotlin/(?P<v>[\d.]+)", "AWS SDK Kotlin", "sdk"),
    (r"aws-sdk-(?:js|nodejs)/(?P<v>[\d.]+)", "AWS SDK JavaScript", "sdk"),
    (r"aws-sdk-php\d?/(?P<v>[\d.]+)", "AWS SDK PHP", "sdk"),
    (r"aws-sdk-ruby\d?/(?P<v>[\d.]+)", "AWS SDK Ruby", "sdk"),
    (r"aws-sdk-dotnet[\w-]*/(?P<v>[\d.]+)", "AWS SDK .NET", "sdk"),
    (r"aws-sdk-rust/(?P<v>[\d.]+)", "AWS SDK Rust", "sdk"),
    (r"aws-sdk-cpp/(?P<v>[\d.]+)", "AWS SDK C++", "sdk"),
    (r"aws-sdk-swift/(?P<v>[\d.]+)", "AWS SDK Swift", "sdk"),
    (r"^mozilla/", "Browser", "browser"),
    (r"python-requests/(?P<v>[\d.]+)", "python-requests", "http"),
    (r"\bcurl/(?P<v>[\d.]+)", "curl", "http"),
    (r"go-http-client/(?P<v>[\d.]+)", "Go HTTP client", "http"),
    (r"okhttp/(?P<v>[\d.]+)", "okhttp", "http"),
)
_COMPILED = tuple((re.compile(p, re.IGNORECASE), tool, kind) for p, tool, kind in _TOOLS)

_SYSTEMS: tuple[tuple[str, str], ...] = (
    (r"kali", "Kali Linux"),
    (r"parrot", "Parrot Linux"),
    (r"pentoo", "Pentoo Linux"),
    (r"os/macos|darwin|mac os x|macintosh|\bosx\b", "macOS"),
    (r"os/windows|windows", "Windows"),
    (r"android", "Android"),
    (r"iphone|ipad|\bios\b", "iOS"),
    (r"linux", "Linux"),
)
_SYSTEMS_COMPILED = tuple((re.compile(p, re.IGNORECASE), name) for p, name in _SYSTEMS)

_ENVIRONMENT = re.compile(r"exec-env/([\w.+-]+)", re.IGNORECASE)
_LANGUAGE = re.compile(
    r"lang/(?P<name>[\w.+-]+)#v?(?P<v>\d+(?:\.\d+)?)"
    r"|\b(?P<name1>Python)/(?P<v1>\d+(?:\.\d+)?)"
    r"|\b(?P<name2>go|ruby|php|Java)/?(?:go)?(?P<v2>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"(?:md/command#|\bcommand/)([\w.-]+)", re.IGNORECASE)
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")),
)


@lru_cache(maxsize=4096)
def parse_user_agent(text: str) -> UserAgent:
    """The tool and its surroundings. Any text has an answer: an unknown tool is its first word."""
    agent = text.strip()
    if agent.startswith("[") and agent.endswith("]"):
        agent = agent[1:-1].strip()
    if agent.lower().startswith("mozilla/"):
        return _browser(agent)
    tool, kind, version = _tool(agent)
    environment = _ENVIRONMENT.search(agent)
    if kind in ("service", "console"):
        return UserAgent(tool, kind)
    command = _COMMAND.search(agent)
    return UserAgent(
        tool,
        kind,
        _major_minor(version),
        _system(agent),
        _language(agent),
        environment[1] if environment else None,
        command[1] if command else None,
    )


def normal_form(text: str) -> str:
    """The form in which two user agents of the same tool and machine are equal."""
    return parse_user_agent(text).normal_form


def _tool(agent: str) -> tuple[str, str, str | None]:
    for pattern, tool, kind in _COMPILED:
        found = pattern.search(agent)
        if found is None:
            continue
        if tool == "AWS service":
            return agent.lower(), kind, None
        versions = found.groupdict()
        return tool, kind, versions.get("v") or versions.get("v2")
    first = re.match(r"([^\s/]+)(?:/v?([\d.]+))?", agent)
    return (first[1][:80], "other", first[2]) if first else ("none", "other", None)


def _browser(agent: str) -> UserAgent:
    for name, pattern in _BROWSERS:
        if pattern.search(agent) is not None:
            # Browsers renew themselves every month: the version would be news without meaning.
            return UserAgent(name, "browser", os=_system(agent))
    return UserAgent("Browser", "browser", os=_system(agent))


def _system(agent: str) -> str | None:
    return next((name for pattern, name in _SYSTEMS_COMPILED if pattern.search(agent)), None)


def _language(agent: str) -> str | None:
    found = _LANGUAGE.search(agent)
    if found is None:
        return None
    name = found["name"] or found["name1"] or found["name2"]
    return f"{name.lower()} {found['v'] or found['v1'] or found['v2']}"


def _major_minor(version: str | None) -> str | None:
    if not version:
        return None
    return ".".join([part for part in version.split(".") if part][:2]) or None
