#!/usr/bin/env python3
"""Lines and branches of src/ that have been run, by gcov: coverage.py OBJECTS [--missing FILE ...]

OBJECTS is the directory of the objects, with their .gcda files. A table, a line a file, and the totals; --missing lists
the lines of files that have not run, and those of whose branches some have not been taken. Code that several objects
share (.inc, .h) counts once, as run where any of them has run it. Nothing else is left out.
"""
import collections
import json
import pathlib
import subprocess
import sys

LEAST_LINES, LEAST_BRANCHES = 99.0, 92.0


def reports(objects):
    """What gcov says of each object, one at a time."""
    for data in sorted(objects.rglob('src/**/*.gcno')):
        text = subprocess.run(['gcov', '--json-format', '--stdout', '--branch-probabilities', data],
                              check=True, capture_output=True).stdout
        for line in text.splitlines():
            yield json.loads(line)


def merged(objects):
    """{file: ({line: count}, {(line, branch): count})}"""
    files = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    for report in reports(objects):
        for file in report['files']:
            if not file['file'].startswith('src/'):
                continue
            lines, branches = files[file['file']]
            for line in file['lines']:
                number = line['line_number']
                lines[number] = max(lines[number], line['count'])
                for i, branch in enumerate(line['branches']):
                    branches[number, i] = max(branches[number, i], branch['count'])
    return files


def reached(counts):
    return sum(count > 0 for count in counts.values()), len(counts)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def table(files):
    totals = [0, 0, 0, 0]
    print(f'{"file":40} {"lines":>12} {"%":>6} {"branches":>12} {"%":>6}')
    for name in sorted(files):
        numbers = reached(files[name][0]) + reached(files[name][1])
        totals = [a + b for a, b in zip(totals, numbers)]
        row(name, numbers)
    row('total', totals)
    return percent(*totals[:2]), percent(*totals[2:])


def row(name, numbers):
    lines, branches = numbers[:2], numbers[2:]
    print(f'{name:40} {lines[0]:5} / {lines[1]:4} {percent(*lines):6.1f} {branches[0]:5} / {branches[1]:4} '
          f'{percent(*branches):6.1f}')


def missing(files, names):
    for name in names:
        lines, branches = files[name]
        source = pathlib.Path(name).read_text().splitlines()
        for number in sorted(lines):
            left = sum(count == 0 for (line, _), count in branches.items() if line == number)
            if lines[number] == 0 or left:
                what = 'not run' if lines[number] == 0 else f'{left} branches'
                print(f'{name}:{number}: {what}: {source[number - 1].strip()}')


def main():
    files = merged(pathlib.Path(sys.argv[1]))
    if not files:
        sys.exit('no coverage data: gcov has found nothing of src/')
    if sys.argv[2:3] == ['--missing']:
        missing(files, sys.argv[3:] or sorted(files))
        return
    lines, branches = table(files)
    if lines < LEAST_LINES or branches < LEAST_BRANCHES:
        sys.exit(f'expected at least {LEAST_LINES} % of lines and {LEAST_BRANCHES} % of branches')


main()
