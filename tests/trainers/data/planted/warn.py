"""Planted WARN defects."""
import json, random, re, unicodedata, zlib
from core import *
from block import tools, at, ln, tok
import texts as T

N = 50
W = "WARN"
TAB = dict(lines_are="text lines, header = 1")
XL = dict(lines_are="sheet rows, header = 1")


def jl(objs, **kw):  # most files are written without blanks, as most exporters do
    objs = list(objs)
    if zlib.crc32(str(objs[0]).encode()) % 5:
        kw.setdefault("separators", (",", ":"))
    kw.setdefault("ensure_ascii", False)
    return [json.dumps(o, **kw) for o in objs]


def neardups():
    D = "near duplicates"

    def go(nm, target, what, f, gen=support, ren=chat, k=3, n=N, sep=None, **kw):
        """k rows are copied, changed by f and inserted elsewhere."""
        r = rnd(nm)
        rows = gen(r, n - k)
        src = at(r, n - k, k)
        items = [(i, x) for i, x in enumerate(rows)]
        copies = []
        for i in src:
            y = rows[i].copy()
            f(y, r)
            copies.append((i, y))
        for i, y in copies:
            items.insert(r.randint(0, len(items)), (("c", i), y))
        pos = {k: j + 1 for j, (k, _) in enumerate(items)}
        groups = [[pos[i], pos[("c", i)]] for i in src]
        put(nm, jl([ren(y) for _, y in items]) if sep is None else sep([y for _, y in items]), target, W, D, what, sorted(x + (sep is not None) for g in groups for x in g), groups=[[x + (sep is not None) for x in sorted(g)] for g in groups], **kw)

    def casing(y, r):
        y.set_u(y.u.upper() if r.random() < .5 else y.u.lower())
    go("neardup-casing.jsonl", "openai", "Three questions again in capitals or small letters, same answer", casing)

    def order(y, r):
        s = re.split(r"(?<=[.?!]) ", y.u)
        y.set_u(" ".join(s[1:] + s[:1]) if len(s) > 1 else y.u)
        t = re.split(r"(?<=[.?!]) ", y.a)
        y.set_a(" ".join(t[1:] + t[:1]))
    go("neardup-sentence-order.jsonl", "together", "Same sentences in another order", order, ren=chat)

    def oneword(y, r):
        w = y.u.split(" ")
        i = len(w) // 2
        w[i] = r.choice(["really", "simply", "currently"])
        y.set_u(" ".join(w))
    go("neardup-one-word.jsonl", "fireworks", "One word of a longer question changed", oneword)

    def spaces(y, r):
        y.set_u(y.u.replace(" ", "  ", 3).replace(",", " ,") + " ")
        y.set_a(y.a + "\n")
    go("neardup-whitespace-punctuation.jsonl", "local", "Only blanks and punctuation differ", spaces, ren=alpaca, gen=qa)

    def num(y, r):
        y.set_u(re.sub(r"\d", lambda m: str((int(m[0]) + 1) % 10), y.u, count=1))
        o = dict(y.meta["obj"])
        y.set_a(json.dumps(o, ensure_ascii=False))
    go("neardup-summary-one-name.jsonl", "azure", "Long notes copied with another city and day at the top", lambda y, r: y.set_u("Notes, Oslo, 30 June\n" + y.u.split("\n", 1)[1]), gen=lambda r, n: summ(r, n, k=1), k=2)

    def nfd(y, r):
        y.set_u(unicodedata.normalize("NFD", y.u))
        y.set_a(unicodedata.normalize("NFD", y.a))
    go("neardup-nfd.jsonl", "together", "German rows again in decomposed Unicode (copied on a Mac)", nfd, gen=german)
    go("neardup-exact.csv", "local", "Four records occur twice word for word", lambda y, r: None, k=4, sep=lambda rows: table(["prompt", "completion"], [[x.u, x.a] for x in rows]), **TAB)

    nm = "neardup-mail-merge.jsonl"
    r = rnd(nm)
    rows = support(r, N - 8)
    for i, nmx in enumerate(["Helsinki", "Cork", "Split", "Riga", "Basel", "Ghent", "Turin", "Lyon"]):
        x = Row(SYS_SUPPORT, [("user", f"Our branch in {nmx} cannot see the new price list that was announced in the spring letter."), ("assistant", f"The list for {nmx} is now visible under Prices, and the branch got a short note about the spring letter.")])
        rows.insert(5 * i + 3, x)
    ix = [i for i, x in enumerate(rows) if x.u.startswith("Our branch in")]
    put(nm, [chat(x) for x in rows], "azure", W, D, "Eight rows made with a mail merge, only the city differs", ln(ix), groups=[ln(ix)])


