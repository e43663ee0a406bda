"""AWS itself: whose credentials, where a bucket is, listing and reading it, and what went wrong.

boto3 finds credentials as every AWS tool does, takes roles and asks where a bucket is; obstore
(Rust's object_store) lists and reads objects, at a sixth of boto3's CPU. Imported only where `s3://`
is used: both take a while. Only reads are made of AWS; the calls are those of `docs/live-aws.md`.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import botocore.session
import msgspec
import obstore
from botocore.config import Config
from botocore.credentials import CredentialProvider, RefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    HTTPClientError,
    InvalidConfigError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import S3Store

from trail.errors import SourceUnreachable, SourceUnreadable
from trail.read.s3 import SCHEME, Access, key_of
from trail.read.sources import Listed

_STREAMED = 1 << 20
_BLOCK = 4 << 20
_TRIES = 4
_PATIENCE_TO_SHOW = 8.0
"""Seconds that somebody who looks at an event waits for its raw record."""
_KEPT_FOR = timedelta(minutes=14)
"""obstore uses credentials until five minutes before this is over. What botocore hands out has ten
left at least; with the provider's own half an hour some that have ended would be used."""

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_NOT_KNOWN = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId",
    "UnrecognizedClientException", "AuthFailure", "InvalidSecurity", "NotSignedUp",
}  # fmt: skip
_ELSEWHERE = {
    "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException", "Redirect",
}  # fmt: skip
_THROTTLED = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
    "ServiceUnavailable", "InternalError", "503", "500",
}  # fmt: skip
_GONE = {"NoSuchKey", "NoSuchVersion"}
_DENIED = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "403"}
_AGAIN = "then run the same command again: it goes on where it stopped"

T = TypeVar("T")


class ObjectRefused(SourceUnreadable):
    """One object cannot be had, and others may be. `denied`: it is there, and not for us."""

    def __init__(self, said: str, *, denied: bool = False) -> None:
        super().__init__(said)
        self.denied = denied


