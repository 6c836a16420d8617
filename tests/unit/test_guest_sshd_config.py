"""sshd_config(5) as sshd reads it: what is expected is what `sshd -T -C …` of OpenSSH 9.2 says."""

from __future__ import annotations

import pytest

from diskwright.guest.reading import Unreadable
from diskwright.guest.sshd import read_sshd
from diskwright.guest.sshd_config import MAX_FILES, MAX_NAMES, MAX_TEXT
from diskwright.model.access import SshServer
from support.fake_guest import Broken, Content, Link, Sparse, tree_of

CONFIG = "/etc/ssh/sshd_config"
NO, YES = "PermitRootLogin no\n", "PermitRootLogin yes\n"
DEFAULT = "prohibit-password"


def read(text: Content, **included: Content) -> SshServer:
    """Files of /etc/ssh/sshd_config.d by their names without `.conf`."""
    folder = {f"{CONFIG}.d/{name}.conf": content for name, content in included.items()}
    return read_sshd(tree_of({"/usr/sbin/sshd": b"\x7fELF", CONFIG: text, **folder}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("PermitRootLogin no # but not from here\n" + YES, "no"),
        ("PermitRootLogin no #\n", "no"),
        ("PermitRootLogin=no\n", "no"),
        ("permitrootlogin   'YES'\n", "yes"),
        (YES.replace("\n", "\r\n"), "yes"),
        (NO + "Match all\n" + YES, "yes"),
        ("Match all\n" + NO + YES, "no"),
        (YES + "Match User root\n" + NO, "no"),
        (YES + "Match User=root\n" + NO, "no"),
        (YES + "Match User git,deploy\n" + NO, "yes"),
        (YES + "Match User *,!root\n" + NO, "yes"),
        (YES + "Match User r?ot,git\n" + NO, "no"),
        (YES + "Match User [r]oot\n" + NO, "yes"),
        ("Match User root\n" + NO + "Match User root\n" + YES, "no"),
        ("Match User git Address 10.0.0.0/8\n" + NO, DEFAULT),
        ("Include nothing/*.conf nothing.conf\n" + NO, "no"),
    ],
)
def test_what_root_is_told(text: str, value: str) -> None:
    found = read(text)
    assert (found.root_login, found.conditional) == (value, ())


@pytest.mark.parametrize(
    ("text", "a", "b", "value"),
    [
        ("Match User root\nInclude sshd_config.d/*.conf\n", NO, "", "no"),
        ("Match User git\nInclude sshd_config.d/*.conf\n", NO, "", DEFAULT),
        ("Match User git\nInclude sshd_config.d/a.conf\nMatch all\n" + YES, NO, "", "yes"),
        ("Match User git\nInclude sshd_config.d/a.conf\n", "Match all\n" + NO, "", DEFAULT),
        ("Include sshd_config.d/*.conf\n" + YES, "Match User git\n", "", "yes"),
        ("Include sshd_config.d/b.conf sshd_config.d/a.conf\n", NO, YES, "yes"),
        ("Include sshd_config.d/*.conf\n", YES, NO, "yes"),
        ("Include *.d/[ab].conf\n", "", NO, "no"),
        ('Include "sshd_config.d/a.conf"\n', NO, "", "no"),
    ],
)
def test_what_included_files_tell(text: str, a: str, b: str, value: str) -> None:
    found = read(text, a=a, b=b)
    assert (found.root_login, found.conditional) == (value, ())


