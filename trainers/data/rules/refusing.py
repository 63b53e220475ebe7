"""How an answer refuses: in English here, in 18 other languages by phrases.toml; not when it is right to."""

import re

from trainers.data.rules.hinted import Hinted
from trainers.data.rules.phrases import said_in

_LOOKED_AT = 600  # characters: who refuses does so soon
_BEFORE = " \t\r\n#*>-/\"'(_"

_STARTS = re.compile(
    r"(?:i(?:'m| am) (?:very |so |really |truly )?(?:sorry|afraid),? ?(?:but |that )?(?:i|this|that|we)\b[^.\n]{0,30}"
    r"(?:can't|cannot|can not|won't|unable|not able|not allowed|don't|must)"
    r"|(?:very |so )?sorry, (?:but )?i\b|i apologi[sz]e,? but i"
    r"|(?:unfortunately,? |regrettably,? )?i (?:cannot|can't|can not|am unable to|am not able to|won't|will not"
    r"|must decline|have to decline|must refuse|decline to|refuse to)\b)",
    re.IGNORECASE,
)
_SAID = Hinted(
    ("n't", "not", "unable", "for me to", "my guideline", "my polic", "my programming", "my safety", "outside"),
    re.compile(
        r"\bas an? (?:ai|language model|large language model|assistant|virtual assistant|chatbot)\b[^.\n]{0,40}"
        r"\bi (?:cannot|can't|can not|don't|do not|am not|am unable|won't)"
        r"|\bi(?:'m| am) (?:just |only )?(?:not able|unable|not allowed|not permitted|not comfortable|not in a"
        r" position) (?:to )?(?:assist|help|provide|discuss|answer|comply|share|continue|engage|do|fulfil|with|giving"
        r"|doing)"
        r"|\bi (?:can't|cannot|can not|won't) (?:be able to )?(?:assist|help|comply|engage|discuss|fulfil|continue"
        r"|give advice|answer (?:this|that)|do that for you|provide (?:that|this|such|any))"
        r"|\bnot (?:be )?appropriate for me to\b|\b(?:against|violates?|outside) my (?:guidelines|polic(?:y|ies)"
        r"|programming)|\bmy (?:programming|guidelines|polic(?:y|ies)|safety \w+) (?:prevents?|prohibits?|forbids?"
        r"|do(?:es)? not allow)"
        r"|\bi(?:'d| would) (?:rather|prefer) not (?:to )?(?:engage|answer|discuss|help|say|talk|continue|comment)"
        r"|\boutside (?:of )?what i(?:'m| am) (?:allowed|able|permitted)"
        r"|\bi (?:do not|don't) have access to (?:real[- ]time|personal|live|current|the internet)",
        re.IGNORECASE,
    ),
)


def refuses(answer: str, lower: str = "") -> bool:
    """Say whether an answer, with straight apostrophes, refuses; `lower` is the same in small letters, if at hand.

    >>> refuses("I'm sorry, but I can't help with that."), refuses("I'm sorry that it broke; a new one is on its way.")
    (True, False)
    """
    start, lower = answer.lstrip(_BEFORE)[:_LOOKED_AT], (lower or answer.lower()).lstrip(_BEFORE)[:_LOOKED_AT]
    return _STARTS.match(start) is not None or _SAID.found(start, lower) or said_in(lower[:_LOOKED_AT], "refusal")
