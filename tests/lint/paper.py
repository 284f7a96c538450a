#!/usr/bin/env python3
"""Checks that all names in docs/paper.md exist: paper.py [ROOT]. Prints one line per finding; exits with 1 if any.

Names in `backquotes` have three forms. Other text in backquotes (formulas) is ignored.
    losses/adversarial.h: fake_loss, real_loss   identifiers in a file below src/frgan, tests or the root;
                                                 Suite.Name stands for TEST(Suite, Name)
    configs/gan.toml                             a file
    --gen-loss saturating                        an option, optionally with one of its choices
Also checks that each ambiguity A1 to A34 has a table row, and that a row names an option if and only if the option's help
text names this ambiguity.
"""
import re
import sys
from pathlib import Path

READINGS = 34
DECLARATION = re.compile(r'\badd\(\s*"([a-z0-9-]+)"(.*?)\);\n', re.DOTALL)


def declared_options(root):
    """{option: the remaining text of its declaration}"""
    found = {}
    for folder in ("src", "app"):
        for file in sorted((root / folder).rglob("*.cpp")):
            found.update(DECLARATION.findall(file.read_text()))
    return found


def find_file(root, name):
    places = (root / folder / name for folder in (".", "src/frgan", "tests"))
    return next((path for path in places if path.is_file()), None)


def name_problem(root, options, code):
    """The problem with a name, or None."""
    if code.startswith("--"):
        option, _, choice = code[2:].partition(" ")
        if option not in options:
            return f"unknown option --{option}"
        if choice and re.search(r"Choices\{|Words<", options[option]) and f'"{choice}"' not in options[option]:
            return f"--{option} has no choice {choice}"
        return None
    match = re.fullmatch(r"([\w./-]+\.\w+)(?:: (.+))?", code)
    if not match or "/" not in match[1]:
        return None
    file = find_file(root, match[1])
    if file is None:
        return f"no such file {match[1]}"
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
            problem = name_problem(root, options, code)
            if problem:
                yield f"docs/paper.md:{number}: {problem}"
    rows = dict(re.findall(r"^\| (A\d+) \|(.*)$", page, re.MULTILINE))
    for reading in (f"A{number}" for number in range(1, READINGS + 1)):
        if reading not in rows:
            yield f"docs/paper.md: {reading} has no row"
    for option, declaration in options.items():
        for reading in re.findall(r"\bA\d+\b", declaration):
            if f"`--{option}" not in rows.get(reading, ""):
                yield f"docs/paper.md: the help of --{option} names {reading}, but the row of {reading} does not name the option"
    for reading, row in rows.items():
        for option in sorted(set(re.findall(r"`--([a-z0-9-]+)", row)) & set(options)):
            if not re.search(rf"\b{reading}\b", options[option]):
                yield f"docs/paper.md: the row of {reading} names --{option}, but the help of the option does not name {reading}"


def main():
    found = list(findings(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
