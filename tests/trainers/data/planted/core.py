"""Row generators, renderers and file writers used by make.py (plain Python, seeded)."""
import csv, io, json, os, random, re, zipfile, zlib
import texts as T

HERE = os.path.dirname(os.path.abspath(__file__))
FILES, CLEAN = os.path.join(HERE, "files"), os.path.join(HERE, "clean")
MANIFEST = []


def rnd(name):
    return random.Random(zlib.crc32(name.encode()) ^ 20261101)


class Row:
    def __init__(self, system, turns, **meta):
        self.system, self.turns, self.meta = system, turns, meta

    @property
    def u(self):
        return self.turns[0][1]

    @property
    def a(self):
        return self.turns[-1][1]

    def set_u(self, t):
        self.turns[0] = ("user", t)

    def set_a(self, t):
        self.turns[-1] = ("assistant", t)

    def copy(self):
        return Row(self.system, list(self.turns), **dict(self.meta))


def shingles(text, k=2):
    w = re.findall(r"\w+", text.lower())
    return {" ".join(w[i:i + k]) for i in range(max(1, len(w) - k + 1))}


def sim(a, b):
    return len(a & b) / max(1, len(a | b))


def build(r, n, make, limit=0.42, key=lambda row: [row.u, row.a], tries=4000):
    """n rows from make(r, i), refusing anything similar to an earlier row."""
    out, seen, i = [], [], 0
    while len(out) < n:
        row = make(r, i)
        i += 1
        if i > tries:
            raise RuntimeError(f"only {len(out)} of {n} rows")
        sh = [shingles(k) for k in key(row)]
        if any(any(sim(x, y) > limit for x, y in zip(sh, s)) for s in seen):
            continue
        seen.append(sh)
        out.append(row)
    return out


def cap(s):
    return s[:1].upper() + s[1:]


class Deck:
    """Draws without repetition until exhausted, then reshuffles."""
    def __init__(self, r, items):
        self.r, self.items, self.d = r, list(items), []

    def __call__(self):
        if not self.d:
            self.d = self.items[:]
            self.r.shuffle(self.d)
        return self.d.pop()


SYS_SUPPORT = "Answer customers in a warm, brief tone."
SYS_LABEL = "Label as billing, technical, shipping, account or feedback."
SYS_EXTRACT = "Return JSON with vendor, number, total, currency, due."
SYS_JOB = "Return JSON: title, city, remote (true/false), skills (list)."
SYS_QA = "Answer handbook questions briefly."
SYS_VOICE = "Dry shop copy, no exclamation marks."
SYS_SUM = "Summarise: decisions, actions, risk."
SYS_CODE = "Answer with code only, no commentary."


def _wrapq(d, q):
    o = d["o"]()
    mid = q if o.endswith((",", ":", "but", "that")) and not o.startswith("Short") else cap(q)
    end = "?" if re.match(r"(where|can|why|how|do|is|what)\b", q, re.I) else "."
    return f"{o} {mid}{end}"


def support(r, n, labels=False):
    cores = Deck(r, [(k, q, a) for k, v in T.CORES.items() for q, a in v])
    d = {k: Deck(r, v) for k, v in dict(o=T.OPEN, d=T.DETAIL, ao=T.AOPEN, ac=T.ACLOSE).items()}

    def make(r, i):
        k, q, a = cores()
        u = _wrapq(d, q)
        if i % 2:
            u += " " + d["d"]()
        elif i % 4 == 0:
            u += f" ({r.choice(T.PRODUCTS)} edition)"
        ans = [f"{d['ao']()} {a}.", f"{a}. {d['ac']()}", f"{d['ao']()} {a}. {d['ac']()}"][i % 3]
        return Row(SYS_SUPPORT, [("user", u), ("assistant", ans)], label=k)
    return build(r, n, make)


def label(r, n):
    """Balanced classification rows."""
    decks = {k: Deck(r, v) for k, v in T.CORES.items()}
    d = {k: Deck(r, v) for k, v in dict(o=T.OPEN, d=T.DETAIL).items()}
    ks = list(T.CORES)
    cnt = {k: 0 for k in ks}

    def make(r, i):
        k = min(ks, key=lambda x: (cnt[x], r.random()))
        q = decks[k]()[0]
        u = f"{_wrapq(d, q)} {d['d']()}"
        if r.random() < .4:
            u = f"{d['d']()} {_wrapq(d, q)}"
        row = Row(SYS_LABEL, [("user", u), ("assistant", k)], label=k)
        return row
    out, seen = [], []
    guard = 0
    while len(out) < n:
        guard += 1
        assert guard < 6000
        row = make(r, guard)
        s = shingles(row.u)
        if any(sim(s, x) > .42 for x in seen):
            continue
        seen.append(s)
        cnt[row.meta["label"]] += 1
        out.append(row)
    r.shuffle(out)
    return out


