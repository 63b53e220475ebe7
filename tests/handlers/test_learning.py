"""What documents are called and what an offer says of them, without a Slack."""

from slack_bolt import BoltContext

from handlers.learning import _named, _page
from handlers.mentions import heard_from


def test_long_names_stay_apart_and_keep_their_endings() -> None:
    """Two addresses that differ after 200 characters are two documents; else the second would replace the first."""
    one, two = (_page(f"https://docs.example.com/{'a' * 300}/{page}.jsonl")[0].name for page in ("one", "two"))
    assert one != two
    assert max(len(one), len(two)) <= 200
    assert one.endswith("/one.jsonl")
    assert _named("short.md") == "short.md"


def test_files_tell_that_a_channel_is_private() -> None:
    """An event names no kind of channel; a file that is in no public one asks for the warning."""
    context = BoltContext({"team_id": "T1", "user_id": "U1"})
    for public, unshared in ((True, False), (False, True)):
        file = {"id": "F1", "name": "a.pdf", "is_public": public}
        event = {"channel": "C1", "ts": "1.1", "text": "learn this file", "files": [file]}
        assert heard_from(event, context, addressed=True).unshared is unshared
