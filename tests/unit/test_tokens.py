"""Access tokens: what they may be, and how they are got."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mailsend import (
    AccessToken,
    CachedToken,
    Cause,
    ConfigurationError,
    OAuth2,
    Retry,
    Secret,
    SmtpProfile,
    Stage,
    TokenError,
)

NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
TOKEN = "ya29.s3cret-token"
HOUR = dt.timedelta(hours=1)


def module_source() -> str:
    return TOKEN


@pytest.mark.parametrize(
    "value",
    ["", " ", "a b", "tok\n", "tök", "a\0", "\x7f", "x" * 8001, None, 7, b"bytes", ["x"]],
)
def test_what_no_token_can_be(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="access token") as caught:
        AccessToken(value)
    assert "tök" not in str(caught.value)


@pytest.mark.parametrize("value", ["x", "x" * 8000, "a-._~+/=", Secret(TOKEN)])
def test_what_a_token_may_be(value: Any) -> None:
    assert AccessToken(value).value.reveal() in {"x", "x" * 8000, "a-._~+/=", TOKEN}


@pytest.mark.parametrize("expires_at", [dt.datetime(2026, 12, 1), 1_800_000_000, "tomorrow"])  # noqa: DTZ001
def test_an_end_without_a_time_zone_is_none(expires_at: Any) -> None:
    with pytest.raises(ConfigurationError, match="expires_at has to be a datetime with a time z"):
        AccessToken(TOKEN, expires_at)


def test_a_token_does_not_show() -> None:
    token = AccessToken(TOKEN, NOW)
    for shown in (repr(token), str(token), f"{token}", repr(attrs.asdict(token)), repr([token])):
        assert TOKEN not in shown
    assert copy.deepcopy(token) == token
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(token)


@pytest.mark.parametrize(
    ("expires_at", "good"), [(None, True), (NOW, False), (NOW + HOUR, True), (NOW - HOUR, False)]
)
def test_until_when_it_is_good(expires_at: dt.datetime | None, good: bool) -> None:
    assert AccessToken(TOKEN, expires_at).is_good_until(NOW) is good


# -- OAuth2


class Refusing:
    """A source that is told what was refused."""

    def __init__(self) -> None:
        self.told: list[AccessToken | None] = []

    def __call__(self, *, refused: AccessToken | None = None) -> AccessToken:
        self.told.append(refused)
        return AccessToken(f"token{len(self.told)}")


def any_keyword(**told: Any) -> str:
    return "told" if "refused" in told else "not told"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (module_source, TOKEN),
        (lambda: AccessToken(TOKEN), TOKEN),
        (functools.partial(str, TOKEN), TOKEN),
        (any_keyword, "told"),
        (Refusing(), "token1"),
    ],
)
def test_sources_of_every_kind(source: Callable[[], str], value: str) -> None:
    assert OAuth2(token=source).look_up(5).value.reveal() == value


def test_a_source_may_be_told_which_token_was_refused() -> None:
    source = Refusing()
    oauth = OAuth2(token=source)
    first = oauth.look_up(5)
    oauth.look_up(5, refused=first)
    assert source.told == [None, first]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned NoneType"),
        (b"token", "returned bytes"),
        ({"access_token": "s3cret"}, "returned dict"),
        ("", "gave no usable access token: the access token is empty"),
        ("s3cret token", "gave no usable access token: the access token has a space"),
        ("s3cret\n", "control character"),
    ],
)
def test_nonsense_from_a_source(returned: Any, words: str) -> None:
    with pytest.raises(TokenError, match=words) as caught:
        OAuth2(token=lambda: returned).look_up(5)
    assert "s3cret" not in str(caught.value)
    assert caught.value.stage is Stage.AUTH
    assert caught.value.retry is Retry.NEVER
    assert caught.value.cause is Cause.TOKEN_UNAVAILABLE


def test_a_source_that_raises() -> None:
    def broken() -> str:
        raise OSError("no network")

    with pytest.raises(TokenError, match=r"broken raised OSError") as caught:
        OAuth2(token=broken).look_up(5)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.retry is Retry.MINUTES
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert isinstance(again.__cause__, OSError)


def test_errors_of_ours_pass_as_they_are() -> None:
    mine = TokenError("sign in again", retry=Retry.NEVER)

    def source() -> str:
        raise mine

    with pytest.raises(TokenError) as caught:
        OAuth2(token=source).look_up(5)
    assert caught.value is mine


def test_a_source_that_blocks_is_not_waited_for() -> None:
    release = threading.Event()
    with pytest.raises(TokenError, match=r"gave no access token within 0\.05 seconds") as caught:
        OAuth2(token=lambda: str(release.wait(30))).look_up(0.05)
    release.set()
    assert caught.value.retryable


@pytest.mark.parametrize("source", ["token", None, 7, AccessToken(TOKEN)])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(ConfigurationError, match="something to call for a token") as caught:
        OAuth2(token=source)
    assert TOKEN not in str(caught.value)


def test_references(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("ACCESS_TOKEN", TOKEN)
    for oauth in (
        OAuth2.from_env("ACCESS_TOKEN"),
        OAuth2.from_file(file),
        OAuth2.from_command(["cat", str(file)]),
    ):
        assert oauth.look_up(5).value.reveal() == TOKEN
        assert pickle.loads(pickle.dumps(oauth)) == oauth
        assert copy.deepcopy(oauth) is oauth
    with pytest.raises(ConfigurationError, match=r"NO_TOKEN, which holds the access token, is not"):
        OAuth2.from_env("NO_TOKEN").look_up(5)


def test_nothing_of_a_source_shows_but_its_name() -> None:
    partial = functools.partial(lambda secret: secret, "s3cret")
    profile = SmtpProfile(host="h.example", username="ada", credentials=OAuth2(token=partial))
    for shown in (repr(OAuth2(token=partial)), repr(profile), repr(attrs.asdict(profile))):
        assert "s3cret" not in shown
    assert "module_source" in repr(OAuth2(token=module_source))
    assert OAuth2(token=module_source) == OAuth2(token=module_source)
    assert hash(OAuth2(token=module_source)) == hash(OAuth2(token=module_source))
    assert OAuth2(token=module_source) != OAuth2(token=any_keyword)
    assert pickle.loads(pickle.dumps(OAuth2(token=module_source))) == OAuth2(token=module_source)


def made_anew(tenant: str, *, by: str = "lambda") -> OAuth2:
    def source(scope: str = tenant) -> str:
        return scope + tenant

    def itself() -> object:
        return itself

    ways: dict[str, Any] = {
        "lambda": lambda: source(tenant),
        "function": source,
        "partial": functools.partial(made_anew, tenant, by=by),
        "cache": CachedToken(lambda: tenant),
        "recursive": itself,
    }
    return OAuth2(token=ways[by])


class Unequal:
    def __call__(self) -> str:
        return TOKEN

    def __eq__(self, other: object) -> bool:
        raise TypeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]  # as what has __eq__ alone


@pytest.mark.parametrize("by", ["lambda", "function", "partial", "cache"])
def test_sources_made_anew_of_the_same_things_are_the_same(by: str) -> None:
    assert made_anew("one", by=by) == made_anew("one", by=by)
    assert made_anew("one", by=by) != made_anew("another", by=by)
    assert made_anew("one", by=by) != made_anew("one", by="recursive")


def test_sources_that_cannot_be_compared_are_not_the_same() -> None:
    assert made_anew("one", by="recursive") != made_anew("one", by="recursive")
    assert OAuth2(token=Unequal()) != OAuth2(token=Unequal())


# -- CachedToken


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


class Endpoint:
    """Gives a new token each time, good for an hour; or raises."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.count = 0
        self.fails: Exception | None = None

    def __call__(self) -> AccessToken:
        self.count += 1
        if self.fails is not None:
            raise self.fails
        return AccessToken(f"t{self.count}", self.clock.now + HOUR)


