# SPDX-License-Identifier: MIT
"""The commands of the documents, in the order of each page, in one shell; what they print is what
the page says.

Which blocks there are, and that each is checked by something, tests/documents says.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

import guest
import pipelines
import pytest

HERE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(HERE / "tests" / "documents"))
import blocks  # pylint: disable=wrong-import-position

PAGES = [page for page in blocks.pages(HERE) if any(block.runs for block in blocks.blocks(page))]
# What the pages call the camera, its output, and the camera with a region of its own.
NODES = {"/dev/video0": ("vivid.0", "cap"), "/dev/video1": ("vivid.0", "out"),
         "/dev/video2": ("camera", "cap")}
# A step ends with a line of its own on this descriptor: its status, and what of it failed.
SHELL = """set -E
trap 'failed="$failed$BASH_COMMAND (exit $?); "' ERR
while IFS= read -r step <&8; do
	failed=
	. "$step" >"$step.out" 2>&1 9>&-
	printf '%s\\n' "${failed//$'\\n'/ }" >&9
done
"""


class Shell:
    """One bash for a page: its folder, variables and background jobs stay from step to step."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.steps = 0
        steps, self.todo = os.pipe()
        self.done, done = os.pipe()
        self.program = subprocess.Popen(
            ["bash", "-c", f"exec 8<&{steps} 9>&{done}\n{SHELL}"], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, pass_fds=(steps, done), start_new_session=True)
        os.close(steps)
        os.close(done)
        self.answers = os.fdopen(self.done)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.todo)
        self.answers.close()
        self.program.wait(timeout=60)
        # What a page left in the background goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.program.pid, signal.SIGTERM)

    def run(self, command):
        """What failed of it, and what it printed."""
        self.steps += 1
        file = self.folder / f"step{self.steps}"
        file.write_text(command)
        os.write(self.todo, f"{file}\n".encode())
        failed = self.answers.readline().strip()
        return failed, (self.folder / f"{file}.out").read_text(errors="replace")


def nodes(text):
    """The nodes that a page names, and what they are here."""
    named = set(re.findall(r"/dev/video\d+", text))
    if "/dev/video2" in named and not guest.DEVICE_TREE:
        pytest.skip("no device tree, so no camera with a region of its own")
    return {name: guest.video_nodes(*NODES[name])[0] for name in named}


def pattern(expected):
    """A line of three dots stands for any lines, three dots for any text without a blank; how
    wide the columns of a table are depends on what is in them."""
    lines = [r"(?:.*\n)*" if line.strip() == "…" else
             r"\s*" + r"\s+".join(re.escape(word).replace("…", r"\S*") for word in line.split())
             + r"\s*\n" for line in expected.splitlines()]
    return re.compile("".join(lines))


def perform(shell, step, here):
    """What is wrong with a step; nothing when all is well."""
    def local(text):
        return re.sub(r"/dev/video\d+", lambda name: here[name[0]], text)

    failed, printed = shell.run(local(step.command))
    if step.output is None:
        return f"failed: {failed}\n{printed}" if failed else ""
    # What was done before may not be over, as a person sees by looking again. The pages show the
    # emulated board's outputs; other machines have other pools.
    wanted = pattern(local(step.output))
    try:
        guest.wait_until(lambda: not guest.DEVICE_TREE or wanted.fullmatch(printed) or
                         wanted.fullmatch(shell.run(local(step.command))[1]), "", timeout=10)
    except AssertionError:
        return f"printed\n{printed}and not\n{step.output}"
    return ""


@pytest.fixture
def administrators_files():
    """What a page writes to /etc is gone after it."""
    folders = [pathlib.Path("/etc") / name for name in (
        "udev/rules.d", "dmabufd", "dmabufd/dmabufd.conf.d")]
    before = {path for folder in folders for path in folder.glob("*")}
    yield
    left = [path for folder in folders for path in folder.glob("*")
            if path not in before and not path.is_dir()]
    for path in left:
        path.unlink()
    if left:
        guest.run("udevadm", "control", "--reload", check=True)
        guest.run("udevadm", "trigger", "--settle", check=True)
        guest.systemctl("restart", "dmabufd.service")


@pytest.fixture
def programs(tmp_path):
    """The folder of a reader: the programs of the pages are compiled there."""
    for program in (HERE / "programs").iterdir():
        (tmp_path / program.name).symlink_to(program)
    return tmp_path


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return pipelines.environment(tmp_path_factory.mktemp("gstreamer"))


@pytest.fixture
def colours_of_the_output():
    """The camera's are sRGB by itself, and nothing in the examples would convert them."""
    def control(*words):
        return guest.run("v4l2-ctl", "-d", guest.video_nodes("vivid.0")[0], *words, check=True)

    before = re.search(r"colorspace: (\d+)", control("-C", "colorspace").stdout)[1]
    control("-c", "colorspace=1")  # Rec. 709
    yield
    control("-c", f"colorspace={before}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, programs, environment, colours_of_the_output, administrators_files):
    here = nodes(page.read_text())
    wrong = []
    with Shell(programs, environment) as shell:
        for block in filter(lambda block: block.runs, blocks.blocks(page)):
            wrong += [f"{block}: {step.command}{error}" for step in blocks.steps(block)
                      if (error := perform(shell, step, here))]
    assert not wrong, "\n".join(wrong)


def test_there_are_pages():
    assert {page.stem for page in PAGES} >= {"gstreamer", "tutorial", "cook-book"}
