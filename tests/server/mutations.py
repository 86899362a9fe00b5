"""Random damage to cookies and tokens."""

from __future__ import annotations

import random

ALPHABET = "0123456789|:=-+_ abcdefYWxpZ2U\n\u0660é"


def mutate(text: str, chance: random.Random) -> str:
    """Return *text* with up to three bytes put in, taken out, changed or doubled."""
    characters = list(text)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        place = chance.randrange(len(characters) + 1)
        what = chance.randrange(4)
        if what == 0:
            characters.insert(place, chance.choice(ALPHABET))
        elif what == 1:
            del characters[place : place + chance.choice((1, 1, 1, 10))]
        elif what == 2:
            characters[place : place + 1] = [chance.choice(ALPHABET)]
        else:
            other = chance.randrange(len(characters) + 1)
            characters[place:place] = characters[min(place, other) : max(place, other)][:20]
    return "".join(characters)
