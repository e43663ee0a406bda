"""Ordinary work: the people, pipelines, machines and services of thirty days.

Every routine has a share of the events. A day gives it a budget, by the rhythm of the week; it
spends the budget on whole sessions (the mint, then the calls), so that a small demo has fewer
sessions and not broken ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from demo import calls, identities
from demo.calls import Menu
from demo.company import (
    ADMIN,
    ANALYST,
    AUDIT,
    BILLING,
    BOTO3,
    BREAK_GLASS,
    BROWSERS,
    BUILD_SERVER,
    CI_LEGACY,
    DATA,
    DEV,
    HOME_REGION,
    MANAGEMENT,
    NAT,
    NOAH,
    OFFICE,
    OPS_SWITCH,
    PEOPLE,
    PROD,
    READ,
    SECOND_REGION,
    SECURITY,
    STAGING,
    VENDOR,
    VPN,
    WEB,
    Person,
    Role,
    instance_id,
    service_linked_role,
)
from demo.identities import Minted
from demo.ids import guid, named_hexadecimal, unique_id
from demo.ledger import Ledger
from demo.records import Call, Session, build, iso

DAY, HOUR = 86_400, 3_600
_WORKDAY = [0] * 6 + [1, 3, 8, 10, 10, 8, 6, 9, 10, 9, 7, 4, 2, 1, 1, 1, 0, 0]
_AROUND_THE_CLOCK = [4, 3, 3, 3, 3, 4, 5, 6, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 7, 6, 5]


def moment(day: int, rng: Random, hours: Sequence[float]) -> int:
    """A second of the day (seconds since 1970 at its midnight), by the hours' weights."""
    hour = rng.choices(range(24), weights=hours)[0]
    return day + hour * HOUR + rng.randrange(HOUR)


def spread(
    ledger: Ledger,
    rng: Random,
    session: Session,
    menu: Menu,
    start: int,
    seconds: int,
    count: int,
    *,
    regions: Sequence[str] = (HOME_REGION,),
) -> None:
    """`count` of the menu's calls by one session, over so many seconds."""
    for call in calls.choose(menu, count, rng):
        at = start + rng.randrange(1, max(seconds, 2))
        region = regions[0] if len(regions) == 1 or rng.random() < 0.9 else rng.choice(regions)
        ledger.emit(at, build(session, call, at, region, rng))


def people_menu(account: str, permission_set: str, *, console: bool) -> Menu:
    """What a person does with a permission set."""
    if permission_set == ANALYST:
        return calls.analyst(account)
    if permission_set == BILLING:
        return calls.bookkeeper(account)
    if permission_set in (AUDIT, READ):
        return calls.crawler(account)
    return calls.console_pages(account) if console else calls.developer(account)


class Routine(ABC):
    """Some ordinary work with its share of all events."""

    share: ClassVar[float]
    weekend: ClassVar[float] = 1.0
    """How much of a working day's work is done on a Saturday or Sunday."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"{seed}:routine:{type(self).__name__}")
        self._carried = 0.0

    def live(self, ledger: Ledger, day: int, budget: float) -> None:
        """Spend one day's budget; what is left or overspent is carried to the next."""
        self._carried += budget
        while self._carried >= 1:
            before = ledger.emitted
            wanted = self.one_session(ledger, day, int(self._carried))
            self._carried -= ledger.emitted - before
            if not wanted:
                break

    @abstractmethod
    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        """Write one session of the day; false when the day has had enough."""


class Staff(Routine):
    """People through IAM Identity Center, in the console or on the command line."""

    share, weekend = 0.16, 0.06

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        person = rng.choice(PEOPLE)
        grant = rng.choices(person.grants, weights=range(2 * len(person.grants), 0, -2))[0]
        work(
            ledger,
            rng,
            person,
            grant,
            moment(day, rng, _WORKDAY),
            whereabouts(person, day, rng),
            rng.randint(12, 70),
        )
        return True


def whereabouts(person: Person, day: int, rng: Random) -> str:
    """Where a person works from on a day: a journey, the office, the VPN, home."""
    draw = rng.random()
    if person.away_since and iso(day) >= person.away_since:
        return person.homes[-1]
    return OFFICE if draw < 0.45 else VPN if draw < 0.53 else person.homes[0]


