#!/usr/bin/python3
"""Makes the pages in docs/, and the roff of the manuals: annotate.py [VERSION [DATE]]

The book is going.c itself: a line that starts with // in column 0 is prose, in Markdown, and
everything else is code, shown beside it. Manuals, cookbook and README become pages of the same
look. VERSION is that of going.c, DATE that of the newest heading of CHANGELOG.md; the arguments are
for sources that do not say. Nothing else decides what is written: no clock, no path, no installed
manual.

What the book is built on: a chapter is `## N Title`. A function begins and ends in column 0. Prose
right above code is about that code; an empty line after prose cuts it off, as after a chapter's
introduction. The table whose first column is called "state" is the machine: it leads from the
first column to the last.
"""
# It is Debian's Python that python3-pygments and python3-markdown belong to; another one may come
# before it on the PATH, hence the first line.

import base64
import html
import json
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from markdown import markdown
from pygments.lexers import CLexer
from pygments.token import Comment, Keyword, Literal, Name

ROOT = Path(__file__).resolve().parent.parent

# Each source, its page, what links to it are called, and its title.
PAGES = {
    "README.md": ("index.html", "going", "going, a process supervisor"),
    "docs/cookbook.md": ("cookbook.html", "cookbook", "The going cookbook"),
    "going.1.ronn": ("going.1.html", "going(1)", "going(1), the program"),
    "going.5.ronn": ("going.5.html", "going(5)", "going(5), its files"),
    "going.c": ("going.c.html", "going.c", "going.c, the book"),
}
# What is coloured in code, and as what; the first that fits.
COLOURS = [("pre", Comment.Preproc), ("pre", Comment.PreprocFile), ("com", Comment),
           ("type", Keyword.Type), ("val", Keyword.Constant), ("key", Keyword), ("val", Literal)]


