"""What a refused login means, and what an admin does about it.

Must not connect. Invariant: an unknown refusal is a ConfigError that quotes the platform's own code, never a guess;
nothing quoted holds a secret.

The texts are those of salesforce.md C.1; they differ between releases, so a part of each is looked for.
"""

from connector.errors import ConfigError, DunwellError, TransientError
from connector.salesforce.failures import RefusedError

_RETRY = ("rate exceeded", "retry your request", "temporarily", "server_error", "unknown_error", "service not available")
_ADVICE = (
    (
        "approved this consumer",
        "pre-authorise the app: under Permitted Users choose 'Admin approved users are pre-authorized', and assign the app's permission set to the integration user (Setup > External Client App Manager > the app > Policies); if that is so, the username or the login URL belongs to another org",
    ),
    (
        "audience is invalid",
        "set the login URL to the org's My Domain, or to login.salesforce.com for production and test.salesforce.com for a sandbox",
    ),
    ("user is locked", "unlock the integration user in Setup > Users"),
    ("inactive user", "activate the integration user in Setup > Users, or name another one"),
    ("ip restricted", "allow this machine's address in the integration user's login IP ranges or in the app's policy"),
    ("no client credentials user", "set a run-as user on the app: the client credentials flow needs one"),
    ("not supported on this domain", "set the login URL to the org's My Domain: client credentials work only there"),
    ("not enabled", "switch the OAuth flow on in the app's settings"),
    ("invalid client credentials", "check the consumer key and secret: they belong to another app, or were rotated"),
    ("client identifier invalid", "check the consumer key: no app in this org has it, or the login URL leads to another org"),
    ("invalid_client", "check the consumer key and secret: they belong to another app, or were rotated"),
    ("app_not_found", "install the app in this org, or set the login URL to the org that has it"),
    ("invalid_app_access", "assign the app's permission set to the integration user"),
    ("invalid assertion", "check that the certificate uploaded to the app belongs to this private key and has not expired"),
    ("assertion", "check that the certificate uploaded to the app belongs to this private key, and that this machine's clock is right"),
    ("expired authorization code", "check that this machine's clock is right"),
    ("user hasn't", "check the username of the integration user"),
)


def login_failure(refusal: RefusedError) -> DunwellError:
    """TransientError where waiting helps (5xx, html, rate), ConfigError with what to do otherwise."""
    problem = refusal.problems[0] if refusal.problems else None
    if refusal.status >= 500 or refusal.status in {420, 429}:
        return TransientError(f"the login server is not available (status {refusal.status})", refusal.retry_after)
    if problem is None:
        if 300 <= refusal.status < 400 or refusal.status in {404, 405, 410}:
            return ConfigError("the login URL does not answer as a Salesforce login server: check it")
        return TransientError(f"the login server gave no readable answer (status {refusal.status})", refusal.retry_after)
    text = f"{problem.code} {problem.message}".lower()
    if any(part in text for part in _RETRY):
        return TransientError(f"the login server asks to wait: {problem.code}", refusal.retry_after or 60.0)
    advice = next((advice for part, advice in _ADVICE if part in text), "check the app, the integration user and the login URL")
    return ConfigError(f"the org refused the login ({problem.code}: {problem.message[:100]}): {advice}")
