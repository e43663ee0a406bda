"""How every kind of credential comes to be: the records that mint it, and the session it gives.

Each way is as the domain reference describes it: which copy shows the key, whether the key in
use is the minted one, and what of the caller survives on the session's own calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from demo.company import (
    GLOBAL_REGION,
    HOME_REGION,
    IDENTITY_STORE,
    MANAGEMENT,
    Person,
    Role,
    User,
    permission_set_role,
)
from demo.ids import access_key, guid, hexadecimal, named_hexadecimal
from demo.ledger import Ledger
from demo.records import Call, Record, Session, build, iso, spelled

GITHUB = "token.actions.githubusercontent.com"
CLUSTER = f"oidc.eks.{HOME_REGION}.amazonaws.com/id/EXAMPLE539D4633E53DE1B71EXAMPLE"


@dataclass(frozen=True)
class Minted:
    """One minted credential and the events that prove it."""

    role: Role
    session_name: str
    key: str
    at: int
    event_id: str
    event_name: str
    by: dict[str, Any]
    """The caller's `userIdentity`, from the copy that knows most."""
    copy_event_id: str | None = None
    """The role owner's copy, when the call crossed accounts."""
    sign_in_event_id: str | None = None
    """The portal's, the console's or SwitchRole's event beside it."""

    def identity(self, key: str | None = None, **context: Any) -> dict[str, Any]:
        """The `userIdentity` of calls made with the session."""
        return role_identity(
            self.role, self.session_name, key or self.key, self.at, context=context or None
        )


def user_identity(user: User) -> dict[str, Any]:
    """An IAM user with the long-term key."""
    return {
        "type": "IAMUser",
        "principalId": user.id,
        "arn": user.arn,
        "accountId": user.account,
        "accessKeyId": user.key,
        "userName": user.name,
    }


def role_identity(
    role: Role,
    session_name: str,
    key: str,
    created: int,
    *,
    mfa: bool = False,
    context: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An assumed role's identity. `context` goes into `sessionContext`."""
    return {
        "type": "AssumedRole",
        "principalId": f"{role.id}:{session_name}",
        "arn": role.session_arn(session_name),
        "accountId": role.account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            "webIdFederationData": {},
            "attributes": {
                "creationDate": iso(created),
                "mfaAuthenticated": "true" if mfa else "false",
            },
            **(context or {}),
        },
    }


