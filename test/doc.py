#!/usr/bin/python3
"""Looks for faults in docs/: doc.py CHECK. Says each one, and exits with 1.

The pages are read with a real parser, and never with the program that made
them: what is right is said here once more, in other words.
"""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"index.html": "README.md", "cookbook.html": "docs/cookbook.md",
         "going.1.html": "going.1.ronn", "going.5.html": "going.5.ronn",
         "going.c.html": "going.c"}
REFERENCE = re.compile(r"\b([\w.-]+)\(([1-8])\)")
# Manuals that Debian's packages of the tests do not have, and why.
ELSEWHERE = {
    "going(1)": "ours", "going(5)": "ours",
    "inittab(5)": "comes with sysvinit",
    "init(8)": "comes with an init, of which there are many",
    "nscd(8)": "one of several such caches",
    "supervise-daemon(8)": "comes with OpenRC",
}
faults = []


class Node:
    def __init__(self, tag="", attributes=(), parent=None):
        self.tag, self.parent = tag, parent
        self.attributes, self.children = dict(attributes), []

    def __getitem__(self, name):
        return self.attributes.get(name, "")

    def all(self, *tags):
        for child in self.children:
            if isinstance(child, Node):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def text(self, *without):
        return "".join(
            child if isinstance(child, str) else child.text(*without)
            for child in self.children
            if isinstance(child, str) or child.tag not in without)


class Page(HTMLParser):
    def __init__(self, name):
        super().__init__()
        self.name, self.root = name, Node()
        self.at = self.root
        self.feed((ROOT / "docs" / name).read_text(encoding="utf-8"))
        self.main = next(self.root.all("main"))
        self.title = next(self.root.all("h1"))

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs, self.at)
        self.at.children.append(node)
        if tag not in ("meta", "br", "hr", "img", "link"):
            self.at = node

    def handle_startendtag(self, tag, attrs):
        self.at.children.append(Node(tag, attrs, self.at))

    def handle_endtag(self, tag):
        if tag != self.at.tag:
            fault(f"{self.name}: </{tag}> closes <{self.at.tag}>")
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)


def anchor(heading):
    """The id of a heading, or that of its section, whose top is where to land."""
    while not heading["id"]:
        heading = heading.parent
    return heading["id"]


def fault(text):
    faults.append(text)


def source(name):
    return (ROOT / name).read_text(encoding="utf-8")


def flat(text):
    return " ".join(text.split())


def prose(name):
    """The Markdown of a source, without its examples."""
    text = source(name)
    if name == "going.c":
        return "\n".join(line[2:].removeprefix(" ") if line.startswith("//")
                         else "" for line in text.splitlines())
    text = re.sub(r"(?ms)^```.*?^```$", "", text)
    lines = text.splitlines()
    # An indented line is an example after an empty one, or after another.
    keep, example = [], False
    for before, line in zip([""] + lines, lines):
        if line.strip():
            deep = line.startswith("    ")
            example = deep and (example or not before.strip())
        keep.append("" if example else line)
    return "\n".join(keep)


def lossless():
    """The code of the page is the code of going.c, line for line."""
    shown = [(int(span["id"][1:]), span.text())
             for pre in Page("going.c.html").main.all("pre")
             for span in pre.all("span") if re.fullmatch(r"L\d+", span["id"])]
    code = [(number, line) for number, line
            in enumerate(source("going.c").splitlines(), 1)
            if not line.startswith("//")]
    missing = [c for c in code if c[1] and c not in shown]
    for number, line in missing + [s for s in shown if s not in code]:
        fault(f"going.c:{number}: {line}")
    if shown != sorted(shown):
        fault("the lines are out of order")
    whole = "\n".join(pre.text() for pre in Page("going.c.html").main.all("pre"))
    if whole != "\n".join(line for _, line in shown):
        fault("there is more in the code than its lines")


