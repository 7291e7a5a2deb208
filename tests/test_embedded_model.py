"""The embedded models on real photographs, through the path that everything uses."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pawsight.evaluation.evaluate import evaluate
from pawsight.images.decode import decode
from pawsight.images.preprocess import preprocess
from pawsight.inference.cascade_card import CascadeFolder
from pawsight.inference.catalog import Loader, load_network, resolve
from pawsight.inference.classifier import Classifier

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module", params=["custom", "pretrained"])
def embedded(request: pytest.FixtureRequest) -> Classifier:
    return load_network(request.param)


def test_the_examples_are_what_they_are(embedded: Classifier) -> None:
    answers = embedded.predict([EXAMPLES / name for name in ("cat.jpg", "coffee.jpg")])
    assert [answer.label for answer in answers] == ["cat", "neither"]


def test_its_weights_are_small_and_its_figures_are_in_its_card(embedded: Classifier) -> None:
    assert embedded.folder.network.stat().st_size <= 45e6
    assert embedded.reference.source == "embedded"
    assert b"site-packages" not in embedded.folder.network.read_bytes()  # nor any path
    figures = {each.data: each.accuracy for each in embedded.card.metrics}
    for data, least in (("Kaggle test", 0.95), ("native test", 0.93), ("breeds test", 0.88)):
        assert (figures[data] or 0) >= least


def test_the_embedded_cascade_fits_the_embedded_members() -> None:
    """Whenever one of them is trained anew, `pawsight cascade` must choose thresholds anew."""
    entry = resolve("auto")
    auto = Loader().load(entry)
    card = CascadeFolder.open(entry.path).card
    assert [each.reference.name for each in auto.members] == ["custom", "pretrained"]
    answers = auto.predict([EXAMPLES / name for name in ("cat.jpg", "coffee.jpg")])
    assert [answer.label for answer in answers] == ["cat", "neither"]
    assert {answer.model.name for answer in answers} == {"auto"}
    chosen, (_, strong) = card.metrics[0], card.alone
    assert (chosen.accuracy or 0) >= (strong.accuracy or 1) - 0.001
    assert (chosen.catches or 0) >= (strong.catches or 1) - 0.01
    assert (chosen.loses or 0) <= (strong.loses or 0)


def test_one_picture_alone_and_among_31_others(embedded: Classifier) -> None:
    pictures = [EXAMPLES / "cat.jpg"] * 31 + [EXAMPLES / "rocket.jpg"]
    together = embedded.predict(pictures)
    for place in (0, 17, 31):
        alone = embedded.predict(pictures[place])
        assert together[place].probabilities == pytest.approx(alone.probabilities, abs=1e-4)
        assert together[place].score == pytest.approx(alone.score, abs=1e-3)


@pytest.mark.parametrize(
    ("pattern", "divisor", "least"),
    [
        ("dogs-vs-cats/images/*.jpg", 100, 0.9),
        ("native/*.jpg", 40, 0.88),
        ("breeds/images/*.jpg", 20, 0.8),
    ],
)
def test_it_is_right_about_photographs_that_it_never_saw(
    embedded: Classifier, shared_data: Path, pattern: str, divisor: int, least: float
) -> None:
    """A part of the test splits: the whole of them is `pawsight evaluate`'s work."""
    chosen = [
        path
        for path in sorted(shared_data.glob(pattern))
        if int("".join(filter(str.isdigit, path.stem))) % divisor == 0
    ]
    labels = [path.name[:3] for path in chosen]
    result = evaluate(embedded, [str(path) for path in chosen], labels, data=pattern)
    assert result.accuracy is not None
    assert result.accuracy >= least


def enlarged(path: Path) -> bytes:
    """The same as a JPEG whose shorter side has 1200 pixels: enough for scaled decoding."""
    with Image.open(path) as small:
        scale = 1200 / min(small.size)
        size = (round(scale * small.width), round(scale * small.height))
        large = small.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=92)
    assert decode(buffer.getvalue(), at_least=(240, 240)).shape[0] < large.height
    return buffer.getvalue()


def test_jpegs_decoded_at_a_fraction_get_the_same_answers(
    embedded: Classifier, shared_data: Path
) -> None:
    """libjpeg's scaled decoding, which large photographs get, against the whole picture."""
    how = embedded.card.preprocessing
    moved = []
    for path in sorted((shared_data / "originals").glob("*.jpg"))[::6]:
        data = enlarged(path)
        whole = preprocess(decode(data), how)
        [plain] = embedded.conclude(embedded.run(whole[None]).logits)
        drafted = embedded.predict(data)
        moved.append(abs(plain.probabilities["cat"] - drafted.probabilities["cat"]))
    assert np.mean(moved) < 0.005
    assert np.max(moved) < 0.1
