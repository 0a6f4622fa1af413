# SPDX-License-Identifier: MIT
"""Where pipelines of GStreamer run: few plugins, and a home of the user's own."""

import os
import pathlib
import stat

# To look at every plugin there is takes an emulated machine longer than all the tests.
PLUGINS = ("coreelements", "videotestsrc", "videoconvertscale", "video4linux2", "multifile",
           "dmabufd")


def environment(folder, user=0):
    """What the environment of a pipeline is, in a folder that is empty so far."""
    installed = next(pathlib.Path("/usr/lib").glob("*-linux-gnu/gstreamer-1.0"))
    plugins = folder / "plugins"
    plugins.mkdir()
    for name in PLUGINS:
        (plugins / f"libgst{name}.so").symlink_to(installed / f"libgst{name}.so")
    home = folder / "home"
    home.mkdir()
    os.chown(home, user, user)
    for path in (folder, *folder.parents[:2]):
        path.chmod(path.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return os.environ | {"GST_PLUGIN_SYSTEM_PATH_1_0": str(plugins), "HOME": str(home),
                         "GST_REGISTRY": str(home / "registry"), "GST_DEBUG_NO_COLOR": "1"}
