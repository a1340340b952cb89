"""Which video is an uncertain submit's: the table of what a list may show, and what no list may ever make us do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import escape
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import NotSent, OutcomeUnknown, ProviderError, Untrusted
from pipeline.policy.verdict import Backoff, Stop
from pipeline.providers.base import Observation, Problem, Refusal, Status, Submission
from pipeline.settling.fit import Doubt
from pipeline.settling.match import Absent, Adopt, Ambiguous, Finding, settle
from pipeline.settling.reading import MARGIN_S, Owned, Reading, margin_of, reaches, unshown
from pipeline.settling.replay import KEY_MARGIN_S, TRIES, Turn, after_replay, may_replay
from pipeline.transport.carry import SUBMIT_S

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY_S = 86_400.0
LONG = "a tug & a ferry leave the café of the harbour at dawn, 35 mm film, slow pan to the left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    prompt: str = LONG
    model: str = "sora-2"
    seconds: int | float = 8
    size: str = "1280x720"
    params: Mapping[str, object] = field(default_factory=dict)
    source: str = ""
    link: str = ""
    reference: Mapping[str, object] = field(default_factory=dict)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def doubt(key: str = "a", began: float = 0.0, ended: float = 10.0, whose: str = "", **asked: object) -> Doubt:
    return Doubt(key=key, wish=Asked(**asked), began_at=at(began), ended_at=at(ended), whose=whose)  # type: ignore[arg-type]


def row(video_id: str = "v", created: float | None = 5.0, **told: object) -> Observation:
    echo: dict[str, object] = {"prompt": LONG, "model": "sora-2", "seconds": 8.0, "size": "1280x720", **told}
    created_at = None if created is None else at(created)
    return Observation(video_id=video_id, status=Status.RUNNING, word="queued", created_at=created_at, **echo)  # type: ignore[arg-type]


def own(began: float = 0.0, ended: float = 10.0, **asked: object) -> Owned:
    return Owned(wish=Asked(**asked), began_at=at(began), ended_at=at(ended))  # type: ignore[arg-type]


def read(*rows: Observation, offset_s: float | None = 0.0, began: float = 1000.0) -> Reading:
    return Reading(rows=rows, began_at=at(began), offset_s=offset_s)


def found(*doubts: Doubt, reading: Reading, owned: Mapping[str, Owned] | None = None, **more: object) -> dict[str, str]:
    """By key: a video id, `absent`, or `?` with the reason."""
    findings = settle(doubts, reading, owned=owned or {}, retention_s=DAY_S, **more)  # type: ignore[arg-type]
    return {key: words(finding) for key, finding in findings.items()}


def words(finding: Finding) -> str:
    match finding:
        case Adopt(video_id=video_id):
            return video_id
        case Absent():
            return "absent"
        case Ambiguous(reason=reason):
            return f"? {reason}"


ONE_ROW: dict[str, tuple[Observation, str]] = {
    "the very one": (row(), "v"),
    "no prompt": (row(prompt=None), "v"),
    "nothing but an id": (row(created=None, prompt=None, model=None, seconds=None, size=None), "v"),
    "no time": (row(created=None), "v"),
    "two minutes early": (row(created=-119.0), "v"),
    "two minutes late": (row(created=129.0), "v"),
    "too early": (row(created=-121.0, prompt=None), "?"),
    "too late": (row(created=131.0, prompt=None), "?"),
    "too early, another prompt": (row(created=-121.0, prompt="a heron"), "absent"),
    "too late, another prompt": (row(created=131.0, prompt="a heron"), "absent"),
    "too early, no prompt, another length": (row(created=-121.0, prompt=None, seconds=4.0), "absent"),
    "too late, our prompt cut short": (row(created=131.0, prompt=LONG[:50] + "…"), "?"),
    "too early, our prompt": (row(created=-121.0), "?"),
    "too late, our prompt": (row(created=131.0), "?"),
    "blanks folded": (row(prompt=f" {LONG.replace(', ', ',  ')}\n"), "v"),
    "cut short": (row(prompt=LONG[:50] + "…"), "v"),
    "escaped": (row(prompt=escape(LONG)), "v"),
    "taken apart": (row(prompt=normalize("NFD", LONG)), "v"),
    "cut too short to tell": (row(prompt=LONG[:20]), "?"),
    "another prompt": (row(prompt="a heron"), "?"),
    "no prompt, another length": (row(prompt=None, seconds=4.0), "?"),
    "no prompt, another model": (row(prompt=None, model="sora-2-2025-12-08"), "?"),
    "another prompt and length": (row(prompt="a heron", seconds=4.0), "?"),
    "our prompt, another model": (row(model="sora-2-pro"), "?"),
    "our prompt, another length": (row(seconds=8.04), "?"),
    "our prompt, another size": (row(size="720x1280"), "?"),
}


@pytest.mark.parametrize("name", ONE_ROW)
def test_one_submit_and_one_row(name: str) -> None:
    """Beside a video of ours, which the list repeats faithfully."""
    shown, expected = ONE_ROW[name]
    said = found(doubt(), reading=read(shown, row("mine", prompt="a gull")), owned={"mine": own(prompt="a gull")})
    assert said["a"].split()[0] == expected


@pytest.mark.parametrize("name", [name for name, (_, expected) in ONE_ROW.items() if expected == "absent"])
def test_where_no_video_of_ours_shows_how_the_list_repeats_a_wish_another_one_is_no_proof(name: str) -> None:
    shown, _ = ONE_ROW[name]
    assert found(doubt(), reading=read(shown))["a"].startswith("? v may be it")
    assert found(doubt(), doubt("b", prompt="a heron"), reading=read(row(prompt="a heron")))["a"] == "absent"


@pytest.mark.parametrize("passing", [True, False])
def test_a_row_of_its_time_may_be_of_a_submit_that_is_under_way_and_that_is_waited_for(passing: bool) -> None:
    """Its prompt is another's: what is echoed may be wrong of both."""
    rival = replace(doubt("x", ended=20.0, prompt="a gull", whose="another"), passing=passing)
    finding = settle([doubt()], read(row(prompt="a heron")), owned={}, rivals=[rival], retention_s=DAY_S)["a"]
    assert isinstance(finding, Ambiguous)
    assert finding.passing is passing


