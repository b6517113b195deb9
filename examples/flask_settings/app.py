"""Settings that change while the program runs, in Flask: `flask --app app run`, then `proconsul kv put shop/title New`.

Made and followed once, also where a server loads this and forks it for each worker (`gunicorn --preload app:app`).
Without an agent the defaults hold until there is one.
"""

from flask import Flask

from proconsul.client import Client

client = Client()
settings = client.live_settings("shop/", {"title": "Shop", "page_size": 20, "sale": False})
settings.start()

app = Flask(__name__)
settings.on_change(lambda before, now: app.logger.warning("settings changed: %s", ", ".join(sorted(now))))


@app.get("/")
def front() -> dict[str, object]:
    now = settings.current  # one look: all of one moment
    return {"title": now.text("title"), "page_size": now.integer("page_size"), "sale": now.flag("sale")}
