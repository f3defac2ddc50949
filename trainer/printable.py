"""Text from elsewhere, made fit to be shown: a device, or who speaks in its name, can say anything."""

from __future__ import annotations

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def make_printable(text: str, longest: int = 200) -> str:
    """Keep text on one line and not too long, without what would steer a terminal or turn its direction."""
    kept = "".join(character if character.isprintable() else UNPRINTABLE for character in text[: longest + 1])
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