def test_a_row_that_repeats_another_submits_prompt_is_not_ours_unless_that_is_the_beginning_of_ours() -> None:
    rivals = [doubt("x", prompt="a tug", whose="another"), doubt("y", prompt="a heron", whose="another")]
    assert found(doubt(), reading=read(row(prompt="a heron")), rivals=rivals) == {"a": "absent"}
    assert found(doubt(), reading=read(row(prompt="a tug")), rivals=rivals)["a"].startswith("? v")


def test_a_list_that_does_not_show_all_it_should_proves_no_absence_and_still_what_it_shows() -> None:
    said = found(doubt(), doubt("b", prompt="a heron"), reading=read(row()), forgetful="w is not shown")
    assert said == {"a": "v", "b": "? w is not shown"}


def test_a_video_of_ours_is_nobody_elses() -> None:
    assert found(doubt(), reading=read(row()), owned={"v": own()}) == {"a": "absent"}


def test_takes_share_their_videos_in_the_order_of_time() -> None:
    takes = doubt("a", 0, 10), doubt("b", 300, 310), doubt("c", 600, 610)
    assert found(*takes, reading=read(row("v2", 305), row("v1", 5))) == {"a": "v1", "b": "v2", "c": "absent"}
    assert found(*takes, reading=read(row("v3", 605))) == {"a": "absent", "b": "absent", "c": "v3"}


def test_each_row_goes_to_the_take_that_could_not_wait() -> None:
    """Had the first row gone to the take that may have the second as well, that one would look like a stranger's."""
    takes = doubt("long", 0, 400), doubt("short", 0, 10)
    assert found(*takes, reading=read(row("v1", 5), row("v2", 390))) == {"short": "v1", "long": "v2"}


def test_one_video_too_many_leaves_all_of_its_kind_alone_and_no_other() -> None:
    doubts = doubt("a"), doubt("b"), doubt("c", prompt="a heron")
    shown = found(*doubts, reading=read(row("v1"), row("v2"), row("v3"), row("h", prompt="a heron")))
    assert shown["c"] == "h"
    assert shown["a"] == shown["b"]
    assert "v1, v2, v3" in shown["a"]
    assert "somebody else" in shown["a"]


