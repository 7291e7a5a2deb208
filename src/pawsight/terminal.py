"""Text from elsewhere, such as a file's name, as a terminal may show it."""

from __future__ import annotations

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def for_terminal(text: str, *, keep: str = "") -> str:
    r"""Text in which nothing moves the cursor or ends the line: such characters are ``\x1b``.

    Args:
        text: Any.
        keep: The characters among these that stay as they are, such as line feeds.
    """
    if not keep:
        return text.translate(_CONTROLS)
    kept = {ord(each): each for each in keep}
    return text.translate(_CONTROLS | kept)
