"""What can be set about the service, by arguments or by ``PAWSIGHT_*`` environment variables."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pawsight.drift.monitor import LEVEL, WINDOW
from pawsight.images.decode import DEFAULT_LIMITS
from pawsight.inference.runtimes import AUTO
from pawsight.records.keeping import DEFAULT_BOUNDS
from pawsight.records.place import check
from pawsight.serving.keys import Key, check_rate, parse_keys
from pawsight.serving.origins import check_domain, check_origin


def _names(value: object) -> object:
    """``a, b`` → ``("a", "b")``: how an environment variable spells a list."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


AnyNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Names = Annotated[AnyNames, Field(min_length=1)]
Origin = Annotated[str, AfterValidator(check_origin)]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_names)]
Domain = Annotated[str, AfterValidator(check_domain)]
Domains = Annotated[tuple[Domain, ...], NoDecode, BeforeValidator(_names)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]

_PREFIX: Final = "PAWSIGHT_"
_OTHERS: Final = ("MODELS", "API_URL", "API_KEY", "REPORT")  # of other parts of pawsight


class Settings(BaseSettings):
    """The service's settings; the variable of ``max_bytes`` is ``PAWSIGHT_MAX_BYTES``."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field(
        default="127.0.0.1", description="The address to listen on; `0.0.0.0` is every one."
    )
    port: int = Field(
        default=8000, ge=0, le=65535, description="The port to listen on; 0 takes any free."
    )
    # Not `models`: $PAWSIGHT_MODELS is the folder where installed models live.
    serve_models: Names = Field(
        default=("auto", "custom", "pretrained"),
        description="The models to load, by name or by the path of their folder; with commas "
        "between them in an environment variable.",
    )
    may_lose: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="The part of the classes' pictures that may be called `neither`; 0 never "
        "answers `neither`, and by default each model's own choice holds, as it does for pulled "
        "checkpoints, which know no other.",
    )
    max_bytes: Count = Field(
        default=DEFAULT_LIMITS.max_bytes, description="The largest file of one picture, in bytes."
    )
    max_pixels: Count = Field(
        default=DEFAULT_LIMITS.max_pixels,
        description="The largest picture, in pixels (width × height).",
    )
    max_files: Count = Field(default=64, description="The most pictures in one batch.")
    max_batch_bytes: Count = Field(
        default=256 * 1024 * 1024, description="The largest body of one batch, in bytes."
    )
    max_held_bytes: Count = Field(
        default=512 * 1024 * 1024,
        description="The most bytes that the bodies of all requests hold together, as they came "
        "(while a picture is taken out of its form, it is there twice); one that would need more "
        "is refused (503, `overloaded`).",
    )
    max_waiting: Count = Field(
        default=64,
        description="The most pictures that wait for their answers; further requests are refused "
        "at once (503, `overloaded`).",
    )
    header_seconds: Seconds = Field(
        default=10, description="What a connection has for the header of a request."
    )
    body_seconds: Seconds = Field(
        default=20,
        description="What a request has for its body, and one second more for each 64 kB of it.",
    )
    keep_alive_seconds: Count = Field(
        default=75,
        description="How long a connection that asks nothing is kept for its next request: longer "
        "than a balancer before the service keeps its own (60 is common), or requests get lost.",
    )
    drain_seconds: Annotated[float, Field(ge=0)] = Field(
        default=1,
        description="How long requests are still taken after SIGTERM, while `/health/ready` says "
        "that there should come no more.",
    )
    cache: Annotated[int, Field(ge=0)] = Field(
        default=1000,
        description="How many answers are kept, by the digest of their pictures, for the next time "
        "that they are asked for; 0 keeps none.",
    )
    provider: str = Field(
        default=AUTO,
        description="What runs the networks: `openvino`, or ONNX Runtime's execution provider such "
        "as `cpu` or `cuda`; where it does not work, the service does not start. `auto` is "
        "`openvino` where that extra is installed, else `cpu`. Commands and `pawsight.load` heed "
        "it, too.",
    )
    threads: Count | None = Field(
        default=None,
        description="Processors to use; by default those that the process may use. So many threads "
        "run a network that is asked alone, and one more (if there are several) work on pictures.",
    )
    api_keys: SecretStr | None = Field(
        default=None,
        description="The keys of those who may ask, with `;` between them, each `NAME KEY` and, if "
        "wanted, `admin` and a rate such as `100/minute`; by default everyone may ask.",
    )
    api_keys_file: Path | None = Field(
        default=None, description="A file of such keys, one a line, beside those."
    )
    rate_limit: Annotated[str, AfterValidator(check_rate)] | None = Field(
        default=None,
        description="How often the holder of a key that says none may ask, such as `100/minute`.",
    )
    metrics: Literal["key", "open", "off"] = Field(
        default="key",
        description="`/metrics` needs a key, where there are keys (`key`), or never (`open`), or "
        "is not there (`off`).",
    )
    cors_origins: Origins = Field(
        default=(),
        description="Web pages of which origins may ask from a browser, such as "
        "`https://example.org` (no path, and no `/` at the end), with commas between them, or `*`.",
    )
    hosts: Domains = Field(
        default=(),
        description="Domain names by which the service may be asked over this machine's own "
        "address, by a proxy, say, where it needs no key, with commas between them; or `*`. Names "
        "without a dot and addresses always may.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="The log's lines: `text` for people or `json`."
    )
    models_dir: Path | None = Field(
        default=None,
        description="The folder of the model folders that holders of an `admin` key may load while "
        "the service runs.",
    )

    records: Annotated[str, AfterValidator(check)] = Field(
        default="sqlite",
        repr=False,  # it may hold a password
        description="Where answers are recorded: `sqlite` is the file `pawsight/records.db` in the "
        "user's data folder; or `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/DATABASE` "
        "(extra `postgres`), or `off`.",
    )
    records_days: Annotated[float, Field(ge=0)] = Field(
        default=DEFAULT_BOUNDS.days,
        description="Older answers are deleted from the record, unless there is feedback about "
        "them; 0 keeps them.",
    )
    records_most: Annotated[int, Field(ge=0)] = Field(
        default=DEFAULT_BOUNDS.answers,
        description="So many of the latest answers without feedback are kept in the record; 0 "
        "keeps all.",
    )
    keep_pictures: Literal["feedback", "all"] = Field(
        default="feedback",
        description="Pictures are kept only where they come with feedback (`feedback`), or those "
        "of `all` recorded answers, as long as these.",
    )
    pictures_dir: Path | None = Field(
        default=None,
        description="The folder of kept pictures; by default `pictures` beside the file of SQLite, "
        "or in the user's data folder.",
    )

    drift_window: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=WINDOW,
        description="How many pictures that a model is asked about are compared together with what "
        "it was chosen on; 0 compares none.",
    )
    drift_level: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=LEVEL,
        description="The part of these windows that may be called drifted where nothing has "
        "changed.",
    )

    training: bool = Field(
        default=False,
        description="Whether models can be trained here (extra `train`): by everyone, or, where "
        "there are keys, by holders of an `admin` key.",
    )
    training_dir: Path | None = Field(
        default=None,
        description="The folder of what is sent to be trained on and of trainings; by default "
        "`pawsight/training` in the user's data folder.",
    )
    training_max_bytes: Count = Field(
        default=2 * 1024 * 1024 * 1024,
        description="The largest ZIP of pictures to train on, and the most that it may unpack to, "
        "in bytes.",
    )
    training_max_files: Count = Field(
        default=20_000, description="The most files and folders in such a ZIP."
    )

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Of those who may ask, from both places; empty where everyone may."""
        lines = self.api_keys.get_secret_value().split(";") if self.api_keys else []
        if self.api_keys_file:
            lines += self.api_keys_file.read_text(encoding="utf-8").splitlines()
        return parse_keys(lines)

    @model_validator(mode="after")
    def _what_may_come_may_be_held(self) -> Settings:
        for name, size in (
            ("max_bytes", self.max_bytes),
            ("max_batch_bytes", self.max_batch_bytes),
        ):
            if size > self.max_held_bytes:
                raise ValueError(
                    f"{name} ({size:,}) is more than max_held_bytes ({self.max_held_bytes:,}), and "
                    "what is so large would always be refused: lower the one or raise the other"
                )
        return self

    @model_validator(mode="after")
    def _keys_are_keys(self) -> Settings:
        try:
            keys = self.keys
        except OSError as error:
            raise ValueError(f"api_keys_file cannot be read: {error.strerror}") from error
        if (self.api_keys or self.api_keys_file) and not keys:
            raise ValueError("api_keys and api_keys_file hold no key: nobody could ask")
        return self


def misspelt(variables: Iterable[str]) -> dict[str, str]:
    """The environment variables that are no setting, and which each of them seems to mean.

    What is like no setting is left out: it may be somebody else's.
    """
    known = [_PREFIX + name.upper() for name in (*Settings.model_fields, *_OTHERS)]
    unknown = [each for each in variables if each.startswith(_PREFIX) and each not in known]
    like = {each: get_close_matches(each, known, n=1, cutoff=0.85) for each in unknown}
    return {each: found[0] for each, found in like.items() if found}
