"""What ARCHITECTURE.md says of the ways through the files, and what it says of settings, is so."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

import proconsul.agent.config.runtime as runtime

ROOT = Path(__file__).resolve().parents[2]
FILES_MAX = 12


def test_the_walks_name_files_that_are_there_and_not_many() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("The walks, file by file:")[2].partition("\nReads that")[0]
    walks = re.findall(r"^- (.+?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(walks) >= 11
    for walk in walks:
        for way in re.split(r";|: ", walk):
            files = re.findall(r"\b(?:engine|features|server|agent|cli|dns)/[a-z0-9_/]+", way)
            assert len(files) <= FILES_MAX, walk
            for file in files:
                path = ROOT / "src/proconsul" / file
                assert path.is_dir() or path.with_suffix(".py").exists(), file


def test_no_default_stands_beside_those_of_the_defaults() -> None:
    blocks = [
        block for block in vars(runtime).values()
        if isinstance(block, type) and issubclass(block, msgspec.Struct) and block.__module__ == runtime.__name__
    ]  # fmt: skip
    assert len(blocks) > 20
    found = [f"{block.__name__}.{field.name}" for block in blocks for field in msgspec.structs.fields(block)
             if not field.required]  # fmt: skip
    assert found == []
