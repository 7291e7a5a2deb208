"""Keys, rates, other origins, and what a browser is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from pawsight.serving.app import create_app
from pawsight.serving.batching import Scheduler
from pawsight.serving.keys import holder, parse_keys
from pawsight.serving.origins import is_loopback
from pawsight.serving.settings import Settings
from tests.pictures import picture

SHOP, OPS, RARE = "shop-key-0123456789", "ops-key-0123456789abc", "rare-key-0123456789ab"
KEYS = f"shop {SHOP}; ops {OPS} admin; rare {RARE} 2/hour"


@pytest.fixture(scope="module")
def closed(settings: Settings) -> Iterator[TestClient]:
    """A service that asks for a key."""
    chosen = Settings(**{**settings.model_dump(), "api_keys": KEYS})
    with TestClient(create_app(chosen), raise_server_exceptions=False) as client:
        yield client


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_who_has_a_key_is_let_in(closed: TestClient) -> None:
    for headers in (with_key(SHOP), {"X-API-Key": SHOP}, {"authorization": f"bearer  {OPS}"}):
        response = closed.post("/predict/tiny", content=picture("red"), headers=headers)
        assert response.json()["label"] == "cat"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        with_key("shop-key-0123456780"),
        with_key(""),
        with_key("shop"),
        {"Authorization": f"Basic {SHOP}"},
        {"X-API-Key": "shop-key-0123456789é".encode("latin-1")},
        {"Authorization": "Bearer " + "x" * 10_000},
    ],
)
def test_who_has_none_is_told_how(closed: TestClient, headers: dict[str, str | bytes]) -> None:
    for method, path in (
        ("POST", "/predict/tiny"),
        ("GET", "/models"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
        ("GET", "/v2/models/tiny"),
    ):
        response = closed.request(method, path, headers=headers)  # type: ignore[arg-type]
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"
        assert "Authorization: Bearer KEY" in response.json()["detail"]
        assert SHOP not in response.text


def test_health_and_the_documentation_stay_open(closed: TestClient) -> None:
    paths = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/docs")
    assert [closed.get(path).status_code for path in paths] == [200] * 5
    document = closed.get("/openapi.json").json()
    assert document["security"] == [{"key": []}]
    assert "tiny" not in str(document["paths"]["/predict/{model}"])
    for path in ("/health/live/../../models", "/static-offline-docs/../models"):
        assert closed.get(path).status_code in (401, 404)


def test_a_rate_is_each_key_s_own(closed: TestClient) -> None:
    statuses = [closed.get("/models", headers=with_key(RARE)).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    refused = closed.get("/models", headers=with_key(RARE))
    assert refused.json()["code"] == "too-many-requests"
    assert refused.json()["detail"] == "the key 'rare' may ask 2 per 1 hour"
    assert 3000 < int(refused.headers["retry-after"]) <= 3600
    assert closed.get("/models", headers=with_key(SHOP)).status_code == 200


def test_the_services_rate_holds_for_keys_that_say_none(settings: Settings) -> None:
    values = {**settings.model_dump(), "api_keys": KEYS, "rate_limit": "1/hour"}
    with TestClient(create_app(Settings(**values))) as client:
        for key, allowed in ((SHOP, 1), (OPS, 1), (RARE, 2)):
            statuses = [client.get("/models", headers=with_key(key)).status_code for _ in range(3)]
            assert statuses.count(200) == allowed


def test_what_there_is_no_room_for_does_not_count_for_a_rate(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    monkeypatch.setattr(Scheduler, "has_room", lambda _: not full)
    values = {**settings.model_dump(), "api_keys": KEYS}
    with TestClient(create_app(Settings(**values))) as client:

        def ask() -> int:
            headers = with_key(RARE)  # it may ask twice
            answer = client.post("/predict/tiny", content=picture("red"), headers=headers)
            return int(answer.status_code)

        assert [ask() for _ in range(3)] == [503] * 3
        full = False
        assert [ask() for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(("setting", "without_key"), [("open", 200), ("key", 401), ("off", 401)])
def test_metrics_are_shown_as_set(settings: Settings, setting: str, without_key: int) -> None:
    values = {**settings.model_dump(), "api_keys": KEYS, "metrics": setting}
    with TestClient(create_app(Settings(**values))) as client:
        assert client.get("/metrics").status_code == without_key
        with_one = client.get("/metrics", headers=with_key(SHOP)).status_code
        assert with_one == (404 if setting == "off" else 200)


def test_keys_come_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    digest = hashlib.sha256(OPS.encode()).hexdigest()
    file.write_text(f"# who may ask\n\nops sha256:{digest} 5/second admin\n", encoding="utf-8")
    settings = Settings(api_keys=f"shop {SHOP}", api_keys_file=file)  # type: ignore[arg-type]
    shop, ops = settings.keys
    assert (shop.name, shop.admin, shop.rate) == ("shop", False, None)
    assert (ops.name, ops.admin, ops.rate) == ("ops", True, "5/second")
    assert holder(settings.keys, OPS) == ops
    assert holder(settings.keys, f"sha256:{digest}") is None
    assert SHOP not in repr(settings)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("shop", "a line is `NAME KEY`"),
        ("shop short", "16 characters or more"),
        (f"shop {SHOP} often", "no rate: 'often'"),
        (f"shop {SHOP} 0/minute", "no rate: '0/minute'"),
        (f"shop {SHOP} 1/hour 2/hour", "a line is"),
        (f"sh/op {SHOP}", "a name has letters"),
        (f"shop {SHOP}; shop {OPS}", "two keys are called 'shop'"),
        (";", "hold no key"),
    ],
)
def test_nonsense_is_refused_and_no_key_is_said(line: str, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(api_keys=line)  # type: ignore[arg-type]
    assert words in str(error.value)
    assert SHOP not in str(error.value)
    assert "short" not in str(error.value).replace("shorter", "")
    with pytest.raises(ValidationError, match="cannot be read"):
        Settings(api_keys_file=Path("nowhere/keys"))


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many comparisons for the first key as for none: the time tells nothing."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr("pawsight.serving.keys.hmac.compare_digest", compare)
    keys = parse_keys(KEYS.split(";"))
    for sent in (SHOP, RARE, "nobody's"):
        compared.clear()
        holder(keys, sent)
        assert len(compared) == 3


def test_other_origins_are_refused_unless_they_are_named(
    client: TestClient, settings: Settings
) -> None:
    page = "https://shop.example"
    asking = {"Origin": page, "Access-Control-Request-Method": "POST"}
    assert client.options("/predict/tiny", headers=asking).status_code == 405
    answer = client.post("/predict/tiny", content=picture("red"), headers={"Origin": page})
    assert "access-control-allow-origin" not in answer.headers
    values = {
        **settings.model_dump(),
        "api_keys": KEYS,
        "cors_origins": f"{page}, https://b.example",
    }
    with TestClient(create_app(Settings(**values))) as open_to_page:
        asked = open_to_page.options(
            "/predict/tiny", headers={**asking, "Access-Control-Request-Headers": "x-api-key"}
        )
        assert asked.status_code == 200  # a browser sends no key when it asks whether it may
        assert asked.headers["access-control-allow-origin"] == page
        answer = open_to_page.post(
            "/predict/tiny", content=picture("red"), headers={"Origin": page, "X-API-Key": SHOP}
        )
        assert answer.headers["access-control-allow-origin"] == page
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        stranger = {"Origin": "https://evil.example", "X-API-Key": SHOP}
        answer = open_to_page.get("/models", headers=stranger)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_cannot_have_a_browser_send_something(
    client: TestClient, settings: Settings, site: str
) -> None:
    sent = {"Origin": "http://evil.example", "Sec-Fetch-Site": site}
    refused = client.post("/predict/tiny", content=picture("red"), headers=sent)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "PAWSIGHT_CORS_ORIGINS" in refused.json()["detail"]
    assert client.get("/models", headers=sent).status_code == 200  # it cannot read the answer
    own = sent | {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/predict/tiny", content=picture("red"), headers=own).status_code == 200
    for allowed in ("http://evil.example", "*"):
        values = {**settings.model_dump(), "cors_origins": allowed}
        with TestClient(create_app(Settings(**values))) as open_to_page:
            answer = open_to_page.post("/predict/tiny", content=picture("red"), headers=sent)
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8000", 403),
        ("evil.example", 403),
        ("evil.example.", 403),
        ("127.0.0.1.evil.example:8000", 403),
        ("localhost.evil.example", 403),
        ("pets.example:8000", 200),
        ("PETS.example.", 200),
        ("localhost:8000", 200),
        ("app.localhost", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("[::ffff:127.0.0.1]:8000", 200),
        ("nas:8000", 200),
    ],
)
def test_a_name_that_somebody_lets_lead_here_opens_nothing(
    settings: Settings, host: str, status: int
) -> None:
    values = {**settings.model_dump(), "hosts": "Pets.example."}
    app = create_app(Settings(**values))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        answer = client.get("/models", headers={"Host": host})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "forbidden"
        assert "PAWSIGHT_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", ["pets.example:8000", "https://pets.example", "*.pets.example", "münchen.example", ""]
)
def test_what_is_no_domain_name_is_refused(settings: Settings, name: str) -> None:
    values = {**settings.model_dump(), "hosts": (name,)}
    with pytest.raises(ValidationError, match="is no domain name"):
        Settings(**values)


@pytest.mark.parametrize(
    ("address", "is_own"),
    [("127.0.0.1", True), ("127.0.1.1", True), ("::1", True), ("::ffff:127.0.0.1", True),
     ("192.168.1.7", False), ("::ffff:192.168.1.7", False), ("/run/pawsight.sock", False)],
)  # fmt: skip
def test_by_which_addresses_a_machine_reaches_itself(address: str, is_own: bool) -> None:
    assert is_loopback(address) is is_own


@pytest.mark.parametrize(
    ("server", "changed"),
    [("http://192.168.1.7:8000", {}), ("http://127.0.0.1", {"hosts": "*"}),
     ("http://127.0.0.1", {"api_keys": KEYS})],
)  # fmt: skip
def test_any_name_may_be_where_a_network_or_a_key_is_in_between(
    settings: Settings, server: str, changed: dict[str, str]
) -> None:
    app = create_app(Settings(**{**settings.model_dump(), **changed}))
    with TestClient(app, base_url=server) as client:
        headers = {"Host": "pets.example", "X-API-Key": SHOP}
        assert client.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://evil.example", "pets.lan:8000", 403),
        ("http://pets.lan", "pets.lan:8000", 403),
        ("http://pets.lan:8080", "pets.lan:8000", 403),
        ("null", "pets.lan:8000", 403),
        ("null", "null", 403),
        ("http://pets.lan:x", "pets.lan", 403),
        ("http://pets.lan:8000", "pets.lan:8000", 200),
        ("http://pets.lan", "pets.lan:80", 200),
        ("https://pets.lan", "PETS.lan", 200),  # behind what takes TLS off
        ("http://[fd00::1]:8000", "[fd00::1]:8000", 200),
        ("http://friend.example", "pets.lan:8000", 200),
    ],
)
def test_where_browsers_send_no_sec_fetch_site_the_origin_is_held_against_the_host(
    settings: Settings, origin: str, host: str, status: int
) -> None:
    """Over plain http to another machine, as in a home's network."""
    values = {**settings.model_dump(), "cors_origins": "http://friend.example"}
    with TestClient(create_app(Settings(**values))) as client:
        sent = {"Origin": origin, "Host": host}
        answer = client.post("/predict/tiny", content=picture("red"), headers=sent)
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["code"] == "forbidden"
            assert "PAWSIGHT_CORS_ORIGINS" in answer.json()["detail"]
        assert client.get("/models", headers=sent).status_code == 200


def test_a_browser_may_do_little_with_an_answer(client: TestClient) -> None:
    for path in ("/models", "/docs", "/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert ("default-src 'self'" if path == "/docs" else "default-src 'none'") in policy
