"""Replies as HTTP: JSON, packing, and what is refused by the length of a request alone.

Pure but for aiohttp's response. Its invariant: a body is packed only for a client that says it can unpack it.

Source: REST API guide, Compression Headers (gzip and deflate) and X-PrettyPrint; C.4 of the platform notes (16,384 bytes of
URI, of URI and headers); the bodies of 414 and 431 are those of the web server in front of the platform, recorded many times
(simple-salesforce issue 271, jsforce issue 1134).
"""

import gzip
import zlib
from collections.abc import Mapping

from aiohttp import web

from sandbox.http.wire import Reply, write_json

LONGEST_URI = 16_384
_WORTH_PACKING = 1400
_JSON = "application/json;charset=UTF-8"
_HTML = "text/html;charset=UTF-8"


def response_of(reply: Reply, headers: Mapping[str, str], asked: Mapping[str, str]) -> web.Response:
    """A reply as aiohttp sends it, with more headers; ``asked`` are those of the request, in any case."""
    told = {**headers, **reply.headers}
    if reply.body is None:
        return web.Response(status=reply.status, headers=told)
    if isinstance(reply.body, bytes):
        return web.Response(status=reply.status, headers={"Content-Type": _HTML, **told}, body=reply.body)
    body = write_json(reply.body, pretty=asked.get("X-PrettyPrint") == "1")
    told["Content-Type"] = _JSON
    if len(body) > _WORTH_PACKING:
        accepted = asked.get("Accept-Encoding", "")
        if "gzip" in accepted:
            told["Content-Encoding"], body = "gzip", gzip.compress(body, compresslevel=1)
        elif "deflate" in accepted:
            told["Content-Encoding"], body = "deflate", zlib.compress(body, level=1)
    return web.Response(status=reply.status, headers=told, body=body)


def too_long(target: str, headers: Mapping[str, str]) -> Reply | None:
    """The refusal of a URI, or of a URI and headers, that are too long."""
    if len(target) > LONGEST_URI:
        return Reply(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
    if len(target) + sum(len(name) + len(value) + 4 for name, value in headers.items()) > LONGEST_URI:
        return Reply(431, b"<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")
    return None
