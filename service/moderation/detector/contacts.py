"""Phone numbers, e-mail and home addresses, social media names and number plates, as people write and hide them."""

from __future__ import annotations

import re
from functools import cache

from service.moderation.detector.rules import read

Span = tuple[str, int, int]

# Every pattern has bounded repeats and a fixed left edge: the time grows with the length of the text and no faster.
_EDGE = r"(?<![a-z0-9])"
_MAIL = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9][a-z0-9._%+-]{0,63}"
    r"(?:@| ?[(\[{] ?at ?[)\]}] ?| @ | at )[a-z0-9-]{1,40}"
    r"(?:(?:\.| ?[(\[{] ?dot ?[)\]}] ?| dot | ?\. ?)[a-z]{2,12}){1,3}(?![a-z0-9@])"
)
_MAIL_HOST = re.compile(
    _EDGE + r"[a-z0-9][a-z0-9._-]{1,63}(?: ?@ ?| at )(?:gmail|hotmail|outlook|yahoo|icloud|live|protonmail|lgflmail)"
    r"(?![a-z0-9])"
)
_MAIL_END = re.compile(r"(?:\.(?:com|org|net|uk|io|me|info)| dot [a-z]+|gmail|hotmail|outlook|yahoo|icloud)$")
_HANDLE = re.compile(r"(?<![a-z0-9@.])@([a-z0-9][a-z0-9_.]{1,30})")
_UNDERSCORED = re.compile(r"(?<![a-z0-9_@/.])(?=[a-z0-9.]{0,30}_)[a-z0-9_.]{4,31}(?![a-z0-9@])")
_TAGGED = re.compile(_EDGE + r"[a-z0-9_.]{2,30}#\d{4}(?!\d)")
_PLATFORM = (
    r"(?:snap ?chat|snap|sc|insta ?gram|insta|ig|tik ?tok|tt|discord|twitter|kik|telegram|roblox|xbox|psn|gamer ?tag|"
    r"be ?real|user ?name|user|handle|@s?|acc|account|wizz|yubo|whatsapp)"
)
_ON_PLATFORM = re.compile(
    _EDGE + _PLATFORM + r"(?: name| user| handle| acc| account| id)?s?"
    r"(?P<link>(?: ?[:=~>-]{1,2} ?| is | are | - | = |'s | its | it's | called | as | hes | he's | shes | she's "
    r"| im | i'm | under | )"
    r"(?:its |it's |called |is |@ ?)?)"
    r"@?(?P<who>[a-z0-9][a-z0-9_.]{2,30})(?![a-z0-9@])"
)
_BEFORE_PLATFORM = re.compile(
    _EDGE + r"(?:add|follow|dm|msg|message|hmu|find|search|text|im|i'm|he's|hes|shes|she's|they're|known as|goes by)"
    r"(?: me| him| her| us| up)?(?: as| at| on| -| :|:)? ?@?(?P<who>[a-z0-9][a-z0-9_.]{2,30}) on " + _PLATFORM
)
_NUMBER = re.compile(r"(?<![a-z0-9+])(?:\+ ?)?\(?[\do](?:[ .()/_*,-]{0,3}[\do]){8,15}(?![\da-z])")
_SPOKEN = re.compile(r"[a-z]+|\d+")
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_WORDS = dict(zip(_DIGITS, "0123456789", strict=True)) | {
    "oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0", "sevn": "7", "ate": "8", "for": "4", "fore": "4",
    "to": "2", "too": "2", "won": "1", "fiv": "5", "nin": "9", "thre": "3",
}  # fmt: skip
_TIMES = {"double": 2, "dubble": 2, "triple": 3, "treble": 3}
_FEWEST = 10  # digits of a number in words; eight are a helpline such as Childline
_AREAS = (
    "ab al b ba bb bd bh bl bn br bs bt ca cb cf ch cm co cr ct cv cw da dd de dg dh dl dn dt dy e ec eh en ex fk fy "
    "g gl gu ha hd hg hp hr hs hu hx ig im ip iv ka kt kw ky l la ld le ll ln ls lu m me mk ml n ne ng nn np nr nw ol "
    "ox pa pe ph pl po pr rg rh rm s sa se sg sk sl sm sn so sp sr ss st sw sy ta td tf tn tq tr ts tw ub w wa wc wd "
    "wf wn wr ws wv yo ze"
)
_POSTCODE = re.compile(
    _EDGE + rf"(?:{'|'.join(sorted(_AREAS.split(), key=len, reverse=True))})"
    r"\d[a-z\d]?[ .-]{0,2}\d(?!st|nd|rd|th|hr)[abd-hjlnp-uw-z]{2}(?![a-z0-9])"
)
_STREET = (
    r"(?:road|rd|street|str|st|avenue|ave|av|lane|ln|close|cl|drive|dr|court|ct|crescent|cres|gardens|gdns|grove|gr|"
    r"terrace|place|pl|way|walk|rise|hill|mews|square|sq|house|hse|tower|towers|point|heights|lodge|mansions|row|path|"
    r"vale|view|green|park|buildings|estate)"
)
_HOUSE = re.compile(_EDGE + r"(\d{1,4}[a-h]?),? ((?:[a-z']{2,20} ){1,3})" + _STREET + r"(?![a-z])")
_FLAT = re.compile(_EDGE + r"(?:flat|flt|apartment|apt)(?: no\.?| number)? ?(?:\d{1,3}[a-h]?|[a-h]\d{0,3})(?![a-z0-9])")
_LIVES = re.compile(
    _EDGE + r"(?:i|he|she|they|we|who|lives?|living|house|address|home|yard)(?:'s|s)?(?: all| both)? ?"
    r"(?:live|lives|living|stay|stays|is|at)?(?: is)? (?:at|on|in|down|up|is|number|no\.?|opposite|off)"
    r" (?:number |no\.? ?|the )?"
    r"(?:\d{1,4}[a-h]?(?![a-z0-9:.]| ?(?:am|pm|mins?|minutes|years?|yrs?|people|buses|months?|bus))"
    r"|(?:[a-z']{2,20} ){1,3}(?:road|rd|street|avenue|ave|lane|close|court|crescent|gardens|grove|terrace|house|tower|"
    r"mews|walk|drive|way|point)(?![a-z]))"
)
_PLATE = re.compile(_EDGE + r"([a-z]{2}\d{2})([ -]?)([a-z]{3})(?![a-z0-9])")
_OLD_PLATE = re.compile(_EDGE + r"(?:[a-z]\d{1,3} ?[a-z]{3}|[a-z]{3} ?\d{1,4}[a-z]?|[a-z]{1,3} \d{1,4})(?![a-z0-9])")
_PLATE_WORD = re.compile(_EDGE + r"(?:number ?plates?|plates?|reg(?:istration)?(?: ?plate)?s?)(?![a-z])")
_AFTER_PLATE = re.compile(
    r"(?: number| no| is| was| are| starts?| starting| started| ends?| ending| ended| begins?| beginning| with| in|"
    r" its| it's| had| has| says| said| reads| like| of| on| the| a| car| it| i| think| saw| got| partial| goes"
    r"|[:,.=-]){0,8}"
    r" ?(?P<plate>[a-z]{1,3}\d{1,4}(?: ?[a-z]{1,3})?|\d{2,4}[a-z]{1,3}|[a-z]{3} ?\d{1,3}[a-z]?)(?![a-z0-9])"
)
_VEHICLE = re.compile(
    _EDGE
    + r"(?:cars?|van|moped|ped|motor|motorbike|bmw|audi|merc|mercedes|golf|fiesta|corsa|whip|vehicle|driver|drove|"
    r"driving|drives|parked|plates?|reg|registration|lorry|truck|bike|taxi|uber|prius|toyota|ford|tesla|astra|polo|vw)"
    r"(?![a-z])"
)


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(read("contacts")[name]["words"])


