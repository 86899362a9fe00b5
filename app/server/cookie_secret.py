"""The secret that signs cookies: a new one, and its rotation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any


def new_secret() -> str:
    """Return a new cookie_secret: 256 random bits."""
    return secrets.token_urlsafe(32)


def rotated(secret: str | Mapping[Any, str] | None, version: int | None) -> dict[str, Any]:
    """Return ``cookie_secret`` and ``key_version`` with a new secret that signs from now on.

    The old ones keep their versions, so that what they signed stays valid. A single secret signs
    as version 0 (``tornado.web.create_signed_value``).
    """
    old = (
        {"0": secret} if isinstance(secret, str) else {str(k): v for k, v in (secret or {}).items()}
    )
    new = max([*map(int, old), version or 0], default=0) + 1
    return {"cookie_secret": {**old, str(new): new_secret()}, "key_version": new}