def paragraphs():
    """Every paragraph is on its page as text, and none of its markup."""
    for page, name in PAGES.items():
        if name.endswith(".ronn"):
            continue
        main = Page(page).main
        shown = flat(main.text("pre", "svg"))
        bare = re.sub(r"[\s*|]", "", shown)
        for paragraph in re.split(r"\n\s*\n|\n(?=[*|-] )", prose(name)):
            if re.match(r"\[.*\]: |# ", paragraph):
                continue
            for words in re.findall(r"!\[(.*?)\]\(", paragraph):
                if words not in [image["alt"] for image in main.all("img")]:
                    fault(f"{page}: no picture: {words}")
            plain = re.sub(r"!\[.*?\]\(.*?\)", "", flat(paragraph))
            plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", plain)
            plain = re.sub(r"\[(.*?)\]\[.*?\]", r"\1", plain)
            plain = re.sub(r"^(#+|[*-]|\d\.) |\|(-+\|)+|[`*|]", "", plain)
            if re.sub(r"\s", "", plain) not in bare:
                fault(f"{page}: not there: {plain}")
        for left in re.findall(r".{0,20}(?:`|###|//|\*\*).{0,20}",
                               flat(main.text("pre", "svg", "code"))):
            fault(f"{page}: raw: {left}")


def structure():
    """Headings, anchors and contents agree, and every link lands."""
    pages = {name: Page(name) for name in PAGES}
    anchors = {name: [node["id"] for node in page.root.all() if node["id"]]
               for name, page in pages.items()}
    for name, page in pages.items():
        headings = list(page.root.all("h1", "h2", "h3", "h4", "h5", "h6"))
        levels = [int(heading.tag[1]) for heading in headings]
        if levels.count(1) != 1 or levels[0] != 1:
            fault(f"{name}: not one h1 first: {levels}")
        for one, next_one in zip(levels, levels[1:]):
            if next_one > one + 1:
                fault(f"{name}: h{next_one} after h{one}")
        for place, count in Counter(anchors[name]).items():
            if count > 1:
                fault(f"{name}: {count} times the id {place}")
        chapters = [(f"#{anchor(h)}", flat(h.text())) for h in headings
                    if h.tag in ("h2", "h3")]
        listed = [(a["href"], flat(a.text())) for nav in page.root.all("nav")
                  if nav["aria-label"] == "Contents" for a in nav.all("a")]
        own = [(a["href"], flat(h.text())) for h in headings for a in h.all("a")]
        if not listed or not chapters == listed == own:
            fault(f"{name}: contents {listed}, headings {chapters}, {own}")
        for a in page.root.all("a"):
            path, _, place = a["href"].partition("#")
            if re.match("https?:", path):
                continue
            if not (ROOT / "docs" / (path or name)).exists():
                fault(f"{name}: no file: {a['href']}")
            elif place and place not in anchors.get(path or name, ()):
                fault(f"{name}: no anchor: {a['href']}")
    for name in ("going.1.html", "going.5.html"):
        if name not in [a["href"] for a in pages["going.c.html"].main.all("a")]:
            fault(f"the book does not speak of {name}")
        if "going.c.html" not in [a["href"] for a in pages[name].root.all("a")]:
            fault(f"{name} does not lead to the book")


def references():
    """Every name(N) is a manual, and a link if its place is certain."""
    names = set()
    for name in PAGES.values():
        names.update(REFERENCE.findall(prose(name)))
    for name, section in sorted(names):
        there = subprocess.run(["man", "-w", section, name], check=False,
                               capture_output=True).returncode == 0
        if not there and f"{name}({section})" not in ELSEWHERE:
            fault(f"no such manual: {name}({section})")

    def walk(page, node, link=None):
        for child in node.children:
            if isinstance(child, Node):
                if child.tag not in ("pre", "h1", "svg"):
                    walk(page, child, child["href"] or link)
                continue
            for name, section in REFERENCE.findall(child):
                right = None
                if section in "2357" and f"{name}({section})" not in ELSEWHERE:
                    right = ("https://man7.org/linux/man-pages/"
                             f"man{section}/{name}.{section}.html")
                if name == "going":
                    right = f"going.{section}.html"
                if link != right:
                    fault(f"{page}: {name}({section}) leads to {link}")

    for page in PAGES:
        walk(page, Page(page).main)


