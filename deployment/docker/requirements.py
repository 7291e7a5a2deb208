"""Print the dependencies of pyproject.toml with those of the named extras, one a line.

python requirements.py [EXTRA ...]
"""

import sys
from pathlib import Path

import tomllib  # type: ignore[import-not-found]

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras: dict[str, list[str]] = project["optional-dependencies"]
wanted = [*project["dependencies"], *(f"pawsight[{extra}]" for extra in sys.argv[1:])]
while wanted:
    each = wanted.pop(0)
    if each.startswith("pawsight["):
        names = each.removeprefix("pawsight[").removesuffix("]").split(",")
        wanted += [requirement for name in names for requirement in extras[name]]
    else:
        sys.stdout.write(f"{each}\n")