@pytest.mark.parametrize(
    ("text", "value", "lines"),
    [
        (YES + "Match Address 10.0.0.0/8\n" + NO, "yes", [3]),
        (NO + "Match User root Address 10.0.0.0/8\n" + YES + "Match User root\n" + NO, "no", [3]),
        ("Match Group root\n" + NO, DEFAULT, [2]),
        (NO + "Match Address 10.0.0.0/8\n" + NO, "no", []),
        (NO + "Match Address 10.0.0.0/8\n" + YES, "no", [3]),
        (NO + "Match User root\n" + NO + "Match Host *.lan\n" + YES, "no", []),
    ],
)
def test_what_depends_on_where_from_is_told_apart(text: str, value: str, lines: list[int]) -> None:
    found = read(text)
    assert found.root_login == value
    assert [place.line for place in found.conditional] == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("AllowUsers deploy\nAllowUsers git\n", [1, 2]),
        ("AllowUsers deploy\nAllowUsers git root\n", []),
        ("AllowUsers r*t\n", []),
        ("AllowUsers root@10.0.0.1\n", [1]),
        ("AllowUsers * !root\n", [1]),
        ("Match User root\nAllowUsers root\n", [2]),
        ("DenyUsers git\nDenyUsers deploy ro?t\n", [2]),
        ("DenyUsers root@10.0.0.1\n", [1]),
        ("AllowGroups ssh\nDenyGroups wheel\n", [1, 2]),
    ],
)
def test_lists_that_may_leave_root_out_are_told(text: str, lines: list[int]) -> None:
    found = read(text)
    assert (found.root_login, [place.line for place in found.conditional]) == (DEFAULT, lines)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", (22,)),
        ("Port 22\nPort 2222\n", (22, 2222)),
        ("ListenAddress 0.0.0.0:2222\n", (2222,)),
        ("ListenAddress [::]:2222\nPort 22\n", (2222,)),
        ("ListenAddress ::1\nListenAddress example:2222\nPort 2200\n", (2222, 2200)),
        ("ListenAddress 0.0.0.0\n", (22,)),
        ("Port 22\nPort ours\n", ()),
    ],
)
def test_it_listens_where_it_is_told(text: str, ports: tuple[int, ...]) -> None:
    assert read(text).ports == ports


def test_the_distribution_s_own_file_is_read_where_there_is_no_other() -> None:
    own = {"/usr/sbin/sshd": b"\x7fELF", "/usr/etc/ssh/sshd_config": NO}
    assert read_sshd(tree_of(own)).root_login == "no"
    assert read_sshd(tree_of({**own, CONFIG: YES})).root_login == "yes"


def test_passwords_are_told_where_they_do_not_depend() -> None:
    assert read("").passwords == "yes"
    assert read("PasswordAuthentication no\n").passwords == "no"
    assert read("Match User root\nPasswordAuthentication no\n").passwords == "no"
    assert read("Match Address 10.0.0.0/8\nPasswordAuthentication no\n").passwords == ""


@pytest.mark.parametrize(
    ("text", "included"),
    [
        ("Include sshd_config\n", ""),
        ("Include sshd_config.d/a.conf\n", Broken()),
        ("Include sshd_config.d/a.conf\n", Sparse(MAX_TEXT)),
        ("Include sshd_config.d/a.conf\n" * (MAX_FILES + 1), ""),
        ("Include nothing/*\n" * 1000, ""),
        ("Include sshd_config.d/" + "*a" * 300_000 + "\n", ""),
        (
            "Match User a\nInclude /etc/ssh/sshd_config.d/a.conf\n",
            "Match User a\n" * 10 + "Include /etc/ssh/sshd_config.d/a.conf\n",
        ),
        ("Match " + "User root " * 50 + "\n", ""),
        (Link("sshd_config.d/a.conf"), Link("../sshd_config")),
        (Sparse(4 << 30), ""),
        (Broken(), ""),
    ],
)
def test_what_can_not_be_read_to_the_end_is_not_known(text: Content, included: Content) -> None:
    with pytest.raises(Unreadable):
        read(text, a=included)


def test_a_folder_with_too_many_files_is_not_known() -> None:
    with pytest.raises(Unreadable):
        read("Include sshd_config.d/*\n", **{f"f{n}": "" for n in range(MAX_NAMES + 1)})


def test_no_pattern_takes_long() -> None:
    found = read("Match User " + "*a" * 50_000 + "," + "?" * 50_000 + "\n" + NO)
    assert found.root_login == DEFAULT
    assert read("Include " + "/*" * 5000 + "\n" + NO).root_login == "no"
    assert read("Include sshd_config.d/" + "*" * 300_000 + ".conf\n", a=NO).root_login == "no"
    assert read("Include /" + "x" * 300_000 + "\n" + NO).root_login == "no"
    assert read("Include " + "/x" * 300_000 + "\n" + NO).root_login == "no"
    stars = "Match User " + "*" * 500_000 + "x\nInclude sshd_config.d/a.conf\nMatch all\n" + NO
    assert read(stars, a="Match User r*\nPermitRootLogin yes\n" * 10_000).root_login == "no"
    many = "Match User " + "a," * 200_000 + "a\nInclude sshd_config.d/a.conf\nMatch all\n" + NO
    blocks = "".join(f"Match User r*{n}\nPermitRootLogin yes\n" for n in range(10_000))
    assert read(many, a=blocks).root_login == "no"