class Bucket:
    """One bucket, as somebody may read it. `patience` is how many seconds a request is tried."""

    def __init__(self, name: str, access: Access, *, patience: float = 60.0) -> None:
        self.name = name
        self._access = access
        self._patience = patience
        self._session = self._say(lambda: _session(access, self._config()))
        self._region, self._endpoint = self._say(self._place)
        self._store = self._open()

    # -- listing and reading

    def folder(self, prefix: str) -> tuple[list[str], list[Listed]]:
        """The folders in a folder, each with a slash at its end, and the objects."""
        found = self._ask(lambda: obstore.list_with_delimiter(self._store, prefix or None))
        return [f"{one}/" for one in found["common_prefixes"]], [
            self._listed(one) for one in found["objects"]
        ]

    def everything(self, prefix: str) -> list[Listed]:
        """All objects below a folder."""
        return self._ask(
            lambda: [
                self._listed(one)
                for some in obstore.list(self._store, prefix or None, chunk_size=1_000)
                for one in some
            ]
        )

    def one(self, key: str) -> Listed | None:
        """The object of this very key."""
        try:
            return self._ask(lambda: self._listed(obstore.head(self._store, key)), key)
        except ObjectRefused:
            return None

    def fetch(self, key: str, into: Path) -> None:
        """Reads an object into a new file of its own, its owner's alone.

        Raises `ObjectRefused` where only this one cannot be had, `SourceUnreachable` where none
        can, and `OSError` for the file.
        """
        for left in reversed(range(_TRIES)):
            try:
                self._fetch(key, into)
                return
            except _Cut:
                if not left:
                    raise
                time.sleep(random.uniform(0.1, 0.4) * 2 ** (_TRIES - left))  # noqa: S311 # no secret

    def _fetch(self, key: str, into: Path) -> None:
        got = self._ask(lambda: obstore.get(self._store, key), key)
        size = got.meta["size"]
        # Few calls of the system: there are very many small objects, and many threads.
        handle = os.open(into, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            if size <= _STREAMED:
                written = _write_all(handle, self._ask(got.bytes, key))
            else:
                blocks = iter(got.stream(min_chunk_size=_BLOCK))
                written = 0
                while (block := self._ask(lambda: next(blocks, None), key)) is not None:
                    written += _write_all(handle, block)
        finally:
            os.close(handle)
        if written != size:
            raise _cut(self.name, key)

    def _listed(self, meta: Any) -> Listed:
        path = f"{SCHEME}{self.name}/{meta['path']}"
        seconds = int(meta["last_modified"].timestamp())
        etag = (meta["e_tag"] or "").strip('"') or "none"
        return Listed(path, meta["size"], seconds * 1_000_000_000, etag)

    # -- credentials and place

    def _config(self) -> Config:
        return Config(
            connect_timeout=min(5.0, self._patience),
            read_timeout=min(20.0, self._patience),
            retries={"mode": "standard", "total_max_attempts": 5 if self._patience > 20 else 2},
        )

    def _place(self) -> tuple[str, str]:
        """The bucket's Region, and the endpoint to ask there: AWS's own settings may name one."""
        usual = self._session.region_name or "us-east-1"
        client = self._session.client("s3", region_name=usual, config=self._config())
        try:
            answer = client.head_bucket(Bucket=self.name)
        except ClientError as error:
            answer = error.response
            if _code(error) in ("404", "NoSuchBucket"):
                raise self._error("NoSuchBucket", "", None) from None
            # A refused HEAD has no words: what is wrong is told when the bucket is listed.
        except RecursionError:  # botocore follows a redirect that does not say where to
            answer = {}
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get("x-amz-bucket-region") or usual
        if region != usual:
            client = self._session.client("s3", region_name=region, config=self._config())
        return region, str(client.meta.endpoint_url)

    def _open(self) -> S3Store:
        place = urlsplit(self._endpoint)
        host = place.hostname or ""
        is_aws = host.startswith("s3") and ".amazonaws.com" in host
        virtual = is_aws and "." not in self.name  # a certificate has no dots for a bucket's name
        endpoint = f"{place.scheme}://{self.name}.{place.netloc}" if virtual else self._endpoint
        options: Any = {
            "allow_http": place.scheme == "http",  # only where the user's own settings say so
            "connect_timeout": timedelta(seconds=min(5.0, self._patience)),
            "timeout": timedelta(seconds=max(300.0, self._patience)),
            "read_timeout": timedelta(seconds=min(30.0, self._patience)),
        }
        bundle = os.environ.get("AWS_CA_BUNDLE") or _ca_bundle(self._session)
        if bundle:
            options["root_certificate"] = Path(bundle).read_bytes()
        return S3Store(
            self.name,
            config={
                "region": self._region,
                "endpoint": endpoint,
                "aws_endpoint_url_s3": endpoint,
                "virtual_hosted_style_request": virtual,
                "request_payer": self._access.requester_pays,
                "skip_signature": False,
            },
            client_options=options,
            retry_config={
                "max_retries": 10 if self._patience > 20 else 2,
                "retry_timeout": timedelta(seconds=self._patience),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=min(10.0, self._patience / 2)),
                    "base": 2,
                },
            },
            credential_provider=Boto3CredentialProvider(self._session, ttl=_KEPT_FOR),
        )

    # -- what went wrong

    def _say(self, ask: Callable[[], T]) -> T:
        """Has boto3 do something; its errors become a sentence."""
        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            raise _of_boto3(error, self._access, f"{SCHEME}{self.name}") from None

    def _ask(self, ask: Callable[[], T], key: str | None = None) -> T:
        """Has obstore do something; its errors become a sentence. Of an object: with its key."""
        try:
            return ask()
        except (BotoCoreError, ClientError) as error:  # raised by what gives it credentials
            raise _of_boto3(error, self._access, f"{SCHEME}{self.name}") from None
        except InvalidPathError as error:
            raise SourceUnreadable(
                f"{SCHEME}{self.name} holds a folder that has no name"
                f"{_named_in(str(error))}, which cannot be read. Name a folder that has none."
            ) from None
        except (BaseError, FileNotFoundError) as error:
            if isinstance(error, FileNotFoundError) and error.filename is not None:
                raise  # a file of ours
            said = str(error).partition("Debug source:")[0]
            code = _xml(said, "Code")
            status = re.search(r"status code: (\d{3})", said)
            if code is None and status is not None:
                code = {"404": "NoSuchKey" if key else "NoSuchBucket"}.get(status[1], status[1])
            if code is None and "redirect without LOCATION" in said:
                code = "PermanentRedirect"
            if code is None and re.search(r"\b[A-Z]\w+Error: An error occurred", said):
                code = "Credentials"
            raise self._error(code or "", _xml(said, "Message") or said, key) from None

    def _error(self, code: str, message: str, key: str | None) -> SourceUnreadable:
        where = f"{SCHEME}{self.name}" + (f"/{key}" if key is not None else "")
        if (told := _of_credentials(code)) is not None:
            return SourceUnreachable(told)
        if code == "NoSuchBucket":
            return SourceUnreachable(
                f"There is no bucket {self.name}. Check its name (`aws s3 ls` lists an account's)."
            )
        if code in _GONE:
            return ObjectRefused(f"{where} is not there any more")
        if code == "InvalidObjectState":
            return ObjectRefused(f"{where} is archived in Glacier: restore it, then add it again")
        if key is not None and (code.startswith("KMS") or "kms" in message.lower()):
            return ObjectRefused(
                f"{self._who()} may not kms:Decrypt with the key that {where} is encrypted with."
                " Allow it in the key's policy, and in theirs", denied=True,
            )  # fmt: skip
        if code in _DENIED:
            return self._denied(where, key)
        if code in _ELSEWHERE:
            return SourceUnreachable(
                f"The bucket {self.name} is in another Region than {self._region}. Set AWS_REGION"
                " to it (`aws s3api head-bucket` names it), and look whether AWS_ENDPOINT_URL names"
                " another Region's endpoint."
            )
        if code == "RequestTimeTooSkewed":
            return SourceUnreachable(
                "AWS refuses requests because this machine's clock is wrong by more than 15"
                f" minutes. Set it, {_AGAIN}."
            )
        if code in _THROTTLED:
            return SourceUnreachable(
                f"S3 kept on answering {code} for {where}, however long we waited between requests."
                f" Wait a while, {_AGAIN}."
            )
        if not code:
            if key is not None and "error sending request" not in message:
                return _cut(self.name, key)
            return SourceUnreachable(_unreachable(self._endpoint))
        return SourceUnreachable(
            f"S3 answered {_plain(code)} for {where}. Look it up in AWS's list of S3's errors."
        )

    def _denied(self, where: str, key: str | None) -> SourceUnreadable:
        action = "s3:ListBucket" if key is None else "s3:GetObject"
        resource = f"arn:aws:s3:::{self.name}" + ("" if key is None else "/*")
        said = (
            f"{self._who()} may not {action} on {where}. Their policy needs"
            f' {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}; for a bucket'
            " in another account, so does the bucket's policy"
        )
        return (
            SourceUnreachable(f"{said}. docs/live-aws.md has the whole policy.")
            if key is None
            else ObjectRefused(said, denied=True)
        )

    def _who(self) -> str:
        """Whom AWS takes us for, as far as it says."""
        try:
            config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
            region = self._session.region_name or "us-east-1"
            client = self._session.client("sts", region_name=region, config=config)
            return str(client.get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError):
            return "The caller"


