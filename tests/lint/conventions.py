#!/usr/bin/env python3
"""Checks conventions of the source tree: conventions.py CHECK [ROOT]. Prints one line per finding; exits with 1 if any."""

import os
import re
import subprocess
import sys
from pathlib import Path

GENERATED = {".git", "build", "runs", "data", ".venv"}  # folders at the root that are not part of the repository
SOURCES = {".h", ".cpp"}
MAX_WORDS = 30  # in a sentence


def tracked_files(root):
    """The files that git tracks; without git, all files in the tree."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True) if (root / ".git").exists() else None
    if listed and listed.returncode == 0:
        files = [root / name for name in listed.stdout.decode().split("\0") if name]
        return [file for file in files if file.is_file()]
    return [Path(folder) / name for folder, folders, names in walk(root) for name in names]


def walk(root):
    for folder, folders, names in os.walk(root):
        if Path(folder) == root:
            folders[:] = [name for name in folders if name not in GENERATED]
        yield folder, folders, names


def source_files(root):
    return [Path(folder) / name for folder, _, names in walk(root) for name in names if Path(name).suffix in SOURCES]


def allowed_includes(root):
    """The table of docs/design.md: {folder: (folders, single headers) that it may include}."""
    table = {}
    for line in (root / "docs/design.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        match = re.fullmatch(r"`(?:src/frgan/)?(\w+)`", cells[0])
        if not match or len(cells) != 3:
            continue
        folders, headers = {match[1]}, set()
        for item in cells[2].split(","):
            item = item.strip()
            single = re.fullmatch(r"(\w+)'s (\w+)s", item)  # "core's errors" is core/error.h
            if item in ("everything", "everything above"):
                folders |= set(table)
            elif single:
                headers.add(f"frgan/{single[1]}/{single[2]}.h")
            elif item != "-":
                folders.add(item)
        table[match[1]] = (folders, headers)
    return table


def includes(root):
    """Folders include only what docs/design.md allows; io includes no LibTorch header."""
    table = allowed_includes(root)
    if "core" not in table:
        yield "docs/design.md: table of folders not found"
    for file in source_files(root):
        name = file.relative_to(root)
        if name.parts[0] == "src" and len(name.parts) > 3:
            folder = name.parts[2]
        elif name.parts[0] == "app":
            folder = "app"
        else:
            continue
        if folder not in table:
            yield f"{name}: folder {folder} is not in the table of docs/design.md"
            continue
        folders, headers = table[folder]
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not match:
                continue
            quote, header = match.groups()
            if header.startswith("frgan/"):
                other = header.split("/")[1]
                if other not in folders and header not in headers:
                    yield f"{name}:{number}: {folder} may not include {header}; docs/design.md allows {', '.join(sorted(folders | headers))}"
                if quote == "<":
                    yield f"{name}:{number}: include our headers with quotes"
            elif folder == "io" and re.match(r"(torch|ATen|c10)/", header):
                yield f"{name}:{number}: io may not include LibTorch headers"
            elif quote == '"' and folder != "app":
                yield f"{name}:{number}: write \"frgan/FOLDER/{Path(header).name}\""


def names(root):
    """No vague names of folders and files; uniform suffixes of headers and sources."""
    vague = {"utils", "util", "common", "misc", "helpers", "helper", "manager", "stuff"}
    for file in tracked_files(root):
        name = file.relative_to(root)
        for part in (*name.parts[:-1], name.stem):
            if part.lower() in vague:
                yield f"{name}: vague name '{part}'; name the content"
        if name.suffix in {".hpp", ".hh", ".cc", ".cxx"}:
            yield f"{name}: wrong suffix; use .h and .cpp"
        if name.suffix == ".h" and "#pragma once" not in file.read_text():
            yield f"{name}: missing #pragma once"


def printing(root):
    """Code in app prints through app/console.h, which escapes control characters and reports errors."""
    for file in source_files(root):
        name = file.relative_to(root)
        if name.parts[0] != "app" or name.name == "console.cpp":
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if "fmt::print(" in line:
                yield f"{name}:{number}: use print_output or print_message of app/console.h"


def sizes(root):
    """No tracked file is larger than 1 MiB."""
    for file in tracked_files(root):
        if file.stat().st_size > 1 << 20:
            yield f"{file.relative_to(root)}: {file.stat().st_size} bytes; the limit is 1 MiB"


def unfinished(root):
    """No markers of unfinished work, and no disabled tests. scripts/run-tests lists skipped tests."""
    marks = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", r"XX" r"X\b", "DIS" "ABLED_"]) + r")")
    for file in tracked_files(root):
        if file.suffix in SOURCES | {".py", ".cmake", ".txt", ".md", ".toml", ""}:
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                if marks.search(line):
                    yield f"{file.relative_to(root)}:{number}: {line.strip()}"


def markdown_paragraphs(text):
    """Yields (line number, text) of paragraphs and list items, without code, tables, headings and HTML."""
    block, start, fenced = [], 1, False
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        fenced ^= plain.startswith("```")
        ends = fenced or not plain or (line.startswith("    ") and not block) or plain.startswith(("#", "|", "<", "```"))
        if block and (ends or re.match(r"([-*]|\d+\.)\s", plain)):
            yield start, " ".join(block)
            block = []
        if not ends:
            start = start if block else number
            block.append(plain)
    if block:
        yield start, " ".join(block)


def comment_paragraphs(text):
    """Yields (line number, text) of paragraphs of // comments, without indented code."""
    block, start = [], 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = re.match(r"\s*// ?(?! )(.*)", line)
        plain = match[1].strip() if match else ""
        if block and (not plain or re.match(r"[-*|]\s", plain)):
            yield start, " ".join(block)
            block = []
        if plain:
            start = start if block else number
            block.append(plain)


def sentences(root):
    """No sentence of the documentation or of a comment has more than 30 words."""
    for file in tracked_files(root):
        name = file.relative_to(root)
        if file.suffix == ".md" and (name.parts[0] == "docs" or len(name.parts) == 1 or name.name == "README.md"):
            paragraphs = markdown_paragraphs(file.read_text())
        elif file.suffix in SOURCES:
            paragraphs = comment_paragraphs(file.read_text())
        else:
            continue
        for number, text in paragraphs:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)  # the text of a link
            text = re.sub(r"`[^`]*`", "code", text)
            for sentence in re.split(r"(?<=[.!?:])[\"')*]*\s+", text):
                words = [word for word in sentence.split() if re.search(r"\w", word)]
                if len(words) > MAX_WORDS:
                    yield f"{name}:{number}: {len(words)} words: {sentence}"


CHECKS = {check.__name__: check for check in (includes, names, printing, sizes, unfinished, sentences)}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: conventions.py {'|'.join(CHECKS)} [ROOT]")
    root = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parents[2]).resolve()
    findings = list(CHECKS[sys.argv[1]](root))
    print("\n".join(findings))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