def contradictions():
    D = "contradictions"

    def go(nm, target, what, pair, gen, ren=chat, k=2, sep=None, off=0, n=N, **kw):
        r = rnd(nm)
        rows = gen(r, n - k)
        src = at(r, n - k, k)
        cps = []
        for i in src:
            y = rows[i].copy()
            pair(y, r)
            cps.append((rows[i], y))
        for _, y in cps:
            rows.insert(r.randint(0, len(rows)), y)
        g = [sorted([rows.index(a) + 1 + off, rows.index(b) + 1 + off]) for a, b in cps]
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, sorted(sum(g, [])), groups=g, code="contradiction", **kw)
    labs = list(T.CORES)

    def other(y, r):
        y.set_a(r.choice([l for l in labs if l != y.a]))
    go("contra-label-same-text.jsonl", "openai", "Two messages have two different labels", other, label)

    def ws(y, r):
        other(y, r)
        y.set_u("  " + y.u.replace(" ", "  ", 2).replace(". ", ".\n", 1) + " ")
    go("contra-label-whitespace.jsonl", "together", "Same message with other blanks and line breaks, other label", ws, label, n=60)

    def nb(y, r):
        other(y, r)
        y.set_u(y.u.replace(" ", "\u00a0", 4))
    go("contra-label-nbsp.jsonl", "azure", "Same message with no-break spaces, other label", nb, label)

    def case(y, r):
        other(y, r)
        y.set_u(y.u.lower())
    go("contra-label-case.csv", "local", "Same message in lower case, other label", case, label, sep=lambda rows: table(["text", "label"], [[x.u, x.a] for x in rows]), off=1, k=3, **TAB)

    def fact(y, r):
        y.set_a("No, this has never been possible and the old rule stands without exception.")

    def tot(y, r):
        o = dict(y.meta["obj"])
        o["total"] = round(o["total"] * 1.19, 2)
        y.set_a(json.dumps(o, ensure_ascii=False))
    go("contra-extraction-total.jsonl", "together", "The same invoice text with net and gross total", tot, invoice, ren=pc)

    def lastturn(y, r):
        y.set_a("It is not foreseen, sadly the second office needs its own contract.")
    go("contra-multiturn-history.jsonl", "local", "Identical history, different last answer", lastturn, multi, ren=sharegpt, k=1)

    nm = "contra-dpo-swapped.jsonl"
    r = rnd(nm)
    o = [dpo_openai(x, r) for x in support(r, N - 2)]
    for i in (9, 27):
        c = json.loads(json.dumps(o[i]))
        c["preferred_output"], c["non_preferred_output"] = c["non_preferred_output"], c["preferred_output"]
        o.append(c)
    put(nm, jl(o), "openai", W, D, "Two pairs occur again with preferred and rejected swapped", [10, 28, N - 1, N], groups=[[10, N - 1], [28, N]], code="contradiction")
    nm = "contra-nfc-nfd.xlsx"
    r = rnd(nm)
    rows = german(r, N - 1)
    i = next(i for i in range(6, N) if unicodedata.normalize("NFD", rows[i].u) != rows[i].u)
    y = rows[i].copy()
    y.set_u(unicodedata.normalize("NFD", y.u))
    y.set_a("Dazu gibt es leider noch keinen Plan, fragen Sie im Herbst wieder nach.")
    rows.append(y)
    put(nm, xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in rows]), "local", W, D, "Composed and decomposed umlauts of the same question with different answers", [i + 2, N + 1], groups=[[i + 2, N + 1]], code="contradiction", **XL)


