"""Pictures of every screen of the web page, in both themes and two sizes, for people to look at: ``make ui-shots``.

The screens are those of the page's own table of views (``src/proconsul/ui/page/views/routes.js``), and of what is
below them. They show a development agent with something of everything, under access control, and go to ``.shots/``.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import Visit, chromium, root_of  # noqa: E402
from support.harness import Agent, Subject  # noqa: E402
from support.lively import ACLS, ROOT_TOKEN, Lively  # noqa: E402
from support.node import PAGE  # noqa: E402

TARGET = ROOT / ".shots"
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
# What an address of a view may go on with, so that all it can show is seen.
BELOW = {
    "services": ("", "web", "web?tab=checks", "web?tab=topology"), "instance": ("web/n1/web-0",),
    "nodes": ("", "n1", "mailer"), "kv": ("", "app/"), "key": ("app/config", "binary", "locks/leader"),
}  # fmt: skip


def views() -> list[str]:
    found = re.findall(r'^\s*\{ id: "(\w+)"', (PAGE / "views" / "routes.js").read_text(), re.MULTILINE)
    assert found, "the table of views cannot be read"
    return found


def places() -> list[str]:
    return [f"{view}/{below}".rstrip("/") if not below.endswith("/") else f"{view}/{below}"
            for view in views() for below in BELOW.get(view, ("",))]  # fmt: skip


def main() -> int:
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    with tempfile.TemporaryDirectory() as folder, Agent(Subject.OURS, Path(folder), ["-hcl", ACLS]) as agent:
        lively = Lively(agent, ROOT_TOKEN)
        lively.wait_ready()
        lively.everything()
        with chromium() as browser:
            for theme in ("light", "dark"):
                for size, (width, height) in SIZES.items():
                    settings = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
                    one = Visit(browser, root_of(agent), **settings)
                    one.open()
                    one.page.evaluate("(secret) => sessionStorage.setItem('proconsul.token', secret)", ROOT_TOKEN)
                    one.page.reload()
                    for place in places():
                        one.go(f"#/dc1/{place}")
                        one.page.wait_for_timeout(400)  # what is below the first data
                        name = re.sub(r"\W+", "-", place).strip("-")
                        one.page.screenshot(path=TARGET / f"{name}-{size}-{theme}.png")
                    one.page.keyboard.press("Control+k")
                    one.page.get_by_role("dialog").wait_for()
                    one.page.screenshot(path=TARGET / f"palette-{size}-{theme}.png")
                    one.close()
    print(f"{len(list(TARGET.iterdir()))} pictures in {TARGET}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
