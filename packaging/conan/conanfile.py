"""The recipe for Conan 2. In the root of the tree: conan create packaging/conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir
from conan.tools.system.package_manager import Apt

required_conan_version = ">=2.0"


class Adaptive(ConanFile):
    name = "adaptive"
    description = "Picks the fastest variant of a kernel at run time and keeps learning"
    license = "Apache-2.0"
    topics = ("autotuning", "gpu", "cuda", "kernels", "bandits")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "redis": [True, False],
        "metrics": [True, False],
        "tool": [True, False],
        # What the library is built with: packages of Conan, or those of Debian and Ubuntu.
        "dependencies": ["conan", "system"],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "redis": False,
        "metrics": False,
        "tool": False,
        "dependencies": "conan",
    }
    implements = ["auto_shared_fpic"]

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "adaptive", "version.hpp"))
        numbers = re.findall(r"define ADAPTIVE_VERSION_[A-Z]+ (\d+)", header)
        self.version = self.version or ".".join(numbers)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "CHANGELOG.md", "cmake/*", "configs/*", "include/*", "kernels/*",
                        "packaging/debian/*", "policies/*", "src/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    # Debian's names of the packages, for `dependencies=system`.
    def _wanted(self):
        wanted = [("nlohmann_json/3.11.3", "nlohmann-json3-dev"), ("eigen/3.4.0", "libeigen3-dev"), ("boost/1.86.0", "libboost-dev")]
        if self.options.redis:
            wanted.append(("hiredis/1.2.0", "libhiredis-dev"))
        if self.options.metrics:
            wanted.append(("prometheus-cpp/1.1.0", "prometheus-cpp-dev"))
        if self.options.tool:
            wanted += [("cli11/2.4.2", "libcli11-dev"), ("fmt/10.2.1", "libfmt-dev")]
        return wanted

    def requirements(self):
        if self.options.dependencies != "conan":
            return
        for package, _ in self._wanted():
            # Only the parts for Redis and Prometheus need their packages where a program is linked.
            linked = package.startswith(("hiredis", "prometheus"))
            self.requires(package, headers=True, libs=linked, visible=linked, transitive_headers=False)

    def system_requirements(self):
        if self.options.dependencies == "system":
            Apt(self).install([package for _, package in self._wanted()], update=False, check=True)

    def configure(self):
        if self.options.dependencies == "conan":
            self.options["boost"].header_only = True

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "BENCH", "EXAMPLES"):
            toolchain.cache_variables[f"ADAPTIVE_BUILD_{part}"] = False
        toolchain.cache_variables["ADAPTIVE_BUILD_CLI"] = bool(self.options.tool)
        toolchain.cache_variables["ADAPTIVE_ENABLE_REDIS"] = bool(self.options.redis)
        toolchain.cache_variables["ADAPTIVE_ENABLE_METRICS"] = bool(self.options.metrics)
        toolchain.cache_variables["ADAPTIVE_ENABLE_CUDA"] = "OFF"
        toolchain.cache_variables["CMAKE_UNITY_BUILD"] = True
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))  # Conan writes its own

    def package_info(self):
        # The package's own CMake files are used, so that find_package works as without Conan.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/adaptive"]
        parts = [part for part in ("redis", "metrics") if self.options.get_safe(part)]
        self.cpp_info.libs = [f"adaptive_{part}" for part in parts] + ["adaptive"]
        self.cpp_info.system_libs = ["pthread", "dl"]
