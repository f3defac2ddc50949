"""Text from elsewhere, made fit to be shown: a device, or who speaks in its name, can say anything."""

from __future__ import annotations


def make_printable(text: str, longest: int | None = 200) -> str:
    """Keep text on one line and not too long, without what would steer a terminal or turn its direction.

    What cannot be printed is written as Python would, such as \\x1b or \\n.

    Parameters
    ----------
    longest : characters; None: as many as there are
    """
    kept = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii")
        for sign in (text if longest is None else text[: longest + 1])
    )
    return (
        kept if longest is None or len(kept) <= longest else f"{kept[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