def alone():
    """A page runs nothing, and loads nothing but itself."""
    for name, written in PAGES.items():
        page = Page(name)
        for node in page.root.all():
            if node.tag in ("script", "link", "iframe", "base", "object"):
                fault(f"{name}: <{node.tag}>")
            for key, value in node.attributes.items():
                if node.tag == "img" and value.startswith("data:image/svg+xml;base64,"):
                    continue
                if key.startswith("on") or "src" in key or "url(" in value:
                    fault(f"{name}: {key}={value}")
        for style in page.root.all("style"):
            for load in re.findall(r"@import|url\((?!#).*?\)", style.text()):
                fault(f"{name}: {load}")
        for a in page.root.all("a"):
            if (":" in a["href"] and a["href"] not in source(written)
                    and not a["href"].startswith("https://man7.org/")):
                fault(f"{name}: leads to {a['href']}")


# What in the code moves a service to a state, and the rows it stands for.
# Another number for the end of a quarantine is not a row: nothing changes but
# the time. Nor is the second signal in the code a change of state.
MOVES = {
    ("adopt", "up"): {("unknown", "what it says")},
    ("adopt", "stopping"): {("unknown", "what it says")},
    ("adopt", "quarantined"): {("unknown", "what it says")},
    ("adopt", "done"): {("unknown", "what it says")},
    ("adopt", "failed"): {("unknown", "what it says")},
    ("spawn", "up"): {("quarantined", "up")},
    ("reconcile", "failed"): {("quarantined", "failed")},
    ("stop", "stopping"): {("up", "stopping")},
    ("ended", "quarantined"): {("up", "quarantined"),
                               ("stopping", "quarantined")},
    ("ended", "failed"): {("up", "failed")},
    ("ended", "done"): {("up", "done")},
    ("reset", "quarantined"): {("done", "quarantined"),
                               ("failed", "quarantined")},
}


def machine():
    """The table of states, its drawing and the code say the same."""
    text = source("going.c")
    rows = [[flat(cell).replace("`", "") for cell in line.split("|")[1:5]]
            for line in text.splitlines() if re.match(r"// \| `", line)]
    table = Counter((row[0], row[3]) for row in rows)
    page = Page("going.c.html")
    arrows = [g for g in page.main.all("g") if g["class"] == "arrow"]
    drawn = Counter((g["data-from"], g["data-to"]) for g in arrows)
    if table != drawn:
        fault(f"table and drawing differ: {table - drawn} {drawn - table}")
    for row in rows:
        if not any(flat(g.text()).startswith(row[2]) for g in arrows
                   if (g["data-from"], g["data-to"]) == (row[0], row[3])):
            fault(f"no arrow says: {row[2]}")
    states = re.findall(r"\w+", re.search(r"enum state \{(.*?)\}", text, re.S)[1].lower())
    named = re.findall('"(.*?)"', re.search(r"states\[\] = \{(.*?)\}", text, re.S)[1])
    boxes = {text.text() for text in page.main.all("text") if text["class"] == "name"}
    told = {row[0] for row in rows} | {row[3] for row in rows if row[3] in states}
    if not set(states) == boxes == told or named != [""] + states[1:]:
        fault(f"states: {states}, {named}, {boxes}, {told}")
    # One function enters a state that it is given.
    setter = re.search(r"(\w+)\([^()]*\) \{[^}]*->state = state;", text)[1]
    moves, function = set(), ""
    for line in re.sub(r"(?m)^//.*", "", text).replace(",\n", ",").splitlines():
        head = re.match(r"\w.*?(\w+)\(.*\{$", line)
        function = head[1] if head else function
        for to in re.findall(rf"\b{setter}\(s, ([^;]*);|\bstate = ([^;]*);", line):
            moves |= {(function, name.lower()) for name
                      in re.findall("[A-Z]+", "".join(to))
                      if name.lower() in states}
    for move in moves ^ set(MOVES):
        fault(f"not the same in code and test: {move}")
    reached = set().union(*MOVES.values()) | {("stopping", "stopping")}
    for row in reached ^ set(table):
        fault(f"not the same in code and table: {row}")


