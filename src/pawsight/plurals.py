"""How many of a thing, in words."""


def counted(number: int, thing: str) -> str:
    """``1 picture``, ``1,500 pictures``; the thing takes an s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
