"""What keeps us from a store before it answers: names, sockets, TLS, proxies."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

NO_STORE = "what answers there does not speak S3, or its answers come cut short"
CHECK_ENDPOINT = "name the address of the S3 API, not of its console: --endpoint-url https://HOST"
PROXY_WANTS_LOGIN = "the proxy wants a user name and a password"
PROXY_LOGIN = 'in the configuration: [s3] proxy = "http://USER:PASSWORD@HOST:PORT"'
_CHECK_PROXY = "check HTTPS_PROXY and NO_PROXY, or [s3] proxy in the configuration"
_CA = 'if it is a certificate of your own CA, in the configuration: [s3] ca_bundle = "/path/ca.pem"'
_CLOCK = "check the clock here (timedatectl), else tell its operator to renew it"
# OpenSSL, include/openssl/x509_vfy.h: X509_V_ERR_…
_CERTIFICATE = {
    9: ("its certificate is not valid yet", _CLOCK),
    10: ("its certificate has expired", _CLOCK),
    18: ("its certificate is self-signed, and not trusted here", _CA),
    19: ("its certificate is of a CA that is not trusted here", _CA),
    20: ("its certificate is of a CA that is not trusted here", _CA),
    21: ("its certificate is of a CA that is not trusted here", _CA),
    62: ("its certificate is for another host name", ""),
}
_HOST_NAME = "name the endpoint as its certificate does: --endpoint-url https://HOST"


def broken(error: Exception, addressing: str) -> tuple[str, str] | None:
    """Reason and hint (empty: the usual one) for what is no answer; None where it is no network."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.SSLError):
        return _tls(error)
    if isinstance(error, exceptions.ProxyConnectionError):
        return _proxy(error)
    if isinstance(error, exceptions.InvalidProxiesConfigError):
        return "the proxy's address or its certificate can't be used", _CHECK_PROXY
    if isinstance(error, exceptions.ConnectTimeoutError):
        return "no connection within the time limit", ""
    if isinstance(error, exceptions.ReadTimeoutError):
        return "no answer within the time limit", ""
    if isinstance(error, exceptions.EndpointConnectionError):
        return "the name does not resolve, or nothing listens there", _name_hint(addressing)
    if isinstance(error, exceptions.IncompleteReadError | ResponseParserError):
        return NO_STORE, CHECK_ENDPOINT
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return f"the connection broke ({type(error).__name__})", ""
    return None


def _name_hint(addressing: str) -> str:
    if addressing != "virtual":
        return ""
    return "where BUCKET.HOST has no address: --addressing-style path"


def _tls(error: Exception) -> tuple[str, str]:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason, hint = _CERTIFICATE.get(
                cause.verify_code, ("its certificate is not trusted", _CA)
            )
            return reason, hint or _HOST_NAME
        if type(cause).__name__ == "CertificateError":  # urllib3's own look at the host name
            return _CERTIFICATE[62][0], _HOST_NAME
        if isinstance(cause, ssl.SSLError) and cause.reason in (
            "WRONG_VERSION_NUMBER",
            "RECORD_LAYER_FAILURE",
            "HTTP_REQUEST",
        ):
            return "it speaks no TLS", "write http:// where the endpoint has no TLS"
    return "its certificate is not trusted, or it speaks no TLS", _CA


def _proxy(error: Exception) -> tuple[str, str]:
    for cause in _causes(error):
        told = re.search(r"Tunnel connection failed: ([0-9]{3})", str(cause))
        if told and told[1] == "407":
            return PROXY_WANTS_LOGIN, PROXY_LOGIN
        if told:
            return f"the proxy refuses to connect to it ({told[1]})", _CHECK_PROXY
    return "the proxy does not answer", _CHECK_PROXY


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of: botocore and urllib3 keep that at several places."""
    waiting: list[object] = [error]
    for _ in range(20):
        if not waiting:
            return
        at = waiting.pop(0)
        if isinstance(at, BaseException):
            yield at
            kept = getattr(at, "kwargs", None) or {}
            waiting += [kept.get("error"), getattr(at, "reason", None)]
            waiting += [getattr(at, "original_error", None), at.__cause__, at.__context__]
            waiting += list(at.args)
