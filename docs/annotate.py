#!/usr/bin/python3
"""Makes the pages in docs/: annotate.py VERSION DATE

The book is going.c itself: a line that starts with // in column 0 is prose,
in Markdown, and everything else is code, shown beside it. Manuals, cookbook
and README become pages of the same look. Nothing but these files and the two
arguments decides what is written: no clock, no path, no installed manual.
"""
# It is Debian's Python that python3-pygments and python3-markdown belong to;
# another one may come before it on the PATH, hence the first line.

import html
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from markdown import markdown
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import CLexer

ROOT = Path(__file__).resolve().parent.parent
VERSION, DATE = sys.argv[1:]

# Each source, its page, what links to it are called, and its title.
PAGES = {
    "README.md": ("index.html", "going", "going, a process supervisor"),
    "docs/cookbook.md": ("cookbook.html", "Cookbook", "The going cookbook"),
    "going.1.ronn": ("going.1.html", "going(1)", "going(1), the program"),
    "going.5.ronn": ("going.5.html", "going(5)", "going(5), its files"),
    "going.c": ("going.c.html", "going.c", "going.c, the book"),
}

SHELL = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body class="{kind}">
<header>
<a class="skip" href="#content">Skip to the text</a>
<nav aria-label="Pages">
<ul>
{pages}
</ul>
</nav>
</header>
<nav class="contents" aria-label="Contents">
<ul>
{contents}
</ul>
</nav>
<main id="content">
{body}
</main>
<footer>
<p>going {version}, under the ISC licence. <a href="#content">To the top</a></p>
</footer>
</body>
</html>
"""


def text_of(fragment):
    return " ".join(re.sub("<[^>]*>", "", fragment).split())


# ---- The machine: the table of states, drawn.

# Where each state stands (its middle), and how each row of the table goes: the
# path of its arrow, and where its words are. Drawn by hand, since no program
# does it as well, or with the same bytes on every machine.
STATES = {
    "unknown": (120, 36), "up": (120, 310), "quarantined": (680, 310),
    "stopping": (400, 190), "done": (400, 410), "failed": (400, 510),
}
ARROWS = {
    ("unknown", "what it says"): ("M186 36H388q12 0 12 12V76", 287, 26),
    ("up", "quarantined"): ("M186 301H612", 400, 291),
    ("up", "done"): ("M138 334v64q0 12 12 12H332", 238, 400),
    ("up", "failed"): ("M102 334v164q0 12 12 12H332", 226, 500),
    ("up", "stopping"): ("M120 286v-84q0-12 12-12H332", 229, 180),
    ("stopping", "stopping"): ("M370 166C340 108 460 108 431 164", 400, 110),
    ("stopping", "quarantined"): ("M466 190H668q12 0 12 12V284", 567, 180),
    ("quarantined", "up"): ("M614 319H188", 400, 338),
    ("quarantined", "failed"): ("M710 334V510q0 12-12 12H468", 572, 541),
    ("done", "quarantined"): ("M466 410H646q12 0 12-12V336", 562, 400),
    ("failed", "quarantined"): ("M466 498H672q12 0 12-12V336", 572, 488),
}


def drawing(table):
    """The rows of the table as arrows. What it cannot place is an error."""
    rows = [re.findall("<td>(.*?)</td>", row)
            for row in re.findall("<tr>(.*?)</tr>", table, re.S)[1:]]
    keys = [(text_of(row[0]), text_of(row[3])) for row in rows]
    if sorted(keys) != sorted(ARROWS):
        sys.exit(f"annotate.py: redraw {set(keys) ^ set(ARROWS) or 'twins'}")
    process = {text_of(row[0]): text_of(row[1]) for row in rows}
    steps, shapes = [], []
    for (state, after), row in zip(keys, rows):
        path, x, y = ARROWS[state, after]
        words = row[2].replace("<code>", '<tspan class="name">')
        words = words.replace("</code>", "</tspan>")
        steps.append(f"{state}: {text_of(row[2])}: {after}.")
        shapes.append(
            f'<g class="arrow" data-from="{state}" data-to="{after}">'
            f'<path d="{path}"/><text x="{x}" y="{y}">{words}</text></g>')
        if after not in STATES:
            shapes.append(f'<text class="after" x="412" y="60">{after}</text>')
    for state, (x, y) in STATES.items():
        shapes.append(
            f'<g class="state {state}">'
            f'<rect x="{x - 66}" y="{y - 24}" width="132" height="48" rx="9"/>'
            f'<text class="name" x="{x}" y="{y - 2}">{state}</text>'
            f'<text x="{x}" y="{y + 15}">{process[state]}</text></g>')
    shapes, steps = "\n".join(shapes), " ".join(steps)
    return f"""<figure class="scroll" tabindex="0">
<svg role="img" viewBox="0 0 800 572">
<title>The states of a service, and what leads from one to another</title>
<desc>{steps}</desc>
<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7"
markerHeight="7" orient="auto"><path d="M0 1L10 5L0 9z"/></marker></defs>
<rect class="seen" x="24" y="78" width="752" height="482" rx="18"/>
{shapes}
</svg>
</figure>"""


# ---- The ways from a source to the HTML of its text.


def ronn(source, *options):
    """Runs ronn. What it complains about, it has lost: an error."""
    run = subprocess.run(
        ["ronn", "--pipe", *options, source], cwd=ROOT, text=True,
        encoding="utf-8", capture_output=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"})
    if run.returncode or run.stderr:
        sys.exit(f"annotate.py: ronn {source}: {run.stderr}")
    return run.stdout


def manual(source):
    """ronn's HTML, with a heading, and an anchor for each option and key."""
    seen = set()

    def anchor(match):
        name = match[2]
        if name in seen:
            return match[0]
        seen.add(name)
        return f'<dt id="{name}">{match[1]}'

    body = re.sub("</?div.*?>", "", ronn(source, "--fragment"))
    body = re.sub(r"<dt>\s*(<code>([\w-]+)</code>)", anchor, body)
    body = re.sub(r'<span class="man-ref">(.*?)<span class="s">(.*?)</span>'
                  "</span>", r"\1\2", body)
    return f"<h1>{PAGES[source][1]}</h1>\n{body}"


