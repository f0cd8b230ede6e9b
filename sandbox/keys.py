"""API keys: any well-formed key is the one account's, in its own mode."""

import base64
import binascii
import re
from dataclasses import dataclass, field

from sandbox.errors import ApiError

WELL_FORMED = re.compile(r"(sk|pk|rk)_(test|live)_[A-Za-z0-9_]{3,}")


@dataclass(frozen=True)
class Key:
    kind: str  # sk, pk or rk
    livemode: bool
    text: str

    @property
    def is_publishable(self) -> bool:
        return self.kind == "pk"


@dataclass
class KeyRing:
    """Keys that a test has restricted or let expire."""

    allowed: dict[str, list[str]] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)

    def check(self, key: Key, operation: str) -> None:
        """Raise unless `key` may call `operation` (such as `refunds.create`)."""
        if key.text in self.expired:
            raise _unauthorized(
                f"Expired API Key provided: {_masked(key.text)}", code="api_key_expired"
            )
        patterns = self.allowed.get(key.text)
        resource = operation.partition(".")[0]
        if patterns is None or {operation, f"{resource}.*"} & set(patterns):
            return
        raise ApiError(
            403,
            "invalid_request_error",
            f"The provided key '{_masked(key.text)}' does not have the required"
            f" permissions for this endpoint ({operation}).",
            stored=False,
        )


def read(authorization: str | None, form_key: str | None) -> Key:
    """Return the caller's key: from the header, or a publishable one in the form.

    A secret key in a form would let any web page call the sandbox unasked.
    """
    text = _from_header(authorization)
    if text is None and form_key is not None and form_key.startswith("pk_"):
        text = form_key
    if not text:
        raise _unauthorized(
            "You did not provide an API key. You need to provide your API key in the"
            " Authorization header, using Bearer auth (e.g. 'Authorization: Bearer"
            " YOUR_SECRET_KEY')."
        )
    match = WELL_FORMED.fullmatch(text)
    if match is None:
        raise _unauthorized(f"Invalid API Key provided: {_masked(text)}")
    return Key(kind=match[1], livemode=match[2] == "live", text=text)


def publishable_refused() -> ApiError:
    return ApiError(
        403,
        "invalid_request_error",
        "This API call cannot be made with a publishable API key. Please use a secret"
        " API key.",
        code="secret_key_required",
        stored=False,
    )


def _from_header(authorization: str | None) -> str | None:
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return credentials
        return decoded.partition(":")[0]
    return None


def _unauthorized(message: str, *, code: str | None = None) -> ApiError:
    return ApiError(401, "invalid_request_error", message, code=code, stored=False)


def _masked(key: str) -> str:
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * len(key)
