"""A fast model first, a strong one where that is unsure, and who decided."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pawsight
from pawsight.images import decode as decoding
from pawsight.images.errors import NotAnImage
from pawsight.images.preprocess import Preprocessing, resize
from pawsight.inference import reading
from pawsight.inference.cascade import Cascade
from pawsight.inference.cascade_card import CASCADE_FILE, CascadeFolder
from pawsight.inference.catalog import Loader, load_network, resolve
from pawsight.inference.errors import BrokenModel, ModelError
from pawsight.inference.explain import explain
from pawsight.inference.model import Model
from pawsight.inference.prediction import Prediction
from tests.cascades import WEIGHT, make_cascade_folder
from tests.model_folders import make_model_folder
from tests.pictures import picture

WHO = {"red": "fast", "blue": "fast", "green": "fast", "black": "strong", "purple": "strong"}
WHAT = {"red": "cat", "blue": "dog", "green": "neither", "black": "neither", "purple": "cat"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_cascade_folder(tmp_path / "both")


@pytest.fixture
def cascade(folder: Path) -> Cascade:
    opened = CascadeFolder.open(folder)
    fast, strong = (load_network(str(folder.parent / name)) for name in ("fast", "strong"))
    return Cascade(opened, fast, strong)


def seen_by_the_strong_one(cascade: Cascade, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that the strong network is given from now on."""
    sizes: list[int] = []
    look = cascade.strong.look

    def counting(batch: Any, **how: Any) -> Any:
        sizes.append(len(batch))
        return look(batch, **how)

    monkeypatch.setattr(cascade.strong, "look", counting)
    return sizes


@pytest.mark.parametrize("colour", WHO)
def test_the_strong_one_is_asked_where_the_fast_one_is_unsure(folder: Path, colour: str) -> None:
    answer = pawsight.load(str(folder)).predict(picture(colour))
    assert (answer.label, answer.decided_by.name) == (WHAT[colour], WHO[colour])
    assert (answer.model.name, answer.model.version) == ("both", CascadeFolder.open(folder).version)
    members = [load_network(str(folder.parent / name)) for name in ("fast", "strong")]
    first, second = (member.predict(picture(colour)) for member in members)
    if WHO[colour] == "fast":
        assert answer.probabilities == pytest.approx(first.probabilities)
        assert answer.decided_by == first.model
        assert answer.score == pytest.approx(first.score + 2.0)
    else:
        assert answer.probabilities == pytest.approx(second.probabilities)
        score = WEIGHT * first.score + (1 - WEIGHT) * second.score
        assert answer.score == pytest.approx(score - 4.0)
        assert answer.decided_by == second.model
    assert (answer.score < 0) == (answer.label == "neither")


def stepped(model: Model, data: bytes) -> tuple[Prediction, list[str]]:
    """The answer by steps, and which networks it asked."""
    steps, asked = model.steps(data), []
    question = next(steps)
    while True:
        asked.append(question.network.reference.name)
        [answer] = question.network.answer([question.picture])
        try:
            question = steps.send(answer)
        except StopIteration as end:
            return end.value, asked