def fail(reason):
    sys.exit(f"annotate.py: {reason}")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command):
    """What a program makes. What ronn complains about, it has lost: an error."""
    done = subprocess.run(command, cwd=ROOT, text=True, encoding="utf-8", capture_output=True,
                          check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode or done.stderr:
        fail(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def said_in(name, pattern, argument):
    """What a source says of itself, or else an argument."""
    found = re.search(pattern, read(name), re.M)
    if not found and len(sys.argv) <= argument:
        fail(f"{name} does not say {pattern}")
    return found[1] if found else sys.argv[argument]


VERSION = said_in("going.c", r'"going ([0-9]\S*) ', 1)
DATE = said_in("CHANGELOG.md", r"^## .*(\d{4}-\d\d-\d\d)", 2)


def text_of(fragment):
    """A piece of HTML without its tags."""
    return " ".join(re.sub("<[^>]*>", "", fragment).split())


def prose(text):
    return markdown(text, extensions=["tables", "toc", "fenced_code"])


def in_words(pattern, function, body):
    """Replaces named patterns in the words of a page, not in code, links and pictures."""
    return re.sub(rf"(?s)<(pre|a|svg)\b.*?</\1>|<[^>]*>|{pattern}",
                  lambda match: function(match) if match.lastgroup else match[0], body)


# ---- The machine: the table of states, drawn.


def drawing(table):
    """Each state is a column, each row of the table an arrow between two of them."""
    rows = [re.findall("<td>(.*?)</td>", row)
            for row in re.findall("<tr>(.*?)</tr>", table, re.S)[1:]]
    notes = dict((text_of(row[0]), text_of(row[1])) for row in rows)
    notes |= {(x := text_of(row[-1])): notes.get(x, "") for row in rows if "<code>" in row[-1]}
    width, bottom = 150 * len(notes), 66 + 38 * len(rows)
    middle = {state: 150 * i + 75 for i, state in enumerate(notes)}
    steps = " ".join(f"{text_of(row[0])}: {text_of(row[-2])}: {text_of(row[-1])}." for row in rows)
    shapes = [f'<g class="state"><path class="life" d="M{x} 49V{bottom}"/>'
              f'<rect x="{x - 61}" y="3" width="122" height="46" rx="9"/>'
              f'<text class="name" x="{x}" y="23">{state}</text>'
              f'<text x="{x}" y="40">{notes[state]}</text></g>\n' for state, x in middle.items()]
    for y, row in zip(range(96, bottom, 38), rows):
        state, words, after = text_of(row[0]), row[-2], text_of(row[-1])
        # What is no state may be any of them.
        words += "" if after in middle else f": {row[-1]}"
        start, end = middle[state], middle.get(after, width - 75)
        # Words are about seven units a letter wide, and none may stick out.
        half = 3.6 * len(text_of(words)) + 4
        path, x, down = f"M{start} {y}H{end}", (start + end) / 2, -7
        if start == end:
            side = 1 if start < width / 2 else -1
            path = f"M{start} {y - 9}h{24 * side}v18H{start}"
            x, down = start + side * (half + 18), 5
        words = re.sub("<(/?)code>", r"<\1tspan>", words)
        shapes.append(
            f'<g class="arrow" data-from="{state}" data-to="{after}"><path d="{path}"/>'
            f'<text x="{min(max(x, half), width - half):.0f}" y="{y + down}">{words}</text></g>\n')
    return f"""<figure>
<svg role="img" viewBox="0 0 {width} {bottom}">
<title>The states of a service, and what leads from one to another</title>
<desc>{steps}</desc>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
orient="auto"><path d="M0 1L10 5L0 9z"/></marker></defs>
{''.join(shapes)}</svg>
</figure>"""


# ---- The code: its colours, and what leads from a name to its definition.


class Code:
    """The lines of the code in HTML, with a link from each name to its definition. What is defined
    where is known by ctags, what is a name by pygments."""

    def __init__(self, source):
        self.places, self.functions, self.structs, self.hidden, self.seen = {}, {}, [], set(), set()
        for tag in map(json.loads, run(
                "ctags", "--output-format=json", "--fields=NKnse", "--sort=no",
                "--kinds-C=defgstuvlz", "-o-", source).splitlines()):
            name, kind, line = tag["name"], tag["kind"], tag["line"]
            end = tag.get("end", line)
            if kind in ("local", "parameter"):
                self.hidden.add((tag["scope"], name))
                continue
            if kind in ("struct", "union"):
                self.structs.append(range(line, max(end, line + 1)))
            elif kind == "function":
                self.functions[name] = range(line, end + 1)
            self.places[f"{kind} {name}" if kind in ("struct", "union", "enum") else name] = line
        # Of each function: who calls it, and who names it without a call.
        self.users = {name: ({}, {}) for name in self.functions}
        self.text = re.sub("(?m)^//.*", "", read(source))
        self.lines = self.to_html().split("\n")

    def to_html(self):
        line, shown = 1, []
        for at, kind, text in CLexer().get_tokens_unprocessed(self.text):
            colour = next((name for name, kinds in COLOURS if kind in kinds), "")
            shown.append((colour, self.name(text, line, self.text[:at], self.text[at + len(text):])
                          if kind in Name else html.escape(text, False)))
            line += text.count("\n")
        return "".join(
            re.sub("(?m)^.+$", rf'<span class="{colour}">\g<0></span>' if colour else r"\g<0>",
                   "".join(text for _, text in group))
            for colour, group in groupby(shown, lambda piece: piece[0]))

    def name(self, name, line, before, after):
        """A name where it stands in the code, as a link if it is defined here."""
        tag = re.search(r"\b(struct|union|enum)\s*$", before[-20:])
        known, home = f"{tag[1]} {name}" if tag else name, self.home(line)
        after = after.lstrip()[:1]
        member = re.search(r"(\.|->)\s*$", before[-20:]) or after in ",;[:" and any(
            line in span for span in self.structs)
        if known not in self.places or not tag and (member or (home, name) in self.hidden):
            return name
        if line == self.places[known] and known not in self.seen:
            self.seen.add(known)
            return f"<b>{name}</b>"
        if known in self.functions and (home in self.functions or after != "("):
            self.users[name][after != "("][home] = True
        return self.link(known, name)

    def link(self, known, text):
        to = known if known in self.functions else f"L{self.places[known]}"
        return f'<a href="#{to}">{text}</a>'

    def home(self, line):
        """The function, or else the variable, to which a line belongs."""
        return next((name for name, span in self.functions.items() if line in span), max(
            ((at, name) for name, at in self.places.items() if at <= line), default=(0, ""))[1])

    def row(self, words, first, last):
        """Words beside some lines; if these are a function, with its name and its users."""
        lines = [f'<span id="L{i}"><a href="#L{i}" tabindex="-1" aria-hidden="true"></a>'
                 f"{self.lines[i - 1]}</span>" for i in range(first, last + 1)]
        kind = " includes" if all('<span class="pre">' in line for line in lines) else ""
        code = (f'<pre class="code{kind}" style="counter-reset:line {first - 1}"><code>'
                + "\n".join(lines) + "</code></pre>")
        name = next((x for x, span in self.functions.items() if first <= span[0] <= last), None)
        for said, users in zip(("Called from", "Named in"), self.users.get(name, ())):
            if users:
                users = ", ".join(self.link(user, user) for user in users)
                code += f'\n<p class="users">{said} {users}</p>'
        words = f'<h3><a href="#{name}">{name}()</a></h3>\n{words}' if name else words
        words, anchor = words and f"<div>{words}</div>\n", f' id="{name}"' if name else ""
        return f'<section class="row"{anchor}>\n{words}<div>{code}</div>\n</section>'


# ---- The ways from a source to the HTML of its text.


def manual(source):
    """ronn's HTML, with an anchor for each option and key."""
    body = re.sub("</?div.*?>", "", run("ronn", "--pipe", "--fragment", source))
    for name in dict.fromkeys(re.findall(r"<dt>\s*<code>([\w-]+)</code>", body)):
        body = re.sub(rf"<dt>\s*(<code>{name}</code>)", rf'<dt id="{name}">\1', body, count=1)
    return re.sub(r'<span class="man-ref">(.*?)<span class="s">(.*?)</span></span>', r"\1\2", body)


def blocks_of(lines):
    """The pieces of the book, each with its kind and the numbers of its lines."""
    numbers = range(1, len(lines) + 1)
    for is_prose, block in groupby(numbers, lambda i: lines[i - 1].startswith("//")):
        block = list(block)
        if is_prose:
            yield "prose", block
        elif not lines[block[0] - 1]:
            yield "break", []
        while block and not is_prose:
            # A function ends its piece of the code.
            end = next((i for i in block if lines[i - 1] == "}"), block[-1])
            piece = [i for i in block if i <= end and lines[i - 1]]
            block = [i for i in block if i > end]
            if piece:
                yield "code", [piece[0], piece[-1]]


def book(source):
    """Prose and code in two columns: a row for each piece of code."""
    # Both are done once for the whole file: prose, because lists and links do not end where code
    # begins; code, because numbers of lines are to be true.
    lines, code = read(source).splitlines(), Code(source)
    story, rows = [], []
    for kind, block in blocks_of(lines):
        story += ([lines[i - 1][2:].removeprefix(" ") for i in block] if kind == "prose" else
                  ["", f"<!--{' '.join(map(str, [kind, *block]))}-->", ""])
    for part in re.split("(?<=-->)", prose("\n".join(story)) + "<!--break-->"):
        words, _, end = part.partition("<!--")
        # A heading stands for itself, and a table is above the code.
        *above, beside = re.split("(<h2.*?</h2>)|(?<=</table>)", words)
        if end.startswith("break"):
            above, beside = [*above, beside], ""
        rows += [piece if piece.startswith("<h") else f'<div class="intro">{piece.strip()}</div>'
                 for piece in above if piece and piece.strip()]
        if end.startswith("code"):
            rows.append(code.row(beside.strip(), *map(int, re.findall(r"\d+", end))))
    return re.sub("(?s)<table>(?=.{,20}<th>state</th>)(.*?</table>)", lambda table: drawing(
        table[0]) + f'\n<table class="machine">{table[1]}', "\n".join(rows))


def facts(source):
    """How much there is to read in the book, and how long that may take."""
    lines = [x.strip() for x in read(source).splitlines()]
    code = sum(bool(x) and not x.startswith("//") for x in lines)
    words = sum(len(x.split()) - 1 for x in lines if x.startswith("//"))
    return (f"<p>Version {VERSION}: {code} lines of code and {words:,} words, to be read in about "
            f"{round(words / 200 + code / 10, -1):.0f} minutes.</p>")


# ---- The page around it.


def reference(match):
    """name(N): our own pages, and what is sure to be at man7.org."""
    whole, name, section = match[0], match["name"], match["section"]
    if name == "going" and section in "15":
        return f'<a href="going.{section}.html">{whole}</a>'
    # Init's table comes with init, not with Linux's manual.
    if section not in "2357" or name == "inittab":
        return whole
    return (f'<a href="https://man7.org/linux/man-pages/man{section}/{name}.{section}.html">'
            f"{whole}</a>")


def in_sections(body):
    """A section for each h2, with a bar: its heading and the ways on and back."""
    made, *parts = re.split('<h2 id="(.*?)">(.*?)</h2>', body)
    chapters = list(zip(parts[::3], parts[1::3]))
    ends = [("top", "Top"), *chapters, ("top", "Top")]
    for (back, last), (own, name), (on, coming), text in zip(ends, chapters, ends[2:], parts[2::3]):
        made += f"""<section id="{own}">
<div class="bar"><h2><a href="#{own}">{name}</a></h2>
<a href="#{back}" aria-label="Back: {text_of(last)}">← <span>{last}</span></a>
<a href="#contents" aria-label="Contents">↑</a>
<a href="#{on}" aria-label="On: {text_of(coming)}"><span>{coming}</span> →</a></div>
{text.strip()}
</section>
"""
    return made


def links_inside(body):
    """Makes links of the chapters and functions that the book speaks of."""
    chapters = {number: anchor for anchor, number in re.findall(
        r'<h2><a href="#([^"]*)">(\d+) ', body)}

    def chapter(match):
        if match[1] not in chapters:
            fail(f"there is no chapter {match[1]}")
        return f'<a href="#{chapters[match[1]]}">{match[0]}</a>'

    def function(match):
        if f'id="{match["name"]}"' not in body:
            fail(f"there is no function {match[0]} here; others are written name(N)")
        return f'<a href="#{match["name"]}">{match[0]}</a>'

    body = in_words(r"\b(?P<name>\w+)\(\)", function, body)
    return in_words(
        r"\b(?P<chapters>[Cc]hapters?\s\d+(?:(?:,| to| and)\s\d+)*)",
        lambda match: re.sub(r"(?:[Cc]hapter\s)?(\d+)", chapter, match[0]), body)


def contents(source, body):
    """A list of the sections, with lists of what they contain. It has all headings of the source:
    what makes one disappear, as some text makes python-markdown, makes more disappear."""
    items, there = "", set()
    for level, anchor, name in re.findall(r'<(h[23])[^>]*><a href="#([^"]*)">(.*?)</a>', body):
        items += "</ul></li>\n" if items and level == "h2" else ""
        items += f'<li><a href="#{anchor}">{text_of(name)}</a>'
        items += "\n<ul>\n" if level == "h2" else "</li>\n"
        there.add(re.sub(r"\W", "", html.unescape(text_of(name))))
    sign = "// " if source.endswith(".c") else ""
    for name in re.findall(f"(?m)^{sign}##+ (.*)", re.sub("(?ms)^```.*?^```", "", read(source))):
        if re.sub(r"\W", "", name) not in there:
            fail(f"{source}: its page has lost {name}")
    return f"{items}</ul></li>".replace("\n<ul>\n</ul>", "")


def page(source):
    target, _, title = PAGES[source]

    def link(match):
        """Where a link between sources leads among their pages."""
        path, hash_, anchor = match[1].partition("#")
        if not path or ":" in path:
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), path))
        path = PAGES[path][0] if path in PAGES else os.path.relpath(path, "docs")
        return f'href="{path}{hash_}{anchor}"'

    kind = Path(source).suffix[1:]
    body = {"c": book, "ronn": manual, "md": lambda name: prose(read(name))}[kind](source)
    body = re.sub('href="([^"]*)"', link, re.sub("<h1.*?</h1>\n*", "", body))
    body = re.sub(r'<h3 id="(.*?)">(.*?)</h3>', r'<h3 id="\1"><a href="#\1">\2</a></h3>', body)
    body = in_sections(body)
    body = re.sub(r"<code>([\w.-]+\([1-8]\))</code>", r"\1", body)
    body = in_words(r"\b(?P<name>[\w.-]+)\((?P<section>[1-8])\)", reference, body)
    body = links_inside(body) if kind == "c" else body
    # A page needs nothing but itself, not even its pictures.
    body = re.sub(r'src="\.*/?([^":]*\.svg)"', lambda match: 'src="data:image/svg+xml;base64,'
                  + base64.b64encode(read(match[1]).encode()).decode() + '"', body)
    # What may have to scroll on a small screen must be reached by keyboard.
    body = body.replace("<pre", '<pre tabindex="0"')
    body = re.sub("(?s)<table.*?</table>", r'<div class="scroll" tabindex="0">\g<0></div>', body)
    return read("docs/page.html.in").format(
        title=html.escape(title), version=VERSION, kind=kind, style=read("docs/style.css"),
        facts=facts(source) if kind == "c" else "", body=body, contents=contents(source, body),
        pages="\n".join(
            f"<li><strong>{name}</strong></li>" if to == target
            else f'<li><a href="{to}">{name}</a></li>' for to, name, _ in PAGES.values()))


def roff(name):
    text = run("ronn", "--pipe", "--roff", f"--date={DATE}", "--manual=Going Manual",
               f"--organization=going {VERSION}", f"{name}.ronn")
    # Without comments, which tell ronn's version, and with a date that mandoc can read, such as
    # 2026-11-21.
    text = re.sub(r'(?m)^\.\\".*\n', "", text)
    return re.sub(r'(?m)^(\.TH.*)"[A-Z][a-z]* \d+"', rf'\g<1>"{DATE}"', text)


def main():
    made = {to: page(source) for source, (to, _, _) in PAGES.items()}
    made |= {name: roff(name) for name in ("going.1", "going.5")}
    for to, content in made.items():
        (ROOT / "docs" / to).write_text(content, encoding="utf-8")


main()
