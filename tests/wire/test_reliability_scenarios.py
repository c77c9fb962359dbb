"""The scenarios of benchmarks/reliability: mailsend says nothing wrong, and the judge would see."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from attrs import frozen

from benchmarks.reliability.__main__ import main
from benchmarks.reliability.clients import Mailsend, Said, Verdict
from benchmarks.reliability.judge import Result, limit
from benchmarks.reliability.run import play, play_all
from benchmarks.reliability.scenario import BOB, SECRET, USER, Course, Scenario
from benchmarks.reliability.scenarios import BY_ID, SCENARIOS
from benchmarks.reliability.table import COUNTS
from mailsend import Envelope, Password, Timeouts, open_transport
from mailsend.testing import SmtpServer

# All in one process, which plays each scenario once.
pytestmark = pytest.mark.xdist_group("scenarios")


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[str, Result]:
    """Of those scenarios whose tests were chosen: those that only wait do so together."""
    chosen = {
        item.callspec.params.get("scenario")
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    return {r.scenario: r for r in play_all(Mailsend(), [BY_ID[i] for i in BY_ID if i in chosen])}


@pytest.mark.parametrize("scenario", BY_ID)
def test_mailsend_says_nothing_wrong(results: dict[str, Result], scenario: str) -> None:
    result = results[scenario]
    assert result.judgement.faults == (), result
    assert set(result.said) == set(BY_ID[scenario].recipients)


def test_there_are_as_many_scenarios_as_are_spoken_of() -> None:
    assert len(SCENARIOS) >= 200
    assert {s.security.value for s in SCENARIOS} == {
        "insecure_plaintext", "starttls", "implicit_tls",
    }  # fmt: skip
    assert {s.course for s in SCENARIOS} == set(Course)


# The judge, held against clients that lie or misbehave.


@frozen
class Liar:
    """Delivers like mailsend, and then says the same of every recipient."""

    says: Said
    raises: Exception | None = None
    name: str = "liar"
    version: str = "0"
    family: type[Exception] = ValueError

    def plays(self, scenario: Scenario) -> bool:
        return bool(scenario.id)

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        Mailsend().submit(server, scenario, budget)
        said = dict.fromkeys(scenario.recipients, self.says)
        return Verdict(scenario, said, [self.raises] if self.raises else [])


@pytest.mark.parametrize(
    ("says", "scenario", "faults"),
    [
        (Said.ACCEPTED, "well:whole-starttls", ()),
        (Said.ACCEPTED, "final:close", ()),
        (Said.ACCEPTED, "final:close-dropped", ("wrong_ok",)),
        (Said.ACCEPTED, "mail:close", ("wrong_ok",)),
        (Said.ACCEPTED, "rcpt:550", ("wrong_ok", "hidden")),
        (Said.ACCEPTED, "final:550", ("wrong_ok", "hidden")),
        (Said.FAILED, "well:whole-starttls", ("wrong_failed",)),
        (Said.FAILED, "final:close", ("wrong_failed",)),
        (Said.NOT_SENT, "final:close", ("wrong_failed",)),
        (Said.REFUSED, "rcpt:550", ("wrong_failed",)),  # the other one was accepted
        (Said.FAILED, "final:close-dropped", ()),
        (Said.FAILED, "mail:close", ()),
        (Said.FAILED, "final:550", ()),
        (Said.UNCERTAIN, "final:close", ()),
        (Said.UNCERTAIN, "final:close-dropped", ()),
        (Said.UNCERTAIN, "final:550", ("doubted",)),
        (Said.UNCERTAIN, "mail:close", ("doubted",)),
        (Said.UNCERTAIN, "well:whole-starttls", ("doubted",)),
    ],
)
def test_the_judge_sees_a_lie(says: Said, scenario: str, faults: tuple[str, ...]) -> None:
    assert play(Liar(says), BY_ID[scenario]).judgement.faults == faults


def test_the_judge_sees_exceptions_of_another_family() -> None:
    of_its_own = play(Liar(Said.FAILED, ValueError("no")), BY_ID["mail:close"])
    foreign = play(Liar(Said.FAILED, OSError("no")), BY_ID["mail:close"])
    assert of_its_own.judgement.faults == ()
    assert foreign.judgement.faults == ("foreign",)
    assert foreign.raised == ("OSError",)


class Careless(Liar):
    """Sends without TLS, twice, after a second login."""

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        profile = server.profile(
            host=server.host,
            security="insecure_plaintext",
            username=USER,
            credentials=Password(SECRET),
            allow_plaintext_credentials=True,
            timeouts=Timeouts.uniform(budget),
        )
        for message in scenario.messages * 2:
            with open_transport(profile) as transport:
                transport.send_raw(Envelope(USER, message.recipients), message.content)
        return Verdict(scenario, dict.fromkeys(scenario.recipients, Said.ACCEPTED))


def test_the_judge_sees_a_password_in_the_clear_and_a_second_delivery() -> None:
    result = play(Careless(Said.ACCEPTED), BY_ID["tls:starttls-stripped"])
    assert result.judgement.faults == ("twice", "exposed")
    assert result.taken[BOB] == 2


class Idle(Liar):
    """Does nothing for longer than is allowed, and says nothing."""

    def submit(self, server: SmtpServer, scenario: Scenario, budget: float) -> Verdict:
        with contextlib.suppress(TimeoutError):
            server.wait_until(lambda: False, limit(scenario, budget) + 0.1)
        return Verdict(scenario)


def test_the_judge_sees_that_nothing_was_delivered_and_that_it_took_long() -> None:
    result = play(Idle(Said.FAILED), BY_ID["quit:close"], 0.05)
    assert result.judgement.faults == ("undelivered", "over_budget")
    assert result.judgement.undelivered == 2


# The command.


def test_the_command_prints_and_writes_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    wanted = ["--only", "well:whole-*", "--only", "rcpt:252-one", "--only", "tls:expired-starttls"]
    assert main([*wanted, "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert all(words in printed for _, words in COUNTS.values())
    assert "rcpt:252-one" in printed
    assert "well:whole" not in printed  # where all are right, there is nothing to see
    found = json.loads(file.read_text(encoding="utf-8"))
    assert {"date", "machine", "versions", "scenarios", "rows"} <= found.keys()
    judged = {(r["client"], r["scenario"]): r["judgement"] for r in found["rows"]}
    assert judged["mailsend", "rcpt:252-one"]["wrong_failed"] == 0
    assert judged["smtplib", "rcpt:252-one"]["wrong_failed"] == 1
    assert judged["smtplib default", "tls:expired-starttls"]["exposed"] == 1
