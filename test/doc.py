#!/usr/bin/python3
"""Looks for faults in docs/: doc.py CHECK. Says each one, and exits with 1.

The pages are read with a real parser, and never with the program that made
them: what is right is said here once more, in other words.
"""

import re
import subprocess
import sys
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
            if re.match(r"\[.*\]: ", paragraph):
                continue
            plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", flat(paragraph))
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
        headings = list(page.main.all("h1", "h2", "h3", "h4", "h5", "h6"))
        levels = [int(heading.tag[1]) for heading in headings]
        if levels.count(1) != 1 or levels[0] != 1:
            fault(f"{name}: not one h1 first: {levels}")
        for one, next_one in zip(levels, levels[1:]):
            if next_one > one + 1:
                fault(f"{name}: h{next_one} after h{one}")
        for anchor, count in Counter(anchors[name]).items():
            if count > 1:
                fault(f"{name}: {count} times the id {anchor}")
        chapters = [(f"#{h['id']}", flat(h.text())) for h in headings
                    if h.tag in ("h2", "h3")]
        listed = [(a["href"], flat(a.text())) for nav in page.root.all("nav")
                  if nav["aria-label"] == "Contents" for a in nav.all("a")]
        own = [(a["href"], flat(h.text())) for h in headings for a in h.all("a")]
        if not listed or not chapters == listed == own:
            fault(f"{name}: contents {listed}, headings {chapters}, {own}")
        for a in page.root.all("a"):
            path, _, anchor = a["href"].partition("#")
            if re.match("https?:", path):
                continue
            if not (ROOT / "docs" / (path or name)).exists():
                fault(f"{name}: no file: {a['href']}")
            elif anchor and anchor not in anchors.get(path or name, ()):
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
            if node.tag in ("script", "link", "img", "iframe", "base", "object"):
                fault(f"{name}: <{node.tag}>")
            for key, value in node.attributes.items():
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
    ("launch", "up"): {("quarantined", "up")},
    ("settle", "failed"): {("quarantined", "failed")},
    ("stop", "stopping"): {("up", "stopping")},
    ("ended", "quarantined"): {("up", "quarantined"),
                               ("stopping", "quarantined")},
    ("ended", "failed"): {("up", "failed")},
    ("ended", "done"): {("up", "done")},
    ("renew", "quarantined"): {("done", "quarantined"),
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
        if row[2] not in [flat(g.text()) for g in arrows
                          if (g["data-from"], g["data-to"]) == (row[0], row[3])]:
            fault(f"no arrow says: {row[2]}")
    states = re.search(r"enum state \{(.*?)\}", text)[1].lower().split(", ")
    states = [state.strip() for state in states]
    named = re.findall('"(.*?)"', re.search(r"states\[\] = \{(.*?)\}", text)[1])
    boxes = {g["class"].split()[1] for g in page.main.all("g")
             if g["class"].startswith("state ")}
    told = {row[0] for row in rows} | {row[3] for row in rows} - {"what it says"}
    if not set(states) == boxes == told or named != [""] + states[1:]:
        fault(f"states: {states}, {named}, {boxes}, {told}")
    moves, function = set(), ""
    for line in re.sub(r"(?m)^//.*", "", text).replace(",\n", ",").splitlines():
        head = re.match(r"\w.*?(\w+)\(.*\{$", line)
        function = head[1] if head else function
        for to in re.findall(r"\benter\(s, ([^;]*);|\bstate = ([^;]*);", line):
            moves |= {(function, name.lower()) for name
                      in re.findall("[A-Z]+", "".join(to))
                      if name.lower() in states}
    for move in moves ^ set(MOVES):
        fault(f"not the same in code and test: {move}")
    reached = set().union(*MOVES.values()) | {("stopping", "stopping")}
    for row in reached ^ set(table):
        fault(f"not the same in code and table: {row}")


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