def bare_code():
    """The code of going.c, blank where it has prose, comments, strings or directives."""
    return re.sub(
        r'//[^\n]*|/[*].*?[*]/|(?m:^#[^\n]*)|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'',
        lambda match: re.sub(r"\S", " ", match[0]), source("going.c"), flags=re.S)


# A name is declared behind another one, unless that is one of these.
DECLARED = (r"\b(?!(?:return|else|case|goto|sizeof|struct|union|enum)\b)"
            r"[A-Za-z_]\w*(?=(?: \**|\*+ )([A-Za-z_]\w*)\b(?!\())")


def definitions(code):
    """The line of each name defined outside of functions; the lines of the functions; what each
    declares. Found by the look of the code, which clang-format keeps as it is."""
    places, functions, local = {}, {}, {}

    def line(at):
        return code.count("\n", 0, at) + 1

    for at in re.finditer(r"(?ms)^\w[^;={}]*?\b(\w+)\([^;{}]*\) \{(?:[^\n]*\}$|.*?^\})", code):
        places[at[1]], functions[at[1]] = line(at.start(1)), (line(at.start()), line(at.end()))
        local[at[1]] = set(re.findall(DECLARED, at[0]))
        without = re.sub(r"[([][^][()]*[])]", "", re.sub(r"[([][^][()]*[])]", "", at[0]))
        for statement in re.split("[;{}]", without) + re.findall(r"\bfor \(([^;]*)", at[0]):
            if re.match(r"\s*" + DECLARED, statement):
                local[at[1]].update(re.findall(r",\s*\**([A-Za-z_]\w*)", statement))
    outer = "\n".join(
        "" if any(first <= number <= last for first, last in functions.values()) else text
        for number, text in enumerate(code.split("\n"), 1))
    code = outer  # which has as many lines, and is what line() is to count in from here on
    for at in re.finditer(r"\b(struct|union|enum) (\w+) \{", outer):
        places[f"{at[1]} {at[2]}"] = line(at.start(2))
    for body in re.finditer(r"\benum\b[ \w]*\{([^}]*)", outer):
        for at in re.finditer(r"(?:^|,)\s*(\w+)", body[1]):
            places[at[1]] = line(body.start(1) + at.start(1))
    structs = [(line(at.start()), line(at.end()) - 1) for at in re.finditer(
        r"\b(?:struct|union)\b[ \w]*\{[^}]*", outer)]
    for at in re.finditer(r"\btypedef\b[^;{]*?(?:\(\*(\w+)\)[^;]*|\b(\w+));", outer):
        places[at[1] or at[2]] = line(at.start(1 if at[1] else 2))
        outer = outer[:at.start()] + re.sub(r"\S", " ", at[0]) + outer[at.end():]
    for _ in range(9):
        outer = re.sub(r"[([{][^][(){}]*[])}]", lambda at: re.sub(r"\S", " ", at[0]), outer)
    outer = re.sub("=[^,;]*", lambda at: re.sub(r"\S", " ", at[0]), outer)
    for at in re.finditer(r"(struct |union |enum )?\b([A-Za-z_]\w*)\s*[,;]", outer):
        if not at[1] and at[2] not in ("struct", "union", "enum"):
            places.setdefault(at[2], line(at.start(2)))
    for number, text in enumerate(source("going.c").splitlines(), 1):
        if text.startswith("#define "):
            places[re.match(r"#define (\w+)", text)[1]] = number
    return places, functions, local, structs


