"""The Django example, as its own program: asked, changed, asked again. Run with the address of the agent."""

from __future__ import annotations

import json
import os
import sys
import time

import django
from django.conf import settings
from django.test import Client as Visitor

os.environ["CONSUL_HTTP_ADDR"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()
visitor = Visitor()


def seen() -> dict[str, object]:
    answer = visitor.get("/")
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content))


first = seen()
settings.CONSUL.kv.put("shop/page_size", "many")
settings.CONSUL.kv.put("shop/sale", "on")
until = time.monotonic() + 60
while not (second := seen())["sale"] and time.monotonic() < until:
    time.sleep(0.01)
settings.LIVE.stop()
print(json.dumps([first, second]))