def made(early: float = 300.0) -> tuple[Clock, Endpoint, CachedToken]:
    clock = Clock()
    endpoint = Endpoint(clock)
    return clock, endpoint, CachedToken(endpoint, early=early, clock=clock)


def value(token: AccessToken) -> str:
    return token.value.reveal()


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    clock, endpoint, cached = made()
    assert [value(cached()) for _ in range(5)] == ["t1"] * 5
    clock.now += dt.timedelta(minutes=54, seconds=59)
    assert value(cached()) == "t1"
    clock.now += dt.timedelta(seconds=1)
    assert value(cached()) == "t2"
    assert endpoint.count == 2


def test_a_refused_token_is_replaced_once() -> None:
    _, endpoint, cached = made()
    first = cached()
    second = cached(refused=first)
    assert value(second) == "t2"
    # Somebody else was refused the same old token: there is a new one already.
    assert cached(refused=first) == second
    assert cached() == second
    assert endpoint.count == 2


def test_while_the_old_token_is_good_a_failure_does_not_matter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, endpoint, cached = made()
    cached()
    endpoint.fails = OSError("endpoint down at https://user:s3cret@idp.example")
    clock.now += dt.timedelta(minutes=56)
    assert value(cached()) == "t1"
    assert "raised OSError" in caplog.text
    assert "s3cret" not in caplog.text
    clock.now += dt.timedelta(minutes=5)
    with pytest.raises(OSError, match="endpoint down"):
        cached()
    endpoint.fails = None
    assert value(cached()) == f"t{endpoint.count}"