class CopiesToShow:
    """Objects fetched once more, for somebody who looks at a record of theirs. Each bucket is
    opened, or found out of reach, once.
    """

    def __init__(self, accesses: Mapping[str, str]) -> None:
        self._accesses = accesses
        self._buckets: dict[str, Bucket | SourceUnreadable] = {}

    @contextmanager
    def copy(self, path: str) -> Iterator[str]:
        """Where the object's bytes lie as long as this is open.

        Raises `SourceUnreadable` with a sentence where it cannot be had.
        """
        name, key = key_of(path)
        with tempfile.TemporaryDirectory(prefix="backtrail-") as folder:
            copy = Path(folder) / "object"
            try:
                self._bucket(name).fetch(key, copy)
            except SourceUnreadable as error:
                if isinstance(error, SourceUnreachable):
                    self._buckets[name] = error
                raise SourceUnreadable(
                    f"{str(error).rstrip('.')}. So the raw record in {path} cannot be shown. The"
                    " index keeps its columns."
                ) from None
            yield str(copy)

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            told = self._accesses.get(name)
            access = msgspec.json.decode(told, type=Access) if told else Access()
            try:
                self._buckets[name] = Bucket(name, access, patience=_PATIENCE_TO_SHOW)
            except SourceUnreadable as error:
                self._buckets[name] = error
        opened = self._buckets[name]
        if isinstance(opened, SourceUnreadable):
            raise opened
        return opened


class _Cut(SourceUnreachable):
    """The connection ended within an object."""


def _cut(bucket: str, key: str) -> _Cut:
    return _Cut(
        f"The connection to S3 was cut off while {SCHEME}{bucket}/{key} was read, each time. Look"
        f" at the network and any proxy, {_AGAIN}."
    )


def _write_all(handle: int, data: Any) -> int:
    """Writes bytes of obstore's, and says how many there were."""
    left = memoryview(data)
    size = len(left)
    while left:
        left = left[os.write(handle, left) :]
    return size


def _session(access: Access, config: Config) -> boto3.Session:
    """The user's own session, or that of the role. Raises boto3's errors."""
    session = boto3.Session(profile_name=access.profile)
    if access.role_arn is not None:
        session = _in_role(session, access, config)
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    credentials.get_frozen_credentials()  # what is wrong with them is said now
    return session


