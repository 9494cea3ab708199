"""Redaction of one text: what is secret in it becomes a token."""

import hmac
import re
from collections.abc import Callable, Iterable
from functools import partial

from ingest import redaction_rules as rules
from ingest.own_rules import OwnRules
from store.errors import UsageError

KEY_BYTES_MIN = 8
SHORT_CHARS = 6  # nothing shorter has a shape: the shortest mail address is a@b.co
CACHE_ENTRIES_MAX = 65_536
CACHED_CHARS_MAX = 256

# What a name says about the value under it.
EXEMPT, PLAIN, CARD, SECRET = -1, 0, 1, 2

TOKEN = re.compile(r"\[redacted:[0-9a-f]{12}\]")
_SCHEME = re.compile(r"\s*(bearer|basic|token|digest|apikey)\s+(\S.*)\Z", re.IGNORECASE | re.DOTALL)
_NOT_CARD_ENDS = ("_id", "_ns", "_ms", "_time", "_at", "_count")


class TextRedactor:
    """One key with the rules; remembers the names it met and the texts it found harmless."""

    def __init__(self, key: bytes, own: OwnRules | None = None) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise UsageError(f"the redaction key is shorter than {KEY_BYTES_MIN} bytes")
        self._key = key
        self._names: dict[str, tuple[int, str]] = {}
        self._clean: set[str] = set()
        own = own or OwnRules()
        self._own_words = frozenset(map(rules.words_of, own.names))
        self._own_ends = tuple(f"_{words}" for words in self._own_words)
        self._exempt = frozenset(map(rules.words_of, own.exempt))
        self._own_shapes = own.shapes()
        self._short = 0 if self._own_shapes else SHORT_CHARS

    @property
    def has_own_names(self) -> bool:
        """Whether a team's own names count as secret: then any word may be one."""
        return bool(self._own_words)

    @property
    def has_own_shapes(self) -> bool:
        """Whether a team's own patterns are searched: then any text may match."""
        return bool(self._own_shapes)

    def texts(self, texts: Iterable[str]) -> list[str]:
        """Each text as `text` gives it; an equal one is searched once."""
        known: dict[str, str] = {}
        found = []
        for text in texts:
            new = known.get(text)
            if new is None:
                new = known[text] = self.text(text)
            found.append(new)
        return found

    def text(self, text: str) -> str:
        """A text with every shape of a secret in it replaced."""
        if len(text) < self._short or text in self._clean:
            return text
        found = self._searched(text, named=False)
        if found != text:
            return found
        if len(text) <= CACHED_CHARS_MAX:
            if len(self._clean) >= CACHE_ENTRIES_MAX:
                self._clean.clear()
            self._clean.add(text)
        return text

    def text_under(self, rule: int, text: str) -> str:
        """A text under a name of which `rule` tells what it says."""
        if rule == PLAIN:
            return self.text(text)
        if rule == EXEMPT:
            return text
        return self.secret(text) if rule == SECRET else self._searched(text, named=True)

    def secret(self, value: str, rule: str = "name") -> str:
        """A whole secret as a token; the name of its scheme stays."""
        bare = value.strip()
        if not bare or TOKEN.fullmatch(bare):
            return value
        scheme = _SCHEME.match(bare)
        if scheme:
            return f"{scheme[1]} {self.secret(scheme[2], rule)}"
        return self.token(bare, rule)

    def token(self, secret: str, rule: str) -> str:
        """The token of a secret under this key; `rule` names what found it."""
        del rule  # for who watches
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"[redacted:{digest[:6].hex()}]"

    def rule(self, key: str) -> tuple[int, str]:
        """What a name says about its value, and the name without secrets of its own."""
        known = self._names.get(key)
        if known is not None:
            return known
        words = rules.words_of(key)
        rule = PLAIN
        if words in self._exempt:
            rule = EXEMPT
        elif words in self._own_words:
            rule = SECRET
        elif not rules.EXEMPT_NAME.match(key):
            if rules.SECRET_NAME.search(words) or (
                self._own_ends and words.endswith(self._own_ends)
            ):
                rule = SECRET
            elif rules.CARD_NAME.search(words) and not words.endswith(_NOT_CARD_ENDS):
                rule = CARD
        if len(self._names) >= CACHE_ENTRIES_MAX:
            self._names.clear()
        self._names[key] = (rule, key)  # the search below may ask for this very name
        name = self.text(key)
        found = self._names[key] = (rule, key if name == key else name)
        return found

    def _searched(self, text: str, *, named: bool) -> str:
        """Each shape is searched only where what it must contain stands."""
        low = text.lower()
        if "-----BEGIN" in text:
            text = self._sub(rules.KEY_BLOCK, text, self.secret, "private_key")
        if self._own_words or _has_name(low):
            if '"' in text or "'" in text:
                text = self._fields(text)
            if "=" in text or ":" in text:
                text = self._pairs(text)
        if "=" in text and ("?" in text or "&" in text):
            text = self._sub(rules.QUERY, text, self.secret, "query")
        text = self._credentials(text, low)
        if "@" in text or "%40" in text:
            if "://" in text:
                text = self._sub(rules.USER_INFO, text, self.secret, "user_info")
            text = self._sub(rules.MAIL, text, self._mail, "mail")
        if len(text) >= 13 and rules.CARD.search(text):
            text = self._cards(text, named)
        return self._own(text) if self._own_shapes else text

    def _own(self, text: str) -> str:
        """Own shapes are searched between the tokens that are there already."""
        for rule, shape in self._own_shapes:
            parts, at = [], 0
            for token in [*TOKEN.finditer(text), None]:
                end = token.start() if token else len(text)
                parts.append(shape.sub(partial(self._found, rule), text[at:end]))
                if token:
                    parts.append(token.group())
                    at = token.end()
            text = "".join(parts)
        return text

    def _found(self, rule: str, match: re.Match[str]) -> str:
        return self.token(match.group(), rule)

    def _credentials(self, text: str, low: str) -> str:
        if "bearer" in low:
            text = self._sub(rules.BEARER, text, self.secret, "bearer")
        if "basic" in low:
            text = self._sub(rules.BASIC, text, self.secret, "basic")
        if "eyJ" in text:
            text = self._sub(rules.JWT, text, self.token, "jwt")
        if any(hint in text for hint in rules.VENDOR_HINTS):
            text = self._sub(rules.VENDOR, text, self.token, "vendor")
        return text

    @staticmethod
    def _sub(shape: re.Pattern[str], text: str, token: Callable[[str, str], str], rule: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            whole, start = match.group(), match.start()
            made = token(match[1], rule)
            return whole[: match.start(1) - start] + made + whole[match.end(1) - start :]

        return shape.sub(replaced, text)

    def _mail(self, address: str, rule: str) -> str:
        return self.token(address.replace("%40", "@").lower(), rule)

    def _cards(self, text: str, named: bool) -> str:
        def replaced(match: re.Match[str]) -> str:
            before = text[max(0, match.start() - rules.CARD_CONTEXT_CHARS) : match.start()]
            if not rules.is_card(match.group(), before, named=named):
                return match.group()
            return self.token(match.group().replace(" ", "").replace("-", ""), "card")

        return rules.CARD.sub(replaced, text)

    def _fields(self, text: str) -> str:
        """Values of secret fields of a body, which stays the JSON it was."""
        parts: list[str] = []
        at = 0
        for match in rules.FIELD.finditer(text):
            if match.start() < at or self.rule(match[1])[0] != SECRET:
                continue
            value = rules.FIELD_TEXT.match(text, match.end())
            if value is not None:
                new = value[1] + self.secret(value[2])
            else:
                value = rules.FIELD_NUMBER.match(text, match.end())
                if value is None:
                    continue
                new = match[2] + self.token(value.group(), "name") + match[2]
            parts += (text[at : match.end()], new)
            at = value.end()
        return "".join((*parts, text[at:])) if parts else text

    def _pairs(self, text: str) -> str:
        """Values behind `name=` or `name:` when the name is a secret's."""
        parts: list[str] = []
        at = 0
        for match in rules.PAIR.finditer(text):
            if match.start() < at or self.rule(match[1])[0] != SECRET:
                continue
            line = match[2] != "="
            if line and not rules.LINE_NAME.search(rules.words_of(match[1])):
                continue
            shape = rules.LINE_VALUE if line else rules.PAIR_VALUE
            value = shape.match(text, match.end())
            if value is None or "[redacted:" in text[value.start() : value.end() + 12]:
                continue
            bare = value.group().rstrip()
            parts += (text[at : match.end()], self.secret(bare))
            at = match.end() + len(bare)
        return "".join((*parts, text[at:])) if parts else text


def _has_name(low: str) -> bool:
    for hint in rules.NAME_HINTS:  # a loop, because this is asked of every text
        if hint in low:
            return True
    return any(hint in low for hint in rules.NAME_HINTS_RARE)
