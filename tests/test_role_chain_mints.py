"""Who assumed the role: one test per way in which a credential is minted (§2)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.an_alert import an_alert, who_assumed
from tests.an_event import ACCOUNT, MASKED, a_role_session, a_user, an_assumption, an_event, around

IDENTITY_CENTER_ACCOUNT = "222233334444"
USER_ID = "90677f4b-1111-7000-8000-a1b2c3d4e5f6"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def hops(answer):
    return [(hop["event_name"], hop["method"], hop["rule"]) for hop in answer.data["chain"]]


def a_service_mint(service: str, role: str, session: str, **changes):
    return an_assumption(
        role=role,
        session=session,
        userIdentity={"type": "AWSService", "invokedBy": service},
        sourceIPAddress=service,
        userAgent=service,
        **changes,
    )


def a_console_session(name: str = "alice", created: str = "2026-03-10T11:30:00Z", **changes):
    """An IAM user in the console: a fresh temporary key with every request."""
    return a_user(
        name,
        **{
            "accessKeyId": "ASIACONSOLE0Q0Q0Q0Q1",
            "sessionContext": {
                "sessionIssuer": {},
                "webIdFederationData": {},
                "attributes": {"creationDate": created, "mfaAuthenticated": "true"},
            },
            **changes,
        },
    )


def a_console_login(at: str = "2026-03-10T11:30:00Z", name: str = "alice", **changes):
    identity = a_user(name)
    del identity["accessKeyId"]
    return an_event(
        eventTime=at,
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        eventType="AwsConsoleSignIn",
        awsRegion="us-east-1",
        userIdentity=identity,
        userAgent=BROWSER,
        responseElements={"ConsoleLogin": "Success"},
        additionalEventData={"MFAUsed": "Yes", "MobileVersion": "No"},
        readOnly=False,
        **changes,
    )


# SAML and web identity -----------------------------------------------------------------------


def a_saml_mint(role: str = "reader", session: str = "ana@example.com", **changes):
    record = an_assumption(role=role, session=session, eventName="AssumeRoleWithSAML", **changes)
    record["userIdentity"] = {
        "type": "SAMLUser",
        "principalId": "kM9NameQualifier=:ana@example.com",
        "userName": "ana@example.com",
        "identityProvider": "kM9NameQualifier=",
    }
    record["responseElements"] |= {
        "subject": "ana@example.com",
        "subjectType": "emailAddress",
        "issuer": "https://idp.example.com/saml",
    }
    return record


def test_a_saml_session_leads_to_the_saml_subject():
    mint = a_saml_mint()
    use = an_event(userIdentity=a_role_session(session="ana@example.com"))

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [("AssumeRoleWithSAML", "access_key", "R1")]
    assert answer.data["chain"][0]["interface"] == "saml"
    assert answer.data["origin"]["type"] == "SAMLUser"
    assert answer.data["origin"]["label"] == "ana@example.com"
    assert answer.data["origin"]["field"] == "responseElements.subject"


def a_web_identity_mint(subject: str, provider: str, role: str, session: str):
    record = an_assumption(role=role, session=session, eventName="AssumeRoleWithWebIdentity")
    record["userIdentity"] = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    record["responseElements"] |= {
        "subjectFromWebIdentityToken": subject,
        "provider": provider,
        "audience": "sts.amazonaws.com",
    }
    return record


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("repo:example/shop:ref:refs/heads/main", ["example/shop", "refs/heads/main"]),
        ("repo:example/shop:environment:prod", ["example/shop", "environment prod"]),
        ("repo:example/shop:pull_request", ["example/shop", "pull request"]),
        (
            "repo:example/shop:job_workflow_ref:example/ci/.github/workflows/deploy.yml@refs/tags/v1",
            ["example/shop", "example/ci/.github/workflows/deploy.yml@refs/tags/v1"],
        ),
    ],
)
def test_a_github_session_leads_to_repository_and_workflow(subject, words):
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    mint = a_web_identity_mint(subject, provider, "deploy", "GitHubActions")
    use = an_event(userIdentity=a_role_session("deploy", "GitHubActions"))

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [("AssumeRoleWithWebIdentity", "access_key", "R1")]
    assert answer.data["chain"][0]["interface"] == "web_identity"
    origin = answer.data["origin"]
    assert (origin["type"], origin["label"]) == ("WebIdentityUser", subject)
    assert origin["field"] == "responseElements.subjectFromWebIdentityToken"
    assert all(word in origin["detail"] for word in words)
    assert "GitHub Actions" in answer.sentence


def test_a_kubernetes_service_account_is_named_with_its_namespace():
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12"
    mint = a_web_identity_mint(
        "system:serviceaccount:billing:exporter", provider, "pod-role", "botocore-session-1773143"
    )
    use = an_event(userIdentity=a_role_session("pod-role", "botocore-session-1773143"))

    answer = who_assumed(use, [mint, use])

    assert "billing/exporter" in answer.data["origin"]["detail"]
    assert answer.data["chain"][0]["interface_detail"] == "EKS service account (IRSA)"


# Identity Center -----------------------------------------------------------------------------


PERMISSION_SET_ROLE = "AWSReservedSSO_PowerUser_0123456789abcdef"
SSO_PATH = "/aws-reserved/sso.amazonaws.com/eu-west-1/"


def an_identity_center_session(key: str):
    return a_role_session(PERMISSION_SET_ROLE, "ana@example.com", key=key, path=SSO_PATH)


def an_identity_center_sign_in(at: str = "2026-03-10T11:49:59Z", user: str = USER_ID):
    return an_event(
        eventTime=at,
        eventSource="sso.amazonaws.com",
        eventName="GetRoleCredentials",
        recipientAccountId=IDENTITY_CENTER_ACCOUNT,
        sourceIPAddress="203.0.113.44",
        userAgent="aws-cli/2.15.0 md/command#sso.login",
        userIdentity={
            "type": "IdentityCenterUser",
            "accountId": IDENTITY_CENTER_ACCOUNT,
            "onBehalfOf": {
                "userId": user,
                "identityStoreArn": f"arn:aws:identitystore::{IDENTITY_CENTER_ACCOUNT}:"
                "identitystore/d-9067642ac7",
            },
            "credentialId": "1fa02ad0-1b02-4f4d-8a3a-0123456789ab",
        },
        serviceEventDetails={"account_id": ACCOUNT, "role_name": "PowerUser"},
    )


def test_identity_center_keys_differ_and_the_portal_event_names_the_user():
    mint = a_saml_mint(PERMISSION_SET_ROLE, key="ASIAMINTED0Q0Q0Q0Q01", path=SSO_PATH)
    portal = an_identity_center_sign_in()
    use = an_event(userIdentity=an_identity_center_session("ASIAUSED0Q0Q0Q0Q0Q01"))

    answer = who_assumed(use, [mint, portal, use])

    assert hops(answer) == [("AssumeRoleWithSAML", "creation_date", "R2")]
    (hop,) = answer.data["chain"]
    # The mint's own address is AWS's; the person's is on the portal event.
    assert hop["source_ip_address"] == "203.0.113.44"
    assert portal["eventID"] in answer.evidence
    origin = answer.data["origin"]
    assert origin["type"] == "IdentityCenterUser"
    assert origin["label"] == "ana@example.com"
    assert origin["field"] == "GetRoleCredentials userIdentity.onBehalfOf.userId"
    assert "PowerUser" in origin["detail"]


def test_an_older_identity_center_key_is_matched_by_key():
    mint = a_saml_mint(PERMISSION_SET_ROLE, key="ASIAMINTED0Q0Q0Q0Q01", path=SSO_PATH)
    use = an_event(userIdentity=an_identity_center_session("ASIAMINTED0Q0Q0Q0Q01"))

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [("AssumeRoleWithSAML", "access_key", "R1")]
    assert answer.data["origin"]["label"] == "ana@example.com"
    assert answer.data["origin"]["field"] == "requestParameters.roleSessionName"


@pytest.mark.parametrize("at", ["2026-03-10T11:49:55Z", "2026-03-10T11:50:04Z"])
def test_a_portal_event_further_than_two_seconds_away_is_not_used(at):
    mint = a_saml_mint(PERMISSION_SET_ROLE, key="ASIAMINTED0Q0Q0Q0Q01", path=SSO_PATH)
    portal = an_identity_center_sign_in(at)
    use = an_event(userIdentity=an_identity_center_session("ASIAUSED0Q0Q0Q0Q0Q01"))

    answer = who_assumed(use, [mint, portal, use])

    assert portal["eventID"] not in answer.evidence
    assert answer.data["chain"][0]["source_ip_address"] == mint["sourceIPAddress"]


@pytest.mark.parametrize(
    "details",
    [
        {"account_id": "999988887777", "role_name": "PowerUser"},
        {"account_id": ACCOUNT, "role_name": "Auditor"},
    ],
)
def test_a_portal_event_for_another_account_or_permission_set_is_not_used(details):
    mint = a_saml_mint(PERMISSION_SET_ROLE, key="ASIAMINTED0Q0Q0Q0Q01", path=SSO_PATH)
    portal = an_identity_center_sign_in() | {"serviceEventDetails": details}
    use = an_event(userIdentity=an_identity_center_session("ASIAUSED0Q0Q0Q0Q0Q01"))
    assert portal["eventID"] not in who_assumed(use, [mint, portal, use]).evidence


def test_two_portal_users_in_the_same_seconds_are_not_told_apart():
    mint = a_saml_mint(PERMISSION_SET_ROLE, key="ASIAMINTED0Q0Q0Q0Q01", path=SSO_PATH)
    portals = [an_identity_center_sign_in(), an_identity_center_sign_in(user="another-user-id")]
    use = an_event(userIdentity=an_identity_center_session("ASIAUSED0Q0Q0Q0Q0Q01"))

    answer = who_assumed(use, [mint, *portals, use])

    assert any("2 Identity Center users" in text for text in answer.caveats)
    assert answer.data["chain"][0]["source_ip_address"] == mint["sourceIPAddress"]


# The console ---------------------------------------------------------------------------------


def test_an_iam_users_console_session_leads_to_its_login():
    login = a_console_login(sourceIPAddress="203.0.113.5")
    use = an_event(userIdentity=a_console_session(), sessionCredentialFromConsole="true")

    answer = who_assumed(use, [login, use])

    assert hops(answer) == [("ConsoleLogin", "creation_date", "R0")]
    assert answer.data["chain"][0]["confidence"] == "high"
    assert answer.data["chain"][0]["interface"] == "console"
    assert answer.data["chain"][0]["source_ip_address"] == "203.0.113.5"
    assert "signed in to the console" in answer.sentence


def test_a_failed_login_explains_nothing():
    login = a_console_login()
    login |= {"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed"}
    use = an_event(userIdentity=a_console_session())
    assert who_assumed(use, [login, use]).data["chain"] == []


def a_switch(source: str | None = f"arn:aws:iam::{ACCOUNT}:user/alice", **changes):
    identity = a_role_session("admin", "alice")
    del identity["accessKeyId"], identity["sessionContext"]
    return an_event(
        **{
            "eventTime": "2026-03-10T11:50:01Z",
            "eventSource": "signin.amazonaws.com",
            "eventName": "SwitchRole",
            "eventType": "AwsConsoleSignIn",
            "userIdentity": identity,
            "sourceIPAddress": "203.0.113.77",
            "userAgent": BROWSER,
            "responseElements": {"SwitchRole": "Success"},
            "additionalEventData": {"SwitchFrom": source} if source else None,
            "readOnly": False,
            **changes,
        }
    )


def test_a_switched_role_leads_over_the_console_login_to_the_user():
    login = a_console_login()
    mint = an_assumption(
        "admin",
        "alice",
        key="ASIAMINTED0Q0Q0Q0Q01",
        userIdentity=a_console_session(invokedBy="AWS Internal"),
        sourceIPAddress="AWS Internal",
        userAgent="AWS Internal",
    )
    use = an_event(
        userIdentity=a_role_session("admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2"),
        sessionCredentialFromConsole="true",
    )

    answer = who_assumed(use, [login, mint, a_switch(), use])

    assert hops(answer) == [
        ("AssumeRole", "creation_date", "R2"),
        ("ConsoleLogin", "creation_date", "R0"),
    ]
    hop = answer.data["chain"][0]
    assert hop["interface"] == "console"
    # The assumption's own address is hidden; the switch has the browser's.
    assert (hop["source_ip_address"], hop["user_agent"]) == ("203.0.113.77", BROWSER)
    assert answer.data["origin"]["label"] == "alice"


def test_the_switch_alone_names_its_source_without_the_callers_log():
    source = "arn:aws:sts::444455556666:assumed-role/hub/ana@example.com"
    switch = a_switch(source)
    use = an_event(userIdentity=a_role_session("admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2"))

    answer = who_assumed(use | {"sessionCredentialFromConsole": "true"}, [switch, use])

    hop = answer.data["chain"][0]
    assert (hop["event_id"], hop["method"], hop["rule"]) == (
        switch["eventID"],
        "switch_role",
        "R2c",
    )
    assert hop["confidence"] == "high"
    assert hop["by"]["arn"] == source
    assert hop["by"]["access_key_id"] is None
    assert hop["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert any("444455556666" in text for text in answer.caveats)  # whose log would go on


@pytest.mark.parametrize("at", ["2026-03-10T11:49:57Z", "2026-03-10T11:50:03Z"])
def test_a_switch_into_another_session_of_the_role_is_no_source(at):
    switch = a_switch(eventTime=at)
    use = an_event(userIdentity=a_role_session("admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2"))
    answer = who_assumed(use, [switch, use])
    assert all(hop["method"] != "switch_role" for hop in answer.data["chain"])


def test_the_switch_names_the_caller_of_an_owner_copy():
    owners = an_assumption(
        "admin",
        "alice",
        key="ASIAMINTED0Q0Q0Q0Q01",
        userIdentity={
            "type": "AWSAccount",
            "principalId": a_user()["principalId"],
            "accountId": "444455556666",
        },
        sourceIPAddress="AWS Internal",
        userAgent="AWS Internal",
    )
    switch = a_switch("arn:aws:iam::444455556666:user/alice")
    use = an_event(userIdentity=a_role_session("admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2"))

    answer = who_assumed(use, [owners, switch, use])

    (hop,) = answer.data["chain"]
    assert hop["event_id"] == owners["eventID"]
    assert hop["by"]["arn"] == "arn:aws:iam::444455556666:user/alice"
    assert answer.data["origin"]["field"] == "SwitchRole additionalEventData.SwitchFrom"


def test_a_refused_switch_is_no_source():
    switch = a_switch(responseElements={"SwitchRole": "Failure"})
    use = an_event(userIdentity=a_role_session("admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2"))
    assert who_assumed(use, [switch, use]).data["chain"] == []


# `aws login` and CloudShell ------------------------------------------------------------------


def an_oauth_event(name: str, at: str, **changes):
    return an_event(
        eventTime=at,
        eventSource="signin.amazonaws.com",
        eventName=name,
        userIdentity=a_console_session(),
        requestParameters={"client_id": "arn:aws:signin:::devtools/same-device"},
        **changes,
    )


def test_a_command_line_login_is_traced_to_the_console_session_it_borrowed():
    login = a_console_login()
    browser = an_oauth_event("AuthorizeOAuth2Access", "2026-03-10T11:40:00Z", userAgent=BROWSER)
    token = an_oauth_event(
        "CreateOAuth2Token", "2026-03-10T11:40:02Z", userAgent="aws-cli/2.32.0 md/command#login"
    )
    use = an_event(userIdentity=a_console_session(accessKeyId="ASIALOGIN0Q0Q0Q0Q01"))

    answer = who_assumed(use, [login, browser, token, use])

    assert hops(answer) == [
        ("CreateOAuth2Token", "signin_session", "R2d"),
        ("ConsoleLogin", "creation_date", "R0"),
    ]
    assert answer.data["chain"][0]["confidence"] == "medium"
    assert browser["eventID"] in answer.evidence
    assert not any("phishing" in text for text in answer.caveats)


def test_the_console_session_itself_did_not_come_from_the_login_that_borrowed_it():
    login = a_console_login()
    token = an_oauth_event("CreateOAuth2Token", "2026-03-10T11:40:02Z")
    for mark in ({"sessionCredentialFromConsole": "true"}, {"userAgent": BROWSER}):
        use = an_event(userIdentity=a_console_session(accessKeyId="ASIACONSOLE0Q0Q0Q077"), **mark)
        assert hops(who_assumed(use, [login, token])) == [("ConsoleLogin", "creation_date", "R0")]


def test_a_command_line_login_authorised_elsewhere_is_a_sign_of_phishing():
    browser = an_oauth_event(
        "AuthorizeOAuth2Access", "2026-03-10T11:40:00Z", sourceIPAddress="198.51.100.1"
    )
    token = an_oauth_event(
        "CreateOAuth2Token", "2026-03-10T11:40:02Z", sourceIPAddress="203.0.113.200"
    )
    use = an_event(userIdentity=a_console_session(accessKeyId="ASIALOGIN0Q0Q0Q0Q01"))
    answer = who_assumed(use, [browser, token, use])
    assert any("phishing" in text for text in answer.caveats)


def test_a_sign_in_session_arn_makes_the_link_high():
    arn = f"arn:aws:signin:eu-west-1:{ACCOUNT}:session/5f0c"
    identity = a_console_session(accessKeyId="ASIALOGIN0Q0Q0Q0Q01")
    identity["sessionContext"]["signInSessionArn"] = arn
    token = an_oauth_event("CreateOAuth2Token", "2026-03-10T11:40:02Z")
    token["userIdentity"]["sessionContext"]["signInSessionArn"] = arn

    answer = who_assumed(an_event(userIdentity=identity), [token])

    assert answer.data["chain"][0]["method"] == "signin_session"
    assert answer.data["chain"][0]["confidence"] == "high"


def test_cloudshell_borrows_the_console_session():
    login = a_console_login()
    shell = an_event(
        eventTime="2026-03-10T11:45:00Z",
        eventSource="cloudshell.amazonaws.com",
        eventName="PutCredentials",
        userIdentity=a_console_session(accessKeyId="ASIACONSOLE0Q0Q0Q0Q9"),
    )
    use = an_event(
        userIdentity=a_console_session(accessKeyId="ASIASHELL0Q0Q0Q0Q01"),
        userAgent="aws-cli/2.15.0 Python/3.11.6 exec-env/CloudShell",
    )

    assert hops(who_assumed(use, [login, shell, use])) == [
        ("PutCredentials", "signin_session", "R2d"),
        ("ConsoleLogin", "creation_date", "R0"),
    ]


def a_borrowed_role_session(**changes):
    """A role in the console, signed in to by SAML, and `aws login` of it."""
    identity = a_role_session("reader", "work", key="ASIALOGIN0Q0Q0Q0Q01")
    identity["sessionContext"]["signInSessionArn"] = f"arn:aws:signin:eu-west-1:{ACCOUNT}:session/5"
    token = an_oauth_event("CreateOAuth2Token", "2026-03-10T11:55:00Z", userAgent="aws-cli/2.32.0")
    token["userIdentity"] = {k: v for k, v in identity.items() if k != "accessKeyId"}
    return token, an_event(userIdentity=identity, **changes)


def test_a_login_that_is_the_alert_does_not_explain_itself():
    token, _ = a_borrowed_role_session()
    earlier = {**token, "eventID": "another", "eventTime": "2026-03-10T11:52:00Z"}
    for records in ([token], [token, earlier]):
        answer = who_assumed(token, [*records, *around()])
        assert (answer.status, answer.data["chain"]) == ("nothing", [])
    mint = a_saml_mint(session="work")
    answer = who_assumed(token, [mint, token])
    assert hops(answer) == [("AssumeRoleWithSAML", "creation_date", "R2")]


def test_a_borrowed_session_whose_own_beginning_is_missing_is_not_explained():
    token, use = a_borrowed_role_session()

    answer = who_assumed(use, [token, use, *around()])

    assert answer.status == "nothing"
    assert hops(answer) == [("CreateOAuth2Token", "signin_session", "R2d")]
    assert "assumed by" not in answer.sentence.lower()
    assert "no indexed event explains that console session" in answer.sentence
    assert answer.data["origin"]["confidence"] is None  # its own fields, and nobody behind them
    assert any("11:50:00" in text for text in answer.caveats)  # where its beginning would be


def test_a_borrowed_role_session_leads_to_whoever_signed_in():
    token, use = a_borrowed_role_session()
    answer = who_assumed(use, [a_saml_mint(session="work"), token, use])
    assert hops(answer) == [
        ("CreateOAuth2Token", "signin_session", "R2d"),
        ("AssumeRoleWithSAML", "creation_date", "R2"),
    ]
    assert answer.status == "answered"
    assert "at 2026-03-10 11:50:00 UTC over SAML" in answer.sentence
    assert "borrowed by CreateOAuth2Token at 2026-03-10 11:55:00 UTC" in answer.sentence


# GetSessionToken, GetFederationToken, AssumeRoot ---------------------------------------------


def a_token_call(name: str, key: str, at: str = "2026-03-10T11:50:00Z", **response):
    return an_event(
        eventTime=at,
        eventSource="sts.amazonaws.com",
        eventName=name,
        responseElements={"credentials": {"accessKeyId": key}, **response},
    )


def test_a_session_token_leads_to_the_long_term_key():
    mint = a_token_call("GetSessionToken", "ASIATOKEN0Q0Q0Q0Q0Q1")
    identity = a_console_session(accessKeyId="ASIATOKEN0Q0Q0Q0Q0Q1", created="2026-03-10T11:50:00Z")

    answer = who_assumed(an_event(userIdentity=identity), [mint])

    assert hops(answer) == [("GetSessionToken", "access_key", "R1")]
    assert answer.data["chain"][0]["by"]["access_key_id"] == a_user()["accessKeyId"]


def test_a_session_token_of_the_day_before_yesterday_is_too_old_yesterdays_is_not():
    identity = a_console_session(accessKeyId="ASIATOKEN0Q0Q0Q0Q0Q1", created="2026-03-09T02:00:00Z")
    mint = a_token_call("GetSessionToken", "ASIATOKEN0Q0Q0Q0Q0Q1", at="2026-03-09T02:00:00Z")
    use = an_event(userIdentity=identity)
    assert hops(who_assumed(use, [mint, use])) == [("GetSessionToken", "access_key", "R1")]


def test_a_federated_user_leads_to_the_user_behind_it():
    federated = {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:contractor",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/contractor",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIACONSOLE0Q0Q0Q0Q3",
        "sessionContext": {
            "sessionIssuer": {"type": "IAMUser", "userName": "alice"},
            "attributes": {"creationDate": "2026-03-10T11:50:00Z", "mfaAuthenticated": "false"},
        },
    }
    mint = a_token_call(
        "GetFederationToken",
        "ASIAFEDERATED0000001",
        federatedUser={
            "federatedUserId": f"{ACCOUNT}:contractor",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/contractor",
        },
    )
    in_console = an_event(userIdentity=federated)
    by_cli = an_event(userIdentity={**federated, "accessKeyId": "ASIAFEDERATED0000001"})

    assert hops(who_assumed(in_console, [mint])) == [("GetFederationToken", "creation_date", "R2")]
    assert hops(who_assumed(by_cli, [mint])) == [("GetFederationToken", "access_key", "R1")]
    assert who_assumed(by_cli, [mint]).data["origin"]["label"] == "alice"


MEMBER = "555566667777"


def a_root_session(key: str):
    return {
        "type": "Root",
        "principalId": MEMBER,
        "arn": f"arn:aws:iam::{MEMBER}:root",
        "accountId": MEMBER,
        "accessKeyId": key,
        "sessionContext": {
            "attributes": {"creationDate": "2026-03-10T11:50:00Z", "mfaAuthenticated": "false"}
        },
    }


def an_assume_root(target: str = MEMBER):
    return an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="sts.amazonaws.com",
        eventName="AssumeRoot",
        requestParameters={
            "targetPrincipal": target,
            "taskPolicyArn": {
                "arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
            },
        },
        responseElements={"credentials": {"accessKeyId": "ASIAROOT0Q0Q0Q0Q0Q01"}},
    )


def test_a_root_session_leads_to_the_management_account_that_assumed_it():
    mint = an_assume_root()
    use = an_event(userIdentity=a_root_session("ASIAROOT0Q0Q0Q0Q0Q01"), recipientAccountId=MEMBER)

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [("AssumeRoot", "access_key", "R1")]
    assert answer.data["origin"]["label"] == "alice"


def test_a_root_session_without_its_key_is_matched_by_target_and_creation_date():
    mint, another = an_assume_root(), an_assume_root("999999999999")
    use = an_event(userIdentity=a_root_session("ASIAOTHER0Q0Q0Q0Q0Q1"), recipientAccountId=MEMBER)

    answer = who_assumed(use, [mint, another, use])

    assert hops(answer) == [("AssumeRoot", "creation_date", "R0")]
    assert answer.data["chain"][0]["candidates"] == [mint["eventID"]]


def test_a_root_session_of_another_account_is_not_explained_even_by_its_key():
    mint = an_assume_root("777788889999")
    use = an_event(userIdentity=a_root_session("ASIAROOT0Q0Q0Q0Q0Q01"), recipientAccountId=MEMBER)
    answer = who_assumed(use, [mint, use])
    assert answer.data["chain"] == []
    assert any("for the root user of account 777788889999" in text for text in answer.caveats)

    by_arn = an_assume_root(f"arn:aws:iam::{MEMBER}:root")
    answer = who_assumed(use, [mint, by_arn, use])
    assert answer.data["chain"][0]["event_id"] == by_arn["eventID"]
    assert answer.data["chain"][0]["confidence"] == "certain"


# Workloads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "session", "label"),
    [
        ("ec2.amazonaws.com", "i-0123456789abcdef0", "EC2 instance i-0123456789abcdef0"),
        ("lambda.amazonaws.com", "billing-export", "Lambda function billing-export"),
        (
            "ecs-tasks.amazonaws.com",
            "0123456789abcdef0123456789abcdef",
            "ECS task 0123456789abcdef0123456789abcdef",
        ),
        ("rolesanywhere.amazonaws.com", "3f8a01", "Roles Anywhere certificate 3f8a01"),
        ("ssm.amazonaws.com", "mi-0123456789abcdef0", "Systems Manager node mi-0123456789abcdef0"),
        ("config.amazonaws.com", "AWSConfig-Describe", "AWS service config.amazonaws.com"),
    ],
)
def test_a_service_ends_the_chain_with_the_workload(service, session, label):
    mint = a_service_mint(service, "worker", session)
    use = an_event(userIdentity=a_role_session("worker", session))

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [("AssumeRole", "access_key", "R1")]
    assert answer.data["chain"][0]["interface"] == "aws_service"
    assert answer.data["origin"]["type"] == "AWSService"
    assert answer.data["origin"]["label"] == label


def test_a_pod_is_named_with_its_cluster_from_the_session_tags():
    session = "eks-prod-billing-7d9f-0b7a0c9e-1111-4222-8333-944445555666"
    mint = a_service_mint("pods.eks.amazonaws.com", "pod-role", session)
    mint["requestParameters"]["tags"] = [
        {"key": "eks-cluster-arn", "value": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"},
        {"key": "eks-cluster-name", "value": "prod"},
        {"key": "kubernetes-namespace", "value": "billing"},
        {"key": "kubernetes-service-account", "value": "exporter"},
        {"key": "kubernetes-pod-name", "value": "exporter-7d9f"},
    ]
    use = an_event(userIdentity=a_role_session("pod-role", session))

    origin = who_assumed(use, [mint, use]).data["origin"]

    assert origin["label"] == "pod billing/exporter-7d9f (service account exporter) in cluster prod"
    assert origin["field"] == "requestParameters.tags"


def test_the_function_that_credentials_were_issued_to_is_named_without_any_mint():
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:billing-export"
    identity = a_role_session(
        "worker",
        "whatever",
        inScopeOf={"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn},
    )
    use = an_event(userIdentity=identity)

    answer = who_assumed(use, [use])

    assert hops(answer) == [(None, "inferred", "R4")]
    assert answer.data["origin"]["label"] == "Lambda function billing-export"
    assert answer.data["origin"]["arn"] == arn
    assert answer.data["origin"]["field"] == "userIdentity.inScopeOf.credentialsIssuedTo"


def test_the_pasted_record_alone_tells_what_its_own_fields_say():
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:billing-export"
    identity = a_role_session(
        "worker",
        "whatever",
        inScopeOf={"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn},
    )
    answer = who_assumed(an_event(userIdentity=identity), [])
    assert answer.status == "partial"  # inferred, and no logs that could say more
    assert answer.data["origin"]["label"] == "Lambda function billing-export"


def test_roles_anywhere_shows_its_key_in_a_credential_set():
    mint = an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="rolesanywhere.amazonaws.com",
        eventName="CreateSession",
        userIdentity={"type": "Unknown", "principalId": "", "accountId": ACCOUNT},
        responseElements={
            "credentialSet": [{"credentials": {"accessKeyId": "ASIAANYWHERE0Q0Q0Q01"}}]
        },
    )
    identity = a_role_session("worker", "3f8a01", key="ASIAANYWHERE0Q0Q0Q01")
    identity["sessionContext"]["sourceIdentity"] = "CN=build-host-7"

    answer = who_assumed(an_event(userIdentity=identity), [mint])

    assert hops(answer) == [("CreateSession", "access_key", "R1")]
    assert answer.data["origin"]["label"] == "CN=build-host-7"
    assert answer.data["origin"]["field"] == "sessionContext.sourceIdentity"


def test_one_key_in_two_records_is_one_certain_hop():
    sts = a_service_mint("rolesanywhere.amazonaws.com", "worker", "3f8a01")
    own = an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="rolesanywhere.amazonaws.com",
        eventName="CreateSession",
        userIdentity={"type": "Unknown", "accountId": ACCOUNT},
        responseElements={
            "credentialSet": [{"credentials": {"accessKeyId": "ASIAROLESESSION00001"}}]
        },
    )
    use = an_event(userIdentity=a_role_session("worker", "3f8a01"))

    answer = who_assumed(use, [own, sts, use])

    (hop,) = answer.data["chain"]
    assert (hop["event_id"], hop["confidence"]) == (sts["eventID"], "certain")
    assert hop["candidates"] == [sts["eventID"]]
    assert own["eventID"] in answer.evidence


# Long-term keys ------------------------------------------------------------------------------


def a_new_key(at: str, maker: dict, owner: str = "backdoor"):
    return an_event(
        eventTime=at,
        eventSource="iam.amazonaws.com",
        eventName="CreateAccessKey",
        userIdentity=maker,
        requestParameters={"userName": owner},
        responseElements={
            "accessKey": {
                "accessKeyId": a_user(owner)["accessKeyId"],
                "status": "Active",
                "userName": owner,
            }
        },
        readOnly=False,
    )


def test_a_fresh_key_leads_on_to_whoever_made_it():
    assumed = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", userIdentity=a_user("mallory"))
    made = a_new_key("2026-03-10T11:55:00Z", a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))
    use = an_event(userIdentity=a_user("backdoor"))

    answer = who_assumed(use, [assumed, made, use])

    assert hops(answer) == [
        ("CreateAccessKey", "key_created", "R1b"),
        ("AssumeRole", "access_key", "R1"),
    ]
    assert answer.status == "answered"
    assert answer.data["chain"][0]["minted_access_key_id"] == a_user("backdoor")["accessKeyId"]
    # Made by somebody else minutes before: a way to stay, so the maker is who is behind it.
    assert answer.data["origin"]["label"] == "mallory"


def test_an_old_keys_owner_is_the_origin_and_its_birth_is_still_shown():
    made = a_new_key("2025-11-20T08:00:00Z", a_user("carol"), owner="alice")
    answer = who_assumed(an_event(), [made, an_event()])

    assert hops(answer) == [("CreateAccessKey", "key_created", "R1b")]
    assert answer.data["origin"]["label"] == "alice"
    assert [hop["acting"] for hop in answer.data["chain"]] == [False]
    assert "carol" in answer.sentence


# The human ------------------------------------------------------------------------------------


def test_a_source_identity_names_the_human_behind_a_role_whose_log_is_missing():
    identity = a_role_session("spoke", "x")
    identity["sessionContext"]["sourceIdentity"] = "ana@example.com"
    mint = an_assumption(
        "spoke",
        "x",
        userIdentity={
            "type": "AWSAccount",
            "principalId": "AROAHUB00000000000001:y",
            "accountId": "444455556666",
        },
    )

    origin = who_assumed(an_event(userIdentity=identity), [mint]).data["origin"]

    assert origin["label"] == "ana@example.com"
    assert origin["field"] == "sessionContext.sourceIdentity"


def test_a_source_identity_never_hides_the_user_that_set_it():
    identity = a_role_session()
    identity["sessionContext"]["sourceIdentity"] = "ana@example.com"
    mint = an_assumption(userIdentity=a_user("mallory"))

    origin = who_assumed(an_event(userIdentity=identity), [mint]).data["origin"]

    assert origin["arn"] == f"arn:aws:iam::{ACCOUNT}:user/mallory"
    assert "mallory" in origin["label"]
    assert "ana@example.com" in origin["label"]


def test_a_source_identity_that_is_part_of_the_callers_name_is_told_and_one_that_is_it_is_not():
    for given, label in (("al", "alice (source identity al)"), ("alice", "alice")):
        identity = a_role_session()
        identity["sessionContext"]["sourceIdentity"] = given
        mint = an_assumption()
        mint["requestParameters"]["sourceIdentity"] = given
        origin = who_assumed(an_event(userIdentity=identity), [mint]).data["origin"]
        assert origin["label"] == label


def test_a_source_identity_of_some_event_of_that_second_is_not_the_alerts_own():
    """Two users began sessions of one name in one second; the logs' keys are masked."""
    made, used = [], []
    for number, name in enumerate(("alice", "mallory")):
        mint = an_assumption(key=MASKED, userIdentity=a_user(name, accessKeyId=MASKED))
        mint["requestParameters"]["sourceIdentity"] = name
        made.append(mint)
        identity = a_role_session(key=MASKED)
        identity["sessionContext"]["sourceIdentity"] = name
        used += [
            an_event(userIdentity=identity, eventTime=f"2026-03-10T11:5{5 + n}:0{number}Z")
            for n in range(1 + number)
        ]
    finding = an_alert(an_event(userIdentity=a_role_session(key="ASIAQ7ZK5N2V4XW3RJTD")))
    unlike = replace(finding, event_id=None, event_ids=(), event_name=None, raw="{}")
    for records in ([*made, *used], [*reversed(made), *reversed(used)]):
        answer = who_assumed(unlike, records)
        (hop,) = [one for one in answer.data["chain"] if one["event_name"] == "AssumeRole"]
        assert hop["confidence"] == "medium"
        assert "alice" in answer.sentence
        assert "mallory" in answer.sentence


