#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shell offers exactly what --help tells: commands, options, columns.

Usage: check-completion.py COMPLETION DMABUFCTL COMPLETION-OF-VIDEO PROGRAM-FOR-VIDEO...
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ASK = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p "$1" | sed 's/.*-F //; s/ .*//')
printf '%s\\n' "${COMPREPLY[@]}"
"""


def help_of(ctl, *command):
    return subprocess.run([ctl, *command, "--help"], check=True, capture_output=True,
                          text=True).stdout


def told(text):
    """Commands, options and columns, each as a set."""
    commands = re.search(r"^Commands:\n((?:  .+\n)+)", text, re.MULTILINE)
    columns = re.search(r"^Columns:\n((?:  .+\n)+)", text, re.MULTILINE)
    return ({line.split()[0] for line in commands[1].splitlines()} if commands else set(),
            set(re.findall(r"^\s+(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)),
            {line.split()[0] for line in columns[1].splitlines()} if columns else set())


def offered(script, ctl, *words):
    environment = os.environ | {"PATH": f"{Path(ctl).resolve().parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", ASK, "bash", script, Path(ctl).name, *words], check=True,
                          capture_output=True, text=True, env=environment)
    return sorted(done.stdout.split())


def compare(what, given, wanted):
    if given != sorted(wanted):
        yield f"{what}: the shell offers {given}, and --help tells {sorted(wanted)}"


def check(script, ctl):
    commands, options, _ = told(help_of(ctl))
    if len(commands) < 5:
        yield f"--help tells {len(commands)} commands"
    yield from compare("first word", offered(script, ctl, ""), commands | options)
    yield from compare("first word, p", offered(script, ctl, "p"),
                       {name for name in commands if name.startswith("p")})
    for command in sorted(commands):
        _, options, columns = told(help_of(ctl, command))
        yield from compare(command, offered(script, ctl, command, "-"), options)
        if not {"--json", "--help"} <= options:
            yield f"{command} lacks --json or --help"
        if "--output" in options:
            yield from compare(f"{command} -o", offered(script, ctl, command, "-o", ""), columns)
            yield from compare(f"{command} -o ,", offered(script, ctl, command, "--output", "X,"),
                               {f"X,{name}" for name in columns})
    yield from compare("mapping", offered(script, ctl, "alloc", "-m", "c"), {"cached"})


def check_video(script, program):
    name = Path(program).name
    _, options, _ = told(help_of(program))
    yield from compare(name, offered(script, program, ""), options)
    yield from compare(f"{name} -n", offered(script, program, "-n", ""), set())


def main(script, ctl, video_script, *video):
    wrong = [*check(script, ctl),
             *(problem for program in video for problem in check_video(video_script, program))]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
