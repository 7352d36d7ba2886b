"""The assertion that proves who we are in the JWT bearer flow, and the private key behind it.

Must not connect or keep the key. Invariant: a key file that anyone but its owner can read is refused; ``exp`` is an
integer of seconds (RFC 7519; some clients send text or milliseconds: salesforce.md B.1, E.6).
"""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import jwt

from connector.errors import ConfigError

_LIFE = timedelta(minutes=3)


def read_key(key_file: Path | str) -> str:
    """The PEM text. Raises ConfigError if it is absent, not text, or readable by group or others."""
    try:
        with Path(key_file).open(encoding="ascii") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError("the private key file can be read by others: run chmod 600 on it")
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("the private key file cannot be read: check that key_file names a PEM file this user owns") from error


def assertion(*, client_id: str, username: str, audience: str, key: str, now: datetime) -> str:
    """A signed RS256 assertion good for three minutes. Raises ConfigError if the key is not an unencrypted RSA key."""
    claims = {"iss": client_id, "sub": username, "aud": audience, "exp": int((now + _LIFE).timestamp())}
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ConfigError("the private key file does not hold an unencrypted RSA key in PEM form") from error
