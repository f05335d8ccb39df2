"""The recipes for vcpkg and Conan: python3 recipes_test.py ROOT. The rules are those of vcpkg's own schema for manifests
(docs/vcpkg.schema.json of vcpkg-tool) that can concern this one, and those of its registry: sorted names, the canonical form."""

import ast
import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
header = (root / "include/adaptive/version.hpp").read_text()
version = ".".join(re.findall(r"define ADAPTIVE_VERSION_[A-Z]+ (\d+)", header))
identifier = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
reserved = re.compile(r"prn|aux|nul|con|core|default|lpt[1-9]|com[1-9]")


def name(text):
    assert identifier.fullmatch(text) and not reserved.fullmatch(text), text
    return text


def only(members, allowed, required):
    unknown = {member for member in members if not member.startswith("$")} - allowed
    assert not unknown, unknown
    assert required <= set(members), required - set(members)


def dependencies(listed):
    names = []
    for entry in listed:
        if isinstance(entry, dict):
            only(entry, {"name", "features", "host", "default-features", "platform", "version>="}, {"name"})
            assert all(isinstance(entry.get(member, True), bool) for member in ("host", "default-features"))
            for feature in entry.get("features", []):
                name(feature)
            entry = entry["name"]
        names.append(name(entry))
    assert names == sorted(set(names)), names


port = root / "packaging/vcpkg/adaptive"
text = (port / "vcpkg.json").read_text()
manifest = json.loads(text)
assert text == json.dumps(manifest, indent=2) + "\n", "not as `vcpkg format-manifest` writes it"
only(manifest, {"name", "version", "port-version", "description", "homepage", "license", "supports", "dependencies", "features",
                "default-features"}, {"name", "version"})
assert name(manifest["name"]) == port.name
assert manifest["version"] == version, (manifest["version"], version)
assert manifest["license"] == "Apache-2.0"
dependencies(manifest["dependencies"])
for feature, content in manifest["features"].items():
    name(feature)
    only(content, {"description", "dependencies", "supports"}, {"description"})
    dependencies(content.get("dependencies", []))

# Each feature switches an option that the build has.
options = set(re.findall(r"^option\((ADAPTIVE_\w+)", (root / "CMakeLists.txt").read_text(), re.MULTILINE))
portfile = (port / "portfile.cmake").read_text()
switched = dict(re.findall(r"^    (\w+) (ADAPTIVE_\w+)", portfile, re.MULTILINE))
assert set(switched) == set(manifest["features"]), switched
used = set(switched.values()) | set(re.findall(r"-D(ADAPTIVE_\w+)=", portfile))
assert used <= options | {"ADAPTIVE_ENABLE_CUDA"}, used - options

# Conan's recipe parses, exports folders that exist, and sets options that the build has.
recipe = (root / "packaging/conan/conanfile.py").read_text()
ast.parse(recipe)
for folder in re.findall(r'"([\w/]+)/\*"', recipe):
    assert (root / folder).is_dir(), folder
assert set(re.findall(r'"(ADAPTIVE_[A-Z_]+[A-Z])"', recipe)) <= options | {"ADAPTIVE_ENABLE_CUDA"}
