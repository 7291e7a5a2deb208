from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from pawsight.ui import cards
from pawsight.ui.gallery import figure
from pawsight.ui.preview import preview
from pawsight.ui.report import Mistake
from pawsight.ui.service import ModelReference
from pawsight.ui.tables import confusion, table
from pawsight.ui.words import Outcome
from tests.pictures import picture
from tests.ui.test_words import CAT, NEITHER, answer


def decoded(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF", "HEIF", "TIFF", "GIF"])
def test_a_preview_is_small_whatever_the_format(kind: str) -> None:
    image = decoded(preview(picture("red", kind, size=(1600, 1200))))
    assert image.size == (720, 540)


def test_a_preview_is_upright() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(file, "JPEG", exif=exif)
    assert decoded(preview(file.getvalue())).size == (20, 40)


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8\xff"])
def test_without_a_preview_it_is_said(data: bytes) -> None:
    assert preview(data) == ""
    assert "No preview" in cards.picture("x.heic", preview(data))


def test_a_card_says_all_of_an_answer() -> None:
    html = cards.said(Outcome("tom.jpg", CAT), credit="by Ada (CC0)")
    for part in ("This is a cat.", "93% sure", 'aria-valuenow="93"', "7%", "tiny", "0123456789ab"):
        assert part in html
    assert "tom.jpg: by Ada (CC0)" in html
    assert 'alt="tom.jpg"' in cards.picture("tom.jpg", "data:image/webp;base64,AA==")


def test_a_card_folds_away_what_it_would_be_if_it_had_to_be_something() -> None:
    before, _, folded = cards.said(Outcome("cup.jpg", NEITHER)).partition("<details")
    assert "Neither a cat nor a dog." in before
    assert "%" not in before
    assert "<summary>If it had to be one of them</summary>" in folded
    assert 'aria-label="dog"' in folded
    assert "<details" not in cards.said(Outcome("tom.jpg", CAT))
    mistake = Mistake(path="x.jpg", label="cat", answer="neither", confidence=0.98, score=0.1)
    assert "98%" not in figure(mistake)
    assert "98% sure" in figure(mistake.model_copy(update={"answer": "dog"}))


def test_a_card_says_which_member_of_a_cascade_decided() -> None:
    auto = ModelReference(name="auto", version="ba9876543210", source="embedded")
    html = cards.said(Outcome("tom.jpg", CAT.model_copy(update={"model": auto})))
    assert "answered by auto <code>ba9876543210</code>; tiny <code>0123456789ab</code> name" in html
    assert "named the class" not in cards.said(Outcome("tom.jpg", CAT))


def test_many_classes_show_the_likeliest_in_the_order_of_the_model() -> None:
    shares = {f"kind{number}": number / 36 for number in range(9)}
    html = cards.said(Outcome("x.jpg", answer("kind8", **shares)))
    shown = [name for name in shares if f'aria-label="{name}"' in html]
    assert shown == ["kind4", "kind5", "kind6", "kind7", "kind8"]
    assert html.index('"kind4"') < html.index('"kind8"')


def test_whatever_comes_from_outside_is_escaped() -> None:
    evil = "<script>alert('x')</script>\"><img>"
    answered = answer(evil, **{evil: 1.0})
    mistake = Mistake(
        path=evil, label=evil, answer=evil, confidence=1, score=0, thumbnail=f"data:image/{evil}"
    )
    pages = [
        cards.said(Outcome(evil, answered), credit=evil),
        cards.said(Outcome(evil, error=evil)),
        cards.picture(evil, "data:,"),
        cards.overlaid(evil, "data:,", "data:,", "x"),
        cards.strip([(evil, "data:,", evil)]),
        table((evil,), [[evil, evil]], evil),
        confusion(evil, {evil: {evil: 1}}),
        figure(mistake),
    ]
    for page in pages:
        assert "<script" not in page.lower()
        assert '"><img>' not in page
