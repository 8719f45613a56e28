"""An authorization server made of Django OAuth Toolkit, and an API beside it, for the tests of this
directory. It listens on the socket that it inherits as descriptor 3, writes a line with its issuer
when it is ready, and keeps everything in a file of the working directory, which it begins anew.

    python3 server.py PORT [OPTION...]

The options: metadata (an RFC 8414 document that says what the toolkit's own leaves out), fixed (a
refresh token serves until it is revoked), grace (a refresh token serves for a minute after its first
use). Without a port it only says whether it is installed: it ends with 69 where it is not.
"""

import pathlib
import socket
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

try:
    import django
    import oauth2_provider
    from django.conf import settings
    from jwcrypto.jwk import JWK
except ImportError:
    sys.exit(69)
if len(sys.argv) == 1:
    sys.exit()
port, options = sys.argv[1], sys.argv[2:]
issuer = f"http://127.0.0.1:{port}/o"
scopes = ["things:read", "things:write", "things:admin"]
secret = "s%e:cret+of/an=app&that-has-more-than-32-bytes"
database = pathlib.Path("db.sqlite3")
database.unlink(missing_ok=True)

login_page = """<!DOCTYPE html><html lang="en"><title>Log in</title>
<form method="post">{% csrf_token %}{{ form.as_p }}<button name="decision" value="login">Log in</button></form></html>"""

# As the toolkit's own page, but that it fetches nothing from elsewhere and has a box for each scope.
consent_page = """<!DOCTYPE html><html lang="en"><title>Authorize</title>{% if error %}
<h1>Error: {{ error.error }}</h1><p>{{ error.description }}</p>{% else %}
<form method="post"><h1>Authorize {{ application.name }}?</h1>{% csrf_token %}
{% for field in form %}{% if field.is_hidden and field.name != "scope" %}{{ field }}{% endif %}{% endfor %}
{% for scope in scopes %}<label><input type="checkbox" name="scope" value="{{ scope }}" checked> {{ scope }}</label>{% endfor %}
<input type="submit" value="Cancel"><input type="submit" name="allow" value="Authorize"></form>{% endif %}</html>"""

settings.configure(
    SECRET_KEY="for tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    LOGIN_URL="/accounts/login/",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {"timeout": 20}}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    MIGRATION_MODULES={"auth": None, "contenttypes": None, "oauth2_provider": None},  # the tables as they are now, at once
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=[
        "__main__.note",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {
            "registration/login.html": login_page,
            "oauth2_provider/authorize.html": consent_page,
        })]},
    }],
    OAUTH2_PROVIDER={
        "SCOPES": {name: name for name in ["openid", *scopes]},
        "PKCE_REQUIRED": True,
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None).decode(),
        "ROTATE_REFRESH_TOKEN": "fixed" not in options,
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 60 if "grace" in options else 0,
    },
)
django.setup()

from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.decorators import protected_resource
from oauth2_provider.models import Application
from oauth2_provider.views import AuthorizationView

seen = []


def note(get_response):
    """Remembers what was asked for."""

    def middleware(request):
        if request.path != "/requests":
            seen.append(f"{request.method} {request.path}")
        return get_response(request)

    return middleware


class Consent(AuthorizationView):
    """The toolkit's view, with what the person left ticked."""

    def form_valid(self, form):
        form.cleaned_data["scope"] = " ".join(self.request.POST.getlist("scope"))
        return super().form_valid(form)


def things(request):
    """The API: each request needs one scope, and a refusal says nothing at all."""
    need = {"GET": "things:read", "POST": "things:write", "DELETE": "things:admin"}.get(request.method)
    if need is None:
        return HttpResponseNotAllowed(["GET", "POST", "DELETE"])
    return protected_resource(scopes=[need])(lambda _: JsonResponse({}))(request)


def metadata(_):
    """RFC 8414, for what the toolkit can do and its own document leaves out."""
    return JsonResponse({
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize/",
        "token_endpoint": f"{issuer}/token/",
        "revocation_endpoint": f"{issuer}/revoke_token/",
        "introspection_endpoint": f"{issuer}/introspect/",
        "userinfo_endpoint": f"{issuer}/userinfo/",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "code_challenge_methods_supported": ["S256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", *scopes],
    })


urlpatterns = [
    path("requests", lambda _: HttpResponse("\n".join(seen))),
    path("accounts/login/", LoginView.as_view()),
    path("api/things", csrf_exempt(things)),
    path("o/authorize/", Consent.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
if "metadata" in options:
    urlpatterns.append(path(".well-known/oauth-authorization-server/o", metadata))


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


call_command("migrate", run_syncdb=True, verbosity=0)
for name in ["ada", "bob"]:
    User.objects.create_user(name, password=name)
for name, kind, its_secret, algorithm in [("tool", "public", "", "RS256"), ("app", "confidential", secret, "HS256")]:
    Application.objects.create(
        name=name, client_id=name, client_type=kind, client_secret=its_secret, algorithm=algorithm,
        authorization_grant_type="authorization-code", redirect_uris="http://127.0.0.1/callback",
    )
Application.objects.create(
    name="machine", client_id="machine", client_type="confidential", client_secret=secret, authorization_grant_type="client-credentials",
)
server = Server(("127.0.0.1", int(port)), Quiet, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.server_name, server.server_port = "127.0.0.1", int(port)
server.setup_environ()
server.set_app(get_wsgi_application())
print(issuer, flush=True)
server.serve_forever()