def prose(text):
    return markdown(text, extensions=["tables", "toc", "fenced_code"])


def book(text):
    """Prose and code in two columns: a row for each piece of code."""
    # Both are done once for the whole file: prose, because lists and links do
    # not end where code begins; code, because numbers of lines are to be true.
    lines = text.splitlines()
    code = "\n".join("" if x.startswith("//") else x for x in lines)
    code = highlight(code, CLexer(stripnl=False), HtmlFormatter(nowrap=True))
    # Names, blanks and operators have no colour, functions have an anchor.
    code = re.sub('<span class="(?:n|o|p|w)">(.*?)</span>', r"\1", code)
    code = re.sub(r'<span class="nf">(\w+)', r'<span class="nf" id="\1">\1',
                  code).split("\n")
    story = []
    for is_prose, block in groupby(
            range(len(lines)), lambda i: lines[i].startswith("//")):
        block = list(block)
        if is_prose:
            story += [lines[i][2:].removeprefix(" ") for i in block]
        else:
            full = [i for i in block if lines[i]]
            story += ["", f"<!--{full[0]} {full[-1]}-->" if full else "", ""]
    parts = re.split(r"<!--(\d+) (\d+)-->", prose("\n".join(story)))
    rows = []
    for words, first, last in zip(parts[::3], parts[1::3], parts[2::3]):
        # A heading starts a row, and a table ends one, or code would stand
        # far from its words.
        *alone, beside = re.split("(?=<h[12])|(?<=</table>)", words)
        for piece in filter(str.strip, alone):
            machine = drawing(piece) if "<th>state</th>" in piece else ""
            rows.append(f'<div class="row"><div>{piece}</div>{machine}</div>')
        block = "\n".join(f'<span id="L{i + 1}">{code[i]}</span>'
                          for i in range(int(first), int(last) + 1))
        rows.append(
            f'<div class="row"><div>{beside}</div>'
            f'<pre class="code" style="counter-reset:line {first}">'
            f"<code>{block}</code></pre></div>")
    return "\n".join(rows)


# ---- The page around it.


def reference(match):
    """name(N): our own pages, and what is sure to be at man7.org."""
    whole, name, section = match[0], match[2], match[3]
    if name == "going" and section in "15":
        return f'<a href="going.{section}.html">{whole}</a>'
    # Init's table comes with init, not with Linux's manual.
    if not name or section not in "2357" or name == "inittab":
        return whole
    return ('<a href="https://man7.org/linux/man-pages/'
            f'man{section}/{name}.{section}.html">{whole}</a>')


def page(source):
    text = (ROOT / source).read_text(encoding="utf-8")
    target, _, title = PAGES[source]

    def link(match):
        """Where a link between sources leads among their pages."""
        path, hash_, anchor = match[1].partition("#")
        if not path or ":" in path:
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), path))
        path = PAGES[path][0] if path in PAGES else os.path.relpath(path, "docs")
        return f'href="{path}{hash_}{anchor}"'

    make = {".c": book, ".md": prose, ".ronn": lambda _: manual(source)}
    body = make[Path(source).suffix](text)
    body = re.sub('href="([^"]*)"', link, body)
    body = re.sub(r'<(h[23]) id="([^"]*)">(.*?)</\1>',
                  r'<\1 id="\2"><a href="#\2">\3</a></\1>', body)
    body = re.sub(r"<(pre|a|h1|svg)\b.*?</\1>|<[^>]*>|\b([\w.-]+)\(([1-8])\)",
                  reference, body, flags=re.S)
    # What may have to scroll on a small screen must be reached by keyboard.
    body = body.replace("<pre", '<pre tabindex="0"')
    body = re.sub("<table>.*?</table>",
                  r'<div class="scroll" tabindex="0">\g<0></div>', body,
                  flags=re.S)
    contents = re.findall(r'<(h[23]) id="([^"]*)"><a[^>]*>(.*?)</a>', body)
    return SHELL.format(
        title=html.escape(title), version=VERSION, body=body,
        kind=Path(source).suffix[1:],
        style=(ROOT / "docs/style.css").read_text(encoding="utf-8"),
        pages="\n".join(
            f"<li><strong>{name}</strong></li>" if to == target
            else f'<li><a href="{to}">{name}</a></li>'
            for to, name, _ in PAGES.values()),
        contents="\n".join(
            f'<li class="{level}"><a href="#{anchor}">{text_of(name)}</a></li>'
            for level, anchor, name in contents))


def main():
    pages = {to: page(source) for source, (to, _, _) in PAGES.items()}
    for name in ("going.1", "going.5"):
        roff = ronn(f"{name}.ronn", "--roff", f"--date={DATE}",
                    "--manual=Going Manual", f"--organization=going {VERSION}")
        # mandoc reads no date but one such as 2026-11-21.
        pages[name] = re.sub(r'(?m)^(\.TH.*)"[A-Z][a-z]* \d+"',
                             rf'\g<1>"{DATE}"', roff)
    for to, content in pages.items():
        (ROOT / "docs" / to).write_text(content, encoding="utf-8")


main()