def _minting(
    role: Role, session_name: str, key: str, at: int, duration: int, rng: Random, **params: Any
) -> Call:
    return Call(
        "sts",
        "AssumeRole",
        params={
            "roleArn": role.arn,
            "roleSessionName": session_name,
            "durationSeconds": duration,
            **params,
        },
        response={
            "credentials": {
                "accessKeyId": key,
                "sessionToken": f"IQoJb3JpZ2luX2VjEXAMPLE{rng.getrandbits(128):032x}",
                "expiration": spelled(at + duration),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{role.id}:{session_name}",
                "arn": role.session_arn(session_name),
            },
        },
        resources=({"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn},),
    )


def by_service(
    ledger: Ledger,
    rng: Random,
    role: Role,
    session_name: str,
    service: str,
    at: int,
    *,
    region: str = HOME_REGION,
    duration: int = 21_600,
    **params: Any,
) -> Minted:
    """AssumeRole by an AWS service: EC2, ECS, Lambda, Pod Identity, service-linked roles."""
    key = access_key(role.account, rng)
    identity = {"type": "AWSService", "invokedBy": service}
    call = _minting(role, session_name, key, at, duration, rng, **params)
    record = build(Session(identity, role.account, service, service), call, at, region, rng)
    record["sharedEventID"] = guid(rng)
    event_id = ledger.emit(at, record)
    return Minted(role, session_name, key, at, event_id, "AssumeRole", identity)


def by_caller(
    ledger: Ledger,
    rng: Random,
    caller: Session,
    role: Role,
    session_name: str,
    at: int,
    *,
    region: str = HOME_REGION,
    duration: int = 3_600,
    **params: Any,
) -> Minted:
    """AssumeRole by a user or a session; in both accounts' trails when it crosses accounts."""
    key = access_key(role.account, rng)
    call = _minting(role, session_name, key, at, duration, rng, **params)
    record = build(caller, call, at, region, rng)
    copy = None
    if caller.account != role.account:
        record["sharedEventID"] = guid(rng)
        copy = ledger.emit(at, owner_copy(record, role.account, rng))
    event_id = ledger.emit(at, record, role_wanted=role.arn)
    by = dict(record["userIdentity"])
    return Minted(role, session_name, key, at, event_id, "AssumeRole", by, copy)


def owner_copy(record: Record, owner: str, rng: Random) -> Record:
    """The copy in the role owner's trail, which knows little of the caller."""
    caller = record["userIdentity"]
    copy = {
        **record,
        "userIdentity": {
            "type": "AWSAccount",
            "principalId": caller["principalId"],
            "accountId": caller["accountId"],
        },
        "eventID": guid(rng),
        "recipientAccountId": owner,
    }
    copy.pop("sessionCredentialFromConsole", None)
    return copy


def refused(caller: Session, role_arn: str, reason: str = "") -> Call:
    """AssumeRole denied: the target stands in the message alone."""
    message = (
        f"User: {caller.identity['arn']} is not authorized to perform: sts:AssumeRole "
        f"on resource: {role_arn}{reason}"
    )
    return Call("sts", "AssumeRole").failing("AccessDenied", message, keep_params=False)


def by_stranger(
    ledger: Ledger,
    rng: Random,
    account: str,
    principal_id: str,
    ip: str,
    agent: str,
    role: Role,
    session_name: str,
    at: int,
    **params: Any,
) -> Minted:
    """AssumeRole from an account whose logs are not ours: the owner's copy alone."""
    key = access_key(role.account, rng)
    identity = {"type": "AWSAccount", "principalId": principal_id, "accountId": account}
    call = _minting(role, session_name, key, at, 3_600, rng, **params)
    record = build(Session(identity, role.account, ip, agent), call, at, HOME_REGION, rng)
    record["sharedEventID"] = guid(rng)
    event_id = ledger.emit(at, record)
    return Minted(role, session_name, key, at, event_id, "AssumeRole", identity)


def by_web_identity(
    ledger: Ledger,
    rng: Random,
    role: Role,
    session_name: str,
    provider: str,
    subject: str,
    ip: str,
    agent: str,
    at: int,
    *,
    duration: int = 3_600,
) -> Minted:
    """AssumeRoleWithWebIdentity: GitHub's OIDC, or a Kubernetes service account."""
    key = access_key(role.account, rng)
    provider_arn = f"arn:aws:iam::{role.account}:oidc-provider/{provider}"
    identity = {
        "type": "WebIdentityUser",
        "principalId": f"{provider_arn}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider_arn,
    }
    call = _minting(role, session_name, key, at, duration, rng)
    call = replace(
        call,
        name="AssumeRoleWithWebIdentity",
        response={
            **(call.response or {}),
            "subjectFromWebIdentityToken": subject,
            "provider": provider_arn,
            "audience": "sts.amazonaws.com",
        },
    )
    record = build(Session(identity, role.account, ip, agent), call, at, HOME_REGION, rng)
    event_id = ledger.emit(at, record)
    return Minted(role, session_name, key, at, event_id, "AssumeRoleWithWebIdentity", identity)


_PORTAL_AGENT = "aws-internal/3 aws-sdk-java/1.12.797 Linux/5.10.245 OpenJDK_64-Bit_Server_VM"


def by_identity_center(
    ledger: Ledger,
    rng: Random,
    person: Person,
    account: str,
    permission_set: str,
    at: int,
    ip: str,
    *,
    console: bool,
) -> tuple[Minted, Session]:
    """A person opens an account from the access portal or `aws sso login`.

    The portal's events are in the management account, AssumeRoleWithSAML in the member's. The
    session works under another key than the minted one, and says on whose behalf.
    """
    agent = person.browser if console else person.cli
    behalf = {"userId": person.user_id, "identityStoreArn": IDENTITY_STORE}
    portal_identity = {
        "type": "IdentityCenterUser",
        "accountId": MANAGEMENT,
        "onBehalfOf": behalf,
        "credentialId": guid(rng),
    }
    portal = Session(portal_identity, MANAGEMENT, ip, agent)

    def portal_event(service: str, name: str, moment: int, **details: Any) -> str:
        record = build(portal, Call(service, name), moment, HOME_REGION, rng)
        record["eventType"] = "AwsServiceEvent"
        if details:
            record["serviceEventDetails"] = details
        return ledger.emit(moment, record)

    if not console:
        portal_event("sso-oauth", "CreateToken", at - rng.randrange(20, 40))
    portal_event("sso", "ListAccounts", at - rng.randrange(10, 19))
    portal_event("sso", "ListAccountRoles", at - rng.randrange(3, 9), account_id=account)
    sign_in = portal_event(
        "sso",
        "Federate" if console else "GetRoleCredentials",
        at + rng.choice((0, 0, 0, 1)),
        role_name=permission_set,
        account_id=account,
    )

    role = permission_set_role(account, permission_set)
    key = access_key(account, rng)
    provider_arn = (
        f"arn:aws:iam::{account}:saml-provider/"
        f"AWSSSO_{named_hexadecimal(f'saml:{account}', 16)}_DO_NOT_DELETE"
    )
    qualifier = f"EXAMPLE{named_hexadecimal(f'qualifier:{account}', 20)}="
    identity = {
        "type": "SAMLUser",
        "principalId": f"{qualifier}:{person.mail}",
        "userName": person.mail,
        "identityProvider": qualifier,
    }
    call = _minting(
        role,
        person.mail,
        key,
        at,
        43_200,
        rng,
        principalArn=provider_arn,
        sAMLAssertionID=f"_{guid(rng)}",
    )
    call = replace(
        call,
        name="AssumeRoleWithSAML",
        response={
            **(call.response or {}),
            "subject": person.mail,
            "subjectType": "persistent",
            "issuer": f"https://portal.sso.{HOME_REGION}.amazonaws.com/saml/assertion/EXAMPLE",
            "audience": "https://signin.aws.amazon.com/saml",
            "nameQualifier": qualifier,
        },
        resources=(
            *call.resources,
            {"accountId": account, "type": "AWS::IAM::SAMLProvider", "ARN": provider_arn},
        ),
    )
    backend = f"192.0.2.{rng.randrange(10, 20)}"
    record = build(Session(identity, account, backend, _PORTAL_AGENT), call, at, HOME_REGION, rng)
    event_id = ledger.emit(at, record)
    minted = Minted(
        role,
        person.mail,
        key,
        at,
        event_id,
        "AssumeRoleWithSAML",
        identity,
        sign_in_event_id=sign_in,
    )
    used = access_key(account, rng)
    session = Session(
        {**minted.identity(used), "onBehalfOf": behalf}, account, ip, agent, console=console
    )
    if console:
        login_identity = {
            "type": "AssumedRole",
            "principalId": f"{role.id}:{person.mail}",
            "arn": role.session_arn(person.mail),
            "accountId": account,
        }
        login = Session(login_identity, account, ip, agent)
        ledger.emit(at + 1, console_login(login, at + 1, rng, mfa="No", saml=provider_arn))
    return minted, session


def console_login(
    session: Session, at: int, rng: Random, *, mfa: str, saml: str | None = None
) -> Record:
    """A successful ConsoleLogin."""
    call = Call("signin", "ConsoleLogin", read=False, response={"ConsoleLogin": "Success"})
    record = build(session, call, at, GLOBAL_REGION if not saml else HOME_REGION, rng)
    record["eventType"] = "AwsConsoleSignIn"
    record["additionalEventData"] = {
        "LoginTo": "https://console.aws.amazon.com/console/home",
        "MobileVersion": "No",
        "MFAUsed": mfa,
        **({"SamlProviderArn": saml} if saml else {}),
    }
    record["tlsDetails"] = {
        **record["tlsDetails"],
        "clientProvidedHostHeader": "signin.aws.amazon.com",
    }
    del record["requestID"]
    return record


def user_console(
    ledger: Ledger, rng: Random, user: User, at: int, ip: str, browser: str, *, mfa: bool = True
) -> tuple[str, Session]:
    """An IAM user signs in to the console; gives ConsoleLogin's event id and the session."""
    bare = {k: v for k, v in user_identity(user).items() if k != "accessKeyId"}
    login = Session(bare, user.account, ip, browser)
    event_id = ledger.emit(at, console_login(login, at, rng, mfa="Yes" if mfa else "No"))
    identity = {
        **user_identity(user),
        "accessKeyId": "",
        "sessionContext": {
            "sessionIssuer": {},
            "webIdFederationData": {},
            "attributes": {"creationDate": iso(at), "mfaAuthenticated": "true" if mfa else "false"},
        },
    }
    return event_id, Session(identity, user.account, ip, browser, console=True)


def switch_role(
    ledger: Ledger, rng: Random, session: Session, role: Role, at: int
) -> tuple[Minted, Session]:
    """A console user switches role: AssumeRole by AWS Internal, then SwitchRole in the role's
    account. The role's session works under keys that no record minted."""
    name = str(session.identity["userName"])
    backend = replace(session, ip="AWS Internal", agent="AWS Internal")
    key = access_key(role.account, rng)
    call = _minting(role, name, key, at, 3_600, rng)
    record = build(backend, call, at, GLOBAL_REGION, rng)
    record.pop("sessionCredentialFromConsole")
    record["sharedEventID"] = guid(rng)
    record["userIdentity"] = {**record["userIdentity"], "invokedBy": "AWS Internal"}
    owner = owner_copy(record, role.account, rng)
    copy = ledger.emit(at, owner)
    event_id = ledger.emit(at, record, role_wanted=role.arn)
    switched = {
        "type": "AssumedRole",
        "principalId": f"{role.id}:{name}",
        "arn": role.session_arn(name),
        "accountId": role.account,
    }
    switch = build(
        replace(session, identity=switched, account=role.account, console=False),
        Call("signin", "SwitchRole", read=False, response={"SwitchRole": "Success"}),
        at + 1,
        GLOBAL_REGION,
        rng,
    )
    switch["eventType"] = "AwsConsoleSignIn"
    switch["additionalEventData"] = {
        "SwitchFrom": session.identity["arn"],
        "RedirectTo": "https://console.aws.amazon.com/console/home",
    }
    del switch["requestID"]
    sign_in = ledger.emit(at + 1, switch)
    minted = Minted(
        role,
        name,
        key,
        at,
        event_id,
        "AssumeRole",
        dict(record["userIdentity"]),
        copy,
        sign_in,
    )
    mfa = session.identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    identity = role_identity(role, name, "", at, mfa=mfa)
    return minted, Session(identity, role.account, session.ip, session.agent, console=True)


def lambda_scope(role: Role, function: str) -> dict[str, Any]:
    """What Lambda writes on its sessions: the function that was given the credential."""
    arn = f"arn:aws:lambda:{HOME_REGION}:{role.account}:function:{function}"
    return {
        "inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn},
    }


def task_id(rng: Random) -> str:
    """An ECS task's id."""
    return hexadecimal(rng, 32)


def pod_session(cluster: str, pod: str, rng: Random) -> str:
    """The session name that Pod Identity chooses."""
    return f"eks-{cluster[:10]}-{pod[:12]}-{guid(rng)}"