def work(
    ledger: Ledger,
    rng: Random,
    person: Person,
    grant: tuple[str, str],
    at: int,
    ip: str,
    count: int,
    *,
    console: bool | None = None,
) -> tuple[Minted, Session]:
    """One sitting of a person in an account; gives its mint and its session."""
    account, permission_set = grant
    if console is None:
        console = permission_set in (ANALYST, BILLING) or rng.random() < 0.5
    minted, session = identities.by_identity_center(
        ledger, rng, person, account, permission_set, at, ip, console=console
    )
    menu = people_menu(account, permission_set, console=console)
    regions = (HOME_REGION, SECOND_REGION) if permission_set == ADMIN else (HOME_REGION,)
    length = rng.randrange(900, 7_200)
    spread(ledger, rng, session, menu, at + 2, length, count, regions=regions)
    return minted, session


class OldConsoleUser(Routine):
    """The IAM user who signs in to the console and switches into production."""

    share, weekend = 0.006, 0.0

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        at = moment(day, rng, _WORKDAY)
        if rng.random() < 0.1:
            ledger.emit(at - 25, failed_login(NOAH.name, at - 25, rng, OFFICE))
        _, session = identities.user_console(ledger, rng, NOAH, at, OFFICE, BROWSERS[1])
        spread(ledger, rng, session, calls.console_pages(MANAGEMENT), at + 5, 400, 12)
        _, switched = identities.switch_role(ledger, rng, session, OPS_SWITCH, at + 420)
        spread(ledger, rng, switched, calls.console_pages(PROD), at + 425, 2_400, 25)
        return True


def failed_login(name: str, at: int, rng: Random, ip: str) -> dict[str, object]:
    """A console login with a wrong password."""
    identity = {
        "type": "IAMUser",
        "principalId": unique_id("AIDA", MANAGEMENT, name),
        "accountId": MANAGEMENT,
        "accessKeyId": "",
        "userName": name,
    }
    record = identities.console_login(
        Session(identity, MANAGEMENT, ip, BROWSERS[1]), at, rng, mfa="No"
    )
    record["errorMessage"] = "Failed authentication"
    record["responseElements"] = {"ConsoleLogin": "Failure"}
    return record


