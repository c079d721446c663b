"""When an account holds back, for how long, and when its key is no good."""

import pytest

from custom_components.amps_ai.account.limits import Limits
from custom_components.amps_ai.api import (
    AmpsConnectionError,
    AmpsError,
    AmpsInvalidKeyError,
    AmpsOverloadedError,
    AmpsServerError,
)

A, B, C = "battery", "vehicle", "hvac"


class _Time:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> _Time:
    """Let time stand still."""
    clock = _Time()
    monkeypatch.setattr("custom_components.amps_ai.api.clock.monotonic", clock)
    return clock


@pytest.fixture
def limits(time: _Time) -> Limits:
    """Return the limits of an account that nothing was asked of."""
    return Limits()


# Both are asked again and again, which type checkers take for one answer.


def _is_open(limits: Limits) -> bool:
    return limits.is_open


def _is_refused(limits: Limits) -> bool:
    return limits.key_refused


def _bare(code: str | None = None, wait: float | None = None) -> AmpsError:
    """Return a refusal that could mean the key as well."""
    return AmpsOverloadedError("no", status=401, code=code, retry_after=wait)


def _too_many(wait: float | None = None) -> AmpsError:
    return AmpsOverloadedError("no", status=429, retry_after=wait)


def _rounds(limits: Limits, time: _Time, number: int, seconds: float) -> None:
    """Let one be refused so many times, so many seconds apart."""
    for _ in range(number):
        limits.refused(_bare(wait=seconds), A)
        time.now += seconds


def test_at_first(limits: Limits, time: _Time) -> None:
    assert _is_open(limits)
    assert not _is_refused(limits)
    assert limits.remaining == limits.wait(A) == 0
    assert limits.overloaded_at is None
    assert limits.as_dict() == {
        "holds_back_for": 0,
        "next_wait": 60,
        "bare_refusals": 0,
        "doubted_for": None,
        "key_refused_by": [],
    }


def test_waits_double_up_to_a_quarter_of_an_hour(limits: Limits, time: _Time) -> None:
    for wait in (60, 120, 240, 480, 900, 900):
        limits.refused(_too_many(), A)
        assert limits.overloaded_at == time.now
        assert limits.remaining == limits.wait(A) == wait
        time.now += wait - 1
        assert limits.remaining == 1
        # What went out before is refused as well, and changes nothing.
        limits.refused(_too_many(), B)
        assert limits.remaining == 1
        time.now += 1
        assert limits.remaining == 0
    limits.answered(A, time.now + 1)
    limits.refused(_too_many(), A)
    assert limits.remaining == 60


def test_wait_that_the_api_tells(limits: Limits, time: _Time) -> None:
    """The longest one counts, and the next that is not told is the first."""
    limits.refused(_too_many(30), A)
    assert limits.remaining == 30
    limits.refused(_too_many(20), B)
    assert limits.remaining == 30
    limits.refused(_too_many(300), B)
    assert limits.remaining == 300
    time.now += 300
    limits.refused(_too_many(), A)
    assert limits.remaining == 60


@pytest.mark.parametrize(
    ("err", "wait"),
    [
        (AmpsServerError("no", status=503, retry_after=45), 45),
        (AmpsServerError("no", status=503, retry_after=0), 0),
        (AmpsServerError("no", status=503), 0),
        (AmpsConnectionError("no"), 0),
        # A proxy may say so; it is not the account's.
        (AmpsError("no", status=400, retry_after=45), 0),
    ],
    ids=["busy", "busy-now", "trouble", "unreachable", "other"],
)
def test_who_makes_an_account_hold_back(
    limits: Limits, err: AmpsError, wait: float
) -> None:
    limits.refused(err, A)
    assert limits.remaining == wait
    assert limits.is_open is (wait == 0)
    assert not _is_refused(limits)


def test_open_again_with_the_next_answer(limits: Limits, time: _Time) -> None:
    """Not with the end of the wait, nor with an answer to what was asked before."""
    asked = time.now
    time.now += 1
    limits.refused(_too_many(), A)
    time.now += 60
    assert limits.remaining == 0
    assert not _is_open(limits)
    limits.answered(A, asked)
    assert not _is_open(limits)
    # At the very moment counts as before.
    limits.answered(A, asked + 1)
    assert not _is_open(limits)
    limits.answered(A, time.now)
    assert _is_open(limits)


def test_answer_ends_the_wait(limits: Limits, time: _Time) -> None:
    limits.refused(_too_many(300), A)
    time.now += 1
    assert not limits.answered(B, time.now)
    assert limits.remaining == 0
    assert _is_open(limits)


