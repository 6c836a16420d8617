"""What every KeyWrapper keeps to. Inherit, and give the `wrapper` and `stranger` fixtures."""

from __future__ import annotations

import base64

import pytest

from diskwright._values import replace
from diskwright.errors import KeyRefused
from diskwright.model.stored import WrappedKey
from diskwright.ports import KeyWrapper

DATA_KEY = bytes(range(32))
CONTEXT = b'{"dw":"1","seal":"0190b0f4-6a3e-7c51-9d2b-3f8e5a6b7c8d"}'


class KeyWrapperContract:
    @pytest.fixture
    def wrapper(self) -> KeyWrapper:
        raise NotImplementedError

    @pytest.fixture
    def stranger(self) -> KeyWrapper:
        """Of the same provider, with another key."""
        raise NotImplementedError

    def apart(self, wrapped: WrappedKey) -> tuple[str, bytes]:
        """What stands before the base64 of a wrapped key, and its bytes."""
        return "", base64.b64decode(wrapped.wrapped_key, validate=True)

    def test_what_it_wraps_it_unwraps(self, wrapper: KeyWrapper) -> None:
        assert wrapper.unwrap(wrapper.wrap(DATA_KEY, CONTEXT), CONTEXT) == DATA_KEY

    def test_two_wraps_of_one_key_differ(self, wrapper: KeyWrapper) -> None:
        first, second = (wrapper.wrap(DATA_KEY, CONTEXT) for _ in range(2))
        assert first.wrapped_key != second.wrapped_key
        assert (first.provider, first.key_id) == (second.provider, second.key_id)

    def test_the_wrapped_key_does_not_show_the_data_key(self, wrapper: KeyWrapper) -> None:
        assert DATA_KEY not in self.apart(wrapper.wrap(DATA_KEY, CONTEXT))[1]

    def test_another_context_is_refused(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, CONTEXT)
        for other in (b"", CONTEXT + b" ", CONTEXT.replace(b"c8d", b"c8e")):
            with pytest.raises(KeyRefused):
                wrapper.unwrap(wrapped, other)

    def test_another_key_is_refused(self, wrapper: KeyWrapper, stranger: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyRefused):
            stranger.unwrap(wrapped, CONTEXT)
        disguised = replace(wrapped, key_id=stranger.wrap(DATA_KEY, CONTEXT).key_id)
        with pytest.raises(KeyRefused):
            stranger.unwrap(disguised, CONTEXT)

    def test_another_provider_is_refused(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyRefused):
            wrapper.unwrap(replace(wrapped, provider="elsewhere"), CONTEXT)

    def test_a_wrapped_key_with_any_byte_changed_is_refused(self, wrapper: KeyWrapper) -> None:
        wrapped = wrapper.wrap(DATA_KEY, CONTEXT)
        prefix, data = self.apart(wrapped)
        raw = bytearray(data)
        for place in range(len(raw)):
            raw[place] ^= 1
            with pytest.raises(KeyRefused):
                wrapper.unwrap(_with(wrapped, prefix + base64.b64encode(raw).decode()), CONTEXT)
            raw[place] ^= 1

    @pytest.mark.parametrize("text", ["", "AAAA", "=", "no base64!", "\u00e9", "A" * 80])
    def test_what_is_no_wrapped_key_is_refused(self, wrapper: KeyWrapper, text: str) -> None:
        with pytest.raises(KeyRefused):
            wrapper.unwrap(_with(wrapper.wrap(DATA_KEY, CONTEXT), text), CONTEXT)


def _with(wrapped: WrappedKey, text: str) -> WrappedKey:
    return replace(wrapped, wrapped_key=text)
