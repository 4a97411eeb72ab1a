#!/usr/bin/env python3
"""Write the tables behind the tokenizer's text repair: make_unicode_tables.py [FOLDER]

FOLDER (default src/models/text) receives unicode_tables.inc and html_entities.inc, made from the Unicode data and the
HTML 5 entities of the Python that runs this. The tables in the repository are Python 3.13's (Unicode 15.1).
"""
import html
import html.entities
import pathlib
import sys
import unicodedata

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(codes):
    """Sorted codes as [first, last] ranges."""
    found = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def lower_runs():
    """Runs [first, last, stride, delta] of capitals whose small letters lie at the same distance."""
    runs = []
    for code in CODES:
        small = chr(code).lower()
        # U+0130 becomes two characters and U+03A3 depends on its neighbours: the program knows both.
        if small == chr(code) or len(small) > 1 or code == 0x3A3:
            continue
        delta = ord(small) - code
        if runs and runs[-1][3] == delta:
            first, last, stride, _ = runs[-1]
            if code - last == stride or (first == last and code - last in (1, 2)):
                runs[-1][1], runs[-1][2] = code, code - last
                continue
        runs.append([code, code, 1, delta])
    return runs


def sigma_classes():
    """Codes that the rule of the final sigma passes over, and those that count as letters with case."""
    sigma, final = '\u03a3', '\u03c2'
    after_letter = {c for c in CODES if ('A' + chr(c) + sigma).lower()[-1] == final}
    after_digit = {c for c in CODES if ('1' + chr(c) + sigma).lower()[-1] == final}
    return sorted(after_letter - after_digit), sorted(after_digit)


def decompositions():
    """[code, first, second, composes] of every canonical decomposition; second is 0 for a single character."""
    rows = []
    for code in CODES:
        text = unicodedata.decomposition(chr(code))
        if not text or text.startswith('<'):
            continue
        parts = [int(part, 16) for part in text.split()] + [0]
        composes = unicodedata.normalize('NFC', chr(code)) == chr(code)
        rows.append([code, parts[0], parts[1], int(composes)])
    return rows


def combining_runs():
    runs = []
    for code in CODES:
        number = unicodedata.combining(chr(code))
        if not number:
            continue
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == number:
            runs[-1][1] = code
        else:
            runs.append([code, code, number])
    return runs


def widths():
    """[code, first, second, 0] of halfwidth and fullwidth forms, and the ideographic space."""
    rows = [[0x3000, 0x20, 0, 0]]
    for code in range(0xFF01, 0xFFF0):
        plain = unicodedata.normalize('NFKC', chr(code))
        if plain != chr(code):
            parts = [ord(c) for c in plain] + [0]
            assert len(plain) <= 2
            rows.append([code, parts[0], parts[1], 0])
    return rows


def entity_capitals():
    """[code, first, second, third] of the capitals that shouted entities (&NTILDE;) stand for; 0 where there are fewer."""
    codes = set()
    for name, text in html.entities.html5.items():
        shouted = '&' + name.upper()
        if name.endswith(';') and name == name.lower() and html.unescape(shouted) == shouted and text.upper() != text:
            codes.update(ord(c) for c in text if c.upper() != c)
    rows = []
    for code in sorted(codes):
        parts = [ord(c) for c in chr(code).upper()] + [0, 0]
        rows.append([code, parts[0], parts[1], parts[2]])
    return rows


def windows_1252():
    """The characters of bytes 80 to 9F; the five unassigned bytes stand for the control characters of their number."""
    rows = []
    for byte in range(0x80, 0xA0):
        try:
            rows.append([ord(bytes([byte]).decode('windows-1252'))])
        except UnicodeDecodeError:
            rows.append([byte])
    return rows


def write_array(out, kind, name, rows):
    out.write(f'constexpr {kind} {name}[] = {{\n')
    line = '   '
    for row in rows:
        numbers = ', '.join(str(n) if n < 0 else hex(n) if n > 9 else str(n) for n in row)
        item = f' {{{numbers}}},' if len(row) > 1 else f' {numbers},'
        if len(line) + len(item) > 120:
            out.write(line + '\n')
            line = '   '
        line += item
    out.write(line + '\n};\n\n')


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'src/models/text')
    note = f'// Written by tools/make_unicode_tables.py; Unicode {unicodedata.unidata_version}. Not to be edited.\n\n'
    with open(folder / 'unicode_tables.inc', 'w') as out:
        out.write(note)
        category = {letter: ranges([c for c in CODES if unicodedata.category(chr(c))[0] == letter]) for letter in 'LN'}
        write_array(out, 'Range', 'letters', category['L'])
        write_array(out, 'Range', 'numbers', category['N'])
        write_array(out, 'LowerRun', 'lower_runs', lower_runs())
        ignorable, cased = sigma_classes()
        write_array(out, 'Range', 'case_ignorable', ranges(ignorable))
        write_array(out, 'Range', 'cased', ranges(cased))
        write_array(out, 'Decomposition', 'decompositions', decompositions())
        write_array(out, 'CombiningRun', 'combining_runs', combining_runs())
        write_array(out, 'Replacement', 'widths', widths())
        write_array(out, 'Replacement', 'entity_capitals', entity_capitals())
        write_array(out, 'char32_t', 'windows_1252_upper', windows_1252())
    with open(folder / 'html_entities.inc', 'w') as out:
        out.write(note)
        out.write('constexpr Entity entities[] = {\n')
        for name, text in sorted(html.entities.html5.items()):
            parts = [ord(c) for c in text] + [0]
            out.write(f'    {{"{name}", {hex(parts[0])}, {hex(parts[1])}}},\n')
        out.write('};\n')


main()