@pytest.mark.parametrize("told", [{"prompt": None}, {"size": None}])
def test_wishes_that_the_list_does_not_tell_apart_are_left_alone(told: dict[str, object]) -> None:
    doubts = doubt("a"), doubt("b", size="720x1280", prompt=LONG if "size" in told else "a heron")
    blank = {"prompt": None, "size": None} if "prompt" in told else told
    assert all(said.startswith("?") for said in found(*doubts, reading=read(row(**blank))).values())


def test_takes_whose_hidden_settings_differ_are_not_interchangeable() -> None:
    doubts = doubt("a", params={"seed": 1}), doubt("b", params={"seed": 2})
    assert all(said.startswith("?") for said in found(*doubts, reading=read(row("v1"), row("v2"))).values())
    assert found(*doubts, reading=read()) == {"a": "absent", "b": "absent"}


def test_a_rival_blocks_what_it_may_have_made_and_nothing_else() -> None:
    rival = doubt("x", whose="the run dunes")
    said = found(doubt("a"), doubt("b", prompt="a heron"), reading=read(row()), rivals=[rival])
    assert "of the run dunes" in said["a"]
    assert said["b"] == "absent"
    assert found(doubt("a"), reading=read(), rivals=[rival]) == {"a": "absent"}


@pytest.mark.parametrize("passing", [True, False])
def test_a_rival_that_passes_is_waited_for(passing: bool) -> None:
    rival = replace(doubt("x", whose="another"), passing=passing)
    finding = settle([doubt()], read(row()), owned={}, rivals=[rival], retention_s=DAY_S)["a"]
    assert isinstance(finding, Ambiguous)
    assert finding.passing is passing


def test_what_cannot_be_looked_into_blocks_adoption_and_not_absence() -> None:
    assert "locked" in found(doubt(), reading=read(row()), blind="a run is locked")["a"]
    assert found(doubt(), reading=read(), blind="a run is locked") == {"a": "absent"}


@pytest.mark.parametrize(("began", "expected"), [(DAY_S - 1, "absent"), (DAY_S, "?"), (-1.0, "?")])
def test_a_list_may_have_forgotten_what_is_old_and_clocks_may_be_set_back(began: float, expected: str) -> None:
    assert found(doubt(), reading=read(began=began))["a"].split()[0] == expected


@pytest.mark.parametrize("skew_s", [3600.0, -3600.0, 28_800.0])
def test_clocks_that_differ_are_allowed_for(skew_s: float) -> None:
    theirs = row(created=5 + skew_s)
    assert found(doubt(), reading=read(theirs, offset_s=skew_s)) == {"a": "v"}
    assert found(doubt(), reading=read(theirs, offset_s=0.0))["a"].startswith("?")
    mine = row("mine", created=7 + skew_s)
    assert found(doubt(), reading=read(theirs, mine, offset_s=0.0), owned={"mine": own()}) == {"a": "v"}
    assert found(doubt(), reading=read(theirs, offset_s=None)) == {"a": "v"}


@pytest.mark.parametrize(
    ("told", "blind_to"),
    [
        ({"prompt": "A tugboat departs the harbour in golden light."}, "prompt"),
        ({"model": "sora-2-2025-12-08"}, "model"),
        ({"seconds": 8.04}, "seconds"),
        ({"size": "704x1280"}, "size"),
    ],
)
def test_an_echo_that_is_wrong_about_our_own_videos_is_not_believed(told: dict[str, object], blind_to: str) -> None:
    mine, other = row("mine", **told), row("v", **{blind_to: "x" if blind_to != "seconds" else 1.5})  # type: ignore[arg-type]
    assert found(doubt(), reading=read(mine, other), owned={"mine": own()}) == {"a": "v"}


def test_how_deep_a_reading_goes_only_an_ordered_list_can_tell() -> None:
    old, new = row("old", -1000.0), row("new", 50.0)
    assert reaches(read(new, old), [old], at(0), {})
    assert not reaches(read(new, old), [new, old], at(0), {})  # its page begins with something younger
    assert not reaches(read(old, new, replace(old, video_id="o")), [old], at(0), {})
    assert not reaches(read(new, old), [old], at(0) - timedelta(seconds=900), {})
    assert not reaches(read(new, old, offset_s=3600.0), [old], at(0), {})
    assert not reaches(read(new, old, offset_s=None), [old], at(0), {})
    assert not reaches(read(new, row("x", None), old), [old], at(0), {})
    assert not reaches(read(), [], at(0), {})