def qa(r, n):
    d, qw, aw = Deck(r, T.QA), Deck(r, T.QW), Deck(r, T.QAW)

    def make(r, i):
        q, a = d()
        u = qw().format(q=q, ql=q[0].lower() + q[1:])
        ans = aw().format(a=a, al=a[0].lower() + a[1:], s=f"{r.randint(1, 19)}.{r.randint(1, 9)}")
        return Row(SYS_QA, [("user", u), ("assistant", ans)])
    return build(r, n, make)


def voice(r, n):
    d, b, c, e = Deck(r, T.VOICE_ITEMS), Deck(r, T.VOICE_BRIEF), Deck(r, T.VOICE_COPY), Deck(r, T.VOICE_FOR)

    def make(r, i):
        it, f = d()
        return Row(SYS_VOICE, [("user", b().format(i=it) + " " + e()), ("assistant", cap(c().format(i=it, f=f, F=cap(f))))])
    return build(r, n, make, limit=.62)


def money(r):
    return f"{r.randint(38, 9800)}.{r.randint(0, 99):02d}"


def invoice(r, n):
    v, g, p = Deck(r, T.VENDORS), Deck(r, T.GOODS), Deck(r, T.INV_PAT)

    def make(r, i):
        ven, y, m, dd = v(), 2026, r.randint(1, 12), r.randint(1, 28)
        num = r.choice(["RE-{}", "{}/26", "INV {}", "F{}"]).format(r.randint(1200, 98000))
        t, cur = money(r), r.choice(["EUR", "GBP", "SEK", "CHF"])
        txt = cap(p().format(v=ven, n=num, g=g(), t=t, c=cur, d=f"{dd} {T.MONTHS[m - 1]} {y}"))
        obj = {"vendor": ven, "number": num, "total": float(t), "currency": cur, "due": f"{y}-{m:02d}-{dd:02d}"}
        return Row(SYS_EXTRACT, [("user", txt), ("assistant", json.dumps(obj, ensure_ascii=False))], obj=obj)
    return build(r, n, make, key=lambda x: [x.u])


def jobs(r, n):
    j, c = Deck(r, T.JOBS), Deck(r, T.CITIES)
    pats = ["{t} wanted in {c}. {rm} You bring {s1} and {s2}. {x}", "{c}: we look for a {t}. Needed: {s1}, {s2}. {x} {rm}", "Our family firm near {c} hires a {t} from {m}. {rm} {x} {s1} and {s2} are a must.", "Join us as {t}! {x} Place: {c}. {rm} Please know {s1} plus {s2}.",
            "{m} vacancy, {t}, {c}. {s1}; {s2}. {rm} {x}", "Are you a {t} who likes {s1}? In {c} a desk is free. {x} {rm} {s2} helps."]
    xs = ["Free fruit.", "A team of nine awaits you.", "Thirty days of leave.", "Tram stop at the door.", "We pay above the tariff.", "Dogs are welcome.", "Training during working hours.", "The canteen is famous.", "Four-day week possible.", "Start whenever you like.", "The contract is permanent.", "We repay your ticket for the interview."]
    rms = [("Remote work is fine.", True), ("On site only.", False), ("You may stay at home on all days.", True), ("Presence in the building is required.", False), ("Home office guaranteed.", True), ("This cannot be done from home.", False)]
    pd, xd, rd = Deck(r, pats), Deck(r, xs), Deck(r, rms)

    def make(r, i):
        t, ci = j(), c()
        s1, s2 = r.sample(T.SKILLS, 2)
        rm, flag = rd()
        txt = pd().format(t=t, c=ci, s1=s1, s2=s2, x=xd() + " " + xd(), rm=rm, m=r.choice(T.MONTHS))
        obj = {"title": t, "city": ci, "remote": flag, "skills": [s1, s2]}
        return Row(SYS_JOB, [("user", txt), ("assistant", json.dumps(obj, ensure_ascii=False))], obj=obj)
    return build(r, n, make, key=lambda x: [x.u])


def summ(r, n, k=2):
    start = Deck(r, ['It was agreed that', 'The group settled that', 'Outcome:', 'Decided:', 'In brief,', 'Two results:', 'From now on', 'The room chose that', 'Settled:', 'As of today', 'New:', 'The minutes say'])
    def make(r, i):
        ds, ac, rk, tp = r.sample(T.DECISIONS, 2 * k), r.sample(T.ACTIONS, 2 * k), r.sample(T.RISKS, k), r.sample(T.TOPICS, 2 * k)
        body = []
        for x in range(2 * k):
            body.append(f"{tp[x]}. {r.choice(['After some back and forth', 'Without objections', 'Following the figures from ' + r.choice(T.MONTHS), 'On a vote of ' + str(r.randint(4, 9)) + ' to ' + str(r.randint(1, 3)), 'At the wish of ' + r.choice(T.CITIES)])} {ds[x]}. {cap(ac[x])} by {r.choice(T.MONTHS)}."
                        + (f" Worry: {rk[x // 2]}." if x % 2 else ""))
        txt = f"Notes, {r.choice(T.CITIES)}, {r.randint(1, 28)} {r.choice(T.MONTHS)}\n" + "\n".join(body)
        ans = f"{start()} {ds[0]} and {ds[1]}. Next, {ac[0]}, while {ac[1]}. {r.choice(['The main risk is that', 'Open worry:', 'Watch out:', 'One doubt remains:'])} {rk[0]}."
        return Row(SYS_SUM, [("user", txt), ("assistant", ans)])
    return build(r, n, make, limit=.5)


