"""The kinds of worlds: each tells one story, with the others it may be mistaken for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.truth import aws
from bench.truth.world import Rec, Role, Session, Step, World

PEOPLE = ("alice", "bea", "carl", "dora", "emil", "fay", "gus", "hana")
NAMES = ("terraform", "session", "AWSCLI-Session", "deploy", "botocore-session-1773046800", "w")
ROLES = ("deployer", "admin", "reader", "OrganizationAccountAccessRole", "ops-power")

_NEAR = (-2, -1, 0, 0, 0, 1, 2)


def second(number: float) -> timedelta:
    return timedelta(seconds=number)


def minute(number: float) -> timedelta:
    """Minutes, in whole seconds: the logs know no finer time."""
    return timedelta(seconds=round(number * 60))


def users(world: World, number: int, account: str | None = None) -> list[Session]:
    return [world.user(name, account) for name in world.rng.sample(PEOPLE, number)]


def _apart(world: World) -> timedelta:
    """How far another mint of the same name is: often the same two seconds, else minutes."""
    rng = world.rng
    return second(rng.choice(_NEAR)) if rng.random() < 0.5 else minute(rng.uniform(-50, 50))


def rivals(world: World, role: Role, name: str, at: Any, account: str | None = None) -> None:
    """Others who assume the same role under the same name, at about that time."""
    for other in users(world, world.rng.choice((0, 1, 1, 2)), account):
        world.assume(other, role, name, at + _apart(world), seconds=_seconds(world))


def _seconds(world: World) -> int | None:
    return world.rng.choice((3600, 3600, 900, 43200, None))


# assumed by command line


def command_line(world: World) -> None:
    """Several people assume one role under one session name."""
    rng = world.rng
    role, name = world.role(rng.choice(ROLES)), rng.choice(NAMES)
    for person in users(world, rng.randint(2, 4)):
        for _ in range(rng.randint(1, 2)):
            at = world.start + minute(rng.uniform(0, 90))
            world.assume(person, role, name, at, seconds=_seconds(world))
    world.busy()


def same_second(world: World) -> None:
    """Two callers make a session of the same name in the same two seconds."""
    rng = world.rng
    role, name = world.role(rng.choice(ROLES)), rng.choice(NAMES)
    first, second_one = users(world, 2)
    at = world.start + minute(rng.uniform(5, 60))
    world.assume(first, role, name, at)
    world.assume(second_one, role, name, at + second(rng.choice(_NEAR)))
    if rng.random() < 0.4:
        world.assume(first, role, name, at + second(rng.choice(_NEAR)))
    world.busy()


def script(world: World) -> None:
    """A script that assumes its role twice a second, from one address."""
    rng = world.rng
    role, name = world.role("deployer"), "deploy"
    person = world.user(rng.choice(PEOPLE))
    at = world.start + minute(5)
    for number in range(rng.randint(2, 5)):
        world.assume(person, role, name, at + second(number // 2))
    rivals(world, role, name, at)
    world.busy(most=2)


def nat(world: World) -> None:
    """Colleagues behind one address, with one role and one session name."""
    world.nat = world.nat or aws.address(world.rng)
    rng = world.rng
    role, name = world.role("terraform-apply"), "terraform"
    for person in users(world, rng.randint(2, 3)):
        session = world.assume(person, role, name, world.start + minute(rng.uniform(0, 40)))
        call = rng.randrange(3)
        for _ in range(rng.randint(1, 3)):
            world.use(session, world.within(session.began + second(1), session.ends), call)


def recreated_role(world: World) -> None:
    """A role that is deleted and made again: the same ARN, another id."""
    rng = world.rng
    old = world.role("ci-deploy")
    new = world.role("ci-deploy", old.account)
    name = rng.choice(NAMES)
    for person, role in zip(users(world, 3), (old, new, new), strict=True):
        world.assume(person, role, name, world.start + minute(rng.choice((0, 10, 20, 20.01))))
    world.busy()


def source_identity(world: World) -> None:
    """Sessions that carry who began them."""
    rng = world.rng
    role, vault = world.role("gateway"), world.role("vault")
    for person in users(world, 2):
        at = world.start + minute(rng.choice((5, 5.02, 30)))
        session = world.assume(person, role, "gw", at, source_identity=person.user_name)
        world.assume(session, vault, "gw", at + minute(rng.uniform(1, 10)))
    world.busy()


# chains


def chain(world: World) -> None:
    """Two to five hops, some into the other account, and rivals of each hop."""
    rng = world.rng
    current = world.user(rng.choice(PEOPLE))
    at = world.start
    name = rng.choice(NAMES)
    for hop in range(rng.randint(2, 5)):
        at += minute(rng.uniform(0.02, 12))
        account = rng.choice((world.home, world.home, world.other))
        role = world.role(f"{rng.choice(ROLES)}-{hop}", account)
        name = name if rng.random() < 0.6 else rng.choice(NAMES)
        current = world.assume(current, role, name, at)
        if rng.random() < 0.4:
            rivals(world, role, name, at, account)
    world.busy(most=3)


def cross_account(world: World) -> None:
    """Callers of another account, of whose copies one or both are there."""
    rng = world.rng
    role, name = world.role("partner-access", world.other), rng.choice(NAMES)
    for person in users(world, rng.randint(1, 3)):
        at = world.start + minute(rng.choice((10, 10.02, 25, 40)))
        caller = person
        if rng.random() < 0.4:
            own = world.role("home-admin")
            caller = world.assume(person, own, name, at - minute(rng.uniform(1, 9)))
        world.assume(caller, role, name, at, seconds=_seconds(world))
    if rng.random() < 0.5:
        rivals(world, role, name, world.start + minute(10), world.other)
    world.busy()


def juggling(world: World) -> None:
    """A role that assumes itself or a twin again and again."""
    rng = world.rng
    roles = [world.role("loop-a"), world.role("loop-b")][: rng.randint(1, 2)]
    current = world.assume(world.user(rng.choice(PEOPLE)), roles[0], "loop", world.start)
    at = world.start
    for number in range(rng.randint(2, 5)):
        at += minute(rng.choice((0.02, 10, 40)))
        current = world.assume(current, roles[number % len(roles)], "loop", at)
    world.busy(most=2)


# the console


def console_user(world: World) -> None:
    """IAM users and root sign in to the console, some more than once, some with a session token."""
    rng = world.rng
    for person in [*users(world, 2), world.root(world.home)]:
        at = world.start + minute(rng.uniform(0, 30))
        world.console_login(person, at)
        if rng.random() < 0.4:
            world.console_login(person, at + _apart(world))
        if person.key is not None and rng.random() < 0.6:
            session_token(world, person, at + second(rng.choice(_NEAR)))
    world.busy()


def switch_role(world: World) -> None:
    """Console switches, and others who assume the role under the same name on a command line."""
    rng = world.rng
    role = world.role("admin", rng.choice((world.home, world.other)), rng.choice(("/", "/ops/")))
    people = users(world, rng.randint(1, 3))
    at = world.start + minute(20)
    for person in people:
        signed_in = world.console_login(person, world.start + minute(rng.uniform(0, 15)))
        name = str(person.user_name) if rng.random() < 0.7 else "shared"
        when = at + second(rng.choice((*_NEAR, 300, 900)))
        switched = world.switch(signed_in, role, name, when)
        if rng.random() < 0.4:
            inner = world.role("inner")
            world.assume(switched, inner, name, when + minute(5))
        if rng.random() < 0.5:
            rivals(world, role, name, when, rng.choice((world.home, world.other)))
        if rng.random() < 0.3:
            world.switch(signed_in, role, name, when + second(rng.choice((1, 2, 60))))
    world.busy()


def saml_console(world: World) -> None:
    """SAML into the console: another key in each call, and rivals of the same name."""
    rng = world.rng
    role = world.role("okta-power")
    for name in rng.sample(PEOPLE, rng.randint(1, 2)):
        email = f"{name}@example.org"
        at = world.start + minute(rng.choice((5, 5.02, 20)))
        subject = world.saml_subject(email)
        session_name = email if rng.random() < 0.8 else "console"
        session = world.federate(subject, role, session_name, at, marker="console")
        if rng.random() < 0.7:
            _console_of(world, session, subject)
        if rng.random() < 0.4:
            rivals(world, role, session_name, at)
        if rng.random() < 0.3:
            again = at + second(rng.choice(_NEAR))
            world.federate(subject, role, session_name, again, marker="console")
        if rng.random() < 0.3:
            world.assume(session, world.role("inner"), session_name, at + minute(4))
    world.busy()


def broker(world: World) -> None:
    """A broker turns assumed or federated credentials into a console sign-in."""
    rng = world.rng
    person = world.user(rng.choice(PEOPLE))
    at = world.start + minute(5)
    if rng.random() < 0.5:
        role = world.role("broker-console")
        session = world.assume(person, role, "console", at)
        rivals(world, role, "console", at)
    else:
        session = federation(world, person, "portal", at)
    world.use(session, at + second(3))
    _brokered(world, session, person)
    world.busy()


def _brokered(world: World, session: Session, person: Session) -> None:
    """A session's credentials are turned into a console sign-in."""
    token = aws.record(
        world.rng, session.steps[0].at + second(1), "signin.amazonaws.com", "GetSigninToken",
        session.identity(world.rng), recipient=str(session.account), region="us-east-1",
        ip=session.ip, agent="python-requests/2.31.0",
    )  # fmt: skip
    world.put("other", token, session)
    in_console = _twin(world, session)
    _console_of(world, in_console, person)
    in_console.steps = [
        *session.steps,
        Step(session, list(in_console.steps[0].records), "console", session.steps[0].target,
             at=session.steps[0].at),
    ]  # fmt: skip


