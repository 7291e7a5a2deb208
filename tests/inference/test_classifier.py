from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pawsight
from pawsight.images.decode import Limits
from pawsight.images.errors import ImageError, ImageTooLarge, NotAnImage
from pawsight.inference.artifact import ModelFolder
from pawsight.inference.catalog import load_network
from pawsight.inference.classifier import Classifier
from pawsight.inference.explain import explain
from pawsight.inference.reading import Picture
from tests.drawn import draw


@pytest.fixture(scope="module")
def model(trained: Path) -> Classifier:
    return load_network(str(trained))


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_may_come_as_path_bytes_image_or_pixels(
    model: Classifier, tmp_path: Path
) -> None:
    picture = draw("dog", 500)
    file = tmp_path / "picture.txt"
    file.write_bytes(png(picture))
    answers = [
        model.predict(file),
        model.predict(str(file)),
        model.predict(png(picture)),
        model.predict(bytearray(png(picture))),
        model.predict(memoryview(png(picture))),
        model.predict(io.BytesIO(png(picture))),
        model.predict(picture),
        model.predict(np.asarray(picture)),
    ]
    assert answers[0].label == "dog"
    assert all(answer == answers[0] for answer in answers)


def test_an_open_file_is_read_from_where_it_stands(model: Classifier, tmp_path: Path) -> None:
    file = tmp_path / "two"
    file.write_bytes(b"before" + png(draw("dog", 500)))
    with file.open("rb") as stream:
        stream.seek(6)
        assert model.predict(stream).label == "dog"
        stream.seek(6)
        assert explain(model, stream).label == "dog"
        stream.seek(0)
        with pytest.raises(ImageTooLarge):
            model.predict(stream, Limits(max_bytes=9))
    with file.open() as text, pytest.raises(ImageError, match="binary mode"):
        model.predict(text)  # type: ignore[call-overload]


def test_an_open_file_may_give_a_part_at_a_time(model: Classifier) -> None:
    class Pipe(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 100))

    assert model.predict(Pipe(png(draw("dog", 500)))).label == "dog"


def test_many_are_answered_in_their_order(model: Classifier) -> None:
    labels = [("cat", "dog")[number % 3 == 0] for number in range(70)]
    answers = model.predict([draw(label, 300 + n) for n, label in enumerate(labels)])
    assert sum(a.label == label for a, label in zip(answers, labels, strict=True)) >= 66
    assert model.predict([]) == []


def test_probabilities_add_up_and_the_confidence_is_the_highest(model: Classifier) -> None:
    answer = model.predict(draw("cat", 400))
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert answer.confidence == max(answer.probabilities.values())
    assert answer.probabilities[answer.label] == answer.confidence
    assert answer.model.version == model.folder.version


def test_a_rejected_picture_keeps_its_probabilities(model: Classifier) -> None:
    answer = model.predict(draw("neither", 400))
    assert answer.rejected
    assert answer.label == "neither"
    assert set(answer.probabilities) == {"cat", "dog"}
    assert answer.score < model.card.rejection.threshold


def test_alone_and_among_31_others_the_same(model: Classifier) -> None:
    pictures = [draw("cat", number) for number in range(32)]
    together = model.predict(pictures)
    for number in (0, 5, 31):
        alone = model.predict(pictures[number])
        for label, share in alone.probabilities.items():
            assert together[number].probabilities[label] == pytest.approx(share, abs=1e-4)


def test_side_by_side_and_alone_the_same(trained: Path) -> None:
    """Whichever session runs, the answers are the same."""
    model = Classifier(ModelFolder.open(trained), threads=2, for_many=True)
    pictures = [model.read(draw("cat", seed)) for seed in range(3)]
    for beside, alone in zip(
        model.answer(pictures, alone=False), model.answer(pictures), strict=True
    ):
        assert beside.label == alone.label
        assert beside.probabilities == pytest.approx(alone.probabilities, abs=1e-6)


def test_one_bad_picture_among_many_has_its_error_in_its_place(
    model: Classifier, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.jpg"
    mixed: list[Picture] = [draw("cat", 1), b"", missing, draw("dog", 1)]
    answers = list(model.predict_each(mixed))
    assert isinstance(answers[0], pawsight.Prediction)
    assert isinstance(answers[1], NotAnImage)
    assert isinstance(answers[2], FileNotFoundError)
    assert isinstance(answers[3], pawsight.Prediction)
    with pytest.raises(NotAnImage, match="empty"):
        model.predict(mixed)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_of_another_form_are_refused(
    model: Classifier, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    with pytest.raises(ImageError, match=r"RGB pixels uint8 \[H, W, 3\]; got"):
        model.predict(pixels)


def test_files_are_read_a_few_batches_ahead_and_no_further(model: Classifier) -> None:
    asked = 0

    def endless() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield draw("cat", 1)

    answers = model.predict_each(endless())  # type: ignore[arg-type]
    for _ in range(3):
        next(answers)
    assert asked <= 64
    answers.close()  # type: ignore[attr-defined]
