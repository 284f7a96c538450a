#!/usr/bin/env python3
"""docs/paper.md names what exists: paper.py [ROOT]; one line for each finding, exit 1 if any.

In `backquotes` stand names of three kinds; anything else in them is a formula and is left alone:
    losses/adversarial.h: fake_loss, real_loss   words of a file below src/frgan, tests or the root;
                                                 where the word is Suite.Name, TEST(Suite, Name)
    configs/gan.toml                             a file
    --gen-loss saturating                        an option, and one of its choices
Besides: every reading from A1 to A33 has a row, and an option stands in a reading's row where its help names that reading, and
only there.
"""
import re
import sys
from pathlib import Path

READINGS = 33
DECLARATION = re.compile(r'\badd\(\s*"([a-z0-9-]+)"(.*?)\);\n', re.DOTALL)


def declared_options(root):
    """{option: the rest of its declaration}"""
    found = {}
    for folder in ("src", "app"):
        for file in sorted((root / folder).rglob("*.cpp")):
            found.update(DECLARATION.findall(file.read_text()))
    return found


def find_file(root, name):
    places = (root / folder / name for folder in (".", "src/frgan", "tests"))
    return next((path for path in places if path.is_file()), None)


def wrong_name(root, options, code):
    """What is wrong with one name, or None."""
    if code.startswith("--"):
        option, _, choice = code[2:].partition(" ")
        if option not in options:
            return f"there is no option --{option}"
        if choice and "Choices{" in options[option] and f'"{choice}"' not in options[option]:
            return f"--{option} has no choice {choice}"
        return None
    match = re.fullmatch(r"([\w./-]+\.\w+)(?:: (.+))?", code)
    if not match or "/" not in match[1]:
        return None
    file = find_file(root, match[1])
    if file is None:
        return f"there is no file {match[1]}"
    text = file.read_text()
    for word in (match[2] or "").split(", ") if match[2] else []:
        suite, dot, name = word.partition(".")
        test = rf"\bTEST(_F|_P)?\(\s*{re.escape(suite)},\s*{re.escape(name)}\s*\)"
        if not re.search(test if dot else rf"\b{re.escape(word)}\b", text):
            return f"{match[1]} has no {word}"
    return None


def findings(root):
    page = (root / "docs/paper.md").read_text()
    options = declared_options(root)
    for number, line in enumerate(page.splitlines(), 1):
        for code in re.findall(r"`([^`]+)`", line):
            wrong = wrong_name(root, options, code)
            if wrong:
                yield f"docs/paper.md:{number}: {wrong}"
    rows = dict(re.findall(r"^\| (A\d+) \|(.*)$", page, re.MULTILINE))
    for reading in (f"A{number}" for number in range(1, READINGS + 1)):
        if reading not in rows:
            yield f"docs/paper.md: {reading} has no row"
    for option, declaration in options.items():
        for reading in re.findall(r"\bA\d+\b", declaration):
            if f"`--{option}" not in rows.get(reading, ""):
                yield f"docs/paper.md: the help of --{option} names {reading}, whose row does not name it"
    for reading, row in rows.items():
        for option in sorted(set(re.findall(r"`--([a-z0-9-]+)", row)) & set(options)):
            if not re.search(rf"\b{reading}\b", options[option]):
                yield f"docs/paper.md: {reading} names --{option}, whose help does not name {reading}"


def main():
    found = list(findings(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
