"""What is left of SOAP: a fault, in the words a client meets when it still tries to log in that way.

No SOAP API is here. Its invariant: every request is answered with HTTP 500 and a SOAP fault, so that no client takes the
refusal for a broken server. Source: C.2 of the platform notes (login() is gone since version 65.0, off by default in new orgs
before that, versions up to 30.0 are retired); the wording INVALID_OPERATION as recorded from new orgs.
"""

import re

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>{code}</faultcode>\
<faultstring>{text}</faultstring>{detail}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"""
_DETAIL = """<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode>\
<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:LoginFault></detail>"""
_PATH = re.compile(r"/services/Soap/(?P<kind>\w+)/(?P<version>\d+(?:\.\d)?)", re.IGNORECASE)
_OPERATION = re.compile(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(?P<name>\w+)")
_LOGIN_OFF = "SOAP API login() is disabled by default in this org."
_LOGIN_GONE_SINCE = 65.0
_RETIRED_BEFORE = 31.0


def fault(path: str, body: bytes) -> bytes:
    """The SOAP fault that answers a request."""
    found = _PATH.search(path)
    operation = _OPERATION.search(body)
    name = operation["name"].decode() if operation else "unknown"
    version = float(found["version"]) if found else _LOGIN_GONE_SINCE
    if version < _RETIRED_BEFORE:
        return _coded("UNSUPPORTED_API_VERSION", "The requested API version has been retired")
    if name == "login" and version < _LOGIN_GONE_SINCE:
        return _coded("INVALID_OPERATION", _LOGIN_OFF)
    space = "urn:enterprise.soap.sforce.com" if found and found["kind"].lower() == "c" else "urn:partner.soap.sforce.com"
    text = f"No operation available for request {{{space}}}{name}, please check the WSDL for the service."
    return _ENVELOPE.format(code="soapenv:Client", text=text, detail="").encode()


def _coded(code: str, text: str) -> bytes:
    return _ENVELOPE.format(code=f"sf:{code}", text=f"{code}: {text}", detail=_DETAIL.format(code=code, text=text)).encode()
