"""A hub on this machine: the part of the Hugging Face hub's protocol that downloads use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit


class Hub:
    """Repositories with one revision each, ``main``, what was asked for, and what goes wrong.

    Attributes:
        url: Where it answers.
        asked: Method, path and headers of every request.
        cuts: File → how many bytes each next download of it gets before the connection breaks.
        spoils: File → what its downloads get instead of its content; its size is announced as ever.
        token: Without it nothing is there.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.cuts: dict[str, list[int]] = {}
        self.spoils: dict[str, Callable[[bytes], bytes]] = {}
        self.token: str | None = None
        self._repositories: dict[str, dict[str, bytes]] = {}

    def put(self, repository: str, folder: Path) -> str:
        """Offer a folder's files as a repository; returns its commit."""
        self._repositories[repository] = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        return self.commit(repository)

    def commit(self, repository: str) -> str:
        content = hashlib.sha1(repository.encode())
        for name, data in self._repositories[repository].items():
            content.update(name.encode() + data)
        return content.hexdigest()

    def downloads(self, file: str) -> list[str | None]:
        """The ``Range`` of every download of a file, None where all of it was asked for."""
        return [
            headers.get("range")
            for method, path, headers in self.asked
            if method == "GET" and path.endswith(f"/{file}") and "/resolve/" in path
        ]

    def find(self, path: str) -> tuple[str, str, str]:
        """Split a path into repository, what is asked of it, and the rest."""
        parts = path.removeprefix("/api/models/").strip("/").split("/")
        repository, rest = "/".join(parts[:2]), parts[2:]
        if repository not in self._repositories:
            raise Refusal(401, "RepoNotFound")
        kind, revision, *file = rest if len(rest) > 1 else ("revision", "main")
        if revision not in ("main", self.commit(repository)):
            raise Refusal(404, "RevisionNotFound")
        return repository, kind, "/".join(file)

    def content(self, repository: str, file: str) -> bytes:
        if file not in self._repositories[repository]:
            raise Refusal(404, "EntryNotFound")
        return self._repositories[repository][file]

    def description(self, repository: str) -> dict[str, object]:
        siblings = [{"rfilename": name} for name in self._repositories[repository]]
        return {"id": repository, "sha": self.commit(repository), "siblings": siblings}

    def tree(self, repository: str) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": len(data), "oid": _blob_id(data)}
            | ({"lfs": _lfs(data)} if _is_large(name) else {})
            for name, data in self._repositories[repository].items()
        ]


class Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def _is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin")) or ".onnx" in name


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _lfs(data: bytes) -> dict[str, object]:
    return {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.asked.append((self.command, path, headers))
        try:
            if self.hub.token and headers.get("authorization") != f"Bearer {self.hub.token}":
                raise Refusal(401, "RepoNotFound")
            repository, kind, file = self.hub.find(path)
            if kind == "resolve":
                self._send_file(repository, file, headers.get("range"))
            else:
                description = self.hub.description(repository)
                answer = self.hub.tree(repository) if kind == "tree" else description
                self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        except Refusal as refusal:
            self._send(refusal.status, b"{}", {"X-Error-Code": refusal.code})

    def _send_file(self, repository: str, name: str, wanted: str | None) -> None:
        data = self.hub.content(repository, name)
        etag = hashlib.sha256(data).hexdigest() if _is_large(name) else _blob_id(data)
        headers = {
            "ETag": f'"{etag}"',
            "X-Repo-Commit": self.hub.commit(repository),
            "Accept-Ranges": "bytes",
        }
        if self.command == "GET" and name in self.hub.spoils:
            data = self.hub.spoils[name](data)
        if not wanted:
            self._send(200, data, headers, name)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206, data[start:], headers, name)

    def _send(self, status: int, body: bytes, headers: dict[str, str], name: str = "") -> None:
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = self.hub.cuts.get(name)
        if cuts:
            self.wfile.write(body[: cuts.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(body)


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """Serve an empty hub until the block ends."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
