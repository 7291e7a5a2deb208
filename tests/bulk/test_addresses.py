"""Pictures at addresses: real servers of S3 (moto's), Google's storage and the web, all local."""

from __future__ import annotations

import functools
import io
import json
import os
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from pawsight.bulk.fetching import fetched
from pawsight.bulk.items import Unreadable
from pawsight.bulk.sources import find_items
from pawsight.bulk.stores import Remote, RemoteItem, store_of
from pawsight.images.decode import Limits
from tests.command import run
from tests.drawn import draw
from tests.pictures import picture

TREE = ("a.jpg", "deep/b.PNG", "deep/c d.webp", "notes.txt", ".hidden.jpg", "deep/.git/x.jpg")
WANTED = ["a.jpg", "deep/b.PNG", "deep/c d.webp"]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket with TREE, an archive of one picture, and a list."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(port=0)
    with pytest.MonkeyPatch.context() as patch:
        server.start()
        _, port = server.get_host_and_port()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            patch.setenv(name, value)
        bucket = boto3.resource("s3").create_bucket(Bucket="album")
        for name, data in contents("s3://album").items():
            bucket.put_object(Key=name, Body=data)
        yield "s3://album"
        server.stop()


@pytest.fixture(scope="module")
def gs() -> Iterator[str]:
    """The same in a bucket of Google's storage."""
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="album")
    where = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch, server:
        patch.setenv("STORAGE_EMULATOR_HOST", where)
        for name, data in contents("gs://album").items():
            kinds = ("application/json", json.dumps({"name": name}).encode()), ("image/jpeg", data)
            parts = [b"--cut\nContent-Type: %s\n\n%s\n" % (kind.encode(), x) for kind, x in kinds]
            httpx.post(
                f"{where}/upload/storage/v1/b/album/o?uploadType=multipart",
                headers={"Content-Type": "multipart/related; boundary=cut"},
                content=b"".join([*parts, b"--cut--"]),
            ).raise_for_status()
        yield "gs://album"
    import gcsfs  # not before: pawsight says how it is imported

    gcsfs.GCSFileSystem.clear_instance_cache()


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> str:
    """The address of a bucket of either."""
    address: str = request.getfixturevalue(request.param)
    return address


def contents(address: str) -> dict[str, bytes]:
    """What the bucket at this address holds."""
    return {
        **{f"summer/{name}": picture("red") for name in TREE},
        "summer/": b"",  # as consoles mark folders
        "list.txt": f"# of the summer\n{address}/summer/{TREE[0]}\n".encode(),
        "packed.zip": packed(),
        "drawn/cat.png": drawn("cat"),
        "drawn/dog.png": drawn("dog"),
        "empty/nothing.jpg": b"",
    }


def drawn(label: str) -> bytes:
    stream = io.BytesIO()
    draw(label, 1).save(stream, "PNG")
    return stream.getvalue()


def packed() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("inside.jpg", picture("red"))
    return stream.getvalue()


