"""How texts give passwords away: assigned in a file of settings, behind a flag, in a sentence; it never repeats one."""

import re

# What comes before a password may be joined to a prefix (`db_password`, `MYSQL_PWD`), the short ones not to a letter.
_NAME = (
    r"(?:password|passwort|passwd|passphrase|kennwort|passord|l\u00f6senord|adgangskode|salasana|wachtwoord|has\u0142o|haslo"
    r"|heslo|\u015fifre|parola|senha|palavra-passe|mot de passe|contrase\u00f1a|\u043f\u0430\u0440\u043e\u043b\u044c"
    r"|(?<![a-z])(?:pass|pwd|pw))"
)
_WORDS = r"(?:is|ist|est|er|es|\u00e4r|\u00e9|(?<=salasana )on|(?<=has\u0142o )to|(?<=heslo )je)"
_QUOTED = r"(?P<quote>[\"'`])(?P<quoted>[^\"'`\n]{6,128})(?P=quote)"
_BARE = r"[\"'`]?(?P<bare>[^\s\"'`<>{}\[\]]{8,64})"
_ASSIGNED = re.compile(
    rf"(?i){_NAME}\d?[\"']?(?: (?:of|for|f\u00fcr|pour|para|per) [\w.-]{{1,30}})?"
    rf"\s*(?:[:=]>?=?|\uff1a|\b{_WORDS}\b:?)\s*(?:{_QUOTED}|{_BARE})"
)
_FLAG = re.compile(
    rf"(?i)(?<!\w)(?:--?(?:\w+-)?(?:password|passwd|pass|passphrase|pwd)(?:\s+|=)|sshpass -p ?"
    rf"|mysql\w* [^\n]{{0,40}}-p(?=\S)"
    rf"|machine \S+ login \S+ password |identified by )(?:{_QUOTED}|{_BARE})"
)
_CJK = re.compile(
    r"(?:\u30d1\u30b9\u30ef\u30fc\u30c9|\u5bc6\u7801|\u5bc6\u78bc|\u53e3\u4ee4|\ube44\ubc00\ubc88\ud638)(?:\u306f|\u662f|\ub294|\u4e3a|\u70ba)?\s*[:=\uff1a]?\s*"
    r"[\"'`\u300c]?(?P<bare>[!-~]{8,64})"
)
_ASCII_HINTS = (
    *("pass", "pwd", "pw", "kennwort", "adgangskode", "salasana", "wachtwoord", "haslo", "heslo", "parola", "senha"),
    *("identified by", "mysql"),
)
_HINTS = (
    *_ASCII_HINTS,
    "l\u00f6senord",
    "has\u0142o",
    "\u015fifre",
    "contrase",
    "парол",
    "パスワード",
    "密",
    "口令",
    "비밀번호",
)
_PLACEHOLDER = re.compile(
    r"(?i)your|example|change.?me|placeholder|redacted|dummy|sample|todo|xxx|\*\*\*|\.\.\.|\u2026"
    r"|^(?:\$|%|<|\{|@\{)|\w\(|\benv\b|environ|^\w+(?:\.[a-z_]\w*)+$"
)
_WHOLE_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SYMBOLS = frozenset("!#$%&*+?@^~=")


def password_in(text: str, lower: str) -> bool:
    """Say whether a password stands in a text, which is given in small letters too."""
    if not [hint for hint in (_ASCII_HINTS if text.isascii() else _HINTS) if hint in lower]:
        return False
    for pattern in (_ASSIGNED, _FLAG, _CJK):
        for match in pattern.finditer(text):
            told = match.groupdict()
            if is_password(told.get("quoted") or told["bare"] or "", quoted=bool(told.get("quoted"))):
                return True
    return False


def is_password(value: str, *, quoted: bool = False) -> bool:
    """Tell a password from the word that follows in a sentence: it mixes letters with digits or marks.

    In quotes it may be shorter. No address, variable or blank counts.

    >>> is_password("Blue7-Kettle"), is_password("printed"), is_password("your-passw0rd"), is_password("${DB_PASS_1}")
    (True, False, False, False)
    """
    plain = value if quoted else value.rstrip(".,;:!?)")
    if len(plain) < (6 if quoted else 8) or len(set(plain)) < 6 or (quoted and " " in plain):
        return False
    if "://" in plain or _PLACEHOLDER.search(plain) or _WHOLE_MAIL.fullmatch(plain):
        return False
    letters = any(sign.isalpha() for sign in plain)
    cased = any(sign.isupper() for sign in plain) and any(sign.islower() for sign in plain)
    return letters and (any(sign.isdigit() for sign in plain) or (cased and not _SYMBOLS.isdisjoint(plain[:-1])))