def test_the_margin_is_as_wide_as_the_clocks_are_apart() -> None:
    assert margin_of(read(offset_s=-60.0), {}) == 180.0
    assert margin_of(read(row(created=40.0), offset_s=5.0), {"v": own()}) == 150.0
    assert margin_of(read(row(), offset_s=None), {}) is None


def test_a_list_is_held_to_what_is_known_to_be_there() -> None:
    assert unshown(read(row("v")), {"v", "w"}) == {"w"}


# --- for every list there may be

PROMPTS = ["a tug", "a heron", LONG]
doubts_of = st.builds(
    doubt,
    key=st.uuids().map(str),
    began=st.integers(-600, 600),
    ended=st.integers(600, 900),
    prompt=st.sampled_from(PROMPTS),
    seconds=st.sampled_from([4, 8]),
)
rows_of = st.builds(
    row,
    st.integers(0, 12).map(lambda n: f"v{n}"),
    created=st.none() | st.integers(-1200, 1200),
    prompt=st.none() | st.sampled_from(PROMPTS),
    seconds=st.sampled_from([None, 4.0, 8.0]),
    size=st.sampled_from([None, "1280x720"]),
)
shown_of = st.lists(rows_of, max_size=8, unique_by=lambda one: one.video_id)
ours_of = st.lists(doubts_of, max_size=6, unique_by=lambda one: one.key)


@given(ours_of, shown_of, st.sets(st.integers(0, 12)), ours_of, st.data())
def test_no_video_is_given_twice_none_is_taken_and_order_is_nothing(
    ours: list[Doubt], rows: list[Observation], taken: set[int], others: list[Doubt], data: st.DataObject
) -> None:
    owned = {f"v{n}": own(-1200, 1200) for n in taken}
    rivals = [replace(one, whose="another") for one in others]
    offset_s = data.draw(st.sampled_from([None, 0.0, 30.0]))
    findings = settle(ours, read(*rows, offset_s=offset_s), owned=owned, rivals=rivals, retention_s=DAY_S)
    adopted = [finding.video_id for finding in findings.values() if isinstance(finding, Adopt)]
    assert findings.keys() == {one.key for one in ours}
    assert len(adopted) == len(set(adopted))
    assert not set(adopted) & owned.keys()
    assert set(adopted) <= {one.video_id for one in rows}
    mixed = read(*data.draw(st.permutations(rows)), offset_s=offset_s)
    again = settle(
        data.draw(st.permutations(ours)),
        mixed,
        owned=owned,
        rivals=data.draw(st.permutations(rivals)),
        retention_s=DAY_S,
    )
    assert again == findings


ECHOES: list[Callable[[str], str | None]] = [
    str,
    escape,
    lambda prompt: prompt[:7],
    lambda prompt: normalize("NFD", prompt),
    lambda _: "A boat, in golden light.",
    lambda _: None,
]
"""How a list may repeat a prompt, not every row in the same way."""


@st.composite
def row_of(draw: st.DrawFn, video_id: str, one: Doubt) -> Observation:
    """What a list may say of the video that a submit made."""
    made_at = draw(st.floats(one.began_at.timestamp(), one.ended_at.timestamp()))
    faithful = row(video_id, made_at - NOON.timestamp(), prompt=one.wish.prompt, seconds=float(one.wish.seconds))
    if draw(st.booleans()):
        return faithful
    model = draw(st.sampled_from(["sora-2", "sora-2-2025-12-08"]))
    return replace(faithful, prompt=draw(st.sampled_from(ECHOES))(one.wish.prompt), model=model)


@given(ours_of, ours_of, st.data())
def test_what_was_made_is_never_absent_and_never_anothers(
    ours: list[Doubt], accepted: list[Doubt], data: st.DataObject
) -> None:
    """Each submit made its video or did not; the list shows all that were made, those that we know, and strangers."""
    made = data.draw(st.sets(st.sampled_from([one.key for one in ours]))) if ours else set()
    rows = [data.draw(row_of(f"of {one.key}", one)) for one in ours if one.key in made]
    mine = [data.draw(row_of(f"our {one.key}", one)) for one in accepted]
    owned = {f"our {one.key}": Owned(wish=one.wish, began_at=one.began_at, ended_at=one.ended_at) for one in accepted}
    strangers = data.draw(shown_of)
    wishes = {one.key: (one.wish.prompt, one.wish.seconds) for one in ours}
    findings = settle(ours, read(*rows, *mine, *strangers), owned=owned, retention_s=DAY_S)
    adopted = {finding.video_id for finding in findings.values() if isinstance(finding, Adopt)}
    for key in made:
        if isinstance(findings[key], Absent):  # its video went to a take of the same wish
            assert f"of {key}" in adopted
    for key, finding in findings.items():
        if isinstance(finding, Adopt) and finding.video_id.startswith("of "):
            assert wishes[key] == wishes[finding.video_id.removeprefix("of ")]


