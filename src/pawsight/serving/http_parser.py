"""A parser of HTTP/1.1 that stays with it where a client offers another protocol."""

from __future__ import annotations

from collections.abc import Callable

import httptools


class HttpParser:
    """Reads on where an ``Upgrade`` is offered, which a server may ignore (RFC 9110, 7.8).

    Java's ``HttpClient`` and ``curl --http2`` offer ``h2c`` with a picture. httptools stops there
    and takes the body for what follows in the other protocol; another of its parsers is given the
    header without the offer, and then the body.

    Args:
        protocol: Is told what is read. It is told of the header with the offer, too, and is to do
            nothing then: :meth:`offers_upgrade` says so. After CONNECT it is to raise something.
        header: What it was told of, without the offer.
    """

    def __init__(self, protocol: object, header: Callable[[], bytes]) -> None:
        self._protocol = protocol
        self._header = header
        self._parser = self._new()

    def _new(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self._protocol)
        # As uvicorn does: what follows a request that is the last is not looked at.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def feed_data(self, data: bytes) -> None:
        """Take what came.

        Raises:
            httptools.HttpParserError: It is no HTTP, or the protocol has raised something.
        """
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                header = self._header()
                self._parser = self._new()
                self._parser.feed_data(header)
                data = data[offer.args[0] :]
            else:
                return

    def offers_upgrade(self) -> bool:
        """Whether the protocol will be told of this header again."""
        return bool(self._parser.should_upgrade())

    def get_method(self) -> bytes:
        """Of the request."""
        method: bytes = self._parser.get_method()
        return method

    def get_http_version(self) -> str:
        """Of the request, such as ``1.1``."""
        version: str = self._parser.get_http_version()
        return version

    def should_keep_alive(self) -> bool:
        """Whether another request may follow."""
        return bool(self._parser.should_keep_alive())

    def should_upgrade(self) -> bool:
        """No: whatever is offered, HTTP/1.1 it stays."""
        return False
