"""
Builds the wheel and the sdist (PEP 517) with nothing but the standard library, so `pip wheel .` works offline. The same
files make the same bytes: names are sorted, and times are fixed.
"""

import ast
import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SDIST_FILES = ["LICENSE", "README.md", "backend.py", "pyproject.toml"]
# The earliest time that a zip can hold.
TIME = (1980, 1, 1, 0, 0, 0)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project = read_project()
    name = f"{project['name']}-{project['version']}"
    info = f"{name}.dist-info"
    files = {path: (ROOT / path).read_bytes() for path in package_files()}
    files[f"{info}/METADATA"] = metadata(project)
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: milepost\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    record = [f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    wheel = f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, TIME)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    project = read_project()
    name = f"{project['name']}-{project['version']}"
    files = {path: (ROOT / path).read_bytes() for path in sorted([*SDIST_FILES, *package_files()])}
    files["PKG-INFO"] = metadata(project)
    sdist = f"{name}.tar.gz"
    with open(Path(sdist_directory, sdist), "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path, data in files.items():
                entry = tarfile.TarInfo(f"{name}/{path}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return sdist


def package_files():
    return sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "milepost").iterdir()
        if path.suffix == ".py" or path.name == "py.typed"
    )


def read_project():
    """The `project` table. Python 3.9 has no TOML parser, but a text or a list on one line is also a Python literal."""
    table = (ROOT / "pyproject.toml").read_text().split("[project]\n")[1]
    pairs = re.findall(r"^([\w-]+) = (.+)$", table, re.MULTILINE)
    project = {key: ast.literal_eval(value) for key, value in pairs}
    source = (ROOT / "milepost" / "_http.py").read_text()
    project["version"] = re.search(r'^VERSION = "(.+)"$', source, re.MULTILINE)[1]
    return project


def metadata(project):
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {name}" for name in project["license-files"]),
        *(f"Classifier: {classifier}" for classifier in project["classifiers"]),
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join([*lines, "", (ROOT / "README.md").read_text(encoding="utf-8")]).encode()


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
