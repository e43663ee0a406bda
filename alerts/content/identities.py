"""Ways of signing in that were made, changed or taken: passwords, keys, second factors, providers.

Fields by IAM's and Roles Anywhere's API references. Where `userName` is left out, IAM takes the
caller, and its response says whom (CreateAccessKey).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from alerts.content.call import Call, last_part, listing, named
from alerts.content.plain import plainly
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.quoted import short

KINDS = {
    "login_profile_made": "A user was given a console password.",
    "login_profile_changed": "A user's console password was set anew.",
    "key_for_another": "An access key was made for another user than the caller.",
    "key_for_oneself": "A further access key was made for the caller.",
    "key_of_root": "An access key was made for the account's root user.",
    "key_switched_on": "An access key that was off works again.",
    "other_credential": "A password, certificate or key of another kind was made for a user.",
    "mfa_removed": "A second factor was taken away.",
    "mfa_for_another": "A second factor was registered for another user than the caller.",
    "provider_saml": "An identity provider (SAML) was made or changed, whose users may sign in.",
    "provider_oidc": "An identity provider (OpenID Connect) was made or changed.",
    "trust_anchor": "Certificates of an authority may become sessions of roles.",
    "anywhere_profile": "A profile says which roles certificates may become.",
    "password_policy_weakened": "The account's password policy was deleted or made weak.",
}

_KEYS = ("T1098.001",)
_PROVIDERS = ("T1484.002",)


def _user(call: Call) -> tuple[str, bool] | None:
    """Whom it is about, and whether that is the caller; None where the record does not say."""
    name = call.given("userName") or next(
        (one for path in _ANSWERED if (one := call.answered(path))), ""
    )
    if not name:
        return None
    own = bool(call.by_user) and name.casefold() == call.by_user.casefold()
    return f"{named('user', name)}{' (the caller)' if own else ''}", own


_ANSWERED = (
    "accessKey.userName",
    "loginProfile.userName",
    "serviceSpecificCredential.userName",
    "sSHPublicKey.userName",
    "certificate.userName",
)


def _login(call: Call) -> Iterator[ContentSign]:
    if (user := _user(call)) is None:
        return
    who, own = user
    made = call.name == "CreateLoginProfile"
    free = call.said("passwordResetRequired", False) or call.name == "CreateLoginProfile" and not (
        call.said("passwordResetRequired", True)
    )  # fmt: skip
    words = "gave" if made else "set anew for"
    tail = "; it need not be changed at the first sign-in" if free else ""
    yield ContentSign(
        "login_profile_made" if made else "login_profile_changed",
        "for",
        own or not made,
        f"{call.name} {words} {who} a console password{tail}."
        if made
        else f"{call.name} {words} {who} the console password{tail}.",
        _KEYS,
        about=who,
    )


def _key(call: Call) -> Iterator[ContentSign]:
    key = call.answered("accessKey.accessKeyId") or call.text_of("minted_access_key_id")
    what = named("access key", key)
    if call.text_of("identity_type") == "Root" and key and not call.given("userName"):
        yield ContentSign(
            "key_of_root", "for", True,
            f"CreateAccessKey made {what} for the account's root user.", _KEYS, about=what,
        )  # fmt: skip
        return
    if (user := _user(call)) is None:
        return
    who, own = user
    yield ContentSign(
        "key_for_oneself" if own else "key_for_another",
        "for",
        not own,
        f"CreateAccessKey made {what} for {who}.",
        _KEYS,
        about=who,
    )


def _switched(call: Call) -> Iterator[ContentSign]:
    if call.given("status").casefold() != "active":
        return
    if (user := _user(call)) is None:
        return
    who, own = user
    key = named("access key", call.given("accessKeyId"))
    yield ContentSign(
        "key_switched_on", "for", False,
        f"UpdateAccessKey switched {key} of {who} on again.", _KEYS, about=key,
    )  # fmt: skip


_CREDENTIALS = {
    "CreateServiceSpecificCredential": "a password for one service",
    "ResetServiceSpecificCredential": "a new password for one service",
    "UploadSSHPublicKey": "an SSH key",
    "UploadSigningCertificate": "a signing certificate",
}


def _credential(call: Call) -> Iterator[ContentSign]:
    if (user := _user(call)) is None:
        return
    who, own = user
    service = call.given("serviceName")
    told = f" ({short(service)})" if service else ""
    yield ContentSign(
        "other_credential", "for", False,
        f"{call.name} gave {who} {_CREDENTIALS[call.name]}{told}.", _KEYS, about=who,
    )  # fmt: skip


def _mfa_removed(call: Call) -> Iterator[ContentSign]:
    if (user := _user(call)) is None:
        return
    who, own = user
    device = last_part(call.given("serialNumber"))
    yield ContentSign(
        "mfa_removed", "for", not own,
        f"{call.name} took the second factor {short(device) or 'of a user'}"
        f" from {who}." if device else f"{call.name} took a second factor from {who}.",
        ("T1556.006",), about=who,
    )  # fmt: skip


def _mfa_made(call: Call) -> Iterator[ContentSign]:
    if (user := _user(call)) is None:
        return
    who, own = user
    if not own:
        yield ContentSign(
            "mfa_for_another", "for", False,
            f"EnableMFADevice registered a second factor for {who}.", ("T1098.005",), about=who,
        )  # fmt: skip


def _saml(call: Call) -> Iterator[ContentSign]:
    name = call.given("name") or last_part(call.given("sAMLProviderArn"))
    about = named("identity provider", name)
    did = "made" if call.name.startswith("Create") else "changed the certificate or address of"
    yield ContentSign(
        "provider_saml", "for", True,
        f"{call.name} {did} {about} (SAML): whoever holds its key can sign in to the roles that"
        " trust it.",
        _PROVIDERS, about=about,
    )  # fmt: skip


def _oidc(call: Call) -> Iterator[ContentSign]:
    address = call.given("url") or last_part(call.given("openIDConnectProviderArn"))
    host = _host(address) or address
    about = named("identity provider", host)
    did = "made" if call.name.startswith("Create") else "changed"
    clients = call.all_given("clientIDList", "clientID")
    told = f" for {listing(clients)}" if clients else ""
    yield ContentSign(
        "provider_oidc", "for", call.name.startswith("Create"),
        f"{call.name} {did} {about} (OpenID Connect){told}.", _PROVIDERS, about=about,
    )  # fmt: skip


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _anchor(call: Call) -> Iterator[ContentSign]:
    about = named("trust anchor", call.given("name") or last_part(call.given("trustAnchorId")))
    kind = call.given("source.sourceType")
    did = "made" if call.name.startswith("Create") else "changed"
    own_ca = " (a private authority in AWS)" if kind == "AWS_ACM_PCA" else ""
    yield ContentSign(
        "trust_anchor", "for", True,
        f"{call.name} {did} {about}{own_ca}: its certificates become sessions of roles.", _KEYS,
        about=about,
    )  # fmt: skip


def _profile(call: Call) -> Iterator[ContentSign]:
    roles = [last_part(one) for one in call.all_given("roleArns")]
    about = named("profile", call.given("name"))
    yield ContentSign(
        "anywhere_profile", "for", False,
        f"{call.name} lets certificates become {'role' if len(roles) == 1 else 'roles'}"
        f" {listing(roles)}: {about}." if roles else f"{call.name} made {about} for certificates.",
        _KEYS, about=about,
    )  # fmt: skip


WEAK_LENGTH = 8


def _password_policy(call: Call) -> Iterator[ContentSign]:
    """IAM's own default is eight characters; what is not stated falls back to weak (API
    Reference, UpdateAccountPasswordPolicy)."""
    length = call.given("minimumPasswordLength")
    if length.isdigit() and int(length) < WEAK_LENGTH:
        yield ContentSign(
            "password_policy_weakened", "for", False,
            f"UpdateAccountPasswordPolicy allows passwords of {int(length)} characters.",
            ("T1556",), about="password policy",
        )  # fmt: skip


READERS: Readers = readers(
    ("iam", "CreateLoginProfile UpdateLoginProfile", _login),
    ("iam", "CreateAccessKey", _key),
    ("iam", "UpdateAccessKey", _switched),
    ("iam", " ".join(_CREDENTIALS), _credential),
    ("iam", "DeactivateMFADevice", _mfa_removed),
    ("iam", "EnableMFADevice", _mfa_made),
    ("iam", "CreateSAMLProvider UpdateSAMLProvider", _saml),
    ("iam", "CreateOpenIDConnectProvider AddClientIDToOpenIDConnectProvider"
     " UpdateOpenIDConnectProviderThumbprint", _oidc),
    ("rolesanywhere", "CreateTrustAnchor UpdateTrustAnchor", _anchor),
    ("rolesanywhere", "CreateProfile UpdateProfile", _profile),
    ("iam", "UpdateAccountPasswordPolicy", _password_policy),
    ("iam", "DeleteAccountPasswordPolicy",
     plainly("password_policy_weakened", "deleted", "the account's password policy",
             techniques="T1556")),
)  # fmt: skip