def names():
    """Every use of a function, a global, an enumerator, a struct or a macro of the file leads to
    its definition, and nothing else in the code is a link."""
    code = bare_code()
    places, functions, local, structs = definitions(code)
    right, seen = {}, set()
    for at in re.finditer(r"[A-Za-z_]\w*", code):
        line = code.count("\n", 0, at.start()) + 1
        before, after = code[:at.start()].rstrip(), code[at.end():].lstrip()
        tag = re.search(r"\b(struct|union|enum)$", before)
        name = f"{tag[1]} {at[0]}" if tag else at[0]
        home = next((f for f, (one, end) in functions.items() if one <= line <= end), None)
        if name not in places or not tag and (
                before.endswith((".", "->")) or at[0] in local.get(home, ())
                or after[0] in ";,[:" and any(one <= line <= end for one, end in structs)):
            continue
        if line == places[name] and name not in seen:
            seen.add(name)
            continue
        to = name if name in functions else f"L{places[name]}"
        right.setdefault(line, []).append((at[0], f"#{to}"))
    shown = {}
    for pre in Page("going.c.html").main.all("pre"):
        for span in pre.all("span"):
            if re.fullmatch(r"L\d+", span["id"]):
                own, *links = span.all("a")
                if own["href"] != f"#{span['id']}" or own.text():
                    fault(f"the number of {span['id']} leads to {own['href']}")
                if links:
                    shown[int(span["id"][1:])] = [(a.text(), a["href"]) for a in links]
    for line in sorted(right.keys() | shown.keys()):
        if right.get(line) != shown.get(line):
            fault(f"going.c:{line}: {shown.get(line)} instead of {right.get(line)}")
    if len(right) < 100:
        fault(f"only {len(right)} lines with names")


