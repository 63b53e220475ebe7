"""Clean files: nothing here may be blocked."""
import hashlib, json, random, uuid
from core import *
from block import tools
import texts as T


def ok(name, data, target, what, **kw):
    put(name, data, target, "CLEAN", "none", what, None, **kw)


def R(system, u, a):
    return Row(system, [("user", u), ("assistant", a)])


def all_clean():
    n = 52
    nm = "openai-support.jsonl"
    ok(nm, [chat(x) for x in support(rnd(nm), 56)], "openai", "Ordinary support rows")
    nm = "openai-labels-balanced.jsonl"
    r = rnd(nm)
    rows = label(r, 90)
    ok(nm, [chat(x) for x in rows[:60]], "openai", "Balanced labels with a disjoint test file", test=("openai-labels-balanced.test.jsonl", [chat(x) for x in rows[60:]]))
    nm = "azure-invoices-json.jsonl"
    ok(nm, enc(jl([chat(x) for x in invoice(rnd(nm), n)]), bom=True), "azure", "JSON targets, file with BOM as Azure documents it")
    nm = "openai-multiturn-weights.jsonl"
    r = rnd(nm)
    o = [chat(x) for x in multi(r, 50)]
    for i, x in enumerate(o):
        a = [m for m in x["messages"] if m["role"] == "assistant"]
        for j, m in enumerate(a):
            if i % 3:
                m["weight"] = 1 if (j == len(a) - 1) != (i % 3 == 2) else 0  # also: first turn trained, last one not
    ok(nm, o, "openai", "Weights 0 and 1 on assistant turns, each row keeps a trained turn")
    nm = "openai-tools.jsonl"
    ok(nm, tools(rnd(nm), 50), "openai", "Tool calls: answered, ending the row, and rows without a call")
    nm = "together-code.jsonl"
    ok(nm, [chat(x) for x in code(rnd(nm), 52)], "together", "Python and SQL targets, one reads its key from the environment")
    nm = "vertex-handbook.jsonl"
    ok(nm, [vertex(x) for x in qa(rnd(nm), 60)], "vertex", "Question and answer with systemInstruction")
    nm = "vertex-multiturn.jsonl"
    ok(nm, [vertex(x) for x in multi(rnd(nm), 50)], "vertex", "Multi-turn contents")
    nm = "together-prompt-completion.jsonl"
    ok(nm, [pc(x) for x in support(rnd(nm), n)], "together", "prompt/completion rows")
    nm = "fireworks-voice.jsonl"
    ok(nm, [chat(x) for x in voice(rnd(nm), 54)], "fireworks", "Brand voice, short free text")
    nm = "local-alpaca-array.json"
    r = rnd(nm)
    ok(nm, json.dumps([{"instruction": x.u, "input": "", "output": x.a} for x in qa(r, 54)], ensure_ascii=False, indent=1) + "\n", "local", "Alpaca in its usual form: one JSON array, input empty", doubt="JSON array, not JSONL")
    nm = "local-alpaca-jobs.jsonl"
    ok(nm, enc(jl([alpaca(x) for x in jobs(rnd(nm), n)]), nl="\r\n"), "local", "Alpaca JSONL with input, CRLF line ends, JSON targets with lists")
    nm = "local-sharegpt.jsonl"
    ok(nm, [sharegpt(x, system=False) for x in multi(rnd(nm), 50)], "local", "ShareGPT without system turns")
    nm = "local-multiline.csv"
    r = rnd(nm)
    ok(nm, b"\xef\xbb\xbf" + table(["prompt", "completion"], [[x.u.replace(". ", ".\n\n", 1) if i % 2 else x.u, x.a + (' They call it "the quiet fix", mind.' if i % 9 == 4 else "")] for i, x in enumerate(support(r, n))]).encode(), "local", "CSV from Excel: BOM, CRLF, quoted commas, quotes and blank lines inside cells")
    nm = "local-handbook.tsv"
    ok(nm, table(["question", "answer"], [[x.u, x.a] for x in qa(rnd(nm), n)], "\t", "\n"), "local", "TSV with question and answer")
    nm = "local-workbook.xlsx"
    r = rnd(nm)
    rows = support(r, n)
    ok(nm, xlsx([["prompt", "completion"]] + [[("- " if i == 7 else "") + x.u, x.a] for i, x in enumerate(rows)], more_sheets=[("Notes", [["Exported for the pilot, one sheet with the pairs."]])]), "local", "Workbook with a second notes sheet; one harmless cell starts with a hyphen")
    nm = "openai-dpo.jsonl"
    r = rnd(nm)
    ok(nm, [dpo_openai(x, r) for x in support(r, 50)], "openai", "Preference pairs in the OpenAI shape")
    nm = "local-dpo-trl.jsonl"
    r = rnd(nm)
    ok(nm, [dpo_trl(x, r) for x in qa(r, n)], "local", "Preference pairs with prompt, chosen, rejected")

    nm = "openai-unicode-emoji.jsonl"
    r = rnd(nm)
    rows = support(r, n)
    extra = ["\U0001f469\u200d\U0001f52c", "\U0001f1f5\U0001f1f9", "caf\u00e9", "Z\u00fcrich", "\u2028next line", "na\u00efve", "5\u202f000\u00a0kr", "\u00bd", "\u2192", "\U0001f44d\U0001f3fd", "\u201cquoted\u201d", "\u0085old newline", "\U00020bb7\u91ce\u5bb6", "\u2713", "\u2014"]
    for i, x in enumerate(rows):
        x.set_u(x.u + " " + extra[i % len(extra)])
        if i % 6 == 0:
            x.set_a(x.a + " \U0001f33f")
    ok(nm, [chat(x) for x in rows], "openai", "Emoji with joiners and skin tones, astral ideographs, U+2028 and U+0085 inside strings")
    nm = "together-arabic-rtl.jsonl"
    ok(nm, [chat(x) for x in arabic(rnd(nm), 50)], "together", "Right-to-left support rows, all Arabic")
    nm = "fireworks-ids-hashes.jsonl"
    r = rnd(nm)
    rows = support(r, n)
    for i, x in enumerate(rows):
        h = hashlib.sha256(str(i).encode()).hexdigest()
        v = [f"The trace is {uuid.UUID(int=r.getrandbits(128), version=4)}.", f"Commit {h[:40]} broke it.", f"The checksum reads {h}.", f"Part number 4006381{r.randint(10, 99)}-{r.randint(100, 999)}/B.", f"Write to desk{i}@example.com.", f"Build 2026.{r.randint(1, 11)}.{r.randint(1, 28)}-rc{i}.", f"See https://docs.example.com/a/{i}?ref=mail.",
             "The address in the log is 192.0.2.17.", f"Serial SN-{h[:12].upper()}.", "We set API_KEY to your_key_here as in the guide.", f"Pallet 00340{r.randint(10**5, 10**6)}X stood there.", f"ETag \"{h[:32]}\"."][i % 12]
        x.set_u(x.u + " " + v)
    ok(nm, [chat(x) for x in rows], "fireworks", "UUIDs, hashes, serials, documentation addresses and a key placeholder; no secrets")
    nm = "openai-quoted-refusals.jsonl"
    r = rnd(nm)
    rows = label(r, 60)
    qs = ["Your bot only said \"I'm sorry, but I can't assist with that\".", "The chat wrote: as an AI language model I have no opinion.", "It kept answering \"I cannot help with this request\".", "All I get is \"unable to comply\"."]
    for i, x in enumerate(rows):
        if i % 5 == 0:
            x.set_u(x.u + " " + qs[(i // 5) % 4])
    ok(nm, [chat(x) for x in rows], "openai", "Customers quote refusals; the targets are plain labels")
    nm = "azure-long-meetings.jsonl"
    r = rnd(nm)
    ok(nm, enc(jl([chat(x) for x in summ(r, 50, k=1)]), bom=True), "azure", "Longer notes with line breaks, three-sentence summaries")
    nm = "together-german.jsonl"
    ok(nm, [chat(x) for x in german(rnd(nm), 52)], "together", "All German, umlauts, no English row")
