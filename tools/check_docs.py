#!/usr/bin/env python3
"""The documents say what the code says.

ARCHITECTURE.md names every room, and every symbol of its two walks exists in src; the option table
has a row per field of luna::Options; the error table has a row per Reason with its code; every
format page is in its index; a glossary term stands once; links between the documents lead
somewhere.
"""

import re

import tree

WALKS = ("One write", "One read")
ARCHITECTURE_LINES_MAX = 400
STYLE_LINES_MAX = 200


def _read(root, name, findings):
    path = root / name
    if path.exists():
        return path.read_text()
    findings.append(f"{name}: missing")
    return ""


def section(text, title):
    """The text below a heading of this title, up to the next heading of its level or above."""
    start = re.search(rf"^(#+) {re.escape(title)}\s*$", text, re.MULTILINE)
    if not start:
        return ""
    rest = text[start.end():]
    stop = re.search(rf"^#{{1,{len(start.group(1))}}} ", rest, re.MULTILINE)
    return rest[:stop.start()] if stop else rest


def symbol_exists(symbol, sources):
    """`Class::Member` exists if one file names both words (text, not proof)."""
    parts = [re.sub(r"[^A-Za-z0-9_~].*", "", part) for part in symbol.split("::")]
    words = [part for part in parts if part][-2:]
    patterns = [re.compile(rf"\b{re.escape(word)}\b") for word in words]
    return any(all(pattern.search(text) for pattern in patterns) for text in sources)


def check_architecture(root):
    findings = []
    text = _read(root, "ARCHITECTURE.md", findings)
    if not text:
        return findings
    if len(text.splitlines()) > ARCHITECTURE_LINES_MAX:
        findings.append(f"ARCHITECTURE.md: more than {ARCHITECTURE_LINES_MAX} lines")
    for room in tree.rooms(root).values():
        if f"`{room.folder}`" not in text:
            findings.append(f"ARCHITECTURE.md: does not name the room `{room.folder}`")
    sources = [p.read_text() for p in tree.files(root, ("src", "include"))]
    for title in WALKS:
        walk = section(text, title)
        symbols = [s for s in re.findall(r"`([^`\n]+)`", walk) if "::" in s]
        if not symbols:
            findings.append(f"ARCHITECTURE.md: the walk '{title}' names no symbol")
        for symbol in symbols:
            if not symbol_exists(symbol, sources):
                findings.append(f"ARCHITECTURE.md: '{title}' names `{symbol}`, which is not in src")
    return findings


def struct_fields(text, name):
    """Field names of a plain struct: declarations that end in ; and are no functions."""
    body = re.search(rf"^struct {name} \{{\n(.*?)^\}};", text, re.MULTILINE | re.DOTALL)
    if not body:
        return []
    fields = []
    for line in re.sub(r"//.*", "", body.group(1)).splitlines():
        field = re.match(r"\s+[\w:<>, ]+?\s(\w+)\s*(?:=[^;]*|\{[^;]*\})?;", line)
        if field:
            fields.append(field.group(1))
    return fields


def table_rows(text):
    """First cells (in backticks) of a document's table rows, with the other cells."""
    rows = []
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0].startswith("`"):
            rows.append((cells[0].strip("`"), cells[1:]))
    return rows


def _compare(where, listed, real, what):
    findings = [f"{where}: {what} {name} has no row" for name in real if name not in listed]
    findings += [f"{where}: row {name} is no {what}" for name in listed if name not in real]
    findings += [f"{where}: {name} has two rows" for name in set(listed) if listed.count(name) > 1]
    return findings


def check_options(root):
    findings = []
    text = _read(root, "docs/guide/options.md", findings)
    fields = struct_fields(_read(root, "include/luna/options.h", findings), "Options")
    if len(fields) > 20:
        findings.append(f"include/luna/options.h: {len(fields)} settings, at most 20")
    if text:
        listed = [name for name, _ in table_rows(text)]
        findings += _compare("docs/guide/options.md", listed, fields, "setting")
    return findings


def snake_case(constant):
    """kBadName → bad_name."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", constant.removeprefix("k")).lower()


def reasons_by_code(text):
    """Reason → code, read from the switch of CodeOf."""
    body = text[text.find("ErrorCode CodeOf"):]
    body = body[:body.find("\n}\n")]
    codes, waiting = {}, []
    for reason, code in re.findall(r"case Reason::(\w+):|return ErrorCode::(\w+);", body):
        if reason:
            waiting.append(reason)
        else:
            codes.update((r, code) for r in waiting)
            waiting = []
    return codes


def check_errors(root):
    findings = []
    text = _read(root, "docs/errors.md", findings)
    codes = reasons_by_code(_read(root, "src/base/status.cc", findings))
    header = _read(root, "include/luna/status.h", findings)
    enum = re.search(r"enum class Reason[^{]*\{(.*?)\};", header, re.DOTALL)
    reasons = re.findall(r"^\s*(k\w+),", enum.group(1), re.MULTILINE) if enum else []
    codes = {snake_case(reason): snake_case(code) for reason, code in codes.items()}
    if text:
        rows = [(name, cells) for name, cells in table_rows(text)
                if re.fullmatch(r"\w+", name) and name not in codes.values()]
        listed = [name for name, _ in rows]
        findings += _compare("docs/errors.md", listed, [snake_case(r) for r in reasons], "reason")
        for name, cells in rows:
            if name in codes and cells[0].strip("`") != codes[name]:
                findings.append(f"docs/errors.md: {name} belongs to {codes[name]}")
    return findings


def check_formats(root):
    findings = []
    index = _read(root, "docs/formats/README.md", findings)
    for path in sorted((root / "docs/formats").glob("*.md")):
        if path.name != "README.md" and f"({path.name})" not in index:
            findings.append(f"docs/formats/README.md: does not list {path.name}")
    return findings


def check_glossary(root):
    findings = []
    text = _read(root, "docs/glossary.md", findings)
    terms = [t.lower() for t in re.findall(r"^\*\*([^*]+)\*\*", text, re.MULTILINE)]
    if text and not terms:
        findings.append("docs/glossary.md: defines no term (a line starts with **term**)")
    twice = sorted({term for term in terms if terms.count(term) > 1})
    return findings + [f"docs/glossary.md: {term} is defined twice" for term in twice]


def check_links(root):
    findings = []
    for path in [*root.glob("*.md"), *sorted((root / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                findings.append(f"{tree.relative(root, path)}: link to {target} leads nowhere")
    return findings


def check(root):
    findings = check_architecture(root) + check_options(root) + check_errors(root)
    findings += check_formats(root) + check_glossary(root) + check_links(root)
    style = _read(root, "STYLE.md", findings)
    if len(style.splitlines()) > STYLE_LINES_MAX:
        findings.append(f"STYLE.md: more than {STYLE_LINES_MAX} lines")
    return findings


if __name__ == "__main__":
    tree.main(check)
