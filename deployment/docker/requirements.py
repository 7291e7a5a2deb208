"""Print the dependencies of pyproject.toml with those of the named extras, one a line.

python requirements.py [EXTRA ...]
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras: dict[str, list[str]] = project["optional-dependencies"]
wanted = [*project["dependencies"], *(f"pawsight[{extra}]" for extra in sys.argv[1:])]
while wanted:
    each = wanted.pop(0)
    if each.startswith("pawsight["):
        names = each.removeprefix("pawsight[").removesuffix("]").split(",")
        wanted += [requirement for name in names for requirement in extras[name]]
    else:
        print(each)