def _mails(chars: str) -> list[Span]:
    found = [*_MAIL.finditer(chars), *_MAIL_HOST.finditer(chars)]
    return [("e_mail", m.start(), m.end()) for m in found if " at " not in m.group() or _MAIL_END.search(m.group())]


def _handles(chars: str) -> list[Span]:
    found = [
        ("handle", m.start(), m.end())
        for m in _HANDLE.finditer(chars)
        if m.group(1).strip("._") not in _words("no_handle") and not m.group(1)[0].isdigit()
    ]
    found += [("handle", m.start(), m.end()) for m in _TAGGED.finditer(chars)]
    found += [
        ("handle", m.start(), m.end()) for m in _UNDERSCORED.finditer(chars) if any(c.isalpha() for c in m.group())
    ]
    for pattern in (_ON_PLATFORM, _BEFORE_PLATFORM):
        for match in pattern.finditer(chars):
            who = match["who"].strip(".")
            marked = any(c in "_." or c.isdigit() for c in who) and any(c.isalpha() for c in who)
            named = match.groupdict().get("link", " ").strip() != "" and len(who) > 3  # noqa: PLR2004  letters
            if who not in _words("no_handle") and not _is_time(who) and (marked or named):
                found.append(("handle", match.start("who"), match.end("who")))
    return found