def test_a_refused_token_is_not_used_again_where_none_can_be_had() -> None:
    _, endpoint, cached = made()
    first = cached()
    endpoint.fails = TokenError("sign in again")
    with pytest.raises(TokenError, match="Sign in again") as caught:
        cached(refused=first)
    assert caught.value is not endpoint.fails  # a report on it would show in the next one
    assert caught.value.__cause__ is None


def test_a_source_that_only_has_the_refused_token() -> None:
    cached = CachedToken(lambda: TOKEN)
    first = cached()
    assert cached(refused=first) == first  # whoever asked sees that it is the same


def test_threads_fetch_once_and_share_what_it_got() -> None:
    begun, go_on = threading.Event(), threading.Event()
    count = 0

    def fetch() -> str:
        nonlocal count
        count += 1
        begun.set()
        assert go_on.wait(30)
        return f"t{count}"

    cached = CachedToken(fetch)
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(value(cached()))) for _ in range(8)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert got == ["t1"] * 8


def test_nobody_waits_for_a_new_token_while_the_old_one_is_good() -> None:
    clock, endpoint, _ = made()
    begun, go_on = threading.Event(), threading.Event()

    def fetch() -> AccessToken:
        if endpoint.count:
            begun.set()
            assert go_on.wait(30)
        return endpoint()

    cached = CachedToken(fetch, clock=clock)
    cached()
    clock.now += dt.timedelta(minutes=56)
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.append(value(cached())))
    thread.start()
    assert begun.wait(30)
    other = threading.Thread(target=lambda: got.append(value(cached())), daemon=True)
    other.start()
    other.join(10)
    assert got == ["t1"]
    go_on.set()
    thread.join(30)
    assert got == ["t1", "t2"]
    assert value(cached()) == "t2"
    assert endpoint.count == 2


@pytest.mark.parametrize("early", ["5", None, True, -1, float("nan"), float("inf"), 1e300])
def test_how_early_has_to_be_a_number(early: Any) -> None:
    with pytest.raises(ConfigurationError, match="early has to be a number of seconds"):
        CachedToken(lambda: TOKEN, early=early)


def test_threads_share_a_failure_too() -> None:
    waiting = threading.Semaphore(0)
    begun, go_on = threading.Event(), threading.Event()
    count = 0

    def fetch() -> str:
        nonlocal count
        count += 1
        begun.set()
        assert go_on.wait(30)
        raise TokenError("no network")

    cached = CachedToken(fetch)
    errors: list[BaseException] = []

    def ask() -> None:
        waiting.release()
        try:
            cached()
        except TokenError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=30)
    # Those three are about to wait for the lock; nothing tells from outside that they do.
    deadline = time.monotonic() + 30
    while cached._lock.locked() and time.monotonic() < deadline and not go_on.is_set():
        go_on.set()
    for thread in threads:
        thread.join(30)
    assert len({id(error) for error in errors}) == len(errors) == 4
    assert count <= 4


@pytest.mark.parametrize("fetch", [None, "token", 7])
def test_something_has_to_be_callable(fetch: Any) -> None:
    with pytest.raises(ConfigurationError, match="fetch has to be callable"):
        CachedToken(fetch)


def test_nonsense_from_fetch() -> None:
    with pytest.raises(TokenError, match="returned NoneType"):
        CachedToken(lambda: None)()  # type: ignore[arg-type,return-value]  # that is the question
