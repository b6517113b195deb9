"""The pages, of which there is one."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path


def front(request: HttpRequest) -> JsonResponse:
    now = settings.LIVE.current  # one look: all of one moment
    return JsonResponse({"title": now.text("title"), "page_size": now.integer("page_size"), "sale": now.flag("sale")})


urlpatterns = [path("", front)]