class _Role(CredentialProvider):  # type: ignore[misc] # botocore has no types
    METHOD = CANONICAL_NAME = "backtrail-role"

    def __init__(self, take: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._take = take

    def load(self) -> Any:
        return RefreshableCredentials.create_from_metadata(
            self._take(), refresh_using=self._take, method=self.METHOD
        )


def _in_role(session: boto3.Session, access: Access, config: Config) -> boto3.Session:
    """A session of the role, taken again before its credentials end."""
    region = session.region_name or "us-east-1"
    sts = session.client("sts", region_name=region, config=config)
    more = {"ExternalId": access.external_id} if access.external_id else {}

    def take() -> dict[str, str]:
        answer = sts.assume_role(RoleArn=access.role_arn, RoleSessionName="backtrail", **more)
        keys = answer["Credentials"]
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "expiry_time": keys["Expiration"].isoformat(),
        }

    inside = botocore.session.Session(profile=access.profile)
    providers = inside.get_component("credential_provider")
    providers.providers.insert(0, _Role(take))
    return boto3.Session(botocore_session=inside, region_name=session.region_name)


def _ca_bundle(session: boto3.Session) -> str | None:
    found = session._session.get_config_variable("ca_bundle")
    return found if isinstance(found, str) else None


def _of_boto3(error: Exception, access: Access, where: str) -> SourceUnreadable:
    """One sentence for what boto3 raised. None of its own words: a credential process's may hold
    what it should not."""
    profile = f"the profile {access.profile}" if access.profile else "the default profile"
    if isinstance(error, ProfileNotFound):
        return SourceUnreachable(
            f"There is no AWS profile {access.profile}. `aws configure list-profiles` lists those"
            " there are."
        )
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        half = " whole" if isinstance(error, PartialCredentialsError) else ""
        return SourceUnreachable(
            f"No{half} AWS credentials were found. Name a profile with --profile, or sign in first"
            " (`aws sso login`, `aws configure`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
        )
    if isinstance(error, UnauthorizedSSOTokenError | TokenRetrievalError | SSOError):
        return SourceUnreachable(
            f"The sign-in of {profile} has expired. Run `aws sso login`"
            f"{f' --profile {access.profile}' if access.profile else ''}, {_AGAIN}."
        )
    if isinstance(error, ConfigParseError | InvalidConfigError):
        return SourceUnreachable(
            f"The AWS settings of {profile} cannot be read. Check ~/.aws/config and"
            " ~/.aws/credentials."
        )
    if isinstance(error, HTTPClientError | BotoConnectionError):
        endpoint = getattr(error, "kwargs", {}).get("endpoint_url", "")
        return SourceUnreachable(_unreachable(str(endpoint)))
    if isinstance(error, ClientError):
        code = _code(error)
        if (told := _of_credentials(code)) is not None:
            return SourceUnreachable(told)
        if error.operation_name == "AssumeRole" and code in _DENIED:
            external = "" if access.external_id else ", or wants an external id (--external-id)"
            return SourceUnreachable(
                f"The role {access.role_arn} may not be taken (sts:AssumeRole). Either the"
                " caller's policy does not allow it, or the role's trust policy does not name"
                f" them{external}."
            )
        return SourceUnreachable(
            f"AWS answered {_plain(code)} to {error.operation_name} for {where}. Look it up in"
            " AWS's list of that service's errors."
        )
    return SourceUnreachable(
        f"The AWS credentials of {profile} could not be had ({type(error).__name__}). Check that"
        f" `aws sts get-caller-identity` works, {_AGAIN}."
    )


def _of_credentials(code: str) -> str | None:
    if code in _EXPIRED:
        return f"The AWS credentials have expired. Sign in again (`aws sso login`), {_AGAIN}."
    if code in _NOT_KNOWN:
        return (
            f"AWS does not accept the credentials ({code}). Check the profile and the keys:"
            " `aws sts get-caller-identity` should say who you are."
        )
    if code == "Credentials":
        return f"The AWS credentials could not be renewed. Sign in again, {_AGAIN}."
    return None


def _unreachable(endpoint: str) -> str:
    host = urlsplit(endpoint).netloc.rpartition("@")[2] or "AWS"
    return (
        f"{host} cannot be reached. Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL, {_AGAIN}."
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _xml(said: str, element: str) -> str | None:
    """What S3's own words say in an element. They follow the status; a key before it may be
    anything."""
    found = re.search(rf"<{element}>([^<]*)</{element}>", said.rpartition("status code:")[2])
    return found[1] if found else None


def _plain(code: str) -> str:
    return re.sub(r"[^\w.]", "", code)[:60]


def _named_in(said: str) -> str:
    found = re.search(r'Path "([^"]{1,300})" contained', said)
    return f" ({found[1]!r})" if found else ""
