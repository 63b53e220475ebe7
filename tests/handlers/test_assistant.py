"""How people are greeted in direct messages over a real local Slack."""

from tests.console import wait_for
from tests.handlers.world import World


def open_messages(world: World) -> None:
    before = len(world.hands.statuses)
    world.slack.act("home_opened", user="U0ADA", tab="messages")
    wait_for(lambda: len(world.hands.statuses) > before, what="the event to be worked off")


def test_direct_messages_open_with_one_hello_and_suggestions(world: World) -> None:
    """The first time there is a hello; each time Slack offers four first messages, shown once."""
    channel = world.slack.dm_of()
    open_messages(world)
    world.slack.wait_message("I never train on Slack messages", channel=channel)
    open_messages(world)
    (hello,) = world.slack.messages(channel)
    assert "I never train on Slack messages" in str(hello["blocks"])
    assert "actions" not in {block["type"] for block in hello["blocks"]}
    assert len(world.slack.space.store.get("prompts", channel)["prompts"]) == 4


def test_an_assistant_thread_is_greeted_in_itself(world: World) -> None:
    """Workspaces with the older assistant get the hello in the thread that Slack made."""
    root = world.slack.dm("hi")
    channel = world.slack.dm_of()
    world.slack.wait_message("Hi, I'm Luthier", channel=channel, thread_ts=root["ts"])
    other = world.slack.web.chat_postMessage(channel=channel, text="New chat")["ts"]
    thread = {"user_id": "U0ADA", "channel_id": channel, "thread_ts": other, "context": {}}
    assert world.event({"type": "assistant_thread_started", "assistant_thread": thread}) == 200
    world.slack.wait_message("Hi, I'm Luthier", channel=channel, thread_ts=other)


def test_stop_clears_the_status(world: World) -> None:
    """Slack's own Stop button is answered: the status line goes away."""
    root = world.slack.dm("hi")
    stop = {"type": "agent_session_stopped", "channel": world.slack.dm_of(), "thread_ts": root["ts"], "user": "U0ADA"}
    assert world.event(stop) == 200