@pytest.mark.parametrize("colour", WHO)
@pytest.mark.parametrize("kept", [0, 4 * 1024 * 1024], ids=["large", "small"])
def test_by_steps_the_answer_is_the_same(
    cascade: Cascade, colour: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawsight.inference.cascade._KEPT", kept)
    answer, asked = stepped(cascade, picture(colour))
    assert answer == cascade.predict(picture(colour))
    assert asked == (["fast"] if WHO[colour] == "fast" else ["fast", "strong"])
    alone, asked = stepped(cascade.fast, picture(colour))
    assert (alone, asked) == (cascade.fast.predict(picture(colour)), ["fast"])


def test_of_many_only_the_unsure_ones_are_sent_on(
    cascade: Cascade, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = seen_by_the_strong_one(cascade, monkeypatch)
    colours = ["red", "purple", "blue", "green", "black", "red"]
    alone = [cascade.predict(picture(each)) for each in colours]
    assert sizes == [1, 1]
    answers = cascade.predict([picture(each) for each in colours])
    assert sizes == [1, 1, 2]
    assert [each.label for each in answers] == [WHAT[each] for each in colours]
    assert [each.score for each in answers] == pytest.approx([each.score for each in alone])
    cascade.predict([picture("red")] * 40)
    assert sizes == [1, 1, 2]


@pytest.mark.parametrize("kept", [0, 4 * 1024 * 1024], ids=["large", "small"])
def test_the_strong_ones_view_is_made_where_it_is_asked(
    cascade: Cascade, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawsight.inference.cascade._KEPT", kept)
    made: Counter[int] = Counter()

    def counting(image: Any, how: Preprocessing) -> Any:
        made[how.height] += 1
        return resize(image, how)

    monkeypatch.setattr("pawsight.inference.cascade.resize", counting)
    answers = cascade.predict([picture(each) for each in ("red", "purple", "red")])
    assert [each.decided_by.name for each in answers] == ["fast", "strong", "fast"]
    small, large = (each.card.preprocessing.height for each in cascade.members)
    assert made == {small: 3, large: 1 if kept else 3}


def test_a_picture_is_decoded_once(cascade: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counting(*arguments: Any, **named: Any) -> Any:
        calls["decode"] += 1
        return decoding.decode_image(*arguments, **named)

    monkeypatch.setattr(reading, "decode_image", counting)
    assert cascade.predict(picture("purple")).decided_by.name == "strong"
    assert calls["decode"] == 1


def test_a_bad_picture_has_its_error_in_its_place(cascade: Cascade) -> None:
    answers = list(cascade.predict_each([picture("purple"), b"text", picture("blue")]))
    assert isinstance(answers[1], NotAnImage)
    assert [each.label for each in answers if isinstance(each, pawsight.Prediction)] == [
        "cat", "dog",
    ]  # fmt: skip


def test_how_much_may_be_lost_is_chosen(folder: Path) -> None:
    stricter = pawsight.load(str(folder), may_lose=0.5).predict(picture("red"))
    assert (stricter.label, stricter.decided_by.name) == ("neither", "strong")
    for colour in ("green", "black"):
        answer = pawsight.load(str(folder), may_lose=0).predict(picture(colour))
        assert answer.label in ("cat", "dog")
        assert math.isfinite(answer.score)
    with pytest.raises(ModelError, match=r"lose at most 0.001 .* known are 0.01, 0.5"):
        pawsight.load(str(folder), may_lose=0.001)


@pytest.mark.parametrize(("colour", "member"), [("red", "fast"), ("purple", "strong")])
def test_the_member_that_decided_is_explained(folder: Path, colour: str, member: str) -> None:
    explanation = explain(pawsight.load(str(folder)), picture(colour))
    assert explanation.prediction.decided_by.name == member
    alone = explain(load_network(str(folder.parent / member)), picture(colour))
    assert explanation.logit == alone.logit
    assert explanation.preprocessing == alone.preprocessing


def test_a_changed_card_or_plot_is_refused(folder: Path) -> None:
    card = json.loads((folder / CASCADE_FILE).read_text())
    card["choices"][0]["confidence"] = 0.5
    (folder / "curve.svg").write_text("<svg>better</svg>")
    with pytest.raises(BrokenModel, match=r"curve\.svg was changed"):
        pawsight.load(str(folder))
    (folder / CASCADE_FILE).write_text(json.dumps(card))
    with pytest.raises(BrokenModel, match="was changed since it was written"):
        pawsight.load(str(folder))


def test_a_folder_of_another_form_says_what_makes_it_anew(folder: Path) -> None:
    card = json.loads((folder / CASCADE_FILE).read_text())
    del card["choices"][0]["weight"]
    (folder / CASCADE_FILE).write_text(json.dumps(card))
    with pytest.raises(BrokenModel, match=r"weight.*; `pawsight cascade` makes the folder anew$"):
        pawsight.load(str(folder))


def test_another_member_is_refused_and_what_to_do_is_said(folder: Path) -> None:
    make_model_folder(folder.parent / "fast", strength=0.9)
    with pytest.raises(BrokenModel, match=r"were chosen for \.\./fast .* `pawsight cascade"):
        pawsight.load(str(folder))


def test_another_calibration_is_another_member(folder: Path) -> None:
    make_model_folder(folder.parent / "strong", strength=1.5, side=48, temperature=9.0)
    with pytest.raises(BrokenModel, match=r"were chosen for \.\./strong"):
        pawsight.load(str(folder))


def test_an_installed_model_hides_no_embedded_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, installed = tmp_path / "embedded", tmp_path / "installed"
    monkeypatch.setattr("pawsight.inference.catalog._EMBEDDED", embedded)
    monkeypatch.setenv("PAWSIGHT_MODELS", str(installed))
    make_cascade_folder(embedded / "auto", fast="fast", strong="strong")
    make_model_folder(installed / "strong", strength=0.5)
    assert pawsight.load("strong").reference.source == "installed"
    model = pawsight.load("auto")
    assert [each.reference.source for each in model.members] == ["embedded", "embedded"]
    assert model.predict(picture("purple")).decided_by.source == "embedded"
    make_model_folder(embedded / "strong", strength=0.7, side=48)
    with pytest.raises(BrokenModel, match=r"what is here is installed \w{12}, embedded \w{12}"):
        pawsight.load("auto")


def test_a_network_is_loaded_once_for_itself_and_its_cascade(folder: Path) -> None:
    loader = Loader()
    both, fast = (loader.load(resolve(str(folder.parent / name))) for name in ("both", "fast"))
    assert both.members[0] is fast
    fast.choose_threshold(0)  # whoever asks it alone chooses for itself
    assert both.predict(picture("green")).label == "neither"


def test_a_member_that_has_proved_itself_is_not_read_again(folder: Path) -> None:
    loader = Loader()
    fast = loader.load(resolve(str(folder.parent / "fast")))
    weights = folder.parent / "fast" / "model.onnx"
    weights.write_bytes(weights.read_bytes()[:-1])
    both = loader.load(resolve(str(folder.parent / "both")))
    assert both.members[0] is fast
    assert both.predict(picture("red")).label == "cat"
    with pytest.raises(BrokenModel, match=r"model\.onnx was changed"):
        loader.load(resolve(str(folder.parent / "fast")))


def test_what_needs_a_network_takes_no_cascade(folder: Path) -> None:
    with pytest.raises(ModelError, match="is a cascade, and what is wanted is one network"):
        load_network(str(folder))