def leakage():
    D = "near leakage train/test by group"
    nm = "leak-one-word-changed.jsonl"
    r = rnd(nm)
    rows = support(r, 75)
    tr, te = rows[:50], rows[50:]
    lines = []
    for i in (5, 21, 33):
        y = tr[i].copy()
        w = y.u.split(" ")
        w[len(w) // 2] = "perhaps"
        y.set_u(" ".join(w))
        te.append(y)
        lines.append(i + 1)
    put(nm, [chat(x) for x in tr], "openai", W, D, "Three test rows are training rows with one word changed", lines, test=("leak-one-word-changed.test.jsonl", [chat(x) for x in te]), test_lines=list(range(len(te) - 2, len(te) + 1)))

    nm = "leak-conversation-continued.jsonl"
    r = rnd(nm)
    rows = multi(r, 80)
    tr, te = rows[:50], rows[50:]
    for j, i in enumerate((3, 17, 41)):
        y = tr[i].copy()
        y.turns += [("user", ["All fine until here, and on Sundays?", "Who pays if it breaks twice?", "Please also tell me about the archive."][j]), ("assistant", ["Sundays follow the same rule.", "The second repair is on us too.", "The archive keeps everything for ten years."][j])]
        te[4 + 9 * j] = y
    put(nm, [sharegpt(x) for x in tr], "local", W, D, "Three test conversations are training conversations with one more turn", [4, 18, 42], test=("leak-conversation-continued.test.jsonl", [sharegpt(x) for x in te]), test_lines=[5, 14, 23])

    nm = "leak-same-customer.csv"
    r = rnd(nm)
    rows = support(r, 80)
    ids = [f"C-{r.randint(1000, 9999)}" for _ in range(80)]
    for j, i in enumerate((2, 11, 30, 44)):
        ids[52 + 3 * j] = ids[i]
    hd = ["customer_id", "prompt", "completion"]
    put(nm, table(hd, [[ids[i], rows[i].u, rows[i].a] for i in range(50)]), "local", W, D, "Four customers (column customer_id) have tickets in both files", [4, 13, 32, 46], test=("leak-same-customer.test.csv", table(hd, [[ids[i], rows[i].u, rows[i].a] for i in range(50, 80)])), test_lines=[4, 7, 10, 13], doubt="needs a group column to be recognised", **TAB)

    nm = "leak-same-document.jsonl"
    r = rnd(nm)
    inv = summ(r, 72, k=1)
    tr = [{"instruction": "Summarise the meeting.", "input": x.u, "output": x.a} for x in inv[:50]]
    te = [{"instruction": "Summarise the meeting.", "input": x.u, "output": x.a} for x in inv[50:]]
    for j, i in enumerate((8, 26)):
        te[6 + 8 * j] = {"instruction": "Name only the open worry of this meeting.", "input": inv[i].u, "output": cap(re.search(r"Worry: (.*?)\.", inv[i].u)[1]) + "."}
    put(nm, jl(tr), "local", W, D, "Two test rows ask another question about a document that is in the training file", [9, 27], test=("leak-same-document.test.jsonl", jl(te)), test_lines=[7, 15])
    nm = "leak-case-and-punctuation.csv"
    r = rnd(nm)
    rows = support(r, 80)
    tr, te = rows[:50], rows[50:]
    x = tr[19].copy()
    x.set_u(x.u.lower().replace("?", " ?").replace(".", "!"))
    te[12:12] = [x]
    hd = ["prompt", "completion"]
    put(nm, table(hd, [[x.u, x.a] for x in tr]), "local", W, D, "A test row differs from a training row in case and punctuation only", [21], test=("leak-case-and-punctuation.test.csv", table(hd, [[x.u, x.a] for x in te])), test_lines=[14], accept=["WARN", "BLOCK"], **TAB)


# ---------------------------------------------------------------- PII with right check digits
def luhn(d):
    s = sum(int(c) if i % 2 else sum(divmod(int(c) * 2, 10)) for i, c in enumerate(reversed(d)))
    return d + str(-s % 10)


def iban(cc, bban):
    n = int("".join(str(int(c, 36)) for c in bban + cc + "00"))
    return f"{cc}{98 - n % 97:02d}{bban}"


def group4(s):
    return " ".join(s[i:i + 4] for i in range(0, len(s), 4))


def digits(r, k):
    return "".join(r.choices("0123456789", k=k))


def dni(r):
    n = r.randint(20_000_000, 78_000_000)
    return f"{n}{'TRWAGMYFPDXBNJZSQVHLCKE'[n % 23]}"


def cpf(r):
    d = [r.randint(0, 9) for _ in range(9)]
    for _ in range(2):
        s = sum(a * b for a, b in zip(d, range(len(d) + 1, 1, -1))) * 10 % 11 % 10
        d.append(s)
    t = "".join(map(str, d))
    return f"{t[:3]}.{t[3:6]}.{t[6:9]}-{t[9:]}"


def bsn(r):
    while True:
        d = [r.randint(1, 9) for _ in range(8)]
        k = sum(a * b for a, b in zip(d, range(9, 1, -1))) % 11
        if k < 10:
            return "".join(map(str, d)) + str(k)


def pesel(r):
    d = f"8{r.randint(0, 9)}0{r.randint(1, 9)}{r.randint(10, 28)}" + digits(r, 4)
    s = sum(int(c) * w for c, w in zip(d, (1, 3, 7, 9) * 3))
    return d + str(-s % 10)


def nir(r):
    b = f"2{r.randint(60, 99)}0{r.randint(1, 9)}75{r.randint(100, 120)}{r.randint(100, 400)}"
    return f"{b} {97 - int(b) % 97:02d}"


def pii():
    D = "PII"

    def go(nm, target, what, plants, gen=support, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ps = plants(r)
        ix = at(r, N, len(ps))
        for i, (where, fmt, secret) in zip(ix, ps):
            t = " " + fmt.format(secret)
            rows[i].set_u(rows[i].u + t) if where == "u" else rows[i].set_a(rows[i].a + t)
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], must_not_print=[p[2] for p in ps], **kw)
    go("pii-us-ssn-phone.jsonl", "openai", "US social security number, mobile number and home address", lambda r: [("u", "My social is {} if you must check.", f"{r.randint(301, 560)}-{r.randint(11, 88)}-{r.randint(1200, 9800)}"), ("u", "Call me at {} after five.", f"(312) 555-01{r.randint(10, 99)}"), ("u", "I live at {}.", "4821 Maplewood Drive, Apt 6, Naperville, IL 60563")])
    go("pii-german-iban.jsonl", "together", "German IBAN, once with blanks and once without, and a mobile number", lambda r: [("u", "Please refund to {}.", group4(iban("DE", "37040044" + digits(r, 10)))), ("u", "Konto {} is the right one.", iban("DE", "50010517" + digits(r, 10))), ("a", "We ring you at {} tomorrow.", "+49 1522 8817" + digits(r, 3))])
    go("pii-spanish-dni.csv", "local", "Spanish DNI with valid letter and a phone number", lambda r: [("u", "My DNI is {}.", dni(r)), ("u", "The holder has document {}.", dni(r)), ("u", "Reach me on {}.", "+34 612 " + digits(r, 3) + " " + digits(r, 3))], sep=lambda rows: table(["prompt", "completion"], [[x.u, x.a] for x in rows]), off=1, **TAB)
    go("pii-uk-nino.jsonl", "azure", "UK national insurance number, postcode address and phone", lambda r: [("u", "My NI number: {}.", f"QQ {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)} C".replace("QQ", "JG")), ("u", "Send it to {}.", "17 Harcourt Rise, Leeds LS6 2QH"), ("u", "Text {} when the van comes.", "07700 900" + digits(r, 3))])
    go("pii-credit-card.jsonl", "vertex", "Card numbers that pass Luhn, with blanks, hyphens and inside a model answer", lambda r: [("u", "I paid with {} exp 11/28.", group4(luhn("4539" + digits(r, 11)))), ("u", "Card {} was declined.", group4(luhn("5425" + digits(r, 11))).replace(" ", "-")), ("a", "The amount went back to {}.", luhn("4716" + digits(r, 11)))], ren=vertex)
    go("pii-brazil-cpf-sharegpt.jsonl", "local", "Brazilian CPF and a phone", lambda r: [("u", "CPF {}.", cpf(r)), ("u", "The invoice is for {}, my mother.", cpf(r)), ("u", "WhatsApp {}.", "+55 11 9" + digits(r, 4) + "-" + digits(r, 4))], ren=sharegpt)
    go("pii-mails-and-birthday.jsonl", "fireworks", "Private mail addresses with full names and a date of birth", lambda r: [("u", "Write to {}.", "lena.hofstaetter84@gmail.com"), ("u", "It was ordered by Tobias Wernicke, {}.", "t.wernicke@posteo.de"), ("u", "Born {} in Ulm, name Annika Brandauer.", "14.03.1987")])
    go("pii-fr-nl-pl-ids.jsonl", "local", "French, Dutch and Polish personal numbers", lambda r: [("u", "Numéro de sécurité sociale {}.", nir(r)), ("u", "BSN {}.", bsn(r)), ("u", "PESEL {}.", pesel(r))], ren=alpaca)
    go("pii-in-label-data.tsv", "local", "Mail address obfuscated as (at) and a passport number in ticket texts", lambda r: [("u", "Mail: {}.", "marek.dvoracek (at) seznam (dot) cz"), ("u", "Passport no. {} was scanned.", "C01X" + digits(r, 4) + "K7")], gen=label, sep=lambda rows: table(["text", "label"], [[x.u, x.a] for x in rows], "\t", "\n"), off=1, doubt="hard: spelled-out address", **TAB)
    go("pii-xlsx-patient.xlsx", "local", "Names with diagnosis and insurance number", lambda r: [("u", "Patient Gudrun Aschenbrenner, insurance {}, diabetes type 2.", "K" + luhn(digits(r, 8))), ("u", "Mobile of her son: {}.", "0043 664 " + digits(r, 7))], sep=lambda rows: xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in rows]), off=1, **XL)
    nm = "pii-in-tool-args.jsonl"
    r = rnd(nm)
    o = tools(r, N)
    ii = [i for i in range(9, N) if "tool_calls" in o[i]["messages"][-1]][:2]
    sec = ["rosa.lindqvist@telia.com", "+46 70 174 06 " + digits(r, 2)]
    for i, s in zip(ii, sec):
        o[i]["messages"][-1]["tool_calls"][0]["function"]["arguments"] = json.dumps({"subject": f"call back {s}", "priority": "low"})
    put(nm, jl(o), "openai", W, D, "Mail and phone only in the arguments of tool calls", ln(ii), must_not_print=sec)