def code(r, n):
    items = list(T.CODE)
    for i, (t, c, d) in enumerate(T.SQL_T):
        for j in (i % 4, (i + 1) % 4, (i + 2) % 4, (i + 3) % 4):
            q, a = T.SQL_Q[j]
            items.append((q.format(t=t, c=c, d=d), a.format(t=t, c=c, d=d)))
    dk = Deck(r, items)

    def make(r, i):
        q, a = dk()
        return Row(SYS_CODE, [("user", q), ("assistant", a)])
    return build(r, n, make, limit=.7)


def german(r, n):
    d = {k: Deck(r, v) for k, v in dict(c=T.DE, o=T.DEO, d=T.DED, a=T.DEA, e=T.DEC).items()}

    def make(r, i):
        q, a = d["c"]()
        end = "?" if re.match(r"(Warum|Wie|Kann|Liefern|Wo |Können|Gibt)", q) else "."
        return Row("Beantworte Kundenfragen freundlich und knapp.", [("user", f"{d['o']()} {q}{end} {d['d']()}"), ("assistant", f"{d['a']()} {a}. {d['e']()}")])
    return build(r, n, make, limit=.62)


def arabic(r, n):
    d = {k: Deck(r, v) for k, v in dict(c=T.AR, o=T.ARO, d=T.ARD, a=T.ARA, e=T.ARC).items()}

    def make(r, i):
        q, a = d["c"]()
        return Row("أجب عن أسئلة العملاء بلطف وإيجاز.", [("user", f"{d['o']()} {q}؟ {d['d']()}"), ("assistant", f"{d['a']()} {a}. {d['e']()}")])
    return build(r, n, make, limit=.52)


FOLLOW_U = ["And does it work the same on the tablet?", "How long should I wait?", "Fine, and what about our second office?", "Where exactly is that menu?", "Will my colleagues notice anything?", "Could that happen again?", "Is there a cost?", "I see it now, what next?", "Who else should know?", "May I forward this?", "Do I have to confirm that?", "What if it fails?"]
FOLLOW_A = ["It does, though the button sits at the bottom there.", "Ten minutes are plenty in most cases.", "The second office follows the same rule from tomorrow.", "Top right, behind the round icon, third entry.", "They will only see a small note in the log.", "Hardly, the cause is removed for good.", "It is free of charge for every plan.", "Press Save and close the window, that is all.", "Only the person who pays the bills.", "By all means, it holds nothing private.", "A tick in the box is enough.", "Then call us and we finish it together."]


def multi(r, n, turns=2):
    base = support(r, n)
    fu, fa = Deck(r, list(zip(FOLLOW_U, FOLLOW_A))), None
    extra = Deck(r, T.DETAIL)
    close = Deck(r, T.ACLOSE)
    for row in base:
        for _ in range(turns - 1 + (r.random() < .3)):
            q, a = fu()
            row.turns += [("user", f"{extra()} {q}"), ("assistant", f"{a} {close()}")]
    return base


# ---------- renderers
def chat(row, system=True):
    m = [{"role": "system", "content": row.system}] if system and row.system else []
    return {"messages": m + [{"role": a, "content": b} for a, b in row.turns]}


def pc(row):
    return {"prompt": row.u, "completion": row.a}


def alpaca(row):
    return {"instruction": row.system, "input": row.u, "output": row.a}


def sharegpt(row, system=True):
    m = {"user": "human", "assistant": "gpt"}
    s = [{"from": "system", "value": row.system}] if system else []
    return {"conversations": s + [{"from": m[a], "value": b} for a, b in row.turns]}


def vertex(row):
    m = {"user": "user", "assistant": "model"}
    return {"systemInstruction": {"role": "system", "parts": [{"text": row.system}]}, "contents": [{"role": m[a], "parts": [{"text": b}]} for a, b in row.turns]}


WORSE = ["Look it up yourself, it is in the menu.", "We get this a lot. Restart everything.", "That is odd, maybe later.", "Depends.", "Please read the manual first and write again.", "Not our department, try the other line.", "It works on my machine.", "Ask your admin about it.", "Maybe the internet was down at your place.", "This has been answered elsewhere already."]


