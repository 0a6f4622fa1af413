#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shell offers exactly what --help tells: commands, options, columns.

Usage: check-completion.py SHELL COMPLETION DMABUFCTL [COMPLETION-OF-VIDEO PROGRAM-FOR-VIDEO...]
"""
import os
import re
import subprocess
import sys
from pathlib import Path

FLAGS = {"bash": ["--norc"], "zsh": ["-f"]}  # nobody's own settings

# What prints the words that may stand in the place of the last; $1 is the completion's file.
ASK = {
    "bash": r"""
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p "$1" | sed 's/.*-F //; s/ .*//')
printf '%s\n' "${COMPREPLY[@]}"
""",
    # The parts of zsh's completion that it is written for; they work on a command line only.
    "zsh": r"""
file=$1; shift
words=("$@"); CURRENT=$#; current=$words[CURRENT]
compset() {
	[[ $current != *,* ]] || { before=${current%,*},; current=${current##*,}; }
}
compadd() {
	shift
	local word
	for word; do [[ $word != $current* ]] || print -r -- "$before$word"; done
}
_describe() {
	compadd -- "${(@)${(@P)2}%%:*}"
	[[ ${(P)2[1]} == ?*:?* ]] || print "no description: ${(P)2[1]}"
}
_files() {}
. "$file"
""",
}


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


def offered(shell, script, ctl, *words):
    environment = os.environ | {"PATH": f"{Path(ctl).resolve().parent}:{os.environ['PATH']}"}
    done = subprocess.run([shell, *FLAGS[shell], "-c", ASK[shell], shell, script, Path(ctl).name,
                           *words], check=True, capture_output=True, text=True, env=environment)
    return sorted(filter(None, done.stdout.splitlines()))


def compare(what, given, wanted):
    if given != sorted(wanted):
        yield f"{what}: the shell offers {given}, and --help tells {sorted(wanted)}"


def check(shell, script, ctl):
    def offers(*words):
        return offered(shell, script, ctl, *words)

    commands, options, _ = told(help_of(ctl))
    if len(commands) < 5:
        yield f"--help tells {len(commands)} commands"
    yield from compare("first word", offers(""), commands | options)
    yield from compare("first word, p", offers("p"),
                       {name for name in commands if name.startswith("p")})
    for command in sorted(commands):
        _, options, columns = told(help_of(ctl, command))
        yield from compare(command, offers(command, "-"), options)
        if not {"--json", "--help"} <= options:
            yield f"{command} lacks --json or --help"
        if "--output" in options:
            yield from compare(f"{command} -o", offers(command, "-o", ""), columns)
            yield from compare(f"{command} -o ,", offers(command, "--output", "X,"),
                               {f"X,{name}" for name in columns})
    yield from compare("prefer", offers("alloc", "--prefer", "mapping,a"),
                       {"mapping,align", "mapping,address-bits"})
    yield from compare("usage", offers("explain", "--usage", "reads-n"), {"reads-never"})
    yield from compare("mapping", offers("alloc", "-m", "c"), {"cached"})


def check_video(shell, script, program):
    name = Path(program).name
    _, options, _ = told(help_of(program))
    yield from compare(name, offered(shell, script, program, ""), options)
    yield from compare(f"{name} -n", offered(shell, script, program, "-n", ""), set())


def main(shell, script, ctl, video_script=None, *video):
    wrong = [*check(shell, script, ctl),
             *(problem for program in video
               for problem in check_video(shell, video_script, program))]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