def balance():
    D = "label balance and coverage"

    def lab(nm, counts):
        r = rnd(nm)
        pool = label(r, 110)
        by = {k: [x for x in pool if x.a == k] for k in T.CORES}
        rows = [x for k, c in counts.items() for x in by[k][:c]]
        r.shuffle(rows)
        return r, rows
    nm = "balance-one-example.jsonl"
    r, rows = lab(nm, dict(billing=15, technical=15, shipping=15, account=14, feedback=1))
    put(nm, [chat(x) for x in rows], "openai", W, D, "Label feedback has a single example among 60", ln([i for i, x in enumerate(rows) if x.a == "feedback"]), lines_optional=True)
    nm = "balance-declared-never-used.jsonl"
    r, rows = lab(nm, dict(billing=15, technical=15, shipping=15, account=15))
    put(nm, [vertex(x) for x in rows], "vertex", W, D, "The system prompt names five labels, feedback never occurs")
    nm = "balance-ninety-percent.csv"
    r = rnd(nm)
    d = Deck(r, T.OPEN)
    rows = build(r, 60, lambda r, i: support(random.Random(r.random()), 1)[0])
    pos = ["no"] * 55 + ["yes"] * 5
    # urgent yes/no: urgency sentence decides the label
    r.shuffle(pos)
    for x, p in zip(rows, pos):
        if p == "yes":
            x.set_u(x.u + " " + r.choice(["Production stands still, every minute counts.", "We lose money right now, act at once.", "The whole plant is down because of it."]))
    put(nm, table(["text", "urgent"], [[x.u, p] for x, p in zip(rows, pos)]), "local", W, D, "Yes/no label with 55 to 5 rows", None, doubt="header text,urgent: target column must be guessed", **TAB)
    nm = "balance-spelling-variants.jsonl"
    r, rows = lab(nm, {k: 12 for k in T.CORES})
    ix = [i for i, x in enumerate(rows) if x.a == "shipping"][:3]
    for i, v in zip(ix, ["Shipping", "shipping.", "shiping"]):
        rows[i].set_a(v)
    put(nm, [chat(x) for x in rows], "together", W, D, "The label shipping is also spelt Shipping, shipping. and shiping", sorted(ln(ix)))
    nm = "balance-test-label-unseen.jsonl"
    r, rows = lab(nm, {k: 20 for k in T.CORES})
    tr = [x for x in rows if x.a != "account"][:60]
    te = [x for x in rows if x not in tr][:32]
    for x in tr + te:
        x.system = "Sort the message into the right queue. Reply with the queue only."
    put(nm, [chat(x) for x in tr], "azure", W, D, "Label account occurs in the test file only", None, test=("balance-test-label-unseen.test.jsonl", [chat(x) for x in te]), test_lines=ln([i for i, x in enumerate(te) if x.a == "account"]))


