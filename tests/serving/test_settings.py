from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pawsight.images.decode import DEFAULT_LIMITS
from pawsight.serving.settings import Settings, misspelt


def test_the_defaults() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.serve_models == ("auto", "custom", "pretrained")
    assert settings.max_bytes == DEFAULT_LIMITS.max_bytes
    assert settings.max_pixels == DEFAULT_LIMITS.max_pixels


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSIGHT_PORT", "9000")
    monkeypatch.setenv("PAWSIGHT_SERVE_MODELS", " custom, ./my model ,")
    monkeypatch.setenv("PAWSIGHT_MODELS", "where/models/live")
    settings = Settings(host="0.0.0.0")
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)
    assert settings.serve_models == ("custom", "./my model")


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "99999"), ("MAX_FILES", "0"), ("SERVE_MODELS", ","), ("THREADS", "x")],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PAWSIGHT_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("example.org", "https://example.org"),
        ("example.org:8501/page", "https://example.org:8501"),
        ("https://example.org/", "https://example.org"),
        ("http://example.org/page?x=1", "http://example.org"),
        ("https://Example.org", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://[FD00::1]:8501/", "http://[fd00::1]:8501"),
        ("https://*.example.org", "https://example.org"),
        ("https://bücher.example", "https://example.org"),
        ("null", "https://example.org"),
        ("https://", "https://example.org"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_one_that_it_would(
    origin: str, right: str
) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(cors_origins=f"https://other.example, {origin}")  # type: ignore[arg-type]
    assert f"{origin!r} is no origin as browsers send it" in str(error.value)
    assert f"{right!r} is one" in str(error.value)


def test_origins_as_browsers_send_them_are_taken() -> None:
    sent = ("http://pets.lan", "https://example.org:8501", "http://[fd00::1]:8000", "*")
    assert Settings(cors_origins=",".join(sent)).cors_origins == sent  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_bytes", "max_batch_bytes"])
def test_what_could_never_be_held_is_refused(name: str) -> None:
    sizes = {"max_bytes": 10, "max_batch_bytes": 10, "max_held_bytes": 1_000}
    assert Settings(**{**sizes, name: 1_000})  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as error:
        Settings(**{**sizes, name: 1_001})  # type: ignore[arg-type]
    assert f"{name} (1,001) is more than max_held_bytes (1,000)" in str(error.value)


def test_the_documentation_lists_every_setting_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        assert f"| `PAWSIGHT_{name.upper()}` | {shown} | {field.description} |" in page


def test_the_documentation_names_no_variable_that_nobody_reads() -> None:
    root = Path(__file__).parents[2]
    pages = (root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md"))
    named = {
        found
        for page in pages
        for found in re.findall(r"`(?:[^`]* )?(PAWSIGHT_[A-Z_]+)\b", page.read_text("utf-8"))
    }
    settings = {f"PAWSIGHT_{name.upper()}" for name in Settings.model_fields}
    sources = [*(root / "src").rglob("*.py"), *(root / "tests").rglob("*.py")]
    read = "".join(each.read_text("utf-8") for each in sources)
    assert len(named) > 20
    assert [each for each in sorted(named - settings) if f'"{each}"' not in read] == []


def test_a_variable_that_is_like_a_setting_and_none_is_named() -> None:
    variables = ("PAWSIGHT_MAX_BYTE", "PAWSIGHT_CORS_ORIGIN", "PAWSIGHT_API_KEY", "PAWSIGHT_FUZZ")
    assert misspelt((*variables, "PAWSIGHT_PORT", "MAX_BYTE")) == {
        "PAWSIGHT_MAX_BYTE": "PAWSIGHT_MAX_BYTES",
        "PAWSIGHT_CORS_ORIGIN": "PAWSIGHT_CORS_ORIGINS",
    }
