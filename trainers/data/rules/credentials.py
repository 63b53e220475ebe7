"""The rule that no row may hold a key or a password; it knows how such secrets look and never repeats one."""

import re
from collections.abc import Iterator, Mapping

from trainers.data.findings import Finding, Spots, block, lines_have
from trainers.data.formats.pictures import INSIDE
from trainers.data.parsing import texts_of
from trainers.data.rules.passwords import password_in
from trainers.data.rules.view import View

# A cheap substring first: nearly every text has none of them, and a search for a fixed text is fast.
_SECRETS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (name, hint, re.compile(pattern))
    for name, hint, pattern in (
        ("a private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        (
            "an API key (sk-…)",
            "sk-",
            r"(?<![A-Za-z0-9])sk-(?:[a-z]{2,8}-)?(?:[a-z]{2,8}[0-9]{0,2}-)?[A-Za-z0-9_-]{20,}",
        ),
        ("an AWS access key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
        ("an AWS access key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
        ("an AWS secret key", "aws", r"(?i)aws.{0,20}(?:secret|key).{0,20}[=:]\s*[\"']?[A-Za-z0-9/+=]{40}\b"),
        ("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{30,}\b"),
        ("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{30,}\b"),
        ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{16,}"),
        ("a Slack token", "xox", r"\bxox[abeprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}"),
        ("a Slack token", "xapp-", r"\bxapp-\d-[A-Za-z0-9-]{10,}"),
        ("a Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}"),
        ("a Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("an Azure key", "Account", r"\b(?:Account|Shared ?Access)Key=[A-Za-z0-9+/]{40,}={0,2}"),
        ("an Azure key", "Shared", r"\bSharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}"),
        ("an Azure key", "sig=", r"[?&;]sig=[A-Za-z0-9%+/]{40,}"),
        ("a Google secret", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_-]{20,}"),
        ("a Google token", "ya29.", r"\bya29\.[A-Za-z0-9_-]{20,}"),
        ("a Groq key", "gsk_", r"\bgsk_[A-Za-z0-9]{30,}"),
        ("an xAI key", "xai-", r"\bxai-[A-Za-z0-9]{30,}"),
        ("a Replicate token", "r8_", r"\br8_[A-Za-z0-9]{30,}"),
        ("a Databricks token", "dapi", r"\bdapi[0-9a-f]{32}"),
        ("a DigitalOcean token", "do", r"\bdo[opr]_v1_[0-9a-f]{60,}"),
        ("a Shopify token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
        ("a Vault token", "hv", r"\bhv[sb]\.[A-Za-z0-9_-]{20,}"),
        ("a Telegram token", ":AA", r"\b\d{8,10}:AA[A-Za-z0-9_-]{32,}"),
        ("a Twilio key", "SK", r"\bSK[0-9a-f]{32}\b"),
        ("a Mailgun key", "key-", r"\bkey-[0-9a-f]{32}\b"),
        ("a Notion token", "ntn_", r"\bntn_[A-Za-z0-9]{40,}"),
        ("a Linear key", "lin_api_", r"\blin_api_[A-Za-z0-9]{30,}"),
        ("an age key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
        ("a bearer token", "earer ", r"\b[Bb]earer [A-Za-z0-9_.~+/-]{30,}=*"),
        ("a password in a header", "asic ", r"\b[Aa]uthorization:? Basic [A-Za-z0-9+/]{16,}={0,2}"),
        ("a private key", "PuTTY-User-Key-File", r"PuTTY-User-Key-File-\d"),
        ("a Stripe key", "k_live_", r"\b[srw](?:k|hsec)_live_[0-9A-Za-z]{16,}"),
        ("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
        ("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("a PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{40,}"),
        ("a SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
        ("a signed token (JWT)", "eyJ", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        ("a password in an address", "://", r"\b[a-z][a-z0-9+.-]{2,20}://[^\s:/@]{1,64}:[^\s/@]{3,128}@[\w.-]+"),
    )
)
_ASSIGNED = re.compile(
    r"(?i)(?<![a-z])(?:api|access|auth|secret|client|private|encryption|signing|session|jwt|webhook|refresh|bot|app)"
    r"[_ -]?(?:key|token|secret)[\"']?\s*(?:[:=]|is)\s*[\"']?"
    r"(?P<value>[A-Za-z0-9_./+-]{20,})"
)
_HASHED = re.compile(r"\$(?:1|5|6|y|2[aby]|argon2id?)\$[A-Za-z0-9./$=,+-]{20,}")
_ASSIGNED_HINTS = ("key", "token", "secret")
# What manuals write where a key belongs: AWS's keys that end in EXAMPLE, an address with the word for the password.
_SAMPLE = re.compile(
    r"EXAMPLE(?:KEY)?$|://[^:@/]*:(?:\*+|[xX]{3,}|(?i:\$?[{<\[%].*|(?:my|your)?[_-]?(?:pass(?:word|wd)?|pwd|pw|secret|changeme)))@"
)
_FREE_FORM = frozenset(("an API key (sk-…)", "a bearer token"))  # what follows them may also be words of a manual
_BLANK = re.compile(r"(?i)your[_-]|[_-](?:here|from|goes)[_-]|[_-]here$|example|placeholder|redacted|x{5}|<|\{")
_PIECE = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(  # also camel case, a name with a number (resnet50, text2vec), and a year
    r".{1,4}|[A-Z]?[a-z]{1,17}|[A-Z]{1,18}|(?=.{1,18}\Z)(?:[A-Z]?[a-z]{2,})+|(?=.{1,12}\Z)[A-Za-z]+[0-9]{1,4}[a-z]*"
)
_PLAIN_MESSAGE = frozenset(("role", "content", "weight"))
_LEAST_DISTINCT = 8  # characters; a row of x is a placeholder, not a key


class NoSecrets:
    """Blocks keys and passwords: a model can repeat its training rows word for word."""

    def __init__(self) -> None:
        """Start without a row."""
        self._found: dict[str, Spots] = {}

    def see(self, view: View) -> bool:
        """Look through all that is said in a row, and what stands beside it; say whether there is a secret."""
        beside = _has_more(view.raw)
        text = "\n".join([view.text, *_texts_beside(view.raw)]) if beside else view.text
        found = _secrets_in(text, text.lower() if beside else view.lower_text)
        for name in found:
            self._found.setdefault(name, Spots()).add(view.line)
        return bool(found)

    def findings(self) -> Iterator[Finding]:
        """Say which kinds of secrets stand in which lines."""
        for name, lines in sorted(self._found.items()):
            message = f"{lines_have(lines)} what looks like {name}. A trained model can repeat it to anyone."
            fix = "Replace it by a placeholder, and revoke the real one: it has been shared."
            yield block("secret", lines, message, fix)


def _has_more(raw: Mapping[str, object]) -> bool:
    """Say whether a row holds anything but messages of a role and a text."""
    if len(raw) != 1 or not isinstance(messages := raw.get("messages"), list):
        return True
    return any(item.keys() - _PLAIN_MESSAGE or not isinstance(item.get("content"), str) for item in messages)


def _texts_beside(raw: Mapping[str, object]) -> Iterator[str]:
    """Yield every text of a row as it stands in the file, keys included, but the bytes of pictures."""
    return (text for text in texts_of(raw) if not (text.startswith("data:image/") and INSIDE.match(text)))


def _secrets_in(text: str, lower: str) -> set[str]:
    names = {name for name, hint, pattern in _SECRETS if hint in text and _is_real(name, pattern, text)}
    if not names and any(hint in lower for hint in _ASSIGNED_HINTS):
        values = (match["value"] for match in _ASSIGNED.finditer(text))
        if any(any(sign.isdigit() for sign in value) and len(set(value)) >= _LEAST_DISTINCT for value in values):
            names.add("an access key")
    if password_in(text, lower):
        names.add("a password")
    if "$" in text and _HASHED.search(text):
        names.add("a hashed password")
    return names


def _is_real(name: str, pattern: re.Pattern[str], text: str) -> bool:
    found = (match[0] for match in pattern.finditer(text))
    real = (secret for secret in found if len(set(secret)) >= _LEAST_DISTINCT and not _SAMPLE.search(secret))
    return any(name not in _FREE_FORM or _is_random(secret) for secret in real)


def _is_random(secret: str) -> bool:
    """Tell a key from words joined by dashes, such as a style's or a package's name, and from a blank to fill in.

    >>> _is_random("sk-learn-based-classification-pipeline"), _is_random("sk-proj-9fT2mQx7LrB4vKd8sHz1wNc6")
    (False, True)
    """
    return not _BLANK.search(secret) and not all(_WORD.fullmatch(piece) for piece in _PIECE.findall(secret))


def secrets_in(text: str) -> set[str]:
    """Return which kinds of secrets stand in a text, in words; never the secrets themselves."""
    return _secrets_in(text, text.lower())