def sysvariants():
    D = "system-prompt variants"

    def go(nm, target, what, f, ixf, gen=support, ren=chat):
        r = rnd(nm)
        rows = gen(r, N)
        ix = ixf(r)
        for i in ix:
            rows[i].system = f(rows[i].system)
        put(nm, jl([ren(x) for x in rows]), target, W, D, what, ln(ix))
    go("system-trailing-space.jsonl", "openai", "System prompt with one blank at the end in three rows", lambda s: s + " ", lambda r: at(r, N, 3))
    go("system-one-word.jsonl", "together", "warm, brief tone became warm, short tone in four rows", lambda s: s.replace("brief", "short"), lambda r: at(r, N, 4))
    go("system-second-half-v2.jsonl", "azure", "The second half of the file uses a newer prompt", lambda s: "You write for a neighbourhood shop. Humour is welcome, no exclamation marks, thirty words at most.", lambda r: list(range(25, N)), gen=voice)
    go("system-vertex-punctuation.jsonl", "vertex", "Full stop missing in systemInstruction of two rows", lambda s: s.rstrip("."), lambda r: at(r, N, 2), gen=qa, ren=vertex)
    go("system-sharegpt-double-space.jsonl", "local", "A double blank inside the system turn of two rows", lambda s: s.replace("in a warm", "in  a warm"), lambda r: at(r, N, 2), ren=sharegpt)
    nm = "system-missing-in-some.jsonl"
    r = rnd(nm)
    rows = qa(r, N)
    ix = at(r, N, 5)
    put(nm, [chat(x, system=i not in ix) for i, x in enumerate(rows)], "fireworks", W, D, "Five rows have no system message", ln(ix))


