"""The bodies of Bulk requests and replies: properties of jobs, multipart uploads, streamed CSV, and the refusal of Bulk API 1.0.

It knows no jobs. Its invariant: what is streamed is packed when, and only when, the client takes gzip.
"""

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping

from aiohttp import BodyPartReader, web

from sandbox.http.wire import JsonObject, Reply, as_object, parse_json
from sandbox.org.errors import OrgError

_MULTIPART_CHARACTERS = 100_000
_BLOCK = 256 * 1024
_GZIP = 31


async def properties(request: web.Request) -> dict[str, str]:
    """The properties of a job in a JSON body."""
    if request.content_type != "application/json":
        raise OrgError(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type '{request.content_type}' is not supported here")
    return _texts(as_object(parse_json(await request.read())))


def _texts(body: JsonObject) -> dict[str, str]:
    return {name: str(value) for name, value in body.items() if value is not None}


async def multipart(request: web.Request) -> tuple[dict[str, str], bytes]:
    """The job and its data from one multipart body."""
    found: dict[str, str] | None = None
    content = b""
    async for part in _parts(request):
        if part.name == "job":
            found = _texts(as_object(parse_json(bytes(await part.read()))))
        elif part.name == "content":
            while block := await part.read_chunk(_BLOCK):
                content += block
                if len(content) > _MULTIPART_CHARACTERS:
                    raise OrgError(413, "REQUEST_ENTITY_TOO_LARGE", "A multipart request holds up to 100,000 characters of job data")
    if found is None:
        raise OrgError(400, "INVALIDJOB", "The multipart request has no part named job")
    return found, content


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader):
                yield part
    except ValueError as problem:
        raise OrgError(400, "CLIENTINPUTERROR", "The multipart request cannot be read") from problem


async def streamed(request: web.Request, told: Mapping[str, str], header: bytes, blocks: Iterator[bytes]) -> web.StreamResponse:
    """Send CSV block by block, packed if the client takes it ("Use Compression for Responses")."""
    response = web.StreamResponse(headers={**told, "Content-Type": "text/csv; charset=UTF-8"})
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP) if "gzip" in request.headers.get("Accept-Encoding", "") else None
    if packer is not None:
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    if request.method != "HEAD":
        await response.write(packer.compress(header) if packer else header)
        for block in blocks:
            await response.write(packer.compress(block) if packer else block)
        if packer is not None:
            await response.write(packer.flush())
    await response.write_eof()
    return response


def bulk_one(headers: Mapping[str, str]) -> Reply:
    """Refuse Bulk API 1.0 as an org refuses it that has it not: ``FeatureNotEnabled``, in the format of the request."""
    code, words = "FeatureNotEnabled", "Async API not enabled"
    if "json" in headers.get("content-type", "") or "json" in headers.get("accept", ""):
        return Reply(400, {"exceptionCode": code, "exceptionMessage": words})
    body = f"<exceptionCode>{code}</exceptionCode><exceptionMessage>{words}</exceptionMessage>"
    namespace = "http://www.force.com/2009/06/asyncapi/dataload"
    text = f'<?xml version="1.0" encoding="UTF-8"?><error xmlns="{namespace}">{body}</error>'
    return Reply(400, text.encode(), {"Content-Type": "application/xml;charset=UTF-8"})