def _is_time(word: str) -> bool:
    return bool(re.fullmatch(r"\d{1,2}(?:[.:]\d\d)?(?:am|pm|ish|yo|yr|yrs|th|st|nd|rd|x|k|mins?)?|year\d+|y\d+", word))


def _is_phone(digits: str) -> bool:
    """Return whether the digits can be a British number, with or without its first 0, or a foreign one with +."""
    national = digits.removeprefix("00").removeprefix("44") if digits.startswith(("44", "0044")) else digits
    national = national if national.startswith("0") else "0" + national
    is_mobile = national.startswith("07") and 9 <= len(national) <= 12  # noqa: PLR2004  a digit missed or doubled
    return is_mobile or (national[:2] in {"01", "02", "03", "08"} and 10 <= len(national) <= 11)  # noqa: PLR2004


def _phones(chars: str) -> list[Span]:
    found = []
    for match in _NUMBER.finditer(chars):
        digits = re.sub(r"\D", "", match.group().replace("o", "0"))
        if _is_phone(digits):
            found.append(("phone", match.start(), match.end()))
    return found + _spoken(chars)


def _spoken(chars: str) -> list[Span]:
    """Return numbers that are written in words, or partly: "oh seven seven double oh nine hundred"."""
    found: list[Span] = []
    digits, start, stop, times, worded = "", 0, 0, 1, 0
    for match in _SPOKEN.finditer(chars + " end"):
        word = match.group()
        part = _WORDS.get(word, word if word.isdigit() else "00" if word == "hundred" and digits else "")
        follows = match.start() - stop <= 3  # noqa: PLR2004  a space, a comma, a dash
        if digits and (not follows or not (part or word in _TIMES)):
            if len(digits) >= _FEWEST and worded > 1 and _is_phone(digits):
                found.append(("phone", start, stop))
            digits, worded = "", 0
        if word in _TIMES:
            times, start = _TIMES[word], start if digits else match.start()
            stop = match.end()
        elif part:
            start = start if digits or times > 1 else match.start()
            digits, stop, worded, times = digits + part * times, match.end(), worded + (not word.isdigit()), 1
    return found


def _addresses(chars: str) -> list[Span]:
    found = [("address", m.start(), m.end()) for pattern in (_POSTCODE, _FLAT) for m in pattern.finditer(chars)]
    for match in _HOUSE.finditer(chars):
        if not _words("no_street") & set(match.group(2).split()):
            found.append(("address", match.start(), match.end()))
    for match in _LIVES.finditer(chars):
        if re.search(r"\b(?:live|lives|living|stay|stays|address|house|yard)\b", match.group()) and not (
            _words("no_home") & set(match.group().split())
        ):
            found.append(("address", match.start(), match.end()))
    return found


def _plates(chars: str) -> list[Span]:
    found = []
    has_vehicle = _VEHICLE.search(chars) is not None
    for match in _PLATE.finditer(chars):
        plain = match.group(2) == "" or (has_vehicle and match.group(3) not in _words("no_plate"))
        if plain and not (match.group(2) and match.group(3) in _words("no_plate")):
            found.append(("plate", match.start(), match.end()))
    for word in _PLATE_WORD.finditer(chars):
        after = _AFTER_PLATE.match(chars, word.end())
        if after and after["plate"] not in _words("no_plate"):
            found.append(("plate", after.start("plate"), after.end("plate")))
            continue
        old = _OLD_PLATE.search(chars, word.end(), word.end() + 40)
        if old and any(c.isdigit() for c in old.group()) and not _words("no_plate") & set(old.group().split()):
            found.append(("plate", old.start(), old.end()))
    return found


def contacts(chars: str) -> list[Span]:
    """Return what leads to a person, by its form alone.

    Parameters
    ----------
    chars : str
        Folded characters of a text.

    Returns
    -------
    list of tuple
        Label, start and stop in ``chars``; an earlier kind hides what overlaps it, as an e-mail hides a handle.
    """
    found: list[Span] = []
    for find in (_mails, _phones, _addresses, _plates, _handles):
        for label, start, stop in find(chars):
            if all(stop <= other[1] or start >= other[2] or other[0] == label for other in found):
                found.append((label, start, stop))
    return found