def test_key_that_is_refused(limits: Limits, time: _Time) -> None:
    """Those who poll tell so, each for itself; others cannot."""
    limits.refused(AmpsInvalidKeyError("no"))
    assert _is_open(limits)
    limits.refused(AmpsInvalidKeyError("no"), B)
    limits.refused(AmpsInvalidKeyError("no"), A)
    assert _is_refused(limits)
    assert not _is_open(limits)
    assert limits.remaining == limits.wait(A) == 0
    assert limits.as_dict()["key_refused_by"] == [A, B]
    assert not limits.answered(A, time.now)
    assert _is_refused(limits)
    assert limits.answered(B, time.now)
    assert not _is_refused(limits)
    assert _is_open(limits)
    assert not limits.answered(B, time.now)


def test_bare_refusals_are_proven_by_one_who_asks_alone(
    limits: Limits, time: _Time
) -> None:
    """After five rounds over ten minutes, the first to ask does so alone."""
    _rounds(limits, time, 5, 120)
    assert limits.as_dict() == {
        "holds_back_for": 0,
        "next_wait": 60,
        "bare_refusals": 5,
        "doubted_for": 600,
        "key_refused_by": [],
    }
    assert limits.wait(B) == 0
    assert limits.wait(A) == 60
    assert limits.wait(B) == 0
    # What another one is told, or one who does not poll, is no proof.
    limits.refused(_bare(), A)
    limits.refused(_bare())
    assert not _is_refused(limits)
    time.now += 60
    limits.refused(_bare(), B)
    assert _is_refused(limits)
    time.now += 120
    # There is nothing left to find out.
    assert limits.wait(A) == limits.wait(B) == 0


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(4, 3600), (5, 119.9)],
    ids=["too few", "too quick"],
)
def test_too_little_to_doubt_a_key(
    limits: Limits, time: _Time, number: int, seconds: float
) -> None:
    _rounds(limits, time, number, seconds)
    assert limits.wait(A) == limits.wait(B) == 0
    limits.refused(_bare(), A)
    assert not _is_refused(limits)


def test_refusals_of_one_round_count_once(limits: Limits, time: _Time) -> None:
    for asker in (A, B, A, B, A, B):
        limits.refused(_bare(wait=1000), asker)
    assert limits.as_dict()["bare_refusals"] == 1


@pytest.mark.parametrize(
    ("err", "rounds"),
    [
        (_bare(), 1),
        (_bare("UNAUTHORIZED"), 1),
        (_bare("RATE_LIMIT_EXCEEDED"), 0),
        (_too_many(), 0),
        (AmpsOverloadedError("no", status=429, code="UNAUTHORIZED"), 0),
    ],
    ids=["no code", "unauthorized", "says so", "429", "429 unauthorized"],
)
def test_what_is_a_bare_refusal(limits: Limits, err: AmpsError, rounds: int) -> None:
    limits.refused(err, A)
    assert limits.as_dict()["bare_refusals"] == rounds
    assert limits.remaining == 60


def test_answer_ends_all_doubt(limits: Limits, time: _Time) -> None:
    _rounds(limits, time, 5, 120)
    assert limits.wait(A) == 0
    limits.answered(A, time.now)
    assert limits.as_dict()["bare_refusals"] == 0
    assert limits.as_dict()["doubted_for"] is None
    # It takes as long as before, and somebody else may be the one.
    _rounds(limits, time, 4, 200)
    assert limits.wait(A) == limits.wait(B) == 0
    _rounds(limits, time, 1, 120)
    assert limits.wait(B) == 0
    assert limits.wait(A) == 60


def test_who_had_a_turn_longest_ago_is_first(limits: Limits, time: _Time) -> None:
    """One second more than the wait, and two for each of those who are before."""
    assert limits.held(60, A) == limits.held(60, B) == 61
    limits.answered(A, time.now)
    time.now += 1
    limits.answered(B, time.now)
    assert [limits.held(60, asker) for asker in (A, B, C)] == [61, 63, 61]
    time.now += 1
    # Who was refused had a turn as well; who holds back asks for no new one.
    limits.refused(_too_many(), A)
    assert [limits.held(60, asker) for asker in (A, B, C)] == [63, 61, 61]
    time.now += 1
    limits.refused(AmpsServerError("out of order", status=500), B)
    limits.refused(_too_many())
    assert [limits.held(60, asker) for asker in (A, B, C)] == [61, 63, 61]


def test_what_is_told_instead_of_asking(limits: Limits) -> None:
    """It names what the account holds back for."""
    limits.refused(_too_many())
    assert type(limits.held_back()) is AmpsOverloadedError
    limits.refused(AmpsServerError("out of order", status=503, retry_after=90))
    trouble = limits.held_back()
    assert type(trouble) is AmpsServerError
    assert trouble.status == 503
    limits.refused(_too_many())
    assert type(limits.held_back()) is AmpsOverloadedError