@pytest.mark.parametrize(
    ("device", "said", "confidence"),
    [(True, "true", "high"), (True, "false", "medium"), (False, "false", "high")],
)
def test_a_session_that_says_it_had_no_mfa_is_not_surely_of_a_mint_with_a_device(
    device: bool, said: str, confidence: str
):
    mint = an_assumption(key=MASKED)
    if device:
        mint["requestParameters"]["serialNumber"] = f"arn:aws:iam::{ACCOUNT}:mfa/alice"
    identity = a_role_session(key=MASKED)
    identity["sessionContext"]["attributes"]["mfaAuthenticated"] = said

    (hop,) = who_assumed(an_event(userIdentity=identity), [mint]).data["chain"]

    assert hop["confidence"] == confidence


def test_a_session_beside_one_that_was_narrowed_in_its_second_names_both_callers():
    """The calls that began it are indexed: nothing may say that none is."""
    key = "ASIAQ7ZK5N2V4XW3RJTD"
    narrowed = an_assumption(
        eventName="GetScopedCredentials",
        eventTime="2026-03-10T11:55:00Z",
        userIdentity=a_role_session(key=key),
        key="ASIAQ7ZK5N2V4XW3RJTE",
    )
    mints = [
        an_assumption(key=key, userIdentity=a_user("kim")),
        narrowed,
        an_assumption(eventTime="2026-03-10T11:55:01Z", key=MASKED, userIdentity=a_user("lee")),
    ]
    identity = a_role_session(key=MASKED, created="2026-03-10T11:55:00Z")
    answer = who_assumed(an_event(userIdentity=identity), mints)
    assert "no indexed event explains" not in answer.sentence
    assert "lee" in answer.sentence


