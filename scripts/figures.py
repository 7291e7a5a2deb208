"""Write the README's figures from what was measured.

    python scripts/figures.py REPORT.json README.md

REPORT.json is what `pawsight evaluate --labels tables/test.csv --model auto
--model custom --model pretrained --json REPORT.json` wrote. What stands between the two marks in
README.md is replaced. `make figures DATA=…` does both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: make figures -->", "<!-- end of figures -->"
MODELS = ("pretrained", "auto", "custom")
KINDS = {
    "kaggle": "Dogs vs. Cats, squashed to 200×200",
    "native": "the same photographs in their own shape",
    "breeds": "other cats and dogs of many breeds",
}
WILD = "neither: wild relatives"

Figures = dict[str, Any]


def main() -> None:
    report, readme = map(Path, sys.argv[1:])
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{readme} has no marks {BEGIN!r} and {END!r}")
    written = as_markdown(json.loads(report.read_text(encoding="utf-8")))
    readme.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}", encoding="utf-8")


def as_markdown(report: Figures) -> str:
    """The table, and what is to be said of it."""
    models = {each["model"]: each for each in report["models"]}
    kinds = {name: {each["name"]: each for each in models[name]["groups"]} for name in MODELS}
    lines = [
        f"| test split | pictures | {' | '.join(f'`{name}`' for name in MODELS)} |",
        "|---|---|" + "---|" * len(MODELS),
    ]
    for kind, words in KINDS.items():
        cells = [accuracy(kinds[name][kind]) for name in MODELS]
        count = kinds[MODELS[0]][kind]["pictures"]
        lines.append(f"| {words} | {count:,} | {' | '.join(cells)} |")
    others = [each for name, each in kinds[MODELS[0]].items() if name.startswith("neither")]
    caught = " | ".join(f"{models[name]['catches']:.2%}".replace("%", " %") for name in MODELS)
    count = sum(each["pictures"] for each in others)
    lines.append(f"| other animals, and objects, called *neither* | {count:,} | {caught} |")
    return "\n".join(lines) + "\n\n" + "\n".join(sentences(report, models, kinds))


def accuracy(group: Figures) -> str:
    low, high = (100 * each for each in group["accuracy_interval_95"])
    return f"{100 * group['accuracy']:.2f} % ({low:.1f} to {high:.1f})"


def sentences(
    report: Figures, models: dict[str, Figures], kinds: dict[str, dict[str, Figures]]
) -> list[str]:
    auto = models["auto"]
    wild = [
        f"`{name}` misses {sum(kinds[name][WILD]['confusion']['neither'].values()) - caught}"
        for name in MODELS
        for caught in [kinds[name][WILD]["confusion"]["neither"]["neither"]]
    ]
    [pair] = [
        each
        for each in report["comparisons"]
        if {each["one"], each["other"]} == {"auto", "pretrained"}
    ]
    mine, theirs = pair["only_one"], pair["only_other"]
    if pair["one"] != "auto":
        mine, theirs = theirs, mine
    of = {name: f"{100 * models[name]['loses']:.1f} %" for name in MODELS}
    breeds = {name: f"{100 * kinds[name]['breeds']['loses']:.1f} %" for name in MODELS}
    ece = {name: f"{100 * models[name]['ece']:.2f} %" for name in MODELS}
    return [
        "Cats and dogs that are called *neither*: "
        + ", ".join(f"{of[name]} by `{name}` ({breeds[name]} of the breeds)" for name in MODELS)
        + ".",
        "Their cards say what other choices are expected to lose and to catch. The hard ones among",
        "what is neither are wolves, lions, leopards and cougars "
        f"({kinds['auto'][WILD]['pictures']} pictures): " + ", ".join(wild) + ".",
        f"`auto` sends {100 * auto['sent_on']:.1f} % of all these pictures on to `pretrained`, "
        f"{100 * kinds['auto']['kaggle']['sent_on']:.1f} % of the first row",
        "([what other shares give](docs/how-it-works.md#the-cascade)); "
        f"{mine} cats and dogs it answers rightly that",
        f"`pretrained` does not, {theirs} the other way. Expected calibration error: "
        + ", ".join(f"`{name}` {ece[name]}" for name in MODELS)
        + ".",
    ]


if __name__ == "__main__":
    main()
