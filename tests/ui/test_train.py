"""The page Train beside a service that answers as one that trains does, and takes no time."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from pawsight.ui.service import Service

SCRIPT = """
import streamlit as st
from pawsight.ui.screens import classify, train
st.session_state["page-classify"] = st.Page(classify.show, title="Classify", url_path="classify")
train.show()
"""
JOB = {
    "id": "77",
    "name": "my-model",
    "method": "full",
    "state": "running",
    "created": "2026-01-01T00:00:00Z",
    "epoch": 1,
    "epochs": 3,
    "curves": [{"epoch": 1, "train_loss": 0.5, "val_loss": 0.4, "val_accuracy": 0.75}],
    "message": "epoch 1 of 3: val_loss 0.4",
    "result": None,
}
MODELS = [{"name": name} for name in ("auto", "custom", "other")]
DATASET = {
    "id": "d1",
    "pictures": 3,
    "labels": {"cat": 2, "dog": 1},
    "problems": [{"path": "cat/half.jpg", "reason": "truncated"}],
    "problem_count": 1,
    "usable": True,
    "why_not": None,
}


class Training:
    """Answers the addresses that the page asks; what it was sent is kept."""

    def __init__(self, status: str = "on") -> None:
        self.status = status
        self.jobs: list[dict[str, Any]] = []
        self.models: list[dict[str, str]] = MODELS
        self.refused = ""
        self.dataset: dict[str, Any] = DATASET
        self.sent: list[tuple[str, str, bytes]] = []

    def removed(self, path: str) -> httpx.Response:
        if self.refused:
            return httpx.Response(403, json={"detail": self.refused})
        if path.startswith("/training"):
            return httpx.Response(200, json=self.jobs.pop())
        self.models = MODELS
        return httpx.Response(200, json={"name": "my-model"})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        if method != "GET":
            self.sent.append((method, path, request.read()))
        match method, path:
            case "GET", "/health/ready":
                training = {
                    "status": self.status,
                    "reason": "the extra train is missing",
                    "max_bytes": 3 << 30,
                    "epochs": 12,
                    "max_epochs": 30,
                }
                return httpx.Response(200, json={"status": "ready", "training": training})
            case "GET", "/models":
                return httpx.Response(200, json={"models": self.models})
            case "POST", "/training/datasets":
                return httpx.Response(201, json=self.dataset)
            case "POST", "/training/jobs":
                self.jobs = [JOB]
                return httpx.Response(202, json=JOB)
            case "GET", "/training/jobs":
                return httpx.Response(200, json={"jobs": self.jobs})
            case "GET", "/training/jobs/77":
                return httpx.Response(200, json=self.jobs[0])
            case "POST", "/training/jobs/77/cancel":
                self.jobs = [{**JOB, "state": "cancelled", "message": "cancelled"}]
                return httpx.Response(200, json=self.jobs[0])
            case "DELETE", "/training/jobs/77" | "/models/my-model":
                return self.removed(path)
        return httpx.Response(404, json={"detail": f"nothing at {path}"})


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    answers = Training()
    service = Service("http://pawsight.test", httpx.MockTransport(answers))
    for where in ("screens.train", "shell"):
        monkeypatch.setattr(f"pawsight.ui.{where}.service", lambda: service)
    return answers


def page() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=60)


def html(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(each.proto.body for each in page.get("html"))


def headings(page: AppTest) -> list[str]:
    assert not page.exception
    return [each.value for each in page.subheader]


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("cat/1.jpg", b"x")
    return file.getvalue()


def test_where_nothing_is_trained_it_is_said_how_to_switch_it_on(training: Training) -> None:
    training.status = "off"
    [words] = [each.value for each in page().run().info]
    assert "pawsight serve --training" in words
    training.status = "unavailable"
    [words] = [each.value for each in page().run().warning]
    assert words == "The extra train is missing."


def test_pictures_are_checked_and_trained_on_and_the_training_has_an_address(
    training: Training,
) -> None:
    shown = page().run()
    data = zipped()
    shown.file_uploader[0].set_value(("pets.zip", data, "application/zip")).run()
    shown.button(key="check").click().run()
    assert training.sent == [("POST", "/training/datasets", data)]
    for words in ("cat", ">2</td>", "cat/half.jpg", "truncated"):
        assert words in html(shown)
    [start] = shown.selectbox
    assert start.options == ["custom", "other"]
    start.select("other").run()
    assert shown.query_params["model"] == "other"
    shown.radio[0].set_value("A whole network").run()
    assert not shown.selectbox
    [epochs] = shown.number_input
    assert epochs.label == "Epochs, 1 to 30"  # as the service says
    assert (epochs.min, epochs.max) == (None, None)  # it is the one that refuses others
    [submit] = [each for each in shown.button if each.label == "Train"]
    submit.click().run()
    asked = json.loads(training.sent[1][2])
    assert asked == {
        "dataset": "d1", "name": "my-model", "method": "full", "start": None, "epochs": 12,
    }  # fmt: skip
    assert shown.query_params["job"] == "77"
    assert "my-model is being trained" in headings(shown)
    assert "Train" not in [each.label for each in shown.button]  # not a second time by mistake


@pytest.mark.parametrize(("files", "said"), [(300, []), (301, ["301 files have arrived."])])
def test_of_many_files_it_is_said_how_many_arrived(
    training: Training, files: int, said: list[str]
) -> None:
    shown = page().run()
    shown.button_group(key="train-how").set_value("A folder").run()
    sent = [(f"cat/{number}.jpg", b"x", "image/jpeg") for number in range(files)]
    shown.file_uploader[0].set_value(sent).run()
    assert not shown.exception
    captions = [each.value.partition(" If you chose more")[0] for each in shown.caption]
    assert [each for each in captions if "arrived" in each] == said


def test_a_name_that_the_service_would_refuse_is_not_sent(training: Training) -> None:
    shown = page().run()
    shown.file_uploader[0].set_value(("pets.zip", zipped(), "application/zip")).run()
    shown.button(key="check").click().run()
    shown.text_input(key="train-name").set_value("My-Model").run()
    shown.button(key="train").click().run()
    assert [each.value for each in shown.warning] == [
        "A name has lower-case letters, digits and . _ - and begins with one of the first two."
    ]
    assert [path for _, path, _ in training.sent] == ["/training/datasets"]


def test_a_zip_may_be_as_large_as_the_service_takes(training: Training) -> None:
    [upload] = page().run().file_uploader
    assert upload.proto.max_upload_size_mb == 3 * 1024


def test_a_head_is_put_on_the_model_of_the_address(training: Training) -> None:
    shown = page()
    shown.query_params["model"] = "other"
    shown.run()
    shown.file_uploader[0].set_value(("pets.zip", zipped(), "application/zip")).run()
    shown.button(key="check").click().run()
    shown.button(key="train").click().run()
    asked = json.loads(training.sent[1][2])
    assert (asked["method"], asked["start"], asked["epochs"]) == ("head", "other", None)
    assert dict(shown.query_params) == {"model": "other", "job": "77"}


def test_what_cannot_be_trained_on_is_not(training: Training) -> None:
    training.dataset = {**DATASET, "usable": False, "why_not": "there is only one label"}
    shown = page().run()
    shown.file_uploader[0].set_value(("pets.zip", zipped(), "application/zip")).run()
    shown.button(key="check").click().run()
    assert [each.value for each in shown.warning] == ["There is only one label."]
    assert "Train" not in [each.label for each in shown.button]


def test_where_nothing_can_be_used_no_empty_table_says_so(training: Training) -> None:
    training.dataset = {
        **DATASET, "pictures": 0, "labels": {}, "usable": False, "why_not": "add labels",
        "problems": [{"path": "a.jpg", "reason": "'a' has 1 picture"}],
    }  # fmt: skip
    shown = page().run()
    shown.file_uploader[0].set_value(("pets.zip", zipped(), "application/zip")).run()
    shown.button(key="check").click().run()
    assert [each.value for each in shown.warning] == ["Add labels."]
    assert "What can be used" not in html(shown)
    [left_out] = shown.expander
    assert (left_out.label, left_out.proto.expanded) == ("1 cannot be used", True)
    assert "a.jpg" in html(shown)


def test_a_name_that_is_none_is_said(training: Training) -> None:
    shown = page().run()
    shown.file_uploader[0].set_value(("pets.zip", zipped(), "application/zip")).run()
    shown.button(key="check").click().run()
    shown.text_input[0].set_value("../mine")
    [submit] = [each for each in shown.button if each.label == "Train"]
    submit.click().run()
    assert len(shown.warning) == 1
    assert [path for _, path, _ in training.sent] == ["/training/datasets"]


def test_an_open_training_is_shown_again_and_can_be_cancelled(training: Training) -> None:
    training.jobs = [JOB]
    shown = page().run()
    assert "my-model is being trained" in headings(shown)
    assert "Epoch 1 of 3" in str(shown.get("progress")[0].proto)
    assert len(shown.get("vega_lite_chart")) == 2
    shown.button(key="cancel").click().run()
    assert training.sent == [("POST", "/training/jobs/77/cancel", b"")]


def test_the_list_says_when_a_training_ended(training: Training) -> None:
    others = {"78": ("done", "2026-01-02T01:30:00+02:00"), "79": ("queued", None)}
    training.jobs = [JOB]
    training.jobs += [
        {**JOB, "id": id_, "state": state, "ended": ended} for id_, (state, ended) in others.items()
    ]
    said = [each.value for each in page().run().markdown]
    assert "**my-model**: done at 2026-01-01 23:30 UTC" in said
    assert "**my-model**: queued, asked for at 2026-01-01 00:00 UTC" in said


def test_a_training_that_ended_can_be_taken_off_the_list(training: Training) -> None:
    training.jobs = [{**JOB, "state": "failed", "message": "no room"}]
    training.refused = "nothing can be written for trainings here: read-only"
    shown = page().run()
    shown.button(key="remove-77").click().run()
    assert [each.value for each in shown.warning] == [f"Not removed: {training.refused}."]
    training.refused = ""
    shown.button(key="remove-77").click().run()
    assert training.sent == [("DELETE", "/training/jobs/77", b"")] * 2
    assert "Trainings" not in headings(shown)
    assert not shown.warning


def test_a_training_that_ended_leads_to_its_model_which_can_be_removed(training: Training) -> None:
    training.models = [*MODELS, {"name": "my-model"}]
    result = {"model": "my-model", "version": "1", "accuracy": 0.9, "pictures": 20}
    training.jobs = [{**JOB, "state": "done", "result": result}]
    shown = page()
    shown.query_params["job"] = "77"
    shown.run()
    assert "my-model is trained" in headings(shown)
    assert any("**18 of 20** pictures" in each.value for each in shown.markdown)
    [link] = shown.get("page_link")
    assert link.proto.label == "Classify with my-model"
    training.refused = "my-model stays: PAWSIGHT_SERVE_MODELS names it"
    shown.button(key="remove").click().run()
    assert [each.value for each in shown.warning] == [f"Not removed: {training.refused}."]
    assert shown.get("page_link")
    training.refused = ""
    shown.button(key="remove").click().run()
    assert training.sent[-1][:2] == ("DELETE", "/models/my-model")
    assert not shown.get("page_link")
    assert any("`pawsight models back my-model`" in each.value for each in shown.caption)
