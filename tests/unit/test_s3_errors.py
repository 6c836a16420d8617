"""Every error of botocore comes out as one of ours, and none of its words with it."""

from __future__ import annotations

import inspect

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from diskwright import errors
from diskwright.adapters.s3.answers import REASONS, asks_to_wait, named_region
from diskwright.adapters.s3.errors import (
    OURS,
    TRANSIENT_CODES,
    TooSlow,
    is_transient,
    translate,
)

SECRET = "AKIAEXAMPLE/secret"


def all_of_botocore() -> list[type[Exception]]:
    found = [
        value
        for _, value in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(value, Exception) and value.__module__ == exceptions.__name__
    ]
    return [*found, ResponseParserError]


def bare(kind: type[Exception]) -> Exception:
    """An instance of any of them, without the arguments that each wants."""
    error = kind.__new__(kind)
    Exception.__init__(error, SECRET)
    if isinstance(error, exceptions.ClientError):
        error.response, error.operation_name = {}, "Put"
    return error


def answer(code: str, status: int) -> exceptions.ClientError:
    return exceptions.ClientError(
        {
            "Error": {"Code": code, "Message": SECRET, "AWSAccessKeyId": SECRET},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "PutObject",
    )


def ours(error: Exception) -> errors.DiskwrightError:
    return translate(error, endpoint="https://e", bucket="b", operation="put", key="k")


@pytest.mark.parametrize("kind", all_of_botocore(), ids=lambda kind: kind.__name__)
def test_each_error_has_a_translation_with_a_message_a_hint_and_no_secret(kind):
    made = ours(bare(kind))
    assert isinstance(made, errors.RemoteError | errors.UsageError)
    assert made.message
    assert made.hint
    assert SECRET not in made.message + made.hint + repr(made.facts())
    assert is_transient(bare(kind)) in (True, False)


@pytest.mark.parametrize(
    ("code", "status", "wanted"),
    [
        ("NoSuchBucket", 404, errors.BucketMissing),
        ("NoSuchKey", 404, errors.ObjectMissing),
        ("404", 404, errors.ObjectMissing),
        ("PreconditionFailed", 412, errors.TargetExists),
        ("412", 412, errors.TargetExists),
        ("AccessDenied", 403, errors.RemoteRefused),
        ("403", 403, errors.RemoteRefused),
        ("InvalidAccessKeyId", 403, errors.RemoteRefused),
        ("SignatureDoesNotMatch", 403, errors.RemoteRefused),
        ("ExpiredToken", 400, errors.RemoteRefused),
        ("BadDigest", 400, errors.RemoteRefused),
        ("SlowDown", 503, errors.RemoteUnreachable),
        ("503", 503, errors.RemoteUnreachable),
        ("", 500, errors.RemoteUnreachable),
        ("OperationAborted", 409, errors.RemoteUnreachable),
        ("NotImplemented", 501, errors.RemoteUnable),
        ("\x1b[31mEvil code", 400, errors.RemoteRefused),
    ],
)
def test_answers_by_code_and_status(code, status, wanted):
    made = ours(answer(code, status))
    assert type(made) is wanted
    assert SECRET not in made.message
    assert "\x1b" not in made.message


@pytest.mark.parametrize("code", sorted(REASONS))
def test_each_known_reason_is_said_in_words(code):
    assert REASONS[code] in ours(answer(code, 400)).message


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_each_transient_answer_is_asked_for_again(code):
    assert is_transient(answer(code, 400))


@pytest.mark.parametrize(
    ("code", "status", "again"),
    [("", 500, True), ("", 503, True), ("", 429, True), ("", 501, False), ("", 403, False)],
)
def test_which_status_is_asked_for_again(code, status, again):
    assert is_transient(answer(code, status)) is again


def test_a_certificate_that_is_not_trusted_is_not_asked_for_again():
    assert not is_transient(bare(exceptions.SSLError))
    assert is_transient(bare(exceptions.ConnectTimeoutError))
    assert is_transient(bare(exceptions.EndpointConnectionError))


@pytest.mark.parametrize("kind", OURS)
def test_what_is_no_error_of_botocore_is_translated_too(kind):
    made = ours(kind())
    assert isinstance(made, errors.RemoteUnreachable)
    assert made.hint
    assert is_transient(kind()), "an answer may have been cut short by the network"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "9" * 40}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers, seconds):
    error = answer("SlowDown", 503)
    error.response["ResponseMetadata"]["HTTPHeaders"] = headers
    assert asks_to_wait(error) == seconds
    assert asks_to_wait(TooSlow()) == 0


@pytest.mark.parametrize(
    "region", ["eu nl", "\x1b[2J", "a" * 41, "-eu", "eu/nl", "", None, "EU", ["eu-nl"]]
)
def test_a_region_that_is_none_is_not_named(region):
    said = {"Error": {"Region": region}, "ResponseMetadata": {"HTTPHeaders": {}}}
    assert named_region(said) == ""
    assert named_region({}) == ""


@pytest.mark.parametrize(
    "place", ["https://u:p@host/", "https://ho st/", "\x1b[31m", "https://" + "a" * 254, "/x"]
)
def test_a_place_that_is_none_is_not_repeated(place):
    error = answer("TemporaryRedirect", 307)
    error.response["ResponseMetadata"]["HTTPHeaders"] = {"location": place}
    made = ours(error)
    assert "another endpoint" in made.message
    assert made.hint == "name it: --region REGION"


def test_a_status_without_a_code_is_said_in_words():
    assert "503 Service Unavailable" in ours(answer("503", 503)).message
    assert "403 Forbidden" in ours(answer("", 403)).message
