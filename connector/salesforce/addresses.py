"""Where the org may be reached: https anywhere, plain http on this machine only.

Must not connect. Invariant: a token or a secret is never sent unencrypted to another machine.
"""

from urllib.parse import urlsplit

from connector.errors import ConfigError

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1"})


def is_this_machine(url: str) -> bool:
    """Whether the host is the loopback interface by its usual names."""
    return urlsplit(url).hostname in _THIS_MACHINE


def checked(url: str, name: str) -> str:
    """The address without a trailing slash. Raises ConfigError, naming the setting ``name``, unless it is https or loopback http."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{name} is not an address: write it as https://yourdomain.my.salesforce.com") from None
    if not host or parts.scheme not in {"https", "http"} or parts.username or parts.password:
        raise ConfigError(f"{name} is not an address: write it as https://yourdomain.my.salesforce.com")
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise ConfigError(f"{name} must begin with https:// (plain http is for a sandbox on this machine only)")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def audience(login_url: str) -> str:
    """The ``aud`` of a JWT: login. or test.salesforce.com also when the login goes to a My Domain (salesforce.md C.1).

    A site or a local org is its own audience.
    """
    host = urlsplit(login_url).hostname or ""
    if host == "test.salesforce.com" or host.endswith((".sandbox.my.salesforce.com", ".scratch.my.salesforce.com")):
        return "https://test.salesforce.com"
    if host.endswith(".salesforce.com"):
        return "https://login.salesforce.com"
    return login_url
