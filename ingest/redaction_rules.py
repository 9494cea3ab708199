"""The built-in redaction rules: names of attributes whose values are secret, shapes of secrets."""

import hashlib
import re

RULES_VERSION = 2

# Ends of names, after camelCase, dots and dashes became underscores. Token counts end in `tokens`,
# ids in `_id`: neither is meant. The first part of a name must be whole: `author` is no `auth`.
SECRET_NAME_ENDS = (
    r"authorization",
    r"cookies?",
    r"password",
    r"passwd",
    r"pwd",
    r"passphrase",
    r"passcode",
    r"secrets?",
    r"credentials?",
    r"api_?keys?",
    r"(?:access|secret|private|signing|encryption|account|subscription|master)_?key",
    r"(?:access_?key|aws_access_key)_id",
    r"[a-z]{0,16}token",
    r"jwt",
    r"bearer",
    r"otp",
    r"pin_?code",
    r"cv[vc]2?",
    r"security_code",
    r"ssn",
)
SECRET_NAME = re.compile(rf"(?:^|_)(?:{'|'.join(SECRET_NAME_ENDS)})(?:_value|_text|_[0-9]+)?\Z")
CARD_NAME = re.compile(r"(?:^|_)(?:card|pan|cc|credit|debit|visa|mastercard|amex)(?:_|\Z)|cardn")
# Ours name ids, steps, keys of idempotence; gen_ai counts tokens.
EXEMPT_NAME = re.compile(r"(?:retrospan|gen_ai)[.]")
# Parts of a decision record whose change would break a proof, a tie or the schema.
EXEMPT_FIELD = re.compile(r"(?:schema|time|seq|trace_id|span_id|\w*sha256)\Z")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")

# One of these stands in every secret name: a text without any is not searched for names.
NAME_HINTS = ("auth", "cook", "pass", "pwd", "secr", "cred", "key", "tok", "jwt", "cv", "ssn")
NAME_HINTS_RARE = ("bearer", "otp", "pin", "security")
# `name=value`, `name: value` in any text; the name decides.
PAIR = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,63}+)(=|\s{0,2}+:\s{0,4}+)(?![\s\[])")
PAIR_VALUE = re.compile(r"(?:[^&\s\"'<>#;,\\]+)")
LINE_VALUE = re.compile(r"[^\r\n\"',}{\]\[\\]+")
# In prose `token: …` is rarely a token, `password: …` mostly a password.
LINE_NAME = re.compile(r"(?:authorization|cookies?|password|passwd|passphrase|api_?key|secret)\Z")
# A JSON or Python field, also inside a string of another, also OTLP's and HAR's pairs of name and
# value: the name in its quotes, then what leads to the value.
FIELD = re.compile(
    r"""["']([\w.-]{2,80})(\\*["'])\s*(?::|,\s*\\*["']value\\*["']\s*:)\s*"""
    r"""(?:\{\s*\\*["']\w+\\*["']\s*:\s*)?\[?\s*"""
)
FIELD_TEXT = re.compile(r"""(\\*["'])((?:(?!\1)\\?.)*)""", re.DOTALL)
FIELD_NUMBER = re.compile(r"-?\d[\d.]*")
QUERY = re.compile(
    r"[?&;](?:key|sig|signature|code|auth|x-amz-signature|x-amz-credential|x-goog-signature"
    r"|awsaccesskeyid)=([^&\s\"'<>#;,\\]+)",
    re.IGNORECASE,
)
KEY_BLOCK = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}KEY-----|\Z))", re.DOTALL
)
BEARER = re.compile(
    r"\b[Bb][Ee][Aa][Rr][Ee][Rr]\s+((?=[\w.~+/=-]*[\d=])[\w.~+/=-]{8,}|[\w.~+/=-]{20,})"
)
BASIC = re.compile(r"\b[Bb][Aa][Ss][Ii][Cc]\s+((?=[\w+/]*(?:[\d=]|[a-z][A-Z]))[\w+/]{8,}={0,2})")
JWT = re.compile(r"(eyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)+)")
VENDOR_HINTS = ("AKIA", "ASIA", "gh", "xox", "sk-", "sk_", "AIza")
VENDOR = re.compile(
    r"\b((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[\w-]{10,}"
    r"|sk[-_](?:live_|test_|proj-|ant-)?[A-Za-z0-9_-]{20,}|AIza[\w-]{35})(?![A-Za-z0-9])"
)
USER_INFO = re.compile(r"://([^/\s:@\"']{0,256}:[^/\s@\"']{1,256})@")
MAIL = re.compile(
    r"(?<![\w.+-])([\w.+-]{1,64}(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])"
)
CARD = re.compile(r"(?<![\w.:-])(\d(?:[ -]?\d){12,18})(?![\w-])")
CARD_CONTEXT = re.compile(r"card|\bpan\b|visa|mastercard|amex|credit|debit", re.IGNORECASE)
CARD_CONTEXT_CHARS = 32
_CARD_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}\Z|\d{4}([ -])\d{6}\2\d{5}\Z")
_CARD_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})\Z|5[1-5]\d{14}\Z|2[2-7]\d{14}\Z|3[47]\d{13}\Z"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12,15}\Z|3(?:0[0-5]|[68]\d)\d{11,16}\Z|35\d{14}\Z|62\d{14,17}\Z"
)


def words_of(name: str) -> str:
    """A name with its words apart: `X-Api-Key`, `xApiKey` and `x.api.key` are `x_api_key`."""
    return _OTHER.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


def is_card(text: str, before: str, *, named: bool) -> bool:
    """Whether digits are a payment card: Luhn, an issuer's prefix, and a place where one stands.

    One in ten ids and times passes Luhn, so bare digits count only where a card is spoken of.
    """
    digits = text.replace(" ", "").replace("-", "")
    if not _CARD_ISSUER.match(digits) or not _luhn(digits):
        return False
    grouped = _CARD_GROUPS.match(text) is not None
    return grouped or named or CARD_CONTEXT.search(before[-CARD_CONTEXT_CHARS:]) is not None


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def rules_digest() -> str:
    """SHA-256 of the rules in force, for the ledger: other rules make another load."""
    rules = [value for _, value in sorted(globals().items()) if isinstance(value, re.Pattern)]
    parts = [str(RULES_VERSION), *(f"{rule.pattern}/{rule.flags}" for rule in rules)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
