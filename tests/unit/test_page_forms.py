"""What the demo and the tests send is what a browser would."""

from __future__ import annotations

import pytest

from scripts.page_forms import Form, field_of, forms_of

PAGE = """
<input name="outside" value="x">
<form action="first"><input type="hidden" name="token" value="a&amp;b"><input name="name" value="" required>
<input type="checkbox" name="off" value="1"><input type="checkbox" name="on" value="1" checked><input type="file" name="file"><button name="go" value="1">押す</button></form>
<form method="post" action="second"><textarea name="why">台風
のため</textarea>
<select name="kind"><option value="a">甲</option><option value="b" selected>乙</option></select>
<select name="first"><option>丙</option><option>丁</option></select><datalist><option value="z"></datalist></form>
"""


def test_a_form_is_read_as_a_browser_would_send_it() -> None:
    assert forms_of(PAGE) == [
        Form("first", {"token": "a&b", "name": "", "on": "1"}),
        Form("second", {"why": "台風\nのため", "kind": "b", "first": "丙"}),
    ]
    assert (field_of(PAGE, "name"), field_of(PAGE, "kind")) == ("", "b")
    with pytest.raises(LookupError, match="outside"):
        field_of(PAGE, "outside")