def dpo_openai(row, r):
    return {"input": {"messages": [{"role": "system", "content": row.system}] + [{"role": a, "content": b} for a, b in row.turns[:-1]]},
            "preferred_output": [{"role": "assistant", "content": row.a}], "non_preferred_output": [{"role": "assistant", "content": worse(row, r)}]}


def worse(row, r):
    return f"{r.choice(WORSE)} {r.choice(T.DETAIL)} {r.choice(T.AOPEN)}"


def dpo_trl(row, r):
    return {"prompt": row.u, "chosen": row.a, "rejected": worse(row, r)}


# ---------- writers
def jl(objs, **kw):
    kw.setdefault("ensure_ascii", False)
    return [o if isinstance(o, str) else json.dumps(o, **kw) for o in objs]


def enc(lines, nl="\n", bom=False, coding="utf-8"):
    return (b"\xef\xbb\xbf" if bom else b"") + (nl.join(lines) + nl).encode(coding)


def table(header, rows, delim=",", nl="\r\n"):
    s = io.StringIO()
    w = csv.writer(s, delimiter=delim, lineterminator=nl)
    w.writerow(header)
    w.writerows(rows)
    return s.getvalue()


def xml(t):
    return str(t).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def col(i):
    return chr(65 + i)


class F:  # formula cell
    def __init__(self, f, v=None):
        self.f, self.v = f, v


def xlsx(rows, shared=True, extra="", pre="", more_sheets=(), pad=b""):
    """A minimal workbook. rows: lists of str, int, float, None or F."""
    ss, idx = [], {}

    def cell(x, y, v):
        ref = f"{col(x)}{y}"
        if v is None:
            return ""
        if isinstance(v, F):
            return f'<c r="{ref}" t="str"><f>{xml(v.f)}</f>' + (f"<v>{xml(v.v)}</v>" if v.v is not None else "") + "</c>"
        if isinstance(v, (int, float)):
            return f'<c r="{ref}"><v>{v}</v></c>'
        if shared:
            if v not in idx:
                idx[v] = len(ss)
                ss.append(v)
            return f'<c r="{ref}" t="s"><v>{idx[v]}</v></c>'
        return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{xml(v)}</t></is></c>'

    def sheet(rows, extra=""):
        body = "".join(f'<row r="{y}">' + "".join(cell(x, y, v) for x, v in enumerate(r)) + "</row>" for y, r in enumerate(rows, 1))
        return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData>{extra}</worksheet>'
    sheets = [("Data", sheet(rows, extra))] + [(n, sheet(rw)) for n, rw in more_sheets]
    P = "http://schemas.openxmlformats.org"
    parts = {
        "[Content_Types].xml": f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{P}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>' for i in range(1, len(sheets) + 1))
        + '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{P}/package/2006/relationships"><Relationship Id="rId1" Type="{P}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{P}/spreadsheetml/2006/main" xmlns:r="{P}/officeDocument/2006/relationships"><sheets>' + "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, (n, _) in enumerate(sheets, 1)) + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{P}/package/2006/relationships">' + "".join(f'<Relationship Id="rId{i}" Type="{P}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1))
        + f'<Relationship Id="rId99" Type="{P}/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<?xml version="1.0" encoding="UTF-8"?>{pre}<sst xmlns="{P}/spreadsheetml/2006/main">' + "".join(f'<si><t xml:space="preserve">{xml(s) if not s.startswith("&lol") else s}</t></si>' for s in ss) + "</sst>",
    }
    for i, (_, s) in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = s.encode() + (pad if i == 1 else b"")
    return zipped(parts)


def zipped(parts):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for n, d in parts.items():
            zi = zipfile.ZipInfo(n, (2026, 11, 1, 9, 0, 0))
            zi.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(zi, d)
    return b.getvalue()


def write(folder, name, data):
    if isinstance(data, list):  # most exporters write no blanks between tokens
        data = enc(jl(data, separators=(",", ":")) if zlib.crc32(name.encode()) % 4 else jl(data))
    elif isinstance(data, str):
        data = data.encode("utf-8")
    with open(os.path.join(folder, name), "wb") as fh:
        fh.write(data)


def put(name, data, target, severity, defect, what, lines=None, test=None, generate=None, **extra):
    folder = CLEAN if severity == "CLEAN" else FILES
    sub = "clean/" if severity == "CLEAN" else "files/"
    t = None
    if test:
        write(folder, test[0], test[1])
        t = sub + test[0]
    if generate is None:
        write(folder, name, data)
    e = {"file": sub + name, "target": target, "test": t, "severity": severity, "defect": defect, "what": what, "lines": lines}
    if generate:
        e["generate"] = generate
    e.update(extra)
    MANIFEST.append(e)
