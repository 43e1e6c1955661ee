"""Read the rules: groups of words, frames of words and groups, each with its reason, from the TOML files beside."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from service.moderation.detector.words import Speller

RULE_FILES = ("disclosure", "home", "exploitation", "self_harm", "weapon_hate")
DEFAULT_GAP = 3  # words that ".." may stand for


@dataclass(frozen=True, slots=True)
class Frame:
    """Words or groups in their order, with how many other words may stand before each.

    Parameters
    ----------
    label : str
        What a match says; ``quiet`` takes the matched words out of the search.
    steps : tuple
        Pairs of the alternatives of a step and the number of words that may stand before it.
    """

    label: str
    steps: tuple[tuple[frozenset[str], int], ...]


@dataclass(frozen=True)
class Rules:
    """Everything the search needs, ready to use."""

    frames: dict[str, tuple[Frame, ...]]  # word or group that a frame cannot do without -> frames
    quiet: dict[str, tuple[Frame, ...]]
    groups: dict[str, frozenset[str]]  # word -> names of the groups that it belongs to
    phrases: dict[tuple[str, str], tuple[tuple[tuple[str, ...], str], ...]]  # first two words -> (the rest, group)
    speller: Speller


def read(name: str) -> dict[str, Any]:
    """Return the content of one data file of this package.

    Parameters
    ----------
    name : str
        File name without its ending.

    Returns
    -------
    dict
        The parsed TOML.

    Raises
    ------
    FileNotFoundError
        If the package has no such file.
    """
    path = resources.files("service.moderation.detector") / "data" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def inflect(verb: str) -> set[str]:
    """Return a regular verb with the endings that people write: hit, hits, hitting, hittin, touchd."""
    stem = verb.removesuffix("e")
    doubled = verb + verb[-1]
    forms = {verb, verb + "s", stem + "ing", stem + "in", stem + "ed", stem + "d"}
    if verb[-1] not in "aeiouwxy" and verb[-2] in "aeiou" and verb[-3:-2] not in set("aeiou"):
        forms |= {doubled + "ing", doubled + "in", doubled + "ed"}
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        forms.add(verb + "es")
    if verb.endswith("y") and verb[-2] not in "aeiou":
        forms |= {verb[:-1] + "ies", verb[:-1] + "ied"}
    return forms


def _entries(group: dict[str, Any], all_groups: dict[str, dict[str, Any]]) -> set[str]:
    """Return all words and phrases of a group, those of the groups inside it counted."""
    entries = set(group.get("words", ()))
    for noun in group.get("nouns", ()):
        entries |= {noun, noun + "s"}
    for verb in group.get("verbs", ()):
        first, _, rest = verb.partition(" ")
        entries |= {f"{form} {rest}".strip() for form in inflect(first)}
    for inner in group.get("groups", ()):
        entries |= _entries(all_groups[inner], all_groups)
    return entries


def parse(text: str, groups: set[str]) -> list[tuple[tuple[frozenset[str], int], ...]]:
    """Return the step lists that one frame as written stands for.

    ``a|b`` is either word, ``a_b`` two words in a row, ``@x`` a word of a group, ``?`` at the end makes a step
    optional, ``..`` is up to three other words, ``..5`` up to five, ``<>`` the same as ``..5`` with both sides in
    either order.

    Parameters
    ----------
    text : str
        The frame as written in a data file.
    groups : set of str
        Names of the groups that exist.

    Returns
    -------
    list
        One list of steps for each way to read the frame.

    Raises
    ------
    ValueError
        If the frame names a group that does not exist.
    """
    if " <> " in text:
        left, right = text.split(" <> ", maxsplit=1)
        return parse(f"{left} ..5 {right}", groups) + parse(f"{right} ..5 {left}", groups)
    steps: list[list[tuple[frozenset[str], int] | None]] = []
    gap = 0
    for part in text.split():
        if part.startswith(".."):
            gap = int(part[2:] or DEFAULT_GAP)
            continue
        wanted = frozenset(part.removesuffix("?").split("|")) - {""}
        unknown = {one for one in wanted if one[0] == "@" and one[1:] not in groups}
        if unknown:
            message = f"frame {text!r} names {sorted(unknown)}; add the group or correct the name"
            raise ValueError(message)
        steps.append([(wanted, gap), None] if part.endswith("?") else [(wanted, gap)])
        gap = 0
    return [tuple(step for step in way if step is not None) for way in itertools.product(*steps)]


def _frames(name: str, groups: set[str]) -> list[Frame]:
    rows = read(name)["frame"]
    return [Frame(row["label"], steps) for row in rows for text in row["any"] for steps in parse(text, groups)]


def _by_rarest(frames: list[Frame], sizes: dict[str, int]) -> dict[str, tuple[Frame, ...]]:
    """Return the frames by each alternative of their rarest step, so that few are tried on a text."""
    listed: dict[str, list[Frame]] = {}
    for frame in frames:
        rarest = min((wanted for wanted, _ in frame.steps), key=lambda wanted: sum(sizes.get(tag, 1) for tag in wanted))
        for tag in rarest:
            listed.setdefault(tag, []).append(frame)
    return {tag: tuple(some) for tag, some in listed.items()}


@cache
def rules() -> Rules:
    """Return the rules of this package, read once.

    Returns
    -------
    Rules
        Frames, groups and the speller that knows their words.

    Raises
    ------
    ValueError
        If a frame names a group that does not exist.
    """
    listed: dict[str, dict[str, Any]] = read("groups") | read("verbs") | read("topics")
    names = set(listed) | {"adult_age", "child_age"}
    frames = [frame for name in RULE_FILES for frame in _frames(name, names)]
    quiet = _frames("quiet", names)
    groups: dict[str, set[str]] = {}
    phrases: dict[tuple[str, str], set[tuple[tuple[str, ...], str]]] = {}
    known: set[str] = set()
    for name, group in listed.items():
        for entry in _entries(group, listed):
            first, *rest = entry.split()
            known |= {first, *rest}
            if rest:
                phrases.setdefault((first, rest[0]), set()).add((tuple(rest[1:]), "@" + name))
            else:
                groups.setdefault(first, set()).add("@" + name)
    for word in {word for frame in (*frames, *quiet) for wanted, _ in frame.steps for word in wanted}:
        first, *rest = word.split("_")
        if rest:
            phrases.setdefault((first, rest[0]), set()).add((tuple(rest[1:]), word))
        known |= set() if word.startswith("@") else {first, *rest}
    common = set(read("common")["common"]["words"].split())
    for row in read("names").values():  # a name is no slip either
        common |= set(row["words"].split() if isinstance(row["words"], str) else ())
    speller = Speller(known, common - known, dict(read("spelling")["short"]))
    sizes = {"@" + name: 3 * len(_entries(group, listed)) for name, group in listed.items()}
    return Rules(
        _by_rarest(frames, sizes),
        _by_rarest(quiet, sizes),
        {word: frozenset(found) for word, found in groups.items()},
        {word: tuple(sorted(found)) for word, found in phrases.items()},
        speller,
    )
