"""Writes the package's metadata, adaptive_selector-VERSION.dist-info, into the folder that is named: for packages of a system,
which contain the tool and nanobind themselves. CMakeLists.txt runs it in the root of the tree."""

import pathlib
import shutil
import sys

from scikit_build_core.build import prepare_metadata_for_build_wheel

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
made = folder / prepare_metadata_for_build_wheel(str(folder))
metadata = made / "METADATA"
head, blank, _ = metadata.read_text(encoding="utf-8").partition("\n\n")  # without README.md
left_out = ("Requires-Dist: nanobind", "License-File:")
lines = [line for line in head.split("\n") if not line.startswith(left_out)]
metadata.write_text("\n".join(lines) + "\n", encoding="utf-8")
for name in ("WHEEL", "RECORD"):
    (made / name).unlink(missing_ok=True)
shutil.rmtree(made / "licenses", ignore_errors=True)  # packages of a system have their own place for it
# The script `adaptive` would hide the tool itself.
points = made / "entry_points.txt"
sections = points.read_text(encoding="utf-8").split("[")
points.write_text("[".join(s for s in sections if not s.startswith("console_scripts]")), encoding="utf-8")
(made / "INSTALLER").write_text("system\n", encoding="utf-8")
