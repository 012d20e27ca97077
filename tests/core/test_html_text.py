"""An HTML letter reads as on the screen: no hidden words, none lost, history marked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.html_text import html_to_text
from mailbot.core.newest_text import newest_text

MAX_SECONDS_PER_MEBIBYTE = 15.0
"""Quadratic time takes minutes; the rest is room for a busy machine."""


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>dear</b> <i>te</i>am</p><p>bye</p>", "Hello dear team\n\nbye"),
        ("one<br>two<div>three</div>four", "one\ntwo\nthree\nfour"),
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        (
            "<table><tr><td>Name</td><td>Alice</td></tr><tr><td>Mail</td><td>x</td></tr></table>",
            "Name Alice\nMail x",
        ),
        ("a &amp; b&nbsp;c &lt;d&gt; \n  e", "a & b c <d> e"),
        ("un<wbr>sub\u200bscribe", "unsubscribe"),
        ("<p>not closed <div>at <span>all", "not closed\n\nat all"),
        ("plain text", "plain text"),
        ("", ""),
        ('<span aria-hidden="true">seen</span>', "seen"),
        ("<pre>a\nb</pre>", "a\nb"),
        ('<div style="font-size:0"><div style="font-size:13px">seen</div>unseen</div>', "seen"),
    ],
)
def test_blocks_become_lines_and_inline_tags_do_not(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>x</script>",
        "<style>x</style>",
        "<template>x</template>",
        '<div style="display:none">x</div>',
        '<div style="color:red; DISPLAY : none !important">x</div>',
        '<p style="visibility:hidden">x</p>',
        '<p style="font-size:0px">x</p>',
        '<p style="opacity:0">x</p>',
        '<p style="mso-hide:all">x</p>',
        "<p hidden>x</p>",
        '<p style="color:#fff;background-color:#ffffff">x</p>',
        '<p style="color:white;background:rgb(255,255,255)">x</p>',
        '<div style="max-height:0;overflow:hidden">x</div>',
        "<!-- x -->",
        "<head><title>x</title></head>",
        '<span style="font-size:0"><b>x</b></span>',
    ],
)
def test_hidden_words_do_not_come_out(hidden: str) -> None:
    assert html_to_text(f"<div>seen {hidden} too</div>").split() == ["seen", "too"]


@pytest.mark.parametrize(
    "history",
    [
        '<div class="gmail_quote gmail_quote_container"><div class="gmail_attr">On 6 Jan 2026 Bob wrote:<br></div>'
        '<blockquote class="gmail_quote">old</blockquote></div>',
        '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------</div>old</div>',
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: Bob<br>Sent: x</div><div>old</div>',
        "<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'>"
        "<p>From: Bob</p></div></div>"
        "<p>old</p>",
        '<blockquote type="cite">old</blockquote>',
        '<div class="yahoo_quoted"><div>On x, Bob wrote:</div>old</div>',
        '<div name="quote" style="border-left:2px solid">old</div>',
        '<div class="protonmail_quote">On x, Bob wrote:<blockquote>old</blockquote></div>',
        '<div class="moz-cite-prefix">On 6.1.26 10:30, Bob wrote:<br></div><blockquote type="cite">old</blockquote>',
        '<div class="moz-forward-container">old</div>',
        "<hr id=zwchr><div>old</div>",
    ],
)
def test_the_quotes_of_each_mail_program_are_history(history: str) -> None:
    html = f"<html><body><div>Delete my account</div>{history}</body></html>"
    assert newest_text(html_to_text(html)) == "Delete my account"
    assert "old" not in newest_text(html_to_text(html))


def test_an_answer_below_a_gmail_quote_is_kept() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On 6 Jan 2026 Bob wrote:</div>'
        '<blockquote class="gmail_quote">Delete it?</blockquote><div>Yes, delete it.</div></div>'
    )
    assert newest_text(html_to_text(html)) == "Yes, delete it."


def test_a_separator_inside_a_quote_ends_with_it() -> None:
    html = "<blockquote>a<div id=divRplyFwdMsg>From: b</div>c</blockquote><p>mine</p>"
    assert newest_text(html_to_text(html)) == "mine"


def test_an_indented_paragraph_is_no_quote() -> None:
    html = '<blockquote style="margin:0 0 0 40px;border:none;padding:0px">mine</blockquote>'
    assert html_to_text(html) == "mine"


@pytest.mark.parametrize("tag", ["div", "span", "b", "blockquote", "table", "ul"])
def test_deep_nesting_loses_no_words(tag: str) -> None:
    assert "delete my account" in html_to_text(f"<{tag}>" * 20_000 + "delete my account")


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<p>x",
        "<b a=1><p>",
        "<table><tr><td>",
        "<",
        "&amp;",
        "<!--",
        "<svg><g>",
        "<ul><li>",
        "<a b='",
        "<p>Hello <b>you</b></p>",
    ],
)
def test_a_mebibyte_of_anything_is_read_soon(unit: str) -> None:
    html = unit * ((1 << 20) // len(unit))
    start = time.perf_counter()
    html_to_text(html)
    assert time.perf_counter() - start < MAX_SECONDS_PER_MEBIBYTE


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<p",
                ">",
                "<b>",
                "x",
                "</",
                "<td>",
                "<!--",
                "&#0;",
                "<br/>",
                "<svg>",
                "<template>",
                "<li>",
            ]
        )
    ).map("".join)
)
def test_any_text_is_read_without_an_exception(html: str) -> None:
    assert isinstance(html_to_text(html), str)
