"""A third-party Bolt app that uses most of what Bolt offers; written once for every way of being connected."""

from typing import Any

from slack_bolt import App

Json = dict[str, Any]
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Form"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "name"},
        }
    ],
}


def everything(app: App, notes: Json) -> App:
    """Register all listeners; `notes` takes what they saw."""
    for register in (hear_direct_messages, hear_mentions, hear_shortcuts, hear_reactions):
        register(app, notes)
    return app


def hear_mentions(app: App, notes: Json) -> None:
    @app.event("app_mention")
    def mentioned(event: Json, client: Any, say: Any) -> None:
        place = {"channel": event["channel"], "thread_ts": event["ts"]}
        client.reactions_add(channel=event["channel"], timestamp=event["ts"], name="eyes")
        posted = say("working …", thread_ts=event["ts"])
        client.chat_update(channel=event["channel"], ts=posted["ts"], text="done")
        client.files_upload_v2(**place, filename="rows.jsonl", content='{"a": 1}\n', initial_comment="your rows")

    @app.event("message")
    def said(event: Json) -> None:
        notes.setdefault("said", []).append(event.get("text"))


def hear_reactions(app: App, notes: Json) -> None:
    @app.event("reaction_added")
    def reacted(event: Json, say: Any) -> None:
        say(f"thanks for :{event['reaction']}:", channel=event["item"]["channel"])


def hear_shortcuts(app: App, notes: Json) -> None:
    @app.shortcut("global")
    def opened(ack: Any, shortcut: Json, client: Any) -> None:
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=FORM)

    @app.shortcut("about")
    def about(ack: Any, shortcut: Json, respond: Any) -> None:
        ack()
        respond(f"about: {shortcut['message']['text']}")

    @app.view("form")
    def submitted(ack: Any, view: Json) -> None:
        name = view["state"]["values"]["b"]["name"]["value"]
        if name == "bad":
            ack(response_action="errors", errors={"b": "Not this."})
        else:
            ack(response_action="update", view={**FORM, "title": {"type": "plain_text", "text": name}})


def hear_direct_messages(app: App, notes: Json) -> None:
    @app.message("stream")
    def streamed(message: Json, say_stream: Any, set_status: Any) -> None:
        set_status("is thinking …")
        stream = say_stream(thread_ts=message["ts"], buffer_size=1)
        stream.append(markdown_text="**one** ")
        stream.append(markdown_text="two ")
        stream.stop(markdown_text="three")

    @app.command("/tune")
    def tune(ack: Any, command: Json, respond: Any) -> None:
        ack({"response_type": "in_channel", "text": f"tune {command['text']}"})
        respond("and in private")