class BreakGlass(Routine):
    """The emergency user, tried out on every fourth Tuesday."""

    share, weekend = 0.0, 0.0

    def live(self, ledger: Ledger, day: int, budget: float) -> None:
        if (day // DAY) % 28 == _DRILL:
            rng = self.rng
            at = day + 13 * HOUR + 120
            _, session = identities.user_console(ledger, rng, BREAK_GLASS, at, OFFICE, BROWSERS[2])
            spread(ledger, rng, session, calls.console_pages(MANAGEMENT), at + 5, 300, 9)

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        return False


_DRILL = (1_772_496_000 // DAY) % 28  # 2026-03-03

_REPOSITORIES = (
    ("shop-api", STAGING, "github-deploy"),
    ("shop-api", PROD, "github-deploy"),
    ("shop-web", STAGING, "github-deploy"),
    ("shop-web", PROD, "github-deploy"),
    ("data-jobs", DATA, "github-deploy"),
    ("sandbox", DEV, "github-plan"),
)


class Pipelines(Routine):
    """GitHub Actions through OIDC: a role, a repository and its main branch."""

    share, weekend = 0.10, 0.12

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        repository, account, role = rng.choice(_REPOSITORIES)
        deploy(ledger, rng, repository, account, role, moment(day, rng, _WORKDAY))
        return True


GITHUB_AGENT = (
    "aws-sdk-js/3.922.0 ua/2.1 os/linux#6.11.0-1018-azure lang/js md/nodejs#24.11.1 "
    "api/sts#3.922.0 m/E,N configure-aws-credentials-for-github-actions"
)


def deploy(
    ledger: Ledger,
    rng: Random,
    repository: str,
    account: str,
    role_name: str,
    at: int,
    count: int | None = None,
) -> None:
    """One workflow run on the main branch."""
    ip = f"192.0.2.{rng.randrange(64, 128)}"
    subject = f"repo:example-org/{repository}:ref:refs/heads/main"
    minted = identities.by_web_identity(
        ledger,
        rng,
        Role(account, role_name),
        "GitHubActions",
        identities.GITHUB,
        subject,
        ip,
        GITHUB_AGENT,
        at,
    )
    session = Session(minted.identity(), account, ip, calls_agent(rng))
    spread(ledger, rng, session, calls.pipeline(account), at + 3, 500, count or rng.randint(15, 45))
    if count is None and rng.random() < 0.4:  # CloudFormation works on with the pipeline's identity
        stack = Session(minted.identity(), account, ip, "", service="cloudformation.amazonaws.com")
        spread(ledger, rng, stack, calls.pipeline(account), at + 60, 400, 8)


def calls_agent(rng: Random) -> str:
    """What a workflow calls AWS with."""
    return rng.choice((BOTO3, BOTO3, _RUNNER_CLI, _RUNNER_CLI, _RUNNER_CLI))


_RUNNER_CLI = (
    "aws-cli/2.31.35 md/awscrt#0.28.4 ua/2.1 os/linux#6.11.0-1018-azure md/arch#x86_64 "
    "lang/python#3.13.9 md/pyimpl#CPython m/E,b,Z exec-env/GitHubActions cfg/retry-mode#standard"
)


class OldBuildServer(Routine):
    """The build server with a long-term key that nobody has retired."""

    share, weekend = 0.02, 0.3

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        at = moment(day, self.rng, _WORKDAY)
        legacy_build(ledger, self.rng, at, self.rng.randint(6, 14))
        return True


LEGACY_AGENT = (
    "aws-cli/1.42.60 md/Botocore#1.40.60 ua/2.1 os/linux#5.15.0-161-generic md/arch#x86_64 "
    "lang/python#3.10.12 md/pyimpl#CPython m/b cfg/retry-mode#legacy botocore/1.40.60"
)


def legacy_build(ledger: Ledger, rng: Random, at: int, count: int) -> None:
    """One build on the old server."""
    session = Session(identities.user_identity(CI_LEGACY), DEV, BUILD_SERVER, LEGACY_AGENT)
    spread(ledger, rng, session, calls.legacy_build(DEV), at, 600, count)


Mint = Callable[[Ledger, Random, Role, str, int], Minted]


@dataclass(frozen=True)
class Workload:
    """Machines of one kind: how they are named, how they get credentials, what they call."""

    role: Role
    members: int
    mint: Mint
    name: Callable[[int, int, Random], str]
    """(member, day, rng) → the session name."""
    menu: Menu
    ip: Callable[[int], str]
    agent: str
    hours: int
    """How long a credential is used before the next is fetched."""
    vpc_endpoint: str | None = None
    weight: float = 1.0
    ec2_role_delivery: str | None = None
    lambda_function: str | None = None


def vpc_endpoint(name: str) -> str:
    """The id of a VPC's endpoint for AWS's APIs."""
    return f"vpce-0{named_hexadecimal(f'vpce:{name}', 16)}"


def _ec2(ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
    return identities.by_service(ledger, rng, role, name, "ec2.amazonaws.com", at)


def _ecs(ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
    return identities.by_service(ledger, rng, role, name, "ecs-tasks.amazonaws.com", at)


def _lambda(ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
    return identities.by_service(
        ledger, rng, role, name, "lambda.amazonaws.com", at, duration=43_200
    )


def _irsa(ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
    return identities.by_web_identity(
        ledger,
        rng,
        role,
        name,
        identities.CLUSTER,
        "system:serviceaccount:payments:checkout",
        NAT[role.account],
        _POD_AGENT,
        at,
        duration=10_800,
    )


class PodIdentity:
    """The agent on a node asks with the node's credential; STS mints for the service."""

    def __init__(self) -> None:
        self._nodes: dict[int, Minted] = {}

    def __call__(self, ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
        quarter = at - at % (6 * HOUR)
        if quarter not in self._nodes:
            node = Role(role.account, "example-eks-node")
            name_of_node = instance_id(role.account, "eks-node-1")
            self._nodes[quarter] = _ec2(ledger, rng, node, name_of_node, quarter)
        asked = Call(
            "eks-auth",
            "AssumeRoleForPodIdentity",
            params={"clusterName": "example", "token": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        )
        identity = self._nodes[quarter].identity(ec2RoleDelivery="2.0")
        agent = Session(identity, role.account, "10.4.3.21", _POD_AGENT)
        ledger.emit(at, build(agent, asked, at, HOME_REGION, rng))
        return identities.by_service(
            ledger,
            rng,
            role,
            name,
            "pods.eks.amazonaws.com",
            at,
            tags=[
                {"key": "eks-cluster-name", "value": "example"},
                {"key": "kubernetes-namespace", "value": "search"},
                {"key": "kubernetes-service-account", "value": "indexer"},
            ],
            transitiveTagKeys=["eks-cluster-name", "kubernetes-namespace"],
        )


def _config(ledger: Ledger, rng: Random, role: Role, name: str, at: int) -> Minted:
    return identities.by_service(
        ledger, rng, role, name, "config.amazonaws.com", at, duration=14_400
    )


_POD_AGENT = "aws-sdk-go-v2/1.39.6 ua/2.1 os/linux lang/go#1.25.3 md/GOOS#linux md/GOARCH#amd64"
_ECS_AGENT = (
    "aws-sdk-java/2.38.2 md/io#async md/http#NettyNio ua/2.1 os/Linux#6.1.155 lang/java#21.0.9 "
    "md/OpenJDK_64-Bit_Server_VM exec-env/AWS_ECS_FARGATE m/D,N"
)
_LAMBDA_AGENT = (
    "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.245-266.974.amzn2.x86_64 "
    "md/arch#x86_64 lang/python#3.13.8 md/pyimpl#CPython exec-env/AWS_Lambda_python3.13 "
    "m/D,Z,b cfg/retry-mode#legacy Botocore/1.40.4"
)
WEB_AGENT = (
    "aws-sdk-go-v2/1.38.1 ua/2.1 os/linux lang/go#1.24.6 md/GOOS#linux md/GOARCH#amd64 exec-env/EC2"
)


def _instances(role: Role, kind: str) -> Callable[[int, int, Random], str]:
    return lambda member, day, rng: instance_id(role.account, f"{kind}-{member + 1}")


def _workloads() -> tuple[Workload, ...]:
    worker = Role(DATA, "batch-worker-instance")
    shop = Role(PROD, "example-shop-task")
    shop_staging = Role(STAGING, "example-shop-task")
    checkout = Role(PROD, "eks-checkout")
    indexer = Role(PROD, "eks-indexer")
    config = [
        Workload(
            service_linked_role(account, "config.amazonaws.com", "Config"),
            1,
            _config,
            lambda member, day, rng: "configLambdaExecution",
            calls.crawler(account),
            lambda member: "config.amazonaws.com",
            "config.amazonaws.com",
            4,
            weight=1.1,
        )
        for account in (MANAGEMENT, SECURITY, PROD, STAGING, DEV, DATA)
    ]
    functions = [
        Workload(
            Role(account, f"{function}-role"),
            1,
            _lambda,
            lambda member, day, rng, function=function: function,  # type: ignore[misc]
            calls.container(account),
            lambda member, n=n: f"192.0.2.{140 + n}",  # type: ignore[misc]
            _LAMBDA_AGENT,
            8,
            weight=0.8,
            lambda_function=function,
        )
        for n, (account, function) in enumerate(
            (
                (PROD, "example-thumbnails"),
                (PROD, "example-mail"),
                (PROD, "example-refunds"),
                (STAGING, "example-thumbnails"),
                (DATA, "example-ingest"),
                (DEV, "example-scratch"),
            )
        )
    ]
    return (
        Workload(
            WEB,
            4,
            _ec2,
            _instances(WEB, "web"),
            calls.web_server(PROD),
            lambda member: f"10.4.1.{20 + member}",
            WEB_AGENT,
            6,
            vpc_endpoint=vpc_endpoint("prod"),
            weight=4.5,
            ec2_role_delivery="1.0",
        ),
        Workload(
            worker,
            3,
            _ec2,
            _instances(worker, "worker"),
            calls.batch_worker(DATA),
            lambda member: NAT[DATA],
            BOTO3,
            6,
            weight=4.0,
            ec2_role_delivery="2.0",
        ),
        Workload(
            shop,
            3,
            _ecs,
            lambda member, day, rng: named_hexadecimal(f"task:{member}:{day}", 32),
            calls.container(PROD),
            lambda member: NAT[PROD],
            _ECS_AGENT,
            6,
            weight=3.5,
        ),
        Workload(
            shop_staging,
            1,
            _ecs,
            lambda member, day, rng: named_hexadecimal(f"staging:{member}:{day}", 32),
            calls.container(STAGING),
            lambda member: NAT[STAGING],
            _ECS_AGENT,
            6,
            weight=1.5,
        ),
        Workload(
            checkout,
            2,
            _irsa,
            lambda member, day, rng: f"botocore-session-{day + rng.randrange(DAY)}",
            calls.container(PROD),
            lambda member: NAT[PROD],
            _POD_AGENT,
            3,
            weight=2.0,
        ),
        Workload(
            indexer,
            2,
            PodIdentity(),
            lambda member, day, rng: identities.pod_session("example", "indexer-7c9", rng),
            calls.batch_worker(PROD),
            lambda member: f"10.4.3.{40 + member}",
            _POD_AGENT,
            6,
            vpc_endpoint=vpc_endpoint("prod"),
            weight=2.0,
        ),
        *functions,
        *config,
    )


class Machines(Routine):
    """Instances, tasks, pods, functions and Config: all around the clock."""

    share = 0.52

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._workloads = _workloads()
        self._weights = [one.weight * one.members for one in self._workloads]
        self._owed = [0.0] * len(self._workloads)

    def live(self, ledger: Ledger, day: int, budget: float) -> None:
        for n, workload in enumerate(self._workloads):
            self._owed[n] += budget * self._weights[n] / sum(self._weights)
            self._owed[n] -= self._one_day(ledger, day, workload, int(self._owed[n]))

    def _one_day(self, ledger: Ledger, day: int, workload: Workload, budget: int) -> int:
        """Each member fetches its credentials through the day and uses them."""
        before = ledger.emitted
        per_credential = 5
        credentials = 24 // workload.hours
        members = min(workload.members, budget // (per_credential * credentials) or 1)
        each = budget // (members * credentials)
        if each < 2:
            credentials, each = 1, budget
        if each < 2:
            return 0
        for member in range(members):
            name = workload.name(member, day, self.rng)
            for n in range(credentials):
                jitter = self.rng.randrange(1_200)
                at = day + n * workload.hours * HOUR + jitter
                until = day + (n + 1) * workload.hours * HOUR
                minted = workload.mint(ledger, self.rng, workload.role, name, at)
                session = machine_session(workload, minted, member)
                count = round(each * _busy(n * workload.hours, workload.hours)) - 1
                spread(ledger, self.rng, session, workload.menu, at + 1, until - at, max(count, 1))
        return ledger.emitted - before

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        return False


def _busy(hour: int, hours: int) -> float:
    """How busy the shop is in these hours, compared with the whole day."""
    part = _AROUND_THE_CLOCK[hour : hour + hours]
    return sum(part) / len(part) / (sum(_AROUND_THE_CLOCK) / 24)


def machine_session(workload: Workload, minted: Minted, member: int) -> Session:
    """How a machine's credential shows on its calls."""
    delivery = workload.ec2_role_delivery
    identity = minted.identity(**({"ec2RoleDelivery": delivery} if delivery else {}))
    if workload.lambda_function:
        identity |= identities.lambda_scope(workload.role, workload.lambda_function)
    ip = workload.ip(member)
    if ip.endswith(".amazonaws.com"):
        identity["invokedBy"] = ip
    return Session(
        identity, workload.role.account, ip, workload.agent, vpc_endpoint=workload.vpc_endpoint
    )


class Auditor(Routine):
    """The security account's function, which assumes a role in every account each hour."""

    share = 0.07

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._turn = 0

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        at = moment(day, rng, _AROUND_THE_CLOCK) + 300
        role = Role(SECURITY, "example-audit-role")
        minted = _lambda(ledger, rng, role, "example-audit", at - 300)
        identity = minted.identity() | identities.lambda_scope(role, "example-audit")
        caller = Session(identity, SECURITY, "192.0.2.170", _LAMBDA_AGENT)
        targets = (PROD, STAGING, DEV, DATA, MANAGEMENT)
        account = targets[self._turn % len(targets)]
        self._turn += 1
        audited = identities.by_caller(
            ledger, rng, caller, Role(account, "SecurityAuditRole"), "example-audit", at
        )
        session = Session(audited.identity(), account, "192.0.2.170", _LAMBDA_AGENT)
        spread(ledger, rng, session, calls.crawler(account), at + 1, 240, 24)
        return True


class Vendor(Routine):
    """The monitoring company, from an account of its own."""

    share = 0.08

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        account = rng.choice((PROD, PROD, STAGING, DATA))
        at = moment(day, rng, _AROUND_THE_CLOCK)
        ip = f"192.0.2.{rng.randrange(200, 204)}"
        agent = "Boto3/1.41.2 md/Botocore#1.41.2 ua/2.1 os/linux#6.8.0 lang/python#3.12.11"
        role = Role(account, "ExampleMonitoringIntegration")
        minted = identities.by_stranger(
            ledger,
            rng,
            VENDOR,
            f"{unique_id('AROA', VENDOR, 'crawler')}:example-crawler",
            ip,
            agent,
            role,
            "ExampleMonitoring",
            at,
            externalId=named_hexadecimal(f"external:{account}", 32),
        )
        session = Session(minted.identity(), account, ip, agent)
        spread(
            ledger,
            rng,
            session,
            calls.crawler(account),
            at + 1,
            500,
            30,
            regions=(HOME_REGION, SECOND_REGION),
        )
        return True


class Services(Routine):
    """What AWS does by itself: autoscaling, trails, keys, support."""

    share = 0.05
    _NAMES: ClassVar = (
        ("autoscaling.amazonaws.com", "AutoScaling", "AutoScaling"),
        ("support.amazonaws.com", "Support", "AWSSupport"),
        ("access-analyzer.amazonaws.com", "AccessAnalyzer", "access-analyzer"),
        ("resource-explorer-2.amazonaws.com", "ResourceExplorer", "resource-explorer"),
    )

    def one_session(self, ledger: Ledger, day: int, left: int) -> bool:
        rng = self.rng
        account = rng.choice((PROD, PROD, PROD, STAGING, DEV, DATA, SECURITY, MANAGEMENT))
        at = moment(day, rng, _AROUND_THE_CLOCK)
        if rng.random() < 0.5:
            self._trail_delivery(ledger, account, at)
            return True
        service, name, session_name = rng.choice(self._NAMES)
        role = service_linked_role(account, service, name)
        minted = identities.by_service(ledger, rng, role, session_name, service, at, duration=3_600)
        identity = minted.identity() | {"invokedBy": service}
        session = Session(identity, account, service, service)
        spread(ledger, rng, session, calls.crawler(account), at, 120, rng.randint(3, 9))
        return True

    def _trail_delivery(self, ledger: Ledger, account: str, at: int) -> None:
        service = "cloudtrail.amazonaws.com"
        session = Session({"type": "AWSService", "invokedBy": service}, account, service, service)
        for call in (
            calls.read("s3", "GetBucketAcl", bucketName="example-org-trail"),
            calls.write("kms", "GenerateDataKey", keySpec="AES_256"),
        ):
            record = build(session, call, at, HOME_REGION, self.rng)
            record["sharedEventID"] = guid(self.rng)
            ledger.emit(at, record)


def routines(seed: int) -> tuple[Routine, ...]:
    """All ordinary work, in the order in which a day lives it."""
    return (
        Staff(seed),
        OldConsoleUser(seed),
        BreakGlass(seed),
        Pipelines(seed),
        OldBuildServer(seed),
        Machines(seed),
        Auditor(seed),
        Vendor(seed),
        Services(seed),
    )
