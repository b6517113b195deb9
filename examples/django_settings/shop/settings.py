"""Settings of Django, and some that change while it runs: `proconsul kv put shop/title New`."""

from proconsul.client import Client

SECRET_KEY = "for the example"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True

CONSUL = Client()
LIVE = CONSUL.live_settings("shop/", {"title": "Shop", "page_size": 20, "sale": False})
LIVE.start()
