"""A byte stream that counts what it gives and stops at a limit: files, gzip files and members of an archive alike."""

from __future__ import annotations

import gzip
import io
import lzma
import threading
import zipfile
import zlib
from typing import BinaryIO

from geo.errors import CrimeFileError

_STOP_S = 1.0  # a read that goes on is over by then; one that never comes is not waited for longer
_BROKEN = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError,
)  # fmt: skip


class Source(io.RawIOBase):
    """Bytes of one file, never more than ``limit``.

    Parameters
    ----------
    stream : binary file
        Where the decompressed bytes come from; the caller closes it.
    name : str
        What an error calls it.
    limit : int
        Bytes that may be read.
    """

    def __init__(self, stream: BinaryIO, name: str, limit: int) -> None:
        self._stream, self.name, self._limit = stream, name, limit
        self._ahead = b""
        self.count = 0
        self._reading = threading.Lock()
        self._stopped, self._ended = False, threading.Event()

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to ``size`` bytes.

        Parameters
        ----------
        size : int or None
            Bytes wanted; everything is never given, so that a mistake cannot fill the memory.

        Returns
        -------
        bytes
            Empty at the end.

        Raises
        ------
        CrimeFileError
            If the compressed data is broken or the limit is passed.
        """
        size = 1 << 20 if size is None or size < 0 else size
        with self._reading:
            data = b"" if self._stopped else self._next(size)
        if not data:
            self._ended.set()
        return data

    def stop(self) -> None:
        """Give nothing more, and wait until a library that reads ahead on a thread of its own has heard it.

        A thread that still reads when the interpreter ends brings the whole process down.
        """
        with self._reading:
            self._stopped = True
        self._ended.wait(_STOP_S)

    def _next(self, size: int) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._fetch(size)

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without using them up; fewer at the end.

        Parameters
        ----------
        size : int
            Bytes wanted.

        Returns
        -------
        bytes
            What the next ``read`` begins with.

        Raises
        ------
        CrimeFileError
            As ``read``.
        """
        while len(self._ahead) < size and (data := self._fetch(size - len(self._ahead))):
            self._ahead += data
        return self._ahead[:size]

    def _fetch(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except _BROKEN as error:
            message = f"{self.name} is broken or not a file that can be unpacked ({error}); download it again."
            raise CrimeFileError(message) from error
        self.count += len(data)
        if self.count > self._limit:
            message = f"{self.name} holds more than {self._limit:,} bytes; raise the limit if that is right."
            raise CrimeFileError(message)
        return data