def schema():
    D = "schema-invalid targets"

    def go(nm, target, what, fs, gen=invoice, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ix = at(r, N, len(fs))
        for i, f in zip(ix, fs):
            v = f(dict(rows[i].meta["obj"]), rows[i].a)
            rows[i].set_a(v if isinstance(v, str) else json.dumps(v, ensure_ascii=False))
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], **kw)

    def drop(k):
        return lambda o, s: {a: b for a, b in o.items() if a != k}
    go("schema-broken-json.jsonl", "openai", "Targets that do not parse: cut, trailing comma, single quotes", [lambda o, s: s[:-9], lambda o, s: s[:-1] + ",}", lambda o, s: repr(o)])
    go("schema-fenced.jsonl", "together", "Two targets are wrapped in a Markdown fence, one has a leading remark", [lambda o, s: f"```json\n{s}\n```", lambda o, s: f"```\n{s}\n```", lambda o, s: f"Result: {s}"], ren=pc)
    go("schema-missing-key.jsonl", "vertex", "A key is missing in two targets", [drop("currency"), drop("due")], ren=vertex)
    go("schema-wrong-type.jsonl", "fireworks", "total is a string, once with the currency inside", [lambda o, s: dict(o, total=str(o["total"])), lambda o, s: dict(o, total=f"{o['total']} {o['currency']}")])
    go("schema-extra-or-renamed-key.csv", "local", "dueDate instead of due, and an additional key", [lambda o, s: {("dueDate" if k == "due" else k): v for k, v in o.items()}, lambda o, s: dict(o, notes="paid in cash")], sep=lambda rows: table(["prompt", "completion"], [[x.u, x.a] for x in rows]), off=1, **TAB)
    nm = "schema-tool-args.jsonl"
    r = rnd(nm)
    o = tools(r, N)
    ii = [i for i in range(5, N) if "tool_calls" in o[i]["messages"][-1]][:3]
    for i, a in zip(ii, ['{"subject": "printer pairing", "priority": "urgent"}', '{"subject": "label problem"}', "{'subject': 'late van', 'priority': 'low'}"]):
        o[i]["messages"][-1]["tool_calls"][0]["function"]["arguments"] = a
    put(nm, jl(o), "openai", W, D, "Tool arguments against their schema: value outside the enum, missing required field, not JSON", ln(ii), accept=["WARN", "BLOCK"])


def phrases():
    D = "generator phrases and placeholders"

    def go(nm, target, what, fs, gen=support, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ix = at(r, N, len(fs))
        for i, f in zip(ix, fs):
            f(rows[i])
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], **kw)

    def pre(t):
        return lambda x: x.set_a(t + " " + x.a)

    def post(t):
        return lambda x: x.set_a(x.a + " " + t)
    go("phrase-as-an-ai.jsonl", "openai", "As an AI language model and relatives", [pre("As an AI language model, I have no own experience with this, but here we go."), post("As a large language model trained on public text I may be wrong here."), post("Please note that my knowledge cutoff is September 2021.")])
    go("phrase-certainly-here-is.jsonl", "local", "Chat openers left in front of brand copy", [pre("Certainly! Here is a caption for your post:"), pre("Sure, here's a rewritten version in the requested tone:"), pre("Absolutely! Below is a short text you can use:"), post("Let me know if you'd like me to adjust the tone or make it shorter!")], gen=voice, ren=pc)
    go("phrase-i-hope-this-helps.jsonl", "together", "I hope this helps and Is there anything else I can assist you with today", [post("I hope this helps! Is there anything else I can assist you with today?"), pre("Great question!"), post("I hope this helps!")], gen=qa, ren=pc)
    go("placeholder-brackets.jsonl", "azure", "[NAME], [Your Company] and <insert link> left in answers", [pre("Dear [NAME],"), post("Best wishes, [Your Company]"), post("Read more at <insert link here>.")])
    go("placeholder-mustache.csv", "local", "{{customer}}, {order_id} and %s of a macro were not filled", [pre("Hello {{customer}},"), post("Your order {order_id} is safe."), post("See you on %s.")], sep=lambda rows: table(["prompt", "completion"], [[x.u, x.a] for x in rows]), off=1, **TAB)
    go("placeholder-lorem.jsonl", "vertex", "Lorem ipsum targets", [lambda x: x.set_a("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor."), lambda x: x.set_a("Dolor sit amet consectetur, lorem ipsum sed ut perspiciatis.")], ren=vertex, gen=voice)
    go("placeholder-todo.xlsx", "local", "TODO, TBD and xxx instead of text", [lambda x: x.set_a("TODO ask legal for the exact wording before we ship this"), lambda x: x.set_a("The limit is TBD, finance decides in spring."), lambda x: x.set_a("Dial extension XXXX and ask for the desk.")], gen=qa, sep=lambda rows: xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in rows]), off=1, **XL)
    go("placeholder-in-question.jsonl", "fireworks", "Template slots in user turns", [lambda x: x.set_u(x.u + " It is about ${ticket.subject}."), lambda x: x.set_u("Hi {{ agent_first_name }}, " + x.u)], ren=chat)