def two_ways_in(world: World) -> None:
    """One switches roles in the console, another signs in with what they assumed, both to one role
    and session name, in the same seconds.
    """
    rng = world.rng
    role = world.role("admin", rng.choice((world.home, world.home, world.other)))
    name = rng.choice(("shared", "alice", "ops"))
    at = world.start + minute(20)
    switcher, other = users(world, 2)
    signed_in = world.console_login(switcher, world.start + minute(rng.uniform(0, 15)))
    world.switch(signed_in, role, name, at)
    session = world.assume(other, role, name, at + second(rng.choice(_NEAR)))
    if rng.random() < 0.8:
        _brokered(world, session, other)
    world.busy(most=6)


def _twin(world: World, session: Session, **changes: Any) -> Session:
    """Another session that shows the same principal and creation date."""
    twin = Session(
        session.type, session.account, session.principal, session.arn, None, True,
        session.name, session.user_name, session.role, session.issuer, session.created,
        dict(session.context), dict(session.fields), session.began, session.ends,
        session.ip, aws.BROWSER, list(session.steps), set(session.tokens),
        set(session.more_arns), set(session.more_ids), set(), session.person,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(twin, name, value)
    world.sessions.append(twin)
    return twin


def _console_of(world: World, session: Session, person: Session) -> None:
    """The session goes on in the console: a ConsoleLogin without a key, then changing keys."""
    step = session.steps[0]
    session.rotating, session.key, session.agent = True, None, aws.BROWSER
    who = session.identity(world.rng)
    who.pop("accessKeyId", None)
    record = aws.record(
        world.rng, step.at + second(world.rng.choice((0, 1, 2))), "signin.amazonaws.com",
        "ConsoleLogin", who, recipient=str(session.account), region="us-east-1",
        ip=person.ip, agent=aws.BROWSER, response={"ConsoleLogin": "Success"}, read_only=False,
        eventType="AwsConsoleSignIn", additionalEventData={"MFAUsed": "No"},
    )  # fmt: skip
    login = world.put("mint", record, session)
    session.steps = [
        Step(step.caller, [*step.records, login], "console", step.target, step.minted, step.at,
             step.lifetime)
    ]  # fmt: skip
    world.steps = [(one, session.steps[0] if kept is step else kept) for one, kept in world.steps]


# Identity Center


def identity_center(world: World) -> None:
    """Permission sets: keys that differ from the minted one, the person in another account."""
    rng = world.rng
    middle = world.other
    digest = f"{rng.getrandbits(64):016x}"
    role = world.role(
        f"AWSReservedSSO_Admin_{digest}", path="/aws-reserved/sso.amazonaws.com/eu-west-1/"
    )
    older, says_user = rng.random() < 0.4, rng.random() < 0.6
    at = world.start + minute(10)
    for name in rng.sample(PEOPLE, rng.randint(1, 3)):
        email = f"{name}@example.org"
        when = at + (
            second(rng.choice(_NEAR)) if rng.random() < 0.6 else minute(rng.uniform(1, 40))
        )
        sso_session(world, role, email, when, middle, older=older, says_user=says_user)
        if rng.random() < 0.3:
            sso_session(world, role, email, when + second(rng.choice(_NEAR)), middle,
                        older=older, says_user=says_user)  # fmt: skip
    if rng.random() < 0.4:
        world.assume(world.sessions[-1], world.role("inner"), world.sessions[-1].name or "x",
                     at + minute(45))  # fmt: skip
    world.busy()


def sso_session(
    world: World, role: Role, email: str, at: Any, middle: str, *, older: bool, says_user: bool
) -> Session:
    rng = world.rng
    subject = world.saml_subject(email)
    user_id = f"{aws.guid(rng)}"
    subject.more_ids.add(user_id)
    subject.tokens.add(user_id)
    behalf = {
        "userId": user_id,
        "identityStoreArn": f"arn:aws:identitystore::{middle}:identitystore/d-9067f8a1c2",
    }
    session = world.federate(
        subject, role, email, at, seconds=rng.choice((3600, 43200)), marker="sso",
        issuer="https://portal.sso.eu-west-1.amazonaws.com/saml/assertion/abc",
        ip=aws.aws_address(rng), agent="aws-internal/3 aws-sdk-java/1.12.700 Linux/5.10",
    )  # fmt: skip
    session.tokens |= {email, user_id}
    if rng.random() < 0.85:
        session.key = world.key(role.account)
        session.keys.add(session.key)
    if rng.random() < 0.25:
        session.key, session.rotating, session.agent = None, True, aws.BROWSER
    elif rng.random() < 0.8:
        session.agent = rng.choice(aws.CLI_AGENTS)
    if says_user:
        session.fields["onBehalfOf"] = behalf
    who: aws.Json = {
        "type": "IdentityCenterUser",
        "accountId": middle,
        "onBehalfOf": behalf,
        "credentialId": aws.guid(rng),
    }
    if older:
        who = {"type": "Unknown", "principalId": user_id, "accountId": middle, "userName": email}
    handed = aws.record(
        rng, session.steps[0].at + second(rng.choice((0, 0, 1, -1))), "sso.amazonaws.com",
        "GetRoleCredentials" if not session.rotating else "Federate", who, recipient=middle,
        region="eu-west-1", ip=subject.ip, agent=session.agent,
        serviceEventDetails={"role_name": "Admin", "account_id": role.account},
        eventType="AwsServiceEvent",
    )  # fmt: skip
    world.put("mint", handed, subject)
    return session


# web identity and workloads


def web_identity(world: World) -> None:
    """Pipelines and pods that share a role and a session name."""
    rng = world.rng
    role, at = world.role("github-deploy"), world.start + minute(10)
    if rng.random() < 0.6:
        host = "token.actions.githubusercontent.com"
        subjects = ["repo:acme/shop:ref:refs/heads/main", "repo:acme/infra:environment:prod",
                    "repo:acme/site:pull_request"]  # fmt: skip
        name = "GitHubActions"
    else:
        host = "oidc.eks.eu-west-1.amazonaws.com/id/0F1E2D3C4B5A"
        subjects = [f"system:serviceaccount:{space}:runner" for space in ("prod", "stage", "dev")]
        name = "botocore-session-1773046800"
    provider = f"arn:aws:iam::{world.home}:oidc-provider/{host}"
    for subject in rng.sample(subjects, rng.randint(1, 3)):
        when = at + _apart(world)
        who = world.web_subject(subject, provider, world.place(), rng.choice(aws.CLI_AGENTS))
        session = world.federate(who, role, name, when, call="AssumeRoleWithWebIdentity")
        if rng.random() < 0.5:
            session.context["webIdFederationData"] = {
                "federatedProvider": provider,
                "attributes": {},
            }
        if rng.random() < 0.4:
            world.assume(session, world.role("deploy-target", world.other), name,
                         when + minute(3))  # fmt: skip
    if rng.random() < 0.3:
        rivals(world, role, name, at)
    world.busy()


def _workload(
    world: World, host: str, role: Role, name: str, at: Any, tokens: tuple[str, ...] = (),
    **more: Any,
) -> Session:  # fmt: skip
    return world.assume(
        world.service(host, name, *tokens), role, name, at, marker="service", **more
    )


def instance(world: World) -> None:
    """An EC2 instance whose role is refreshed, a person who imitates its session, a thief."""
    rng = world.rng
    role = world.role("web-server")
    name = f"i-{rng.getrandbits(68):017x}"
    for number in range(rng.randint(1, 3)):
        old = rng.random() < 0.2
        session = _workload(
            world, "ec2.amazonaws.com", role, name,
            world.start + timedelta(hours=6 * number) + second(rng.randrange(3)),
            seconds=None, shows_principal=not old,
        )  # fmt: skip
        session.ip, session.agent = aws.aws_address(rng), rng.choice(aws.CLI_AGENTS)
        session.context["ec2RoleDelivery"] = "2.0"
        session.steps[0].lifetime = timedelta(hours=6, minutes=20)
        session.ends = session.began + timedelta(hours=6, minutes=15)
        if rng.random() < 0.4:
            world.assume(session, world.role("inner"), name, session.began + minute(30),
                         ip=aws.address(rng))  # fmt: skip
    if rng.random() < 0.6:
        for person in users(world, 1):
            at = world.start + (second(rng.choice(_NEAR)) if rng.random() < 0.5 else minute(20))
            world.assume(person, role, name, at)
    world.busy()


def imitation(world: World) -> None:
    """Somebody assumes a workload's role under the very name that its service gives, just then."""
    rng = world.rng
    role = world.role("worker")
    host, name = rng.choice(
        (
            ("ec2.amazonaws.com", f"i-{rng.getrandbits(68):017x}"),
            ("lambda.amazonaws.com", "orders"),
            ("ecs-tasks.amazonaws.com", f"{rng.getrandbits(128):032x}"),
        )
    )
    at = world.start + minute(10)
    session = _workload(
        world, host, role, name, at, seconds=None, shows_principal=rng.random() < 0.7,
        shows_key=rng.random() < 0.8,
    )  # fmt: skip
    session.ip, session.agent = aws.aws_address(rng), rng.choice(aws.CLI_AGENTS)
    if host.startswith("ec2"):
        session.context["ec2RoleDelivery"] = "2.0"
    for person in users(world, rng.randint(1, 2)):
        world.assume(person, role, name, at + second(rng.choice(_NEAR)))
    world.busy()


def function(world: World) -> None:
    """Lambda and ECS: session names are function names and task ids."""
    rng = world.rng
    role = world.role("lambda-orders")
    at = world.start + minute(10)
    for name in rng.sample(("orders", "orders-v2", "billing"), rng.randint(1, 2)):
        arn = f"arn:aws:lambda:eu-west-1:{role.account}:function:{name}"
        for _ in range(rng.randint(1, 2)):
            session = _workload(
                world, "lambda.amazonaws.com", role, name, at + _apart(world),
                shows_key=rng.random() < 0.9,
            )  # fmt: skip
            session.ip, session.agent = aws.aws_address(rng), "Boto3/1.34.51 exec-env/AWS_Lambda"
            if rng.random() < 0.6:
                session.fields["inScopeOf"] = {
                    "issuerType": "AWS::Lambda::Function",
                    "credentialsIssuedTo": arn,
                }
            session.steps[0].caller.more_arns.add(arn)
        rivals(world, role, name, at) if rng.random() < 0.4 else None
    task = f"{rng.getrandbits(128):032x}"
    session = _workload(world, "ecs-tasks.amazonaws.com", world.role("task-role"), task, at)
    session.ip, session.agent = aws.aws_address(rng), rng.choice(aws.CLI_AGENTS)
    world.busy()


def pod(world: World) -> None:
    """EKS Pod Identity: the node asks, the service assumes."""
    rng = world.rng
    node_role, role = world.role("eks-node"), world.role("pod-role")
    node_name = f"i-{rng.getrandbits(68):017x}"
    node = _workload(world, "ec2.amazonaws.com", node_role, node_name, world.start, seconds=None)
    node.ip, node.agent = aws.aws_address(rng), "amazon-eks-pod-identity-agent/0.1.15"
    node.context["ec2RoleDelivery"] = "2.0"
    for _ in range(rng.randint(1, 2)):
        at = world.start + minute(rng.choice((10, 10.01, 30)))
        name = f"eks-prod-shop-api-{aws.guid(rng)}"
        asked = aws.record(
            rng, at + world.clock("eks-auth"), "eks-auth.amazonaws.com",
            "AssumeRoleForPodIdentity", node.identity(rng), recipient=world.home,
            region=world.regions[0], ip=node.ip, agent=node.agent,
            request={"clusterName": "prod", "token": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        )  # fmt: skip
        world.put("mint", asked, node)
        session = _workload(world, "pods.eks.amazonaws.com", role, name, at, seconds=21600,
                            tokens=("shop", "api"))  # fmt: skip
        session.ip, session.agent = node.ip, rng.choice(aws.CLI_AGENTS)
        if rng.random() < 0.3:
            rivals(world, role, name, at)
    world.busy()


def service_linked(world: World) -> None:
    """A service-linked role, and a user who tries in vain to assume it at the same second."""
    rng = world.rng
    host = "elasticmapreduce.amazonaws.com"
    role = world.role("AWSServiceRoleForEMRCleanup", path=f"/aws-service-role/{host}/")
    name, at = "EMRCleanup", world.start + minute(10)
    session = _workload(world, host, role, name, at)
    session.fields["invokedBy"] = host
    session.ip = session.agent = host
    if rng.random() < 0.5:
        _workload(world, host, role, name, at + _apart(world)).fields["invokedBy"] = host
    for person in users(world, 1):
        refused = aws.record(
            rng, at, "sts.amazonaws.com", "AssumeRole", person.identity(rng),
            recipient=world.home, region="us-east-1", ip=person.ip, agent=person.agent,
            errorCode="AccessDenied",
            errorMessage=f"User: {person.arn} is not authorized to perform: sts:AssumeRole on"
            f" resource: {role.arn}",
        )  # fmt: skip
        world.put("mint", refused, person)
    world.busy()


# sessions of users


def session_token(world: World, person: Session, at: Any, seconds: int | None = None) -> Session:
    """GetSessionToken with a long-term key: the same user, another key."""
    written = at + world.sts_clock()
    minted = world.key(str(person.account))
    lifetime = timedelta(seconds=seconds or 43200)
    record = aws.record(
        world.rng, written, "sts.amazonaws.com", "GetSessionToken", person.identity(world.rng),
        recipient=str(person.account), region=world.rng.choice(world.regions),
        ip=person.ip, agent=person.agent,
        request={"durationSeconds": seconds} if seconds else None,
        response={
            "credentials": {
                "accessKeyId": minted,
                "sessionToken": "IQoJb3JpZ2luX2VjE…",
                "expiration": aws.expiration(written + lifetime),
            }
        },
    )  # fmt: skip
    session = Session(
        person.type, person.account, person.principal, person.arn, minted,
        user_name=person.user_name, created=aws.stamp(written), began=at,
        ip=person.ip, agent=person.agent, tokens=set(person.tokens), person=True,
    )  # fmt: skip
    return world.born(
        session, person, [world.put("mint", record, person)], "cli",
        at=written, lifetime=lifetime, minted=minted, target=str(person.arn),
    )  # fmt: skip


def session_tokens(world: World) -> None:
    """Session tokens of users, and roles assumed with them."""
    rng = world.rng
    role = world.role("admin")
    for person in users(world, 2):
        at = world.start + minute(rng.uniform(0, 20))
        token = session_token(world, person, at, rng.choice((None, 900, 129600)))
        if rng.random() < 0.5:
            session_token(world, person, at + second(rng.choice(_NEAR)))
        if rng.random() < 0.6:
            world.assume(token, role, "mfa", at + minute(rng.uniform(0.1, 10)))
        if rng.random() < 0.3:
            world.console_login(person, at + second(rng.choice(_NEAR)))
    world.busy()


def federation(
    world: World, person: Session, name: str, at: Any, seconds: int | None = None
) -> Session:
    """GetFederationToken with a long-term key: a federated user of the caller's."""
    written = at + world.sts_clock()
    minted = world.key(str(person.account))
    lifetime = timedelta(seconds=seconds or 43200)
    arn = f"arn:aws:sts::{person.account}:federated-user/{name}"
    record = aws.record(
        world.rng, written, "sts.amazonaws.com", "GetFederationToken", person.identity(world.rng),
        recipient=str(person.account), region=world.rng.choice(world.regions),
        ip=person.ip, agent=person.agent, read_only=False,
        request={"name": name, **({"durationSeconds": seconds} if seconds else {})},
        response={
            "credentials": {
                "accessKeyId": minted,
                "sessionToken": "IQoJb3JpZ2luX2VjE…",
                "expiration": aws.expiration(written + lifetime),
            },
            "federatedUser": {"federatedUserId": f"{person.account}:{name}", "arn": arn},
            "packedPolicySize": 6,
        },
    )  # fmt: skip
    issuer = {
        "type": "IAMUser",
        "principalId": person.principal,
        "arn": person.arn,
        "accountId": person.account,
        "userName": person.user_name,
    }
    session = Session(
        "FederatedUser", person.account, f"{person.account}:{name}", arn, minted, name=name,
        issuer=issuer, created=aws.stamp(written), began=at, ip=person.ip, agent=person.agent,
        tokens={name},
    )  # fmt: skip
    return world.born(
        session, person, [world.put("mint", record, person)], "cli",
        at=written, lifetime=lifetime, minted=minted, target=arn,
    )  # fmt: skip


def federated_user(world: World) -> None:
    """Federated users of several issuing users, under one name."""
    rng = world.rng
    name = rng.choice(("portal", "guest"))
    at = world.start + minute(10)
    for person in users(world, rng.randint(1, 3)):
        federation(world, person, name, at + _apart(world), rng.choice((None, 3600, 129600)))
    world.busy()


def long_life(world: World) -> None:
    """Sessions of many hours, used near their end; the mint is often of another day."""
    rng = world.rng
    for person in users(world, 2):
        at = world.start + minute(rng.uniform(0, 30))
        made = (
            federation(world, person, "nightly", at, 129600)
            if rng.random() < 0.5
            else session_token(world, person, at, 129600)
        )
        for _ in range(2):
            world.use(made, world.within(made.began + timedelta(hours=24), made.ends), 0)
    role = world.role("long")
    for person in users(world, 2):
        session = world.assume(person, role, "nightly", world.start + _apart(world), seconds=43200)
        world.use(session, session.began + timedelta(hours=11, minutes=rng.randrange(58)), 0)
    world.busy(most=2)


def assume_root(world: World) -> None:
    """AssumeRoot from the management account beside root's own sign-in."""
    rng = world.rng
    member = world.home
    admins = world.role("org-admin", world.other)
    for person in users(world, rng.randint(1, 2), world.other):
        at = world.start + minute(rng.choice((10, 10.02, 25)))
        admin = world.assume(person, admins, str(person.user_name), at - minute(5))
        written = at + world.sts_clock()
        minted = world.key(member)
        policy = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"
        record = aws.record(
            rng, written, "sts.amazonaws.com", "AssumeRoot", admin.identity(rng),
            recipient=world.other, region=world.regions[0], ip=admin.ip, agent=admin.agent,
            request={"targetPrincipal": member, "taskPolicyArn": {"arn": policy}},
            response={"credentials": {"accessKeyId": minted, "sessionToken": "IQoJ…",
                                      "expiration": aws.expiration(written + minute(15))}},
        )  # fmt: skip
        session = Session(
            "Root", member, member, f"arn:aws:iam::{member}:root", minted,
            created=aws.stamp(written), began=at, ip=admin.ip, agent=admin.agent,
            tokens={member},
        )  # fmt: skip
        world.born(
            session, admin, [world.put("mint", record, admin)], "cli",
            at=written, lifetime=minute(15), minted=minted, target=str(session.arn),
        )  # fmt: skip
    if rng.random() < 0.5:
        world.console_login(world.root(member), world.start + minute(10) + _apart(world))
    world.busy()


# one console session, other clients


def borrowed(world: World) -> None:
    """`aws login` and CloudShell: the console session's identity on a command line."""
    rng = world.rng
    shows_arn = rng.random() < 0.5
    for person in users(world, rng.randint(1, 2)):
        at = world.start + minute(rng.uniform(0, 5))
        console = world.console_login(person, at)
        if rng.random() < 0.4:
            console = world.switch(console, world.role("admin"), str(person.user_name),
                                   at + minute(2))  # fmt: skip
        if shows_arn:
            console.context["signInSessionArn"] = (
                f"arn:aws:signin:us-east-1:{console.account}:session/{aws.guid(rng)}"
            )
        if rng.random() < 0.4:
            again = world.console_login(person, at + second(rng.choice(_NEAR)))
            if shows_arn:
                again.context["signInSessionArn"] = (
                    f"arn:aws:signin:us-east-1:{again.account}:session/{aws.guid(rng)}"
                )
            borrow(world, again, person, console.began + minute(rng.uniform(3, 20)))
        borrow(world, console, person, console.began + minute(rng.uniform(3, 20)))
    world.busy()


def borrow(world: World, console: Session, person: Session, at: Any) -> Session:
    rng = world.rng
    remote = aws.address(rng) if rng.random() < 0.2 else person.ip
    shell = rng.random() < 0.3
    kept = {"recipient": str(console.account), "region": "us-east-1"}
    if shell:
        source, names, agent = (
            "cloudshell.amazonaws.com",
            ("CreateSession", "PutCredentials"),
            (aws.CLOUDSHELL_AGENT),
        )
        remote = aws.aws_address(rng)
    else:
        source, names = "signin.amazonaws.com", ("AuthorizeOAuth2Access", "CreateOAuth2Token")
        agent = f"{aws.CLI_AGENTS[0]} md/command#login"
    records: list[Rec] = []
    for number, name in enumerate(names):
        mine = shell or not number
        who = console.identity(rng)
        who.pop("accessKeyId", None) if not shell else None
        record = aws.record(
            rng, at + second(number * rng.choice((1, 4))), source, name, who, **kept,
            ip=person.ip if mine else remote, agent=aws.BROWSER if mine else agent,
            request={"client_id": "arn:aws:signin:::devtools/same-device"} if not shell else None,
        )  # fmt: skip
        records.append(world.put("mint", record, console))
    session = _twin(
        world, console, rotating=False, key=world.key(str(console.account)), ip=remote,
        agent=agent if shell else aws.CLI_AGENTS[0], began=at + second(5),
    )  # fmt: skip
    session.keys.add(str(session.key))
    own = Step(console, records, "login", str(console.arn), None, at, timedelta(hours=12))
    world.steps.append((session, own))
    session.steps = [own, *console.steps]
    return session


def scoped(world: World) -> None:
    """GetScopedCredentials: the same session, narrowed, once or twice; or it is refused."""
    rng = world.rng
    role, name = world.role("agent"), rng.choice(NAMES)
    own_date = rng.random() < 0.5
    for person in users(world, rng.randint(1, 2)):
        at = world.start + minute(rng.choice((5, 5.02, 30)))
        current = world.assume(person, role, name, at)
        rivals(world, role, name, at) if rng.random() < 0.3 else None
        for _ in range(rng.randint(1, 2)):
            at += minute(rng.choice((0.02, 1, 8)))
            current = narrow(world, current, at, own_date)
        if rng.random() < 0.4:
            world.assume(current, world.role("inner"), name, at + minute(1))
    world.busy()


def narrow(world: World, parent: Session, at: Any, own_date: bool) -> Session:
    rng = world.rng
    written = at + world.sts_clock()
    minted = world.key(str(parent.account))
    lifetime = second(rng.choice((900, 1800)))
    request = {
        "policy": '{"Version":"2012-10-17","Statement":[]}',
        "durationSeconds": int(lifetime.total_seconds()),
        "scopedSessionDescription": "one task",
    }
    common: aws.Json = {
        "recipient": str(parent.account), "region": world.regions[0], "ip": parent.ip,
        "agent": parent.agent, "request": request,
    }  # fmt: skip
    if rng.random() < 0.3:
        refused = aws.record(
            rng, written, "sts.amazonaws.com", "GetScopedCredentials", parent.identity(rng),
            **common, errorCode="AccessDenied", errorMessage="not authorized",
        )  # fmt: skip
        world.put("mint", refused, parent)
    record = aws.record(
        rng, written, "sts.amazonaws.com", "GetScopedCredentials", parent.identity(rng), **common,
        response={
            "credentials": {"accessKeyId": minted, "sessionToken": "IQoJ…",
                            "expiration": aws.expiration(written + lifetime)},
            "sessionInfo": {"scopedSessionId": aws.guid(rng), "arn": parent.arn},
        },
    )  # fmt: skip
    child = _twin(
        world, parent, rotating=False, key=minted, began=at, ip=parent.ip, agent=parent.agent,
        created=aws.stamp(written) if own_date else parent.created,
        ends=min(at + lifetime, parent.ends),
    )  # fmt: skip
    child.keys.add(minted)
    own = Step(parent, [world.put("mint", record, parent)], "cli", f"scoped {parent.arn}", minted,
               written, lifetime)  # fmt: skip
    world.steps.append((child, own))
    child.steps = [own, *parent.steps]
    return child


def recreated_user(world: World) -> None:
    """A user who is deleted and made again under the same name: another id and another key."""
    rng = world.rng
    role, name = world.role("partner-access", rng.choice((world.home, world.other))), "deploy"
    for number in range(2):
        person = world.user("alice")
        person.began = world.start + minute(30 * number)
        world.assume(person, role, name, person.began + minute(rng.choice((1, 29.9, 31))))
        if rng.random() < 0.4:
            session_token(world, person, person.began + minute(5))
    world.busy()


def cognito(world: World) -> None:
    """App users' credentials: all of one session name, each shown by two services."""
    rng = world.rng
    role, name = world.role("app-user"), "CognitoIdentityCredentials"
    at = world.start + minute(10)
    for _ in range(rng.randint(1, 3)):
        who = f"eu-west-1:{aws.guid(rng)}"
        host = "cognito-identity.amazonaws.com"
        subject = world.web_subject(who, host, aws.address(rng), aws.BROWSER)
        subject.more_ids.add(host)
        session = world.federate(
            subject, role, name, at + _apart(world), call="AssumeRoleWithWebIdentity",
            ip=host, agent=host,
        )  # fmt: skip
        step = session.steps[0]
        asked = aws.record(
            rng, step.at + second(rng.choice((0, 0, 1))), host, "GetCredentialsForIdentity",
            {"type": "Unknown", "principalId": "Anonymous"}, recipient=world.home,
            region="eu-west-1", ip=subject.ip, agent=aws.BROWSER, request={"identityId": who},
            response={"credentials": {"accessKeyId": step.minted}, "identityId": who},
            read_only=False, eventCategory="Data", managementEvent=False,
        )  # fmt: skip
        nobody = Session("Unknown", principal="Anonymous", tokens={who, "Anonymous"}, person=True)
        session.steps.append(
            Step(nobody, [world.put("mint", asked, nobody)], "cli", step.target, step.minted,
                 step.at, step.lifetime)
        )  # fmt: skip
    world.busy()


# keys that are born, and records that are played again


def provisioned(world: World) -> None:
    """Access keys made for users, by themselves or by an administrator, hours or days before."""
    rng = world.rng
    admin, person = users(world, 2)
    maker = rng.choice((admin, admin, person))
    if rng.random() < 0.4:
        maker = world.assume(admin, world.role("user-admin"), "provision", world.start)
    at = world.start + minute(rng.uniform(1, 30))
    key = world.key(str(person.account), "AKIA")
    record = aws.record(
        rng, at, "iam.amazonaws.com", "CreateAccessKey", maker.identity(rng),
        recipient=world.home, region="us-east-1", ip=maker.ip, agent=maker.agent, read_only=False,
        request={"userName": person.user_name} if maker is not person else None,
        response={"accessKey": {"userName": person.user_name, "accessKeyId": key,
                                "status": "Active", "createDate": aws.expiration(at)}},
    )  # fmt: skip
    with_new = _twin(world, person, rotating=False, key=key, agent=person.agent, steps=[])
    with_new.began = at + minute(rng.choice((2, 200, 60 * 30)))
    with_new.ends = with_new.began + timedelta(hours=3)
    with_new.keys.add(key)
    born = Step(maker, [world.put("mint", record, maker)], "cli", f"key of {person.arn}", key, at,
                timedelta(days=400), birth=True)  # fmt: skip
    with_new.steps = [born]
    world.steps.append((with_new, born))
    if rng.random() < 0.6:
        world.assume(with_new, world.role("deployer"), "deploy", with_new.began + minute(3))
    world.busy()


def replayed(world: World) -> None:
    """The same key shown by another record: days away, or minutes, by somebody else; or in the very
    second, as if it were a copy of the call, or the event itself.
    """
    rng = world.rng
    role, name = world.role("deployer"), rng.choice(NAMES)
    person, other = users(world, 2)
    session = world.assume(person, role, name, world.start + minute(5))
    far = rng.choice((timedelta(days=37), timedelta(days=-37), timedelta(hours=60), minute(3),
                      minute(1), second(0), second(0), second(0), second(0)))  # fmt: skip
    again = world.assume(other, role, name, session.began + far)
    record = again.steps[0].records[-1].record
    if not far:
        own = session.steps[0].records[-1].record
        record["eventTime"] = own["eventTime"]
        for copied in rng.choice(
            (["requestID"], ["sharedEventID"], ["requestID", "sharedEventID"], ["eventID"])
        ):
            record[copied] = own.setdefault(copied, aws.guid(rng))
    if far < timedelta(hours=1):
        world.kept |= session.steps[0].events
    record["responseElements"]["credentials"]["accessKeyId"] = session.key
    again.steps[0].minted = None
    again.key = session.key
    # Who uses a key that two records show is not for anybody to say: only the first is asked for.
    again.ends = again.began
    world.busy([person, other, session], 5)


KINDS: dict[str, Callable[[World], None]] = {
    story.__name__: story
    for story in (
        command_line, same_second, script, nat, recreated_role, source_identity, chain,
        cross_account, juggling, console_user, switch_role, two_ways_in, saml_console, broker,
        identity_center,
        web_identity, instance, imitation, function, pod, service_linked, session_tokens,
        federated_user, long_life, assume_root, borrowed, scoped, provisioned, replayed,
        recreated_user, cognito,
    )
}  # fmt: skip