class _Strict(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""

    def end_headers(self) -> None:
        """Of one archive it is said that it has no parts; of others it is only so."""
        if self.path.endswith("whole.zip"):
            self.send_header("Accept-Ranges", "none")
        super().end_headers()

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """As strict servers do: no page has two names."""
        is_folder = os.path.isdir(self.translate_path(self.path))
        if "//" in self.path or (is_folder and not self.path.endswith("/")):
            self.send_error(404)
            return None
        return super().send_head()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server with TREE."""
    for name in TREE:
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_bytes(picture("red"))
    handler = functools.partial(_Strict, directory=str(tmp_path / "site"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def names(*sources: str) -> list[str]:
    return [each.name for each in find_items(sources)]


def test_a_bucket_is_walked_as_a_folder_is(bucket: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert names(f"{bucket}/summer") == [f"{bucket}/summer/{name}" for name in WANTED]
    assert names(f"{bucket}/summer/deep/*.PNG") == [f"{bucket}/summer/deep/b.PNG"]
    assert names(f"{bucket}/summer/*.tiff") == []
    for each in fetched(find_items([f"{bucket}/summer"])):
        assert each.read() == picture("red")
        assert each.fingerprint().size == len(picture("red"))
        assert str(each.fingerprint().modified).endswith("+00:00")
    assert capfd.readouterr() == ("", "")  # nothing of the libraries' own


@pytest.mark.parametrize("named", ["", "/nothing.jpg"])
def test_an_empty_file_is_no_picture_and_is_not_asked_again(
    bucket: str, named: str, trained: Path, tmp_path: Path
) -> None:
    output = tmp_path / "answers.jsonl"
    command = ("classify", f"{bucket}/empty{named}", "--model", trained, "--output", output)
    assert run(*command).exit_code == 1
    before = output.read_bytes()
    row = json.loads(before)
    assert row["error"] == "not an image: the file is empty"
    assert row["size"] == 0
    assert row["modified"].endswith("+00:00")
    again = run(*command, "--resume")
    assert "asked again" not in again.stderr
    assert output.read_bytes() == before


def test_no_more_of_a_file_is_read_than_can_be_decoded(bucket: str) -> None:
    [item] = find_items([f"{bucket}/summer/a.jpg"])
    assert item.read(Limits(max_bytes=10)) == picture("red")[:11]


def test_archives_and_lists_lie_in_buckets_too(bucket: str) -> None:
    assert names(f"{bucket}/packed.zip", f"{bucket}/list.txt") == [
        f"{bucket}/packed.zip/inside.jpg",
        f"{bucket}/summer/a.jpg",
    ]


def test_what_holds_the_files_of_a_list_is_found_once(tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    named = ("https://a.example/1.jpg", "s3://album/1.jpg", "s3://album/1.jpg?versionId=7")
    (tmp_path / "list.txt").write_text("\n".join(named * 3))
    found = find_items([str(tmp_path / "list.txt")])
    stores = [each.store for each in found if isinstance(each, RemoteItem)]
    assert [stores.index(store) for store in stores] == [0, 1, 2] * 3


def test_a_run_over_a_bucket_is_gone_on_with(
    bucket: str, trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "answers.jsonl"
    command = ("classify", f"{bucket}/drawn", "--model", trained, "--output", output)
    done = run(*command)
    assert (done.exit_code, done.stderr) == (0, "")
    before = output.read_bytes()
    said = [(row["path"], row["label"]) for row in map(json.loads, before.splitlines())]
    assert said == [(f"{bucket}/drawn/{label}.png", label) for label in ("cat", "dog")]
    again = run(*command, "--resume", "--summary")
    assert again.exit_code == 0, again.stderr
    assert output.read_bytes() == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("missing", ["album/gone.jpg", "album/gone.zip", "nobodys/a.jpg"])
def test_what_is_not_there_says_so(
    bucket: str, missing: str, capfd: pytest.CaptureFixture[str]
) -> None:
    [found] = fetched(find_items([bucket.replace("album", missing)]))
    with pytest.raises(OSError, match=r"No such file or directory|bucket does not exist"):
        found.read()
    assert capfd.readouterr() == ("", "")


def test_a_web_folder_is_what_its_page_links_to(web: str) -> None:
    found = list(fetched(find_items([f"{web}/"])))
    assert [each.name for each in found] == [f"{web}/{name.replace(' ', '%20')}" for name in WANTED]
    assert [each.read() for each in found] == [picture("red")] * 3


def test_a_page_without_links_has_no_pictures(web: str, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "site" / "none").mkdir()
    (tmp_path / "site" / "none" / "index.html").write_text("<p>Nothing</p>")
    assert names(f"{web}/none/") == []
    assert names(f"{web}/deep/") == [f"{web}/{name.replace(' ', '%20')}" for name in WANTED[1:]]
    done = run("classify", f"{web}/none/", "--model", trained)
    assert done.exit_code == 2
    assert "no pictures in" in done.stderr
    [gone] = find_items([f"{web}/gone/"])
    with pytest.raises(FileNotFoundError):
        gone.read()


@pytest.mark.parametrize("named", ["/drawn/", "/drawn/a.png"])
def test_a_picture_of_the_web_that_changed_is_noticed(
    web: str, named: str, trained: Path, tmp_path: Path
) -> None:
    file, output = tmp_path / "site" / "drawn" / "a.png", tmp_path / "answers.jsonl"
    file.parent.mkdir()
    draw("cat", 1).save(file)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    command = ("classify", f"{web}{named}", "--model", trained, "--output", output, "--resume")
    assert run(*command).exit_code == 0
    before = output.read_text()
    assert json.loads(before)["size"] == file.stat().st_size
    assert json.loads(before)["modified"] == "2023-11-14T22:13:20+00:00"
    assert "changed" not in run(*command).stderr
    assert output.read_text() == before
    os.utime(file, (1_700_000_001, 1_700_000_001))  # of the same size
    assert "1 file that changed since" in run(*command).stderr
    assert json.loads(output.read_text())["modified"] == "2023-11-14T22:13:21+00:00"


def test_what_cannot_be_read_there_is_a_record_and_stops_nothing(web: str, tmp_path: Path) -> None:
    """This server gives no part of a file, which a ZIP archive is read by; another listens not."""
    for name in ("album.zip", "whole.zip"):
        (tmp_path / "site" / name).write_bytes(packed())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}/a.jpg"
    archives = [f"{web}/album.zip", f"{web}/whole.zip"]
    named = [*archives, gone.replace("//", "//me:secret@"), "ftp://127.0.0.1:1/a.jpg"]
    *broken, good = fetched(find_items([*named, f"{web}/a.jpg"]))
    assert good.read() == picture("red")
    assert "secret" not in broken[2].name
    for each, words in zip(
        broken, ("no parts of a file.*fetch it first", "no parts", "onnect", "refused"), strict=True
    ):
        with pytest.raises(OSError, match=words):
            each.read()


def test_a_server_that_is_gone_is_the_pictures_error_and_resumed(
    trained: Path, tmp_path: Path, web: str
) -> None:
    draw("cat", 1).save(tmp_path / "site" / "cat.png")
    list_file, output = tmp_path / "list.txt", tmp_path / "answers.jsonl"
    list_file.write_text(f"{web}/cat.png\n{web}/gone.png\n")
    command = ("classify", list_file, "--model", trained, "--output", output, "--resume")
    assert run(*command).exit_code == 1
    good, bad = map(json.loads, output.read_text().splitlines())
    assert good["label"] == "cat"
    assert good["path"] == f"{web}/cat.png"
    assert bad["error"] == "cannot be read: No such file or directory"
    draw("dog", 1).save(tmp_path / "site" / "gone.png")
    again = run(*command)
    assert again.exit_code == 0, again.stderr
    assert [json.loads(line)["error"] for line in output.read_text().splitlines()] == [None] * 2
    assert "1 record of" in again.stderr  # the other one was not asked again


def test_a_server_that_does_not_answer_is_a_record_without_the_password(
    trained: Path, tmp_path: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and nobody listens
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        address = f"ftp://me:secret@{host}/cat.jpg"
        (tmp_path / "list.txt").write_text(address)
        done = run(
            "classify", address, tmp_path / "list.txt", "--model", trained, "--format", "jsonl"
        )
    assert done.exit_code == 1, done.output
    for line in done.stdout.splitlines():
        record = json.loads(line)
        assert record["path"] == f"ftp://{host}/cat.jpg"
        assert record["error"].startswith("cannot be read: ")
        assert "onnection refused" in record["error"]
    assert len(done.stdout.splitlines()) == 2
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftq://host/a.jpg", "Protocol not known: ftq"),
        ("zip://a.jpg::s3://album/x.zip", "addresses within addresses are not followed"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_before_anything_is_loaded(
    trained: Path, address: str, words: str
) -> None:
    refused = run("classify", address, "--model", trained)
    assert refused.exit_code == 2
    assert words in refused.stderr


def test_a_protocol_without_its_package_says_which_is_missing(
    monkeypatch: pytest.MonkeyPatch, trained: Path
) -> None:
    from fsspec.registry import _registry

    monkeypatch.setitem(sys.modules, "gcsfs", None)
    for name in ("gs", "gcs"):  # what other tests have brought
        monkeypatch.delitem(_registry, name, raising=False)
    refused = run("classify", "gs://album/a.jpg", "--model", trained)
    assert refused.exit_code == 2
    assert "gs:// cannot be reached" in refused.stderr
    assert "gcsfs" in refused.stderr


def test_a_large_file_of_the_web_comes_whole(web: str, tmp_path: Path) -> None:
    """What comes in many pieces is read to its end, or to one byte beyond the limit."""
    large = os.urandom(3_000_000)
    (tmp_path / "site" / "large.jpg").write_bytes(large)
    [item] = fetched(find_items([f"{web}/large.jpg"]))
    assert item.read() == large
    [item] = fetched(find_items([f"{web}/large.jpg"]), Limits(max_bytes=2_000_000))
    assert isinstance(item, Unreadable)
    assert str(item.error) == "too large: 3 000 000 bytes, limit 2 000 000"
    store = store_of(f"{web}/large.jpg")
    assert isinstance(store, Remote)
    assert store.read(f"{web}/large.jpg", 1_000_000) == large[:1_000_000]
    with pytest.raises(OSError, match="only 3000000 of its 4000000 bytes came"):
        store.read(f"{web}/large.jpg", 5_000_000, 4_000_000)


def test_memory_holds_no_more_than_what_is_fetched_ahead(web: str) -> None:
    """A stream without end is read only as far as it is taken."""
    item = store_of(web).item(f"{web}/a.jpg")
    asked = 0

    def endless() -> Iterator[object]:
        nonlocal asked
        while True:
            asked += 1
            yield item

    stream = fetched(endless())  # type: ignore[arg-type]
    for _ in range(3):
        next(stream)
    assert asked < 100
    stream.close()  # type: ignore[attr-defined]
