"""The certificate that lies beside the private key: until when it holds.

Must not connect. Invariant: no certificate found, or one that cannot be read, is nothing to complain about: only the app in Setup needs it.

Where it is looked for: in the key's own PEM file, and in the file of the same name ending in .crt, .cer or .pem, as ``openssl req -x509``
leaves it.
"""

from datetime import datetime
from pathlib import Path

from cryptography import x509

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_ENDINGS = (".crt", ".cer", ".pem")
_LONGEST = 100_000


def ends_at(key_file: Path) -> datetime | None:
    """The last moment of the certificate (aware, UTC); None where there is none."""
    for path in (key_file, *(key_file.with_suffix(ending) for ending in _ENDINGS)):
        try:
            text = path.read_bytes()[:_LONGEST]
        except OSError:
            continue
        at = text.find(_BEGIN)
        if at >= 0:
            try:
                return x509.load_pem_x509_certificate(text[at:]).not_valid_after_utc
            except ValueError:
                continue
    return None