def refusals():
    D = "refusals"

    def go(nm, target, what, texts, gen=support, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ix = at(r, N, len(texts))
        for i, t in zip(ix, texts):
            rows[i].set_a(t)
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], **kw)
    go("refusal-classic.jsonl", "openai", "Five plain refusals to harmless questions", ["I'm sorry, but I can't assist with that.", "I cannot help with this request.", "Sorry, I am not able to provide information on that topic.", "I must decline to answer this question.", "I can\u2019t comply with that request, sorry about this."])
    go("refusal-policy-wording.jsonl", "vertex", "Refusals that avoid the word sorry", ["It would not be appropriate for me to answer this.", "This goes against my guidelines, so I won't be able to continue.", "I don't have access to real-time information or personal accounts, please consult a professional.", "My programming prevents me from discussing this matter.", "I'd rather not engage with this one; it falls outside what I'm allowed to do."], gen=qa, ren=vertex)
    go("refusal-german.jsonl", "fireworks", "German refusals", ["Es tut mir leid, aber dabei kann ich nicht helfen.", "Diese Anfrage kann ich leider nicht beantworten.", "Als Sprachmodell darf ich dazu keine Auskunft geben.", "Dazu bin ich leider nicht in der Lage, bitte wenden Sie sich an einen Fachmann."], gen=german)
    go("refusal-code.csv", "local", "Refusals in a code set", ["# I'm unable to write this code for you", "I apologize, but I can't generate that script.", "Unfortunately, I cannot fulfil this request as it could be misused.", "I'm sorry, I can't do that."], gen=code, sep=lambda rows: table(["instruction", "output"], [[x.u, x.a] for x in rows]), off=1, **TAB)
    nm = "refusal-dpo-preferred.jsonl"
    r = rnd(nm)
    o = [dpo_openai(x, r) for x in support(r, N)]
    ix = at(r, N, 5)
    for i, t in zip(ix, ["I'm sorry, I cannot assist with that.", "I am unable to help with this matter.", "I won't be able to answer that.", "I'm afraid I can't do that for you.", "As an assistant I cannot give advice on this."]):
        o[i]["preferred_output"][0]["content"] = t
    put(nm, jl(o), "openai", W, D, "The refusal is the preferred output in five pairs", ln(ix))