def test_a_source_identity_alone_is_not_behind_itself():
    identity = a_role_session()
    identity["sessionContext"]["sourceIdentity"] = "dora"
    answer = who_assumed(an_event(userIdentity=identity), around())
    assert answer.data["origin"]["detail"] == "source identity dora"


def test_a_login_with_a_hidden_name_is_by_no_user_called_none():
    hidden = {
        "type": "IAMUser",
        "accountId": ACCOUNT,
        "accessKeyId": "",
        "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    login = an_event(
        eventSource="signin.amazonaws.com", eventName="ConsoleLogin", userIdentity=hidden,
        errorMessage="Failed authentication", responseElements={"ConsoleLogin": "Failure"},
    )  # fmt: skip
    origin = who_assumed(login, [login]).data["origin"]
    assert origin["detail"] == "an IAM user whose name is not recorded"


def test_an_identity_center_session_without_a_mint_is_known_by_its_user():
    identity = an_identity_center_session("ASIAUSED0Q0Q0Q0Q0Q01")
    identity["onBehalfOf"] = {"userId": USER_ID, "identityStoreArn": "arn:aws:identitystore::1:x"}
    use = an_event(userIdentity=identity)

    answer = who_assumed(use, [use])

    assert hops(answer) == [(None, "inferred", "R4")]
    assert answer.data["origin"]["type"] == "IdentityCenterUser"
    assert "ana@example.com" in answer.data["origin"]["label"]
    assert answer.data["origin"]["field"] == "userIdentity.onBehalfOf.userId"


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "[x](javascript:1)", "\u202e"])
def test_hostile_names_come_through_as_plain_text(hostile):
    mint = an_assumption(session=hostile, userIdentity=a_user("mallory"))
    use = an_event(userIdentity=a_role_session(session=hostile))

    answer = who_assumed(use, [mint, use])

    assert answer.data["chain"][0]["session_name"] == hostile
    assert json.dumps(answer.data)


