"""What MkDocs does not do by itself for the site (mkdocs.yml, hooks).

The pages of docs/ are read on code hosts, too, where links to files beside docs/ work as they are. On the site these
files are pages below project/, and links to and from them are written anew.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# The file in the repository, from its root, and the page that it is on the site, from docs/.
OUTSIDE = {
    "README.md": "project/readme.md", "COMPATIBILITY.md": "project/compatibility.md",
    "ARCHITECTURE.md": "project/architecture.md", "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
}  # fmt: skip
_SOURCES = {page: source for source, page in OUTSIDE.items()}
# The end of a link or a picture in Markdown: "](where#what)".
_TARGET = re.compile(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def site_links(markdown: str, page: str) -> str:
    """``markdown`` with the links it has in the repository turned into those of the site.

    ``page``: where it is on the site, from docs/; of one of `OUTSIDE` or a file of docs/.
    """
    folder = posixpath.dirname(_SOURCES.get(page, f"docs/{page}"))

    def anew(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        place = OUTSIDE.get(target, target.removeprefix("docs/"))
        return f"]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{link[2] or ''})"

    return _TARGET.sub(anew, markdown)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files beside docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of every page into those of the site."""
    return site_links(markdown, page.file.src_uri)
