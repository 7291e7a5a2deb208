"""A parser of HTTP/1.1 that stays with it where a client offers another protocol."""

from __future__ import annotations

from collections.abc import Callable

import httptools


class HttpParser(httptools.HttpRequestParser):
    """Reads on where an ``Upgrade`` is offered, which a server may ignore (RFC 9110, 7.8).

    Java's ``HttpClient`` and ``curl --http2`` offer ``h2c`` with a picture. The parser below stops
    there and takes the body for what follows in the other protocol; it is given the header once
    more, without the offer, and then the body.

    Args:
        protocol: Is told what is read. It is told of the header with the offer, too, and is to do
            nothing then: :meth:`offers_upgrade` says so.
        header: What it was told of, without the offer.
    """

    def __init__(self, protocol: object, header: Callable[[], bytes]) -> None:
        super().__init__(protocol)
        self._header = header

    def offers_upgrade(self) -> bool:
        """Whether this header will be told of again; that of CONNECT is not."""
        return bool(self.should_upgrade()) and self.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]
        """Take what came; bytes, as uvicorn gives it.

        Raises:
            httptools.HttpParserError: It is no HTTP.
            httptools.HttpParserUpgrade: After CONNECT.
        """
        while True:
            try:
                super().feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.get_method() == b"CONNECT":
                    raise
                super().feed_data(self._header())
                data = data[offer.args[0] :]
            else:
                return