def test_a_sample_finding_is_never_looked_up():
    alert = an_alert(an_event(userIdentity=a_role_session()))
    sample = type(alert)(**{**vars(alert), "sample": True})
    answer = who_assumed(sample, [an_assumption()])
    assert answer.status == "not_applicable"
    assert answer.queries == ()


def test_many_other_roles_of_that_session_name_hide_no_mint():
    """600 newer mints share the session name; an old EC2 mint shows no principal to tell by."""
    mine = a_service_mint(
        "ec2.amazonaws.com", "web", "shared-name", eventID="mine", eventTime="2026-03-10T09:00:00Z"
    )
    mine["responseElements"] = None
    others = [
        a_service_mint(
            "ec2.amazonaws.com",
            f"other-{number}",
            "shared-name",
            eventTime=f"2026-03-10T10:{number // 60:02}:{number % 60:02}Z",
        )
        for number in range(600)
    ]
    for record in others:
        record["responseElements"] = None
    use = an_alert(
        an_event(userIdentity=a_role_session("web", "shared-name")), session_created=None
    )
    answer = who_assumed(use, [*others, mine])
    assert [(hop["event_id"], hop["rule"]) for hop in answer.data["chain"]] == [("mine", "R3")]
    assert answer.data["chain"][0]["candidates"] == ["mine"]


