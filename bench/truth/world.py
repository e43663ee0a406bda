"""One made-up world: its people, roles, sessions and records, and who truly made what.

Sessions know how they came to be (`Step`): the records that show it, and the session that called.
That is the truth which answers are held against; nothing of it is read from the records.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bench.truth import aws
from bench.truth.aws import Json

Marker = Literal["cli", "console", "sso", "service", "login"]
"""By what means a credential was made: it tells whether its key may differ from the one used."""

Copies = Literal["both", "caller", "owner"]

FIRST_DAY = datetime(2026, 3, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Role:
    account: str
    name: str
    id: str
    path: str = "/"

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    def session_arn(self, name: str) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{name}"


@dataclass(eq=False)
class Rec:
    """A record and what it is to the truth."""

    record: Json
    kind: Literal["use", "mint", "other"]
    by: Session | None = None
    """Whose identity it shows."""

    @property
    def id(self) -> str:
        return str(self.record["eventID"])

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.record["eventTime"])


@dataclass(eq=False)
class Step:
    """How a session came to be: by whom, and every record that is right for it."""

    caller: Session
    records: list[Rec]
    marker: Marker
    target: str
    """What was made: a role and a session name, so that rivals for the same can be told."""
    minted: str | None = None
    at: datetime = FIRST_DAY
    lifetime: timedelta = timedelta(hours=1)
    birth: bool = False
    """Whether it made a long-term key: that says who made the key, not who uses it."""

    @property
    def events(self) -> set[str]:
        return {rec.id for rec in self.records}


@dataclass(eq=False)
class Session:
    """Somebody who acts, by one credential. `tokens` are the words that rightly name them."""

    type: str
    account: str | None = None
    principal: str | None = None
    arn: str | None = None
    key: str | None = None
    rotating: bool = False
    """Whether the key changes with every request, as in the console."""
    name: str | None = None
    user_name: str | None = None
    role: Role | None = None
    issuer: Json | None = None
    created: str | None = None
    context: Json = field(default_factory=dict)
    fields: Json = field(default_factory=dict)
    began: datetime = FIRST_DAY
    ends: datetime = FIRST_DAY + timedelta(days=3)
    ip: str = ""
    agent: str = ""
    steps: list[Step] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    more_arns: set[str] = field(default_factory=set)
    more_ids: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    person: bool = False
    """Whether a human or a workload of its own, where a chain truly begins."""

    def identity(self, rng: random.Random, *, key: bool = True, **fields: Any) -> Json:
        """`userIdentity` of one call."""
        who: Json = {"type": self.type}
        shown = {"principalId": self.principal, "arn": self.arn, "accountId": self.account}
        who |= {name: value for name, value in shown.items() if value is not None}
        used = self._key(rng) if key else None
        if used is not None:
            self.keys.add(used)
            who["accessKeyId"] = used
        if self.user_name is not None:
            who["userName"] = self.user_name
        if self.created is not None and key:
            who["sessionContext"] = {
                "sessionIssuer": self.issuer or {},
                "webIdFederationData": {},
                "attributes": {"creationDate": self.created, "mfaAuthenticated": "false"},
                **self.context,
            }
        return {**who, **self.fields, **fields}

    def _key(self, rng: random.Random) -> str | None:
        if self.rotating and self.account is not None:
            return aws.unique_id("ASIA", self.account, rng)
        return self.key


class World:
    """Accounts, clocks, addresses and records of one seed and number."""

    def __init__(self, seed: int, number: int) -> None:
        self.seed, self.number = seed, number
        self.rng = rng = random.Random(f"truth {seed} {number}")
        self.kind = ""
        self.home = aws.account(rng)
        self.other = aws.account(rng)
        self.start = FIRST_DAY + timedelta(seconds=rng.randrange(36 * 3600))
        self.records: list[Rec] = []
        self.sessions: list[Session] = []
        self.steps: list[tuple[Session, Step]] = []
        self.skewed = rng.random() < 0.35
        self.nat = aws.address(rng) if rng.random() < 0.45 else None
        self.copies: Copies = rng.choices(("both", "caller", "owner"), (5, 2, 3))[0]
        self.regions = rng.sample(aws.REGIONS, 2)
        self.kept: set[str] = set()
        """Records that no damage may take away, or the world would tell nothing."""
        self.basic_dates = rng.random() < 0.05
        """Whether creation dates are written in ISO's basic form, as some records have it."""
        self._clocks: dict[str, int] = {}

    # clocks, addresses

    def clock(self, host: str) -> timedelta:
        """How wrong a host's clock is: any two differ by two seconds at most."""
        if not self.skewed:
            return timedelta(0)
        return timedelta(seconds=self._clocks.setdefault(host, self.rng.choice((-1, 0, 0, 1))))

    def sts_clock(self) -> timedelta:
        return self.clock(f"sts {self.rng.randrange(3)}")

    def place(self) -> str:
        """An address for somebody: behind the company's NAT, if the world has one."""
        return self.nat or aws.address(self.rng)

    def within(self, first: datetime, last: datetime) -> datetime:
        span = max(int((last - first).total_seconds()), 0)
        return first + timedelta(seconds=self.rng.randrange(span + 1))

    def key(self, account: str, prefix: str = "ASIA") -> str:
        return aws.unique_id(prefix, account, self.rng)

    # who there is

    def role(self, name: str, account: str | None = None, path: str = "/") -> Role:
        account = account or self.home
        return Role(account, name, aws.unique_id("AROA", account, self.rng, 17), path)

    def user(self, name: str, account: str | None = None) -> Session:
        """An IAM user with a long-term key."""
        account = account or self.home
        key = self.key(account, "AKIA")
        path = self.rng.choice(("", "", "", "staff/"))
        return self._known(
            Session(
                "IAMUser",
                account,
                aws.unique_id("AIDA", account, self.rng, 17),
                f"arn:aws:iam::{account}:user/{path}{name}",
                key,
                user_name=name,
                ip=self.place(),
                agent=self.rng.choice(aws.CLI_AGENTS),
                tokens={name},
                person=True,
                began=self.start,
                ends=self.start + timedelta(hours=12),
            )
        )

    def root(self, account: str) -> Session:
        """The root user as a person: it has no key."""
        return Session(
            "Root",
            account,
            account,
            f"arn:aws:iam::{account}:root",
            ip=self.place(),
            agent=aws.BROWSER,
            tokens={account},
            person=True,
        )

    def service(self, host: str, *tokens: str) -> Session:
        return Session(
            "AWSService",
            fields={"invokedBy": host},
            ip=host,
            agent=host,
            tokens={host, *tokens},
            more_ids={host},
            person=True,
        )

    def saml_subject(self, email: str) -> Session:
        qualifier = f"{self.rng.getrandbits(100):x}="
        return Session(
            "SAMLUser",
            None,
            f"{qualifier}:{email}",
            user_name=email,
            fields={"identityProvider": qualifier},
            ip=self.place(),
            agent=aws.BROWSER,
            tokens={email},
            person=True,
        )

    def web_subject(self, subject: str, provider: str, ip: str, agent: str) -> Session:
        words = {subject}
        if subject.startswith("repo:"):
            words.add(subject.split(":")[1])
        if subject.startswith("system:serviceaccount:"):
            words.add("/".join(subject.split(":")[2:]))
        return Session(
            "WebIdentityUser",
            None,
            f"{provider}:sts.amazonaws.com:{subject}",
            user_name=subject,
            fields={"identityProvider": provider},
            ip=ip,
            agent=agent,
            tokens=words,
            person=True,
        )

    def _known(self, session: Session) -> Session:
        if session.key is not None:
            session.keys.add(session.key)
        self.sessions.append(session)
        return session

    # what happens

    def put(self, kind: Literal["use", "mint", "other"], record: Json, by: Session | None) -> Rec:
        rec = Rec(record, kind, by)
        self.records.append(rec)
        return rec

    def use(
        self,
        session: Session,
        at: datetime,
        call: int | None = None,
        *,
        ip: str | None = None,
        **more: Any,
    ) -> Rec:
        """One call by a session."""
        source, name, read_only, request = (
            self.rng.choice(aws.CALLS) if call is None else aws.CALLS[call]
        )
        if session.rotating and self.rng.random() < 0.6:
            more.setdefault("sessionCredentialFromConsole", "true")
        region = "us-east-1" if source.startswith("iam.") else self.rng.choice(self.regions)
        who = session.identity(self.rng)
        if session.type in ("AssumedRole", "IAMUser") and self.rng.random() < 0.05:
            ip = agent = self._for_them(who, at)
        else:
            ip, agent = ip or session.ip, session.agent
        if self.basic_dates and "sessionContext" in who:
            plain = who["sessionContext"]["attributes"]
            plain["creationDate"] = re.sub("[-:]", "", plain["creationDate"])
        record = aws.record(
            self.rng,
            at + self.clock(source),
            source,
            name,
            who,
            recipient=str(session.account),
            region=region,
            ip=ip,
            agent=agent,
            request=request,
            read_only=read_only,
            **more,
        )
        return self.put("use", record, session)

    def _for_them(self, who: Json, at: datetime) -> str:
        """Makes an identity that of a service's call on their behalf: a fresh key, the old date."""
        host = "cloudformation.amazonaws.com"
        if "accessKeyId" in who:
            who["accessKeyId"] = self.key(who["accountId"])
        if "sessionContext" not in who:
            date = {"creationDate": aws.stamp(at), "mfaAuthenticated": "false"}
            who["sessionContext"] = {"attributes": date}
        who["invokedBy"] = host
        return host

    def busy(self, sessions: Iterable[Session] | None = None, most: int = 4) -> None:
        """Calls by every session over its life, interleaved with the others'."""
        for session in list(self.sessions if sessions is None else sessions):
            if session.account is None:
                continue
            favourite = self.rng.randrange(len(aws.CALLS))
            for _ in range(self.rng.randint(1, most)):
                soon = min(session.ends, session.began + timedelta(minutes=50))
                last = session.ends if self.rng.random() < 0.25 else soon
                call = favourite if self.rng.random() < 0.6 else self.rng.choice((0, 1, 2))
                self.use(session, self.within(session.began + timedelta(seconds=1), last), call)

    def born(
        self,
        session: Session,
        caller: Session,
        records: list[Rec],
        marker: Marker,
        *,
        at: datetime,
        lifetime: timedelta,
        minted: str | None,
        target: str,
    ) -> Session:
        """A new session, with the step that made it."""
        step = Step(caller, records, marker, target, minted, at, lifetime)
        session.steps.append(step)
        session.ends = session.began + lifetime
        self.steps.append((session, step))
        return self._known(session)

    def assume(
        self,
        caller: Session,
        role: Role,
        name: str,
        at: datetime,
        *,
        marker: Marker = "cli",
        seconds: int | None = 3600,
        source_identity: str | None = None,
        ip: str | None = None,
        agent: str | None = None,
        shows_principal: bool = True,
        shows_key: bool = True,
        copies: Copies | None = None,
        region: str | None = None,
    ) -> Session:
        """AssumeRole by a user, a session, the console or a service."""
        rng = self.rng
        written = at + self.sts_clock()
        minted = self.key(role.account)
        if rng.random() < 0.07:
            shows_principal = False
        chained = caller.type == "AssumedRole" and marker == "cli"
        lifetime = timedelta(seconds=seconds or (6 * 3600 if marker == "service" else 3600))
        if chained:
            lifetime = min(lifetime, timedelta(hours=1))
        kept = source_identity or caller.context.get("sourceIdentity")
        request: Json = {"roleArn": role.arn, "roleSessionName": name}
        if seconds is not None:
            request["durationSeconds"] = seconds
        if source_identity is not None:
            request["sourceIdentity"] = source_identity
        response: Json = {
            "credentials": {
                "accessKeyId": minted,
                "sessionToken": "IQoJb3JpZ2luX2VjE…",
                "expiration": aws.expiration(written + lifetime),
            }
        }
        if not shows_key:
            del response["credentials"]["accessKeyId"]
        if shows_principal:
            response["assumedRoleUser"] = {
                "assumedRoleId": f"{role.id}:{name}",
                "arn": role.session_arn(name),
            }
        if kept is not None:
            response["sourceIdentity"] = kept
        more: Json = {"resources": [_owned(role)]}
        identity = caller.identity(rng)
        if marker == "console":
            ip = agent = aws.INTERNAL
            identity["invokedBy"] = aws.INTERNAL
        elif caller.type == "AssumedRole" and rng.random() < 0.06:
            ip = agent = self._for_them(identity, at)
            caller.keys.add(identity["accessKeyId"])
        ip, agent = ip or caller.ip, agent or caller.agent
        fields = {
            "region": region or rng.choice(self.regions),
            "ip": ip,
            "agent": agent,
            "request": request,
            "response": response,
        }
        crossing = caller.account not in (None, role.account)
        if crossing or (marker == "service" and rng.random() < 0.7):
            more["sharedEventID"] = aws.guid(rng)
        recipient = role.account
        records = []
        if crossing:
            wanted = copies or self.copies
            own = aws.record(
                rng, written, "sts.amazonaws.com", "AssumeRole", identity,
                recipient=str(caller.account), **fields, **more,
            )  # fmt: skip
            if wanted in ("both", "caller"):
                records.append(self.put("mint", own, caller))
            identity = {"type": "AWSAccount", "principalId": caller.principal}
            identity["accountId"] = str(caller.account)
            more["requestID"] = own["requestID"]
            if wanted == "caller":
                recipient = ""
        if recipient:
            record = aws.record(
                rng, written, "sts.amazonaws.com", "AssumeRole", identity,
                recipient=recipient, **fields, **more,
            )  # fmt: skip
            records.append(self.put("mint", record, caller))
        session = self.role_session(role, name, written, minted)
        session.began = at
        session.ip, session.agent = caller.ip, caller.agent
        if marker == "console":
            session.rotating, session.key = True, None
            session.agent = aws.BROWSER
        if kept is not None:
            session.context["sourceIdentity"] = kept
            session.tokens.add(kept)
        return self.born(
            session, caller, records, marker,
            at=written, lifetime=lifetime, minted=minted if shows_key else None,
            target=f"{role.arn} {name}",
        )  # fmt: skip

    def role_session(self, role: Role, name: str, written: datetime, key: str) -> Session:
        """What a role's session looks like in its calls; not yet how it came to be."""
        created = written
        if self.skewed and self.rng.random() < 0.5:
            # The host that issued the credential need not be the one that wrote the record.
            drift = self.rng.choice((-1, 1, 1, 2, -2))
            created = written + timedelta(seconds=drift)
        return Session(
            "AssumedRole",
            role.account,
            f"{role.id}:{name}",
            role.session_arn(name),
            key,
            name=name,
            role=role,
            issuer={
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            created=aws.stamp(created),
            tokens={role.name, f"{role.id}:{name}"},
        )

    def switch(self, caller: Session, role: Role, name: str, at: datetime, **more: Any) -> Session:
        """Switch role in the console: AssumeRole by the console's backend, then SwitchRole."""
        session = self.assume(caller, role, name, at, marker="console", **more)
        step = session.steps[0]
        who = {
            "type": "AssumedRole",
            "principalId": session.principal,
            "arn": session.arn,
            "accountId": role.account,
        }
        record = aws.record(
            self.rng,
            step.at + timedelta(seconds=self.rng.choice((0, 0, 1))),
            "signin.amazonaws.com",
            "SwitchRole",
            who,
            recipient=role.account,
            region="us-east-1",
            ip=caller.ip,
            agent=aws.BROWSER,
            response={"SwitchRole": "Success"},
            read_only=False,
            eventType="AwsConsoleSignIn",
            additionalEventData={
                "SwitchFrom": caller.arn,
                "RedirectTo": "https://console.aws.amazon.com/console/home",
            },
        )
        step.records.append(self.put("mint", record, session))
        return session

    def console_login(self, person: Session, at: datetime) -> Session:
        """An IAM user's or root's sign-in, and the console session it begins."""
        written = at + self.clock("signin")
        if self.rng.random() < 0.2:
            self._failed_login(person, written + timedelta(seconds=self.rng.choice((-2, -1, 0, 1))))
        record = aws.record(
            self.rng,
            written,
            "signin.amazonaws.com",
            "ConsoleLogin",
            {**person.identity(self.rng, key=False)},
            recipient=str(person.account),
            region="us-east-1",
            ip=person.ip,
            agent=aws.BROWSER,
            response={"ConsoleLogin": "Success"},
            read_only=False,
            eventType="AwsConsoleSignIn",
            additionalEventData={"MFAUsed": "Yes", "LoginTo": "https://console.aws.amazon.com/"},
        )
        created = written + timedelta(seconds=self.rng.choice((0, 0, 1)) if self.skewed else 0)
        session = Session(
            person.type,
            person.account,
            person.principal,
            person.arn,
            rotating=True,
            user_name=person.user_name,
            created=aws.stamp(created),
            began=at,
            ip=person.ip,
            agent=aws.BROWSER,
            tokens=set(person.tokens),
            person=True,
        )
        return self.born(
            session, person, [self.put("mint", record, person)], "console",
            at=written, lifetime=timedelta(hours=12), minted=None, target=str(person.arn),
        )  # fmt: skip

    def _failed_login(self, person: Session, written: datetime) -> None:
        """A wrong password, by somebody else at about the same time: it begins nothing."""
        record = aws.record(
            self.rng,
            written,
            "signin.amazonaws.com",
            "ConsoleLogin",
            person.identity(self.rng, key=False),
            recipient=str(person.account),
            region="us-east-1",
            ip=aws.address(self.rng),
            agent=aws.BROWSER,
            response={"ConsoleLogin": "Failure"},
            read_only=False,
            eventType="AwsConsoleSignIn",
            errorMessage="Failed authentication",
        )
        self.put("other", record, person)

    def federate(
        self,
        subject: Session,
        role: Role,
        name: str,
        at: datetime,
        *,
        seconds: int = 3600,
        call: Literal["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"] = "AssumeRoleWithSAML",
        issuer: str = "http://www.okta.com/exk1fcia6",
        marker: Marker = "cli",
        ip: str | None = None,
        agent: str | None = None,
    ) -> Session:
        """AssumeRoleWithSAML or …WithWebIdentity; the session uses the minted key."""
        written = at + self.sts_clock()
        minted = self.key(role.account)
        request: Json = {
            "roleArn": role.arn,
            "roleSessionName": name,
            "durationSeconds": seconds,
        }
        response: Json = {
            "credentials": {
                "accessKeyId": minted,
                "sessionToken": "IQoJb3JpZ2luX2VjE…",
                "expiration": aws.expiration(written + timedelta(seconds=seconds)),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{role.id}:{name}",
                "arn": role.session_arn(name),
            },
        }
        if call == "AssumeRoleWithSAML":
            request |= {
                "principalArn": f"arn:aws:iam::{role.account}:saml-provider/corp",
                "sAMLAssertionID": f"_{aws.guid(self.rng)}",
            }
            response |= {
                "subject": subject.user_name,
                "subjectType": "persistent",
                "issuer": issuer,
                "audience": "https://signin.aws.amazon.com/saml",
                "nameQualifier": subject.fields["identityProvider"],
            }
        else:
            response |= {
                "provider": subject.fields["identityProvider"],
                "subjectFromWebIdentityToken": subject.user_name,
                "audience": "sts.amazonaws.com",
            }
        record = aws.record(
            self.rng,
            written,
            "sts.amazonaws.com",
            call,
            subject.identity(self.rng),
            recipient=role.account,
            region=self.rng.choice(self.regions),
            ip=ip or subject.ip,
            agent=agent or subject.agent,
            request=request,
            response=response,
            resources=[_owned(role)],
        )
        session = self.role_session(role, name, written, minted)
        session.began, session.ip, session.agent = at, subject.ip, subject.agent
        return self.born(
            session, subject, [self.put("mint", record, subject)], marker,
            at=written, lifetime=timedelta(seconds=seconds), minted=minted,
            target=f"{role.arn} {name}",
        )  # fmt: skip


def _owned(role: Role) -> Json:
    return {"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}
