"""Privacy in easy read: short sentences with a picture each."""

from __future__ import annotations

from typing import Final

# Picture of static/icons/icons.svg -> sentences; docs/duty/privacy-easy-read.md says the same, and a test compares.
EASY_READ: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "eye",
        (
            "This is about what we keep when you mark a place.",
            "We keep the place. We keep how it feels.",
            "We keep when and why. We keep the day.",
            "If you write words, we keep your words.",
        ),
    ),
    (
        "name",
        (
            "We do not ask your name. We do not ask your school.",
            "We do not know who you are.",
        ),
    ),
    (
        "pass-on",
        (
            "Staff read your mark. They help to keep young people safe.",
            "If someone may be hurt, we tell an adult who can help. We cannot keep that secret.",
        ),
    ),
    (
        "choice",
        (
            "You do not have to do this. You can stop at any time.",
            "You get a receipt. With it you can see your mark. You can change it. You can take it back.",
            "We delete your words after some months. We delete the exact place after some years.",
            "The council does this as part of its job. The law calls this a public task.",
        ),
    ),
    (
        "phone",
        (
            "Are you in danger now? Call 999.",
            "Do you want to talk? Call Childline. It is free. The number is 0800 1111.",
        ),
    ),
)