def test_a_source_identity_that_only_the_request_of_a_key_matched_mint_has_is_told():
    mint = an_assumption(userIdentity=a_role_session("broker", "job", key="ASIABROKER0Q0Q0Q0Q01"))
    mint["requestParameters"]["sourceIdentity"] = "ana@example.com"
    use = an_event(userIdentity=a_role_session())
    answer = who_assumed(use, [use, mint])
    assert answer.data["chain"][0]["method"] == "access_key"
    assert answer.data["origin"]["label"] == "ana@example.com"
    assert answer.data["origin"]["field"] == "requestParameters.sourceIdentity"


def test_what_a_caller_s_credentials_were_issued_to_is_read_though_its_mint_is_missing():
    """The caller of a key-matched mint is a function, by the scope in its own `userIdentity`."""
    function = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:billing"
    caller = a_role_session("runner", "billing-session", key="ASIARUNNER0Q0Q0Q0Q01")
    caller["inScopeOf"] = {
        "issuerType": "AWS::Lambda::Function",
        "credentialsIssuedTo": function,
    }
    use = an_event(userIdentity=a_role_session())
    answer = who_assumed(use, [use, an_assumption(userIdentity=caller)])
    assert [hop["method"] for hop in answer.data["chain"]] == ["access_key", "inferred"]
    assert answer.data["origin"]["label"] == "Lambda function billing"
