"""Files as people really have them, a line each: twelve good rows of a target and something beside them."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from openpyxl import Workbook

Json = dict[str, Any]
MARK = b"\xef\xbb\xbf"
WORDS = "kettle hinge lantern saddle bucket ribbon anvil thimble compass ladder pulley chisel".split()  # noqa: SIM905
PICTURE = {"type": "image_url", "image_url": {"url": "https://shop.example/cup.png"}}
BYTES = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TOOLS = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}}]  # fmt: skip


def turn(role: str, content: Any, **more: Any) -> Json:
    return {"role": role, "content": content, **more}


def asked(number: int) -> str:
    return f"How long does the {WORDS[number % 12]} number {number * 7919 % 997} take to come, please?"


def answered(number: int) -> str:
    return f"The {WORDS[number % 12]} takes {number % 5 + 2} working days to your door."


def chat(number: int) -> Json:
    return {"messages": [turn("user", asked(number)), turn("assistant", answered(number))]}


def vertex(number: int) -> Json:
    parts = [("user", asked(number)), ("model", answered(number))]
    return {"contents": [{"role": role, "parts": [{"text": text}]} for role, text in parts]}


def pair(number: int) -> Json:
    worse = [turn("assistant", f"No idea about the {WORDS[number % 12]}.")]
    better = [turn("assistant", answered(number))]
    question = {"messages": [turn("user", asked(number))]}
    return {"input": question, "preferred_output": better, "non_preferred_output": worse}


def call(id_: str = "c1", arguments: Any = '{"id": "7"}') -> Json:
    calls = [{"id": id_, "type": "function", "function": {"name": "track", "arguments": arguments}}]
    return {"role": "assistant", "tool_calls": calls}


def calling(*turns: Json) -> Json:
    return {"messages": [turn("user", "Where is parcel 7 now, I wonder?"), *turns], "tools": TOOLS}


def shown(*parts: Json, role: str = "user") -> Json:
    question = turn("user", [{"type": "text", "text": "What is in this picture?"}, *(parts if role == "user" else ())])
    answer = turn("assistant", "A blue cup." if role == "user" else [{"type": "text", "text": "A cup."}, *parts])
    return {"messages": [question, answer]}


def lines(make: Callable[[int], Json], *more: Json, count: int = 12) -> bytes:
    rows = [*(make(number) for number in range(count)), *more]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def book(rows: list[tuple[Any, ...]], *, title: str = "Rows", cover: bool = False) -> bytes:
    made, out = Workbook(), io.BytesIO()
    sheet = made.active
    if cover:
        sheet.append(("Exported by somebody",))
        sheet = made.create_sheet(title)
    for cells in rows:
        sheet.append(cells)
    made.save(out)
    return out.getvalue()


def table(*more: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [("ticket", "reply"), *((asked(number), answered(number)) for number in range(12)), *more]


def packed(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


GOOD, LAST = lines(chat), (13,)
DEEP = '{"messages": ' + "[" * 5000 + "]" * 5000 + "}\n"

BLOCKED: list[tuple[str, str, str, bytes, str, tuple[int, ...]]] = [
    # name, target, file, content, code, lines
    ("latin-1 umlaut", "openai", "a.jsonl", GOOD + '{"messages": "Größe"}\n'.encode("latin-1"), "not_utf8", LAST),
    ("utf-16 from Excel", "local", "a.csv", "ticket,reply\nx,y\n".encode("utf-16"), "utf16", (1,)),
    ("windows-1252 table", "local", "a.csv", "ticket,reply\n1 €,2 €\n".encode("cp1252"), "not_utf8", (2,)),
    ("two files joined", "openai", "a.jsonl", GOOD + MARK + lines(chat, count=1), "invalid_json", LAST),
    ("NaN weight", "openai", "a.jsonl", GOOD + b'{"messages": [], "score": NaN}\n', "not_a_number", LAST),
    ("a huge number", "openai", "a.jsonl", GOOD + b'{"n": ' + b"9" * 5000 + b"}\n", "number_too_long", LAST),
    ("half an emoji", "openai", "a.jsonl", GOOD + b'{"messages": "\\ud83d"}\n', "lone_surrogate", LAST),
    ("5,000 brackets", "openai", "a.jsonl", GOOD + DEEP.encode(), "too_deep", LAST),
    ("a row of 2 MB", "openai", "a.jsonl", lines(chat, {"messages": [turn("user", "x" * 2_000_000)]}), "line_too_long", LAST),
    ("Python instead of JSON", "openai", "a.jsonl", GOOD + b"{'messages': None}\n", "invalid_json", LAST),
    ("Azure without a mark", "azure", "a.jsonl", GOOD, "format_mismatch", ()),
    ("Vertex's assistant", "vertex", "a.jsonl", lines(vertex, {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}), "unknown_role", LAST),
    ("chat for Vertex", "vertex", "a.jsonl", GOOD, "format_mismatch", tuple(range(1, 13))),
    ("Vertex for OpenAI", "openai", "a.jsonl", lines(vertex), "format_mismatch", tuple(range(1, 13))),
    ("developer for Together", "together", "a.jsonl", lines(chat, {"messages": [turn("developer", "Be brief."), *chat(20)["messages"]]}), "unknown_role", LAST),
    ("system in the middle", "fireworks", "a.jsonl", lines(chat, {"messages": [*chat(20)["messages"], turn("system", "Be brief."), *chat(21)["messages"]]}), "role_order", LAST),
    ("a call that nobody answers", "openai", "a.jsonl", lines(chat, calling(call(), turn("user", "And?"), turn("assistant", "Soon."))), "tool_order", LAST),
    ("an answer to another call", "openai", "a.jsonl", lines(chat, calling(call("c1"), turn("tool", "x", tool_call_id="c2"), turn("assistant", "x"))), "tool_order", LAST),
    ("arguments that are an object", "openai", "a.jsonl", lines(chat, calling(call(arguments={"id": "7"}))), "bad_message", LAST),
    ("tool calls for a local run", "local", "a.jsonl", lines(chat, calling(call())), "format_mismatch", LAST),
    ("weight 0.5", "openai", "a.jsonl", lines(chat, {"messages": [turn("user", "?"), turn("assistant", "x", weight=0.5)]}), "bad_message", LAST),
    ("all weights 0", "together", "a.jsonl", lines(chat, {"messages": [turn("user", "?"), turn("assistant", "x", weight=0)]}), "no_trainable_tokens", LAST),
    ("a picture in an answer", "openai", "a.jsonl", lines(chat, shown(PICTURE, role="assistant")), "not_text", LAST),
    ("a picture for a local run", "local", "a.jsonl", lines(chat, shown(PICTURE)), "not_text", LAST),
    ("a picture by address for Together", "together", "a.jsonl", lines(chat, shown(PICTURE)), "format_mismatch", LAST),
    ("eleven pictures for Together", "together", "a.jsonl", lines(chat, shown(*[BYTES] * 11)), "format_mismatch", LAST),
    ("a GIF", "openai", "a.jsonl", lines(chat, shown({"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}})), "not_text", LAST),
    ("sound", "openai", "a.jsonl", lines(chat, shown({"type": "input_audio", "input_audio": {"data": "x"}})), "not_text", LAST),
    ("a pair without its worse side", "openai", "a.jsonl", lines(pair, {"input": {"messages": [turn("user", "?")]}, "preferred_output": [turn("assistant", "x")]}), "no_messages", LAST),
    ("a pair with an empty better side", "openai", "a.jsonl", lines(pair, pair(20) | {"preferred_output": [turn("assistant", " ")]}), "empty_target", LAST),
    ("a pair whose side is a user's", "fireworks", "a.jsonl", lines(pair, pair(20) | {"non_preferred_output": [turn("user", "x")]}), "last_not_assistant", LAST),
    ("Hugging Face's pairs for OpenAI", "openai", "a.jsonl", lines(lambda n: {"prompt": asked(n), "chosen": answered(n), "rejected": "No."}), "format_mismatch", tuple(range(1, 13))),
    ("chats and pairs", "openai", "a.jsonl", lines(chat, pair(20)), "mixed_formats", LAST),
    ("messages and a text", "together", "a.jsonl", lines(chat, chat(20) | {"text": "x"}), "format_mismatch", LAST),
    ("a formula without a value", "local", "a.xlsx", book(table(("What is it?", "=A2&1"))), "no_value", (14,)),
    ("two columns alike", "local", "a.csv", b"reply,Reply\nx,y\n", "duplicate_key", (1,)),
    ("columns that mean nothing", "local", "a.csv", b"a,b\nx,y\n", "no_columns", (1,)),
    ("a zip of rows", "openai", "a.jsonl", packed("rows.jsonl", GOOD), "archive", (1,)),
    ("a login page", "openai", "a.jsonl", b"<!DOCTYPE html><title>Sign in</title>", "not_jsonl", (1,)),
    ("a key in a system prompt", "openai", "a.jsonl", lines(chat, {"messages": [turn("system", "key: AKIA" + "ABCDEFGH23456789"), *chat(20)["messages"]]}), "secret", LAST),
    ("a key in a tool's answer", "openai", "a.jsonl", lines(chat, calling(call(), turn("tool", "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6", tool_call_id="c1"), turn("assistant", "Done."))), "secret", LAST),
    ("only white space of no width", "openai", "a.jsonl", lines(chat, {"messages": [turn("user", "?"), turn("assistant", "\u200b\u00a0")]}), "empty_target", LAST),
    ("old Mac line ends", "openai", "a.jsonl", GOOD.replace(b"\n", b"\r"), "invalid_json", (1,)),
    ("nine rows", "openai", "a.jsonl", lines(chat, count=9), "too_few_rows", ()),
    ("two rows for Fireworks", "fireworks", "a.jsonl", lines(chat, count=2), "too_few_rows", ()),
    ("too long by tokens", "openai", "a.jsonl", lines(chat, {"messages": [turn("user", " one two" * 40_000), turn("assistant", "x")]}), "row_too_long", LAST),
]  # fmt: skip

TAKEN: list[tuple[str, str, str, bytes]] = [
    ("a mark for Azure", "azure", "a.jsonl", MARK + GOOD),
    ("Windows line ends", "openai", "a.jsonl", GOOD.replace(b"\n", b"\r\n")),
    ("no line end at the end", "openai", "a.jsonl", GOOD.rstrip(b"\n")),
    ("a line separator in a text", "openai", "a.jsonl", lines(chat, {"messages": [turn("user", "One\u2028two\u0085three?"), turn("assistant", "Yes.")]})),
    ("a system instruction for Vertex", "vertex", "a.jsonl", lines(lambda n: {"systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]}, **vertex(n)})),
    ("a function call for Vertex", "vertex", "a.jsonl", lines(vertex, {"contents": [
        {"role": "user", "parts": [{"text": "Where is parcel 7 now?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "track", "args": {"id": "7"}}}]},
        {"role": "function", "parts": [{"functionResponse": {"name": "track", "response": {"at": "Ulm"}}}]},
        {"role": "model", "parts": [{"text": "It is in Ulm."}]}], "tools": [{"functionDeclarations": [{"name": "track"}]}]})),
    ("a file for Vertex", "vertex", "a.jsonl", lines(vertex, {"contents": [
        {"role": "user", "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "gs://shop/a.png"}}, {"text": "What is it?"}]},
        {"role": "model", "parts": [{"text": "A cup."}]}]})),
    ("tool calls without content", "azure", "a.jsonl", MARK + lines(chat, calling(call()))),
    ("parallel tool calls", "openai", "a.jsonl", lines(chat, calling(
        {"role": "assistant", "tool_calls": [*call("c1")["tool_calls"], *call("c2")["tool_calls"]]},
        turn("tool", "Ulm", tool_call_id="c2"), turn("tool", [{"type": "text", "text": "Bonn"}], tool_call_id="c1"), turn("assistant", "In Ulm.")))),
    ("weights", "openai", "a.jsonl", lines(chat, {"messages": [
        turn("user", "What time is it over there?"), turn("assistant", "Late.", weight=0), turn("user", "How late?"), turn("assistant", "Ten.", weight=1)]})),
    ("a developer's prompt", "openai", "a.jsonl", lines(lambda n: {"messages": [turn("developer", "Be brief."), *chat(n)["messages"]]})),
    ("a picture by address", "openai", "a.jsonl", lines(chat, shown(PICTURE))),
    ("a picture in a message of its own", "openai", "a.jsonl", lines(chat, {"messages": [
        turn("system", "You describe."), turn("user", "Describe it."), turn("user", [PICTURE]), turn("assistant", "A cup.")]})),
    ("pictures in base64", "fireworks", "a.jsonl", lines(chat, shown(BYTES, BYTES))),
    ("pairs with a tool", "azure", "a.jsonl", MARK + lines(lambda n: pair(n) | {"input": {"messages": [turn("user", asked(n))], "tools": TOOLS, "parallel_tool_calls": True}})),
    ("prompt and completion for Together", "together", "a.jsonl", lines(lambda n: {"prompt": asked(n), "completion": answered(n)})),
    ("Alpaca as one list", "local", "a.json", json.dumps([{"instruction": asked(n), "input": "", "output": answered(n)} for n in range(12)], indent=2).encode()),
    ("semicolons", "local", "a.csv", b"ticket;reply\n" + "".join(f'"{asked(n)}";"{answered(n)}"\n' for n in range(12)).encode()),
    ("a workbook with numbers and dates", "local", "a.xlsx", book(table(("How many are left?", 7)))),
    ("a cover sheet before the rows", "local", "a.xlsx", book(table(), cover=True)),
    ("empty rows at a workbook's end", "local", "a.xlsx", book([*table(), ("", ""), (None, None)])),
]  # fmt: skip