# --- by key

BACKOFF = Backoff(base_s=1.0, cap_s=60.0)
ACCEPTED = Submission(video_id="v", observation=row(), raw={})


def refused(problem: Problem, http: int, code: str = "", message: str = "no", retry_after: str = "") -> Refusal:
    return Refusal(problem=problem, http=http, code=code, message=message, retry_after=retry_after)


REPLAYS: list[tuple[Submission | Refusal | ProviderError, Turn, Stop]] = [
    (ACCEPTED, Turn.ADOPT, Stop.NOTHING),
    (refused(Problem.REJECTED, 400), Turn.NOT_CREATED, Stop.NOTHING),
    (refused(Problem.REJECTED, 422, "content_policy"), Turn.NOT_CREATED, Stop.NOTHING),
    (refused(Problem.REJECTED, 422, "idempotency_key_reused"), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.REJECTED, 400, message="Idempotency-Key was used before"), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.REJECTED, 404), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.NO_SUCH_MODEL, 400, "model_not_found"), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.UNKNOWN_ID, 400), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.GONE, 410), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.FAILED, 400), Turn.NEVER, Stop.NOTHING),
    (refused(Problem.TROUBLE, 409), Turn.AGAIN, Stop.NOTHING),
    (refused(Problem.TROUBLE, 500), Turn.AGAIN, Stop.NOTHING),
    (refused(Problem.TROUBLE, 200), Turn.AGAIN, Stop.NOTHING),
    (refused(Problem.THROTTLED, 429), Turn.AGAIN, Stop.NOTHING),
    (refused(Problem.BAD_KEY, 401), Turn.NEVER, Stop.RUN),
    (refused(Problem.WRONG_ADDRESS, 302), Turn.NEVER, Stop.RUN),
    (refused(Problem.NO_MONEY, 402), Turn.NEVER, Stop.SUBMITS),
    (NotSent("refused"), Turn.AGAIN, Stop.NOTHING),
    (OutcomeUnknown("reset"), Turn.AGAIN, Stop.NOTHING),
    (Untrusted("certificate"), Turn.NEVER, Stop.RUN),
]


@pytest.mark.parametrize(("outcome", "turn", "stop"), REPLAYS, ids=lambda value: str(value)[:40])
def test_what_the_answer_to_a_replay_proves(
    outcome: Submission | Refusal | ProviderError, turn: Turn, stop: Stop
) -> None:
    replayed = after_replay(outcome, 1, backoff=BACKOFF, now=NOON, spread=0.5)
    assert (replayed.turn, replayed.stop) == (turn, stop)
    last = after_replay(outcome, TRIES, backoff=BACKOFF, now=NOON, spread=0.5)
    assert last.turn is (Turn.NEVER if turn is Turn.AGAIN else turn)


def test_a_throttled_replay_waits_as_long_as_asked() -> None:
    replayed = after_replay(refused(Problem.THROTTLED, 429, retry_after="40"), 1, backoff=BACKOFF, now=NOON, spread=0.5)
    assert replayed.throttled
    assert replayed.again_s >= 40.0


@pytest.mark.parametrize(
    ("keys_s", "age_s", "may"),
    [
        (86_400.0, 0.0, True),
        (86_400.0, -0.1, False),
        (86_400.0, 86_400.0 - KEY_MARGIN_S - 0.1, True),
        (86_400.0, 86_400.0 - KEY_MARGIN_S, False),
        (60.0, 29.9, True),
        (60.0, 30.0, False),
    ],
)
def test_a_key_is_repeated_only_while_it_is_remembered_until_the_answer_is_here(
    keys_s: float, age_s: float, may: bool
) -> None:
    assert may_replay(began_at=NOON, now=at(age_s), keys_s=keys_s) is may


def test_the_margin_of_a_key_covers_a_whole_post_and_clocks_that_differ() -> None:
    assert KEY_MARGIN_S >= SUBMIT_S + MARGIN_S