def callers():
    """Below each function is who calls it, as the compiler sees it; and who else names it."""
    calls, code = {}, bare_code()
    places, functions, local, _ = definitions(code)
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["gcc", "-std=gnu11", "-w", "-O0", "-fcallgraph-info", "-c", "-o",
             f"{directory}/going.o", str(ROOT / "going.c")], check=True)
        graph = Path(directory, "going.ci").read_text(encoding="utf-8")
    for by, to in re.findall(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', graph):
        calls.setdefault(to.split(":")[-1], set()).add(by.split(":")[-1])
    page = Page("going.c.html")
    headed = set()
    for row in page.main.all("section"):
        heading = [h.text() for h in row.all("h3")]
        if row["class"] != "row" or not heading:
            continue
        name = row["id"]
        headed.add(name)
        if heading != [f"{name}()"] or f"L{places[name]}" not in [s["id"] for s in row.all("span")]:
            fault(f"{heading} is not the heading of {name}")
        said = {"Called from": set(), "Named in": set()}
        for p in row.all("p"):
            if p["class"] == "users":
                kind = next(kind for kind in said if p.text().startswith(kind))
                said[kind] = {a.text() for a in p.all("a")}
        if said["Called from"] != calls.get(name, set()) & functions.keys():
            fault(f"{name} is called from {calls.get(name)}, not {said['Called from']}")
        named = {user for user, (one, end) in functions.items()
                 if name not in local[user] and re.search(
                     rf"(?<![\w.>]){name}\b(?!\s*\()",
                     "\n".join(code.split("\n")[one - 1:end]))}
        if not named <= said["Named in"] or said["Named in"] & functions.keys() - named:
            fault(f"{name} is named in {named}, not {said['Named in']}")
    if headed != functions.keys():
        fault(f"no heading: {functions.keys() - headed}; no function: {headed - functions.keys()}")


def chapters():
    """Where the book speaks of a chapter, or of function(), it leads there."""
    page = Page("going.c.html")
    there = {}
    for section in page.main.all("section"):
        heading = next(section.all("h2"), None)
        if heading:
            there[flat(heading.text()).split()[0]] = f"#{section['id']}"
    found = []

    def walk(node, link=None):
        for child in node.children:
            if isinstance(child, Node):
                if child.tag not in ("pre", "h2", "h3", "svg"):
                    walk(child, child["href"] or link)
                continue
            for number in re.findall(r"[Cc]hapter\s+(\d+)", child):
                found.append(number)
                if not link or link != there.get(number):
                    fault(f"chapter {number} leads to {link}")
            for name in re.findall(r"(\w+)\(\)", child):
                if link != f"#{name}":
                    fault(f"{name}() leads to {link}")

    walk(page.main)
    written = re.findall(r"[Cc]hapter\s+(\d+)", prose("going.c"))
    if Counter(found) != Counter(written) or not found:
        fault(f"chapters {found} instead of {written}")


def beside():
    """Prose right above code is beside that code; prose that an empty line cuts off is not."""
    shown = {}
    page = Page("going.c.html")
    for section in page.main.all("section"):
        if section["class"] == "row":
            lines = [span["id"] for span in section.all("span") if span["id"]]
            shown[lines[0]] = section
    intros = [re.sub(r"\W", "", div.text()) for div in page.main.all("div")
              if div["class"] == "intro"]
    story = []
    for number, line in enumerate(source("going.c").splitlines() + [""], 1):
        if line.startswith("//"):
            story = story if line != "//" else []
            story += [line[2:]]
        elif story:
            # By its last words, without what is markup: a table, a list, a link.
            last = re.sub(r"\W", "", re.sub(r"\]\(.*?\)", "", "".join(story)))[-40:]
            if line:
                words = shown.get(f"L{number}") and shown[f"L{number}"].text("pre")
                if not words or last not in re.sub(r"\W", "", words):
                    fault(f"not beside line {number}: {last}")
            elif not any(last in intro for intro in intros):
                fault(f"not by itself, above line {number}: {last}")
            story = []


def facts():
    """The book says how much there is to read."""
    said = flat(next(Page("going.c.html").root.all("header")).text("nav"))
    count = subprocess.run(["cloc", "--csv", "--quiet", str(ROOT / "going.c")], check=True,
                           capture_output=True, text=True).stdout.split(",")[-1].strip()
    words = len(" ".join(re.findall("(?m)^//(.*)", source("going.c"))).split())
    version = re.search(r"footer>\s*<p>going (\S+),", source("docs/going.c.html"))[1]
    for fact in (f"Version {version}:", f"{count} lines of code", f"{words:,} words"):
        if fact not in said:
            fault(f"does not say {fact}: {said}")
    if not re.search(r"about [1-9]\d+ minutes", said):
        fault(f"does not say how long it takes: {said}")


def render(name, width):
    return subprocess.run(
        ["man", "--nh", "--nj", "-l", str(ROOT / "docs" / name)], check=True,
        capture_output=True, text=True, encoding="utf-8",
        env={"MANWIDTH": str(width), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    ).stdout


def width():
    """No line of a manual is longer than the terminal is wide."""
    # An example cannot be broken; it may want a terminal of 80 columns.
    for name in ("going.1", "going.5"):
        examples = re.findall(r"(?m)^    +(.*)", source(f"{name}.ronn"))
        for columns in (60, 80, 120):
            for line in render(name, columns).splitlines():
                limit = max(80, columns) if line.strip() in examples else columns
                if len(line) > limit:
                    fault(f"{name}: over {columns} columns: {line}")


def words():
    """A manual shows every word of its source, and no other."""
    def count(text):
        # Without quotes' shapes, markup, and the colon that ends a term.
        text = re.sub("[‘’]", "'", re.sub("[“”]", '"', text))
        text = re.sub("[‐−–]", "-", re.sub("[*`<>]|:(?=\\s)", "", text))
        return Counter(text.split())

    for name in ("going.1", "going.5"):
        text = re.sub("(?m)^=+$|^#+ |^  [*] ", "", source(f"{name}.ronn"))
        text = re.sub(r"^(\w+)\(\d\) --", r"NAME \1 -", text)
        shown = "\n".join(render(name, 900).splitlines()[1:-1])
        lost, more = count(text) - count(shown), count(shown) - count(text)
        if lost or more:
            fault(f"{name}: lost {dict(lost)}, more {dict(more)}")


globals()[sys.argv[1]]()
print("\n".join(faults))
sys.exit(bool(faults))