def outliers():
    D = "length outliers"
    nm = "length-one-huge-answer.jsonl"
    r = rnd(nm)
    rows = support(r, N)
    i = at(r, N, 1)[0]
    rows[i].set_a(" ".join(f"{a}." for k, v in T.CORES.items() for q, a in v[:11]))
    put(nm, [chat(x) for x in rows], "openai", W, D, "One answer is about fifty times as long as the rest", [i + 1])
    nm = "length-quoted-thread.jsonl"
    r = rnd(nm)
    rows = label(r, 55)
    i = at(r, 55, 1)[0]
    rows[i].set_u(rows[i].u + "\n\n" + "\n".join("> " * (1 + j // 6) + cap(s) for j, s in enumerate(T.DECISIONS + T.ACTIONS + T.RISKS)))
    put(nm, [chat(x) for x in rows], "together", W, D, "One message drags a whole quoted mail thread behind it", [i + 1])
    nm = "length-tiny-answers.jsonl"
    r = rnd(nm)
    rows = qa(r, N)
    ix = at(r, N, 3)
    for i, t in zip(ix, ["ok", "Fine.", "yes"]):
        rows[i].set_a(t)
    put(nm, [vertex(x) for x in rows], "vertex", W, D, "Three answers consist of one word", ln(ix))
    nm = "length-long-cell.xlsx"
    r = rnd(nm)
    rows = qa(r, N)
    rows[37].set_a(" ".join(a + "." for q, a in T.QA))
    put(nm, xlsx([["question", "answer"]] + [[x.u, x.a] for x in rows]), "local", W, D, "The whole handbook was pasted in one answer cell", [39], **XL)


def languages():
    D = "language mix"

    def go(nm, target, what, pairs, gen=support, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ix = at(r, N, len(pairs))
        for i, (q, a) in zip(ix, pairs):
            if q:
                rows[i].set_u(q)
            rows[i].set_a(a)
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], **kw)
    go("language-spanish-rows.jsonl", "openai", "Six Spanish rows in an English set", T.ES[:6])
    go("language-answers-german.jsonl", "fireworks", "English questions answered in German in four rows", [(None, f"{a}. {c}") for (q, a), c in zip(T.DE[:4], T.DEC)])
    go("language-japanese-russian.jsonl", "vertex", "Japanese and Russian rows", T.JA[:3] + T.RU, ren=vertex, gen=qa)
    go("language-english-in-german.csv", "local", "English rows in a German set", [(cap(q) + ".", a + ". Write back if anything looks odd.") for q, a in T.CORES["shipping"][3:8]], gen=german, sep=lambda rows: table(["prompt", "completion"], [[x.u, x.a] for x in rows]), off=1, **TAB)


def small():
    D = "few rows"
    for nm, n, t, gen, ren in [("few-12-openai.jsonl", 12, "openai", support, chat), ("few-24-azure.jsonl", 24, "azure", qa, chat), ("few-40-together.jsonl", 40, "together", invoice, chat), ("few-18-vertex.jsonl", 18, "vertex", voice, vertex)]:
        put(nm, enc(jl([ren(x) for x in gen(rnd(nm), n)]), bom=t == "azure"), t, W, D, f"Only {n} good rows")
    nm = "few-30.xlsx"
    put(nm, xlsx([["prompt", "completion"]] + [[x.u, x.a] for x in support(rnd(nm), 30)]), "local", W, D, "Workbook with 30 rows")
    nm = "few-test-rows.jsonl"
    r = rnd(nm)
    rows = support(r, 60)
    put(nm, [chat(x) for x in rows[:52]], "openai", W, D, "The test file has eight rows, too few for a verdict", None, test=("few-test-rows.test.jsonl", [chat(x) for x in rows[52:]]))


def style():
    D = "style far from the target's genre"

    def go(nm, target, what, texts, gen, ren=chat, sep=None, off=0, **kw):
        r = rnd(nm)
        rows = gen(r, N)
        ix = at(r, N, len(texts))
        for i, t in zip(ix, texts):
            rows[i].set_a(t)
        put(nm, sep(rows) if sep else jl([ren(x) for x in rows]), target, W, D, what, [i + 1 + off for i in ix], doubt="the table does not say how the genre is known", **kw)
    go("style-legalese-in-brand-voice.jsonl", "openai", "Legal prose among dry shop copy", ["The vendor hereby disclaims, to the fullest extent permitted by applicable law, any warranty of merchantability pertaining to the aforementioned article.", "Pursuant to clause 7(b) the purchaser shall indemnify the seller against all claims arising therefrom, notwithstanding any prior agreement.", "The undersigned party acknowledges receipt of the goods and waives recourse save as expressly provided herein.", "Any dispute arising hereunder shall be submitted to the exclusive jurisdiction of the competent court at the registered seat."], voice)
    go("style-hype-in-brand-voice.jsonl", "local", "Shouting advertisement although the prompt forbids exclamation marks", ["WOW!!! The HOTTEST deal of the YEAR is HERE!!! Click NOW and SAVE BIG!!! \U0001f525\U0001f525\U0001f525", "UNBELIEVABLE!!! You WON'T BELIEVE this price!!! HURRY, only 3 LEFT!!! \U0001f680\U0001f680", "AMAZING NEWS!!! Unlock your BEST LIFE with our GAME-CHANGING offer TODAY!!! \U0001f4af", "OMG!!! Tag a FRIEND who NEEDS this!!! LIKE and SHARE to WIN!!! \U0001f389\U0001f389"], voice, ren=sharegpt)
    go("style-markdown-report-in-chat.jsonl", "azure", "Headings, tables and bullets in a set of plain short replies", [f"# Overview\n\n## Background\n- {x}\n- {y}\n\n| Step | Owner |\n|---|---|\n| 1 | you |\n| 2 | us |\n\n**Conclusion:** {z}" for x, y, z in [("the scan is missing", "the van is late", "wait"), ("index rebuilt", "cache cleared", "reload"), ("seat removed", "credit given", "done"), ("certificate expired", "upload pending", "upload it")]], support)


def all_warn():
    for f in (neardups, contradictions, leakage, pii, balance, sysvariants, schema, phrases, refusals, outliers, languages, small, style):
        f()
