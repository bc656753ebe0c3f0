"""Words that agree with numbers."""


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return "1 site", "2 sites", "1 entry", "2 entries". *nouns* is the plural, by default *noun* with an s."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"
