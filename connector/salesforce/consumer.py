"""The part of the external client app that is never in source control: the certificate whose key signs the daemon's logins.

Must not connect or keep anything. Invariant: nothing but the public certificate leaves its file; a file that holds a private key is refused.

Source: Metadata API Developer Guide, "ExtlClntAppGlobalOauthSettings": sensitive, not packageable, not to be committed; a certificate turns the
JWT bearer flow on.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography import x509

from connector.errors import ConfigError
from connector.salesforce.dx_source import NAMESPACE

APP: Final = "Dunwell"
_CALLBACK: Final = "https://login.salesforce.com/services/oauth2/success"
"""Asked of every app; nobody is ever sent there by a login with a key."""
_LONGEST = 100_000


def consumer(certificate: Path) -> Mapping[str, bytes]:
    """One file of the package, with the certificate in it. Raises ConfigError for a file that holds none, or a private key."""
    try:
        text = certificate.read_bytes()[:_LONGEST].decode("ascii", "replace")
    except OSError as error:
        raise ConfigError(f"{certificate.name}: cannot be read ({error.strerror})") from None
    if "PRIVATE KEY" in text:
        raise ConfigError(f"{certificate.name}: holds a private key, which stays with the daemon; give the certificate alone")
    found = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", text, re.DOTALL)
    try:
        x509.load_pem_x509_certificate(found[0].encode() if found else b"")
    except ValueError:
        raise ConfigError(f"{certificate.name}: not a certificate in PEM form (-----BEGIN CERTIFICATE-----)") from None
    body = "".join(found[1].split()) if found else ""
    said = {
        "callbackUrl": _CALLBACK, "certificate": body, "externalClientApplication": APP, "isClientCredentialsFlowEnabled": "false",
        "isCodeCredFlowEnabled": "false", "isConsumerSecretOptional": "false", "isDeviceFlowEnabled": "false", "isIntrospectAllTokens": "false",
        "isNamedUserJwtEnabled": "false", "isPkceRequired": "true", "isSecretRequiredForRefreshToken": "true",
        "isTokenExchangeEnabled": "false", "label": f"{APP} Global OAuth", "shouldRotateConsumerKey": "false", "shouldRotateConsumerSecret": "false",
    }  # fmt: skip
    lines = [f"    <{name}>{value}</{name}>" for name, value in said.items()]
    whole = ['<?xml version="1.0" encoding="UTF-8"?>', f'<ExtlClntAppGlobalOauthSettings xmlns="{NAMESPACE}">', *lines]
    return {
        f"extlClntAppGlobalOauthSets/{APP}_glbloauth.ecaGlblOauth": "\n".join([*whole, "</ExtlClntAppGlobalOauthSettings>", ""]).encode()
    }
