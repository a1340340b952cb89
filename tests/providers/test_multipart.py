"""multipart/form-data, parsed back by two parsers that are not ours."""

from __future__ import annotations

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_multipart import FormParser
from python_multipart.multipart import Field, parse_options_header

from pipeline.providers.multipart import File, encode

KEY = "00000000-0000-4000-8000-000000000001"
prompts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
names = st.text(st.characters(categories=["L", "N"]) | st.sampled_from('_-[]"'), min_size=1, max_size=20)


def parsed(content_type: str, body: bytes) -> dict[str, str]:
    """The fields as python-multipart reads them: what Starlette, and with it most servers in Python, use."""
    fields: dict[str, str] = {}

    def take(field: Field) -> None:
        assert field.field_name is not None
        fields[field.field_name.decode()] = (field.value or b"").decode()

    kind, options = parse_options_header(content_type)
    parser = FormParser(kind.decode(), take, None, boundary=options[b"boundary"])
    parser.write(body)
    parser.finalize()
    return fields


@given(prompts)
@example("two\r\nlines")
@example('\r\n--vidbatch-0000\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n')
@example("--")
@example("a fox 🦊, 狐狸, \u202e, \x00")
@example("")
def test_any_prompt_arrives_as_it_was_written(prompt: str) -> None:
    fields = {"prompt": prompt, "model": "sora-2", "seconds": "4", "size": "1280x720"}
    assert parsed(*encode(fields, key=KEY)) == fields


@given(st.dictionaries(names, st.text("abc\r\n-", max_size=20), max_size=6))
def test_any_fields_arrive_in_order(fields: dict[str, str]) -> None:
    expected = {name.replace('"', "%22"): value for name, value in fields.items()}
    assert list(parsed(*encode(fields, key=KEY)).items()) == list(expected.items())


def test_a_mail_parser_sees_the_same_parts_and_no_type_on_them() -> None:
    content_type, body = encode({"prompt": "a heron\r\nat dawn", "model": "sora-2"}, key=KEY)

    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )

    parts = list(message.iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == ["prompt", "model"]
    assert [part.get_payload(decode=True) for part in parts] == [b"a heron\r\nat dawn", b"sora-2"]
    assert [part["content-type"] for part in parts] == [None, None]


def test_a_field_name_cannot_break_out_of_its_quotes() -> None:
    _, body = encode({'a"\r\nX-Evil: 1': "x"}, key=KEY)
    assert b'name="a%22%0D%0AX-Evil: 1"\r\n\r\nx\r\n' in body


def test_the_boundary_comes_from_the_key_alone() -> None:
    assert encode({"a": "1"}, key=KEY)[0] == encode({"b": "2"}, key=KEY)[0]
    assert encode({"a": "1"}, key=KEY)[0] != encode({"a": "1"}, key="another")[0]
    assert KEY not in encode({"a": "1"}, key=KEY)[0]


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode({"prompt": "\ud800"}, key=KEY)


def test_a_file_is_told_from_a_text_by_its_name_and_has_its_type() -> None:
    picture = bytes(range(256)) + b"\r\n--vidbatch-"
    fields: dict[str, str | File] = {
        "prompt": "a fox",
        "input_reference": File(name='a"fox\r\n.png', media_type="image/png", content=picture),
        "model": "sora-2",
    }
    content_type, body = encode(fields, key=KEY)

    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )

    parts = list(message.iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == list(fields)
    assert parts[1].get_filename() == "a%22fox%0D%0A.png"
    assert parts[1].get_content_type() == "image/png"
    assert parts[1].get_payload(decode=True) == picture
    assert encode(fields, key=KEY) == (content_type, body)
