"""Functions: code, layers, who may call them, and addresses without a sign-in.

Lambda's CloudTrail names carry a version date ("AddPermission20150331v2"); fields by Lambda's API
Reference. A function may be named by its name or its ARN.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, account_in, last_part, listing, named
from alerts.content.let_in import other_accounts
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "function_code_changed": "A function runs other code.",
    "function_layer_outside": "A function runs a layer of another account.",
    "function_layer_changed": "A function runs other layers.",
    "function_public": "Anybody may call a function.",
    "function_shared": "Another account may call a function.",
    "function_url_open": "A function has an address that asks for no sign-in.",
    "layer_shared": "A layer may be used by another account, or by everybody.",
}


def _function(call: Call) -> str:
    name = call.given("functionName") or call.answered("functionName")
    if name.startswith("arn:"):
        name = name.split(":function:", 1)[-1].partition(":")[0]
    return named("function", name)


def _code(call: Call) -> Iterator[ContentSign]:
    if call.said("dryRun", True):
        return
    about = _function(call)
    bucket, key, image = (call.given(one) for one in ("s3Bucket", "s3Key", "imageUri"))
    from_ = ""
    if bucket:
        from_ = f", from {last_part(key) or 'an object'} in {named('bucket', bucket)}"
    elif image:
        from_ = f", from {named('image', last_part(image))}"
    role = last_part(call.answered("role"))
    runs_as = f", which runs as {named('role', role)}" if role else ""
    yield ContentSign(
        "function_code_changed",
        "for",
        False,
        f"{call.name} replaced the code of {about}{from_}{runs_as}.",
        ("T1648", "T1525"),
        about=about,
    )


def _configuration(call: Call) -> Iterator[ContentSign]:
    layers = call.all_given("layers", "layers.arn")
    if not layers:
        return
    about = _function(call)
    outside = call.outsiders([account_in(one) for one in layers])
    names = [one.rpartition(":layer:")[2] or one for one in layers]
    if outside:
        yield ContentSign(
            "function_layer_outside",
            "for",
            False,
            f"{call.name} has {about} run layers of {other_accounts(outside, call)}:"
            f" {listing(names)}.",
            ("T1525",),
            outside,
            about,
        )
    else:
        yield ContentSign(
            "function_layer_changed",
            "for",
            False,
            f"{call.name} has {about} run {named('layer', names[0])}"
            f"{f' and {len(names) - 1} more' if len(names) > 1 else ''}.",
            ("T1525",),
            about=about,
        )


def _permission(call: Call) -> Iterator[ContentSign]:
    about = _function(call)
    principal = call.given("principal")
    account = account_in(principal) or (principal if principal.isdigit() else "")
    if principal == "*":
        limits = [
            field
            for field in ("sourceArn", "sourceAccount", "principalOrgID", "eventSourceToken")
            if call.given(field)
        ]
        by_url = call.given("functionUrlAuthType").upper() == "NONE"
        tail = f", only under conditions ({listing(limits)})" if limits else ""
        tail += ", by its address" if by_url else ""
        yield ContentSign(
            "function_public",
            "for",
            not limits,
            f"{call.name} lets anybody call {about}{tail}.",
            ("T1546",),
            about=about,
        )
    elif outside := call.outsiders([account]):
        yield ContentSign(
            "function_shared",
            "for",
            True,
            f"{call.name} lets {other_accounts(outside, call)} call {about}.",
            ("T1546",),
            outside,
            about,
        )
    elif outside := call.outsiders([call.given("sourceAccount")]):
        yield ContentSign(
            "function_shared",
            "for",
            False,
            f"{call.name} lets {named('service', principal)} call {about} for"
            f" {other_accounts(outside, call)}.",
            ("T1546",),
            outside,
            about,
        )


def _url(call: Call) -> Iterator[ContentSign]:
    if call.given("authType").upper() == "NONE":
        about = _function(call)
        yield ContentSign(
            "function_url_open",
            "for",
            False,
            f"{call.name} gave {about} an address that asks for no sign-in (authType NONE).",
            ("T1546",),
            about=about,
        )


def _layer(call: Call) -> Iterator[ContentSign]:
    about = named("layer", call.given("layerName").rpartition(":layer:")[2])
    principal = call.given("principal")
    outside = call.outsiders([account_in(principal)])
    if principal == "*" and not call.given("organizationId"):
        whom = "everybody"
    elif outside:
        whom = other_accounts(outside, call)
    else:
        return
    yield ContentSign(
        "layer_shared", "for", False, f"{call.name} lets {whom} use {about}.", ("T1537",),
        outside, about,
    )  # fmt: skip


READERS: Readers = readers(
    ("lambda", "UpdateFunctionCode", _code),
    ("lambda", "UpdateFunctionConfiguration", _configuration),
    ("lambda", "AddPermission", _permission),
    ("lambda", "CreateFunctionUrlConfig UpdateFunctionUrlConfig", _url),
    ("lambda", "AddLayerVersionPermission", _layer),
)

DATED = {
    "UpdateFunctionCode": ("UpdateFunctionCode20150331", "UpdateFunctionCode20150331v2"),
    "UpdateFunctionConfiguration": (
        "UpdateFunctionConfiguration20150331",
        "UpdateFunctionConfiguration20150331v2",
    ),
    "AddPermission": ("AddPermission20150331", "AddPermission20150331v2"),
    "AddLayerVersionPermission": ("AddLayerVersionPermission20181031",),
}
"""Event names as Lambda writes them, by the API's own name (AWS Lambda Developer Guide, "Logging
Lambda API calls with CloudTrail")."""
