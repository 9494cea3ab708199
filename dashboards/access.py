"""Who may see the pages when other machines reach them: whoever shows the token, or signs in.

A token is typed once into a form and kept as a cookie that is derived from it, so that the token
itself is neither in an address nor in the browser. Signing in is Streamlit's own OpenID Connect.
"""

import hashlib
import hmac
import os
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, unquote

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.markup import heading
from dashboards.serve import READ_ONLY_VARIABLE
from dashboards.wording import clean, shortened

FORM_BYTES_MAX = 8_192
COOKIE = "retrospan_pages"
LOGIN = "/_retrospan/login"
ASKED = "retrospan_asked"
ADDRESS_CHARS_MAX = 2_000
CALLBACK = "/oauth2callback"
SIGN_IN_PATHS = (CALLBACK, "/auth/")
OPEN_PATHS = frozenset({"/_stcore/health"})
SIGN_IN_VARIABLE = "RETROSPAN_SIGN_IN"
NAME_CHARS_MAX = 80
POLICY_VIOLATION = 1008  # close code of a websocket, RFC 6455

_FORM = """<!doctype html><html lang="en"><meta charset="utf-8"><title>retrospan</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;
color-scheme:light dark}}input,button{{font:inherit;padding:.4rem;width:100%;margin:.3rem 0;
box-sizing:border-box}}</style>
<h1>retrospan</h1><p>{told}</p><form method="post" action="{login}">
<input type="hidden" name="next" value="{target}">
<label>Token <input type="password" name="token" autocomplete="current-password" autofocus></label>
<button>Open the pages</button></form></html>"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
}


class TokenGate:
    """Lets requests and websockets through that bear the token or the cookie it was traded for."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token.encode()
        self.cookie = hmac.new(self.token, b"retrospan pages", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] in ("http", "websocket")
        if not asked or scope["path"] in OPEN_PATHS or self._known(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(shown.strip()):
            return True
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return False
        held = jar[COOKIE].value if COOKIE in jar else ""
        return hmac.compare_digest(held.encode(), self.cookie.encode())

    def _is_token(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), self.token)

    async def _answer(self, request: Request) -> Response:
        if request.url.path != LOGIN or request.method != "POST":
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return _form("The pages of this store ask for a token.", target, 401)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES_MAX:
                return _form("That was too long for a token.", "/", 413)
        fields = parse_qs(body.decode("utf-8", "replace"))
        target = local_target((fields.get("next") or ["/"])[0])
        if not self._is_token((fields.get("token") or [""])[0].strip()):
            return _form("That was not the token.", target, 401)
        answer = RedirectResponse(target, status_code=303)
        answer.set_cookie(
            COOKIE, self.cookie, httponly=True, samesite="strict", path="/",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer


class ReturnGate:
    """Brings whoever signed in back to the page that was asked for; Streamlit opens the first.

    The page last opened is kept as a cookie, and the way back from the provider ends there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        path = str(scope["path"])
        opened = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        opened = opened and not path.startswith(SIGN_IN_PATHS) and "/_stcore/" not in path
        asked = path + (f"?{request.url.query}" if request.url.query else "")

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if opened and len(asked) <= ADDRESS_CHARS_MAX:
                    value = quote(asked, safe="/")
                    headers.append("set-cookie", f"{ASKED}={value}; Path=/; HttpOnly; SameSite=Lax")
                elif path == CALLBACK and "location" in headers:
                    back = local_target(unquote(request.cookies.get(ASKED, "/")))
                    headers["location"] = back
            await send(message)

        await self.app(scope, receive, told)


def local_target(target: str) -> str:
    """Where to go after the form: a page of ours, whatever the form was told."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if inside and target.isprintable() else "/"


def _form(told: str, target: str, status: int) -> Response:
    text = _FORM.format(
        told=escape(told), login=LOGIN, target=escape(local_target(target), quote=True)
    )
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


def may_write() -> bool:
    """Whether a page may keep what it concluded; what was recorded no page ever changes."""
    return not os.environ.get(READ_ONLY_VARIABLE)


def signed_in() -> bool:
    """Whether the page may be shown; draws the button that leads to the provider where not."""
    if not os.environ.get(SIGN_IN_VARIABLE):
        return True
    if st.user.is_logged_in:
        return True
    st.html(heading("retrospan", above="Sign in to see the pages of this store"))
    st.button("Sign in", type="primary", on_click=st.login)
    return False


def sign_out_part() -> None:
    """Who is signed in, and the way out; nothing where nobody signs in."""
    if not os.environ.get(SIGN_IN_VARIABLE):
        return
    name = st.user.get("email") or st.user.get("name") or st.user.get("sub") or "unnamed"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Signed in as {shortened(clean(str(name)), NAME_CHARS_MAX)}")
        st.button("Sign out", type="tertiary", on_click=st.logout)
