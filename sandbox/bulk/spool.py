"""Bytes of any length at hand: uploads and results, in memory while small and in an unnamed file when not.

Must not know what the bytes mean. Invariant: what was appended is read back the same, from any place, by several readers.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

_IN_MEMORY = 256 * 1024
_BLOCK = 256 * 1024
_PIECE = 32 * 1024


class Spool:
    """An appendable, readable pile of bytes. Close it, or its file stays open."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close(), with the job
        self.size = 0

    @property
    def closed(self) -> bool:
        """Whether memory and file have been given back."""
        return self._file.closed

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.seek(self.size)
        self._file.write(data)
        self.size += len(data)

    def read(self, start: int, length: int = _BLOCK) -> bytes:
        """Read up to so many bytes from a place."""
        self._file.seek(start)
        return self._file.read(length)

    def blocks(self, start: int = 0, end: int | None = None, *, block: int = _BLOCK) -> Iterator[bytes]:
        """Give what lies between two places, block by block."""
        last = self.size if end is None else end
        while start < last:
            found = self.read(start, min(block, last - start))
            start += len(found)
            yield found

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """Give what lies from a place on in pieces of whole lines; the last line may have no line feed."""
        rest = b""
        for block in self.blocks(start, block=_PIECE):
            end = block.rfind(b"\n") + 1
            if end:
                yield rest + block[:end]
                rest = block[end:]
            else:
                rest += block
        if rest:
            yield rest

    def lines(self, start: int = 0) -> Iterator[bytes]:
        """Give the lines from a place on, each with its line feed; the last one may have none."""
        for piece in self.pieces(start):
            *whole, rest = piece.split(b"\n")
            for line in whole:
                yield line + b"\n"
            if rest:
                yield rest

    def close(self) -> None:
        """Give the memory or the file back."""
        self._file.close()
