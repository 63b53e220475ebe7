"""How an answer refuses, in the languages that rows are mostly written in; it does not know when refusing is right."""

import re

_LOOKED_AT = 600  # characters: who refuses does so soon

_STARTS = re.compile(
    r"(?:i(?:'m| am) (?:very |so |really |truly )?(?:sorry|afraid),? ?(?:but |that )?(?:i|this|that|we)\b[^.\n]{0,30}"
    r"(?:can't|cannot|can not|won't|unable|not able|not allowed|don't|must)"
    r"|(?:very |so )?sorry, (?:but )?i\b|i apologi[sz]e,? but i"
    r"|(?:unfortunately,? |regrettably,? )?i (?:cannot|can't|can not|am unable to|am not able to|won't|will not"
    r"|must decline|have to decline|must refuse|decline to|refuse to)\b)",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\bas an? (?:ai|language model|large language model|assistant|virtual assistant|chatbot)\b[^.\n]{0,40}"
    r"\bi (?:cannot|can't|can not|don't|do not|am not|am unable|won't)"
    r"|\bi(?:'m| am) (?:just |only )?(?:not able|unable|not allowed|not permitted|not comfortable|not in a position)"
    r" (?:to )?(?:assist|help|provide|discuss|answer|comply|share|continue|engage|do|fulfil|with|giving|doing)"
    r"|\bi (?:can't|cannot|can not|won't) (?:be able to )?(?:assist|help|comply|engage|discuss|fulfil|continue"
    r"|give advice|answer (?:this|that)|do that for you|provide (?:that|this|such|any))"
    r"|\bnot (?:be )?appropriate for me to\b|\b(?:against|violates?|outside) my (?:guidelines|polic(?:y|ies)"
    r"|programming)|\bmy (?:programming|guidelines|polic(?:y|ies)|safety \w+) (?:prevents?|prohibits?|forbids?"
    r"|do(?:es)? not allow)"
    r"|\bi(?:'d| would) (?:rather|prefer) not (?:to )?(?:engage|answer|discuss|help|say|talk|continue|comment)"
    r"|\boutside (?:of )?what i(?:'m| am) (?:allowed|able|permitted)"
    r"|\bi (?:do not|don't) have access to (?:real[- ]time|personal|live|current|the internet)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\bals (?:ki|künstliche intelligenz|sprachmodell|assistent)\b"
    r"|\b(?:kann|darf) ich (?:\w+ ){0,3}?(?:nicht|keine?) (?:\w+ ){0,2}?(?:helfen|beantworten|geben|weiterhelfen"
    r"|unterstützen|auskunft|erteilen)"
    r"|\bich (?:kann|darf) (?:\w+ ){0,4}?(?:nicht|keine?) (?:\w+ ){0,3}?(?:helfen|beantworten|geben|weiterhelfen)"
    r"|\b(?:ich bin|bin ich) (?:\w+ ){0,3}?nicht (?:in der lage|befugt|berechtigt)"
    r"|\bje (?:ne peux|ne suis) (?:malheureusement )?pas (?:\w+ ){0,3}?(?:aider|répondre|fournir|autorisé|en mesure)"
    r"|\ben tant qu(?:'|e )(?:ia|assistant|modèle)|\bdésolée?, (?:mais )?je ne"
    r"|\blo siento,? (?:pero )?no puedo|\bno puedo (?:\w+ ){0,2}?(?:ayudar|responder|proporcionar)"
    r"|\bcomo (?:ia|modelo de lenguaje|asistente)\b[^.\n]{0,40}no (?:puedo|tengo)"
    r"|\bmi dispiace,? (?:ma )?non posso|\bnon posso (?:aiutar|rispondere|fornire)"
    r"|\b(?:desculpe|lamento|sinto muito),? (?:mas )?não posso|\bnão posso (?:ajudar|responder|fornecer)"
    r"|\b(?:het spijt me|sorry),? (?:maar )?ik kan\b|\bik kan (?:\w+ ){0,3}?niet (?:\w+ )?helpen",
    re.IGNORECASE,
)


def refuses(answer: str) -> bool:
    """Say whether an answer, with straight apostrophes, refuses.

    >>> refuses("I'm sorry, but I can't help with that."), refuses("I'm sorry that it broke; a new one is on its way.")
    (True, False)
    """
    start = answer.lstrip(" \t\r\n#*>-/\"'(_")[:_LOOKED_AT]
    return any(found is not None for found in (_STARTS.match(start), _SAID.search(start), _ELSEWHERE.search(start)))
