"""Who may log in, and what is left of people and machines: read as the system itself reads it."""

from __future__ import annotations

import pytest

from diskwright.guest.accounts import homes, read_accounts
from diskwright.guest.left_behind import read_left_behind
from diskwright.guest.reading import Unreadable
from diskwright.guest.sshd import read_sshd
from diskwright.model.access import MachineId, PasswordState
from support.fake_guest import Broken, Content, Link, tree_of

SSHD = {"/usr/sbin/sshd": b"\x7fELF"}
CONFIG = "/etc/ssh/sshd_config"


def accounts(passwd: str, shadow: str | None = None) -> dict[str, tuple[str, bool, str]]:
    files: dict[str, Content] = {"/etc/passwd": passwd}
    if shadow is not None:
        files["/etc/shadow"] = shadow
    found = read_accounts(tree_of(files))
    return {a.name: (a.password.value, a.shell, str(a.location)) for a in found}


def test_a_password_is_empty_set_or_locked() -> None:
    passwd = "".join(
        f"{name}:x:{number}:0::/home/{name}:/bin/bash\n"
        for number, name in enumerate(("empty", "set", "star", "locked", "never"))
    )
    shadow = "empty::1::::::\nset:$y$j9T$x:1::::::\nstar:*:1::::::\nlocked:!$6$x:1::::::\n"
    assert accounts(passwd, shadow) == {
        "empty": ("empty", True, "/etc/shadow:1"),
        "set": ("set", True, "/etc/shadow:2"),
    }


def test_of_a_name_that_comes_twice_the_first_counts() -> None:
    passwd = "root:x:0:0:root:/root:/bin/bash\n"
    assert accounts(passwd, "root::1::::::\nroot:$6$x:1::::::\n")["root"][0] == "empty"
    assert accounts(passwd, "root:$6$x:1::::::\nroot::1::::::\n")["root"][0] == "set"


def test_a_password_may_stand_in_passwd_itself() -> None:
    found = accounts("root::0:0:root:/root:/bin/sh\nold:aaBBccDD:1:1::/:/usr/sbin/nologin\n")
    assert found == {
        "root": ("empty", True, "/etc/passwd:1"),
        "old": ("set", False, "/etc/passwd:2"),
    }


def test_no_hash_is_among_the_facts() -> None:
    files: dict[str, Content] = {
        "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
        "/etc/shadow": "root:$6$SECRET:1::::::\n",
    }
    assert "SECRET" not in repr(read_accounts(tree_of(files)))


def test_lines_that_are_none_are_passed_over() -> None:
    assert accounts("\n#root::0\n+::::::\nroot\n:x\n", "\x00\n") == {}
    with pytest.raises(Unreadable):
        accounts("a:x:1\n" * 10_001)
    assert homes(
        tree_of({"/etc/passwd": "u:x:1:1::/home/u/:/bin/sh\nd:x:2:2::/var/d:/bin/sh\n"})
    ) == (
        "/root",
        "/home/u",
    )


def root_login(**files: Content) -> tuple[str, str]:
    tree = tree_of({**SSHD, **{f"/etc/ssh/{name}": text for name, text in files.items()}})
    found = read_sshd(tree)
    return found.root_login, str(found.root_login_at)


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("PermitRootLogin no\nPermitRootLogin yes\n", "no", 1),
        ("# PermitRootLogin no\n\n  permitrootlogin = Yes  \n", "yes", 3),
        ('PermitRootLogin "without-password"\n', "without-password", 1),
        ("PermitRootLogin no # for now\n", "no", 1),
        ("PermitRootLogin no#now\n", "no#now", 1),
        ("PermitRootLogin # no\nPermitRootLogin yes\n", "yes", 2),
        ("Match all\nPermitRootLogin no\n", "no", 2),
    ],
)
def test_the_first_value_counts(text: str, value: str, line: int) -> None:
    assert root_login(sshd_config=text) == (value, f"{CONFIG}:{line}")


def test_where_nothing_is_said_it_is_the_default() -> None:
    assert root_login(sshd_config="Port 22\n") == ("prohibit-password", "None")
    assert root_login() == ("prohibit-password", "None")
    assert not read_sshd(tree_of({CONFIG: "PermitRootLogin no\n"})).installed


def test_an_include_is_read_where_it_stands() -> None:
    folder: dict[str, Content] = {
        "sshd_config.d/50-a.conf": "PermitRootLogin no\n",
        "sshd_config.d/.hidden.conf": "PermitRootLogin yes\n",
        "sshd_config.d/40-other": "PermitRootLogin yes\n",
    }
    include = "Include /etc/ssh/sshd_config.d/*.conf\n"
    before = root_login(sshd_config=include + "PermitRootLogin yes\n", **folder)
    assert before == ("no", "/etc/ssh/sshd_config.d/50-a.conf:1")
    after = root_login(sshd_config="PermitRootLogin yes\n" + include, **folder)
    assert after == ("yes", f"{CONFIG}:1")
    assert root_login(sshd_config="Include sshd_config.d/50-a.conf\n", **folder)[0] == "no"


def test_what_holds_for_some_is_told_apart() -> None:
    text = "Match Address 10.0.0.0/8\nPermitRootLogin no\nMatch all\nPermitRootLogin yes\n"
    found = read_sshd(tree_of({**SSHD, CONFIG: "PermitRootLogin yes\n" + text}))
    assert found.root_login == "yes"
    assert [str(place) for place in found.conditional] == [f"{CONFIG}:3"]


@pytest.mark.parametrize(
    ("match", "at", "conditional"),
    [
        ("User root", "/etc/ssh/sshd_config.d/a.conf:1", []),
        ("Address 10.0.0.0/8", "None", ["/etc/ssh/sshd_config.d/a.conf:1"]),
        ("User git", "None", []),
    ],
)
def test_what_is_included_for_some_holds_for_them_alone(
    match: str, at: str, conditional: list[str]
) -> None:
    files: dict[str, Content] = {
        CONFIG: f"Match {match}\nInclude sshd_config.d/*.conf\n",
        "/etc/ssh/sshd_config.d/a.conf": "PermitRootLogin no\n",
    }
    found = read_sshd(tree_of({**SSHD, **files}))
    assert str(found.root_login_at) == at
    assert [str(place) for place in found.conditional] == conditional


def test_folders_by_a_pattern_are_not_passed_over() -> None:
    folder: dict[str, Content] = {"b/x.conf": "PermitRootLogin yes\n", "a/x.conf": ""}
    include = "Include /etc/ssh/*/x.conf\nPermitRootLogin no\n"
    assert root_login(sshd_config=include, **folder) == ("yes", "/etc/ssh/b/x.conf:1")


def test_includes_that_go_round_end() -> None:
    with pytest.raises(Unreadable):
        root_login(sshd_config="Include sshd_config\n")
    with pytest.raises(Unreadable):
        read_sshd(tree_of({**SSHD, CONFIG: Link("sshd_config")}))


def test_host_keys_are_the_private_ones() -> None:
    tree = tree_of(
        {
            **SSHD,
            "/etc/ssh/ssh_host_rsa_key": "x",
            "/etc/ssh/ssh_host_rsa_key.pub": "x",
            "/etc/ssh/moduli": "x",
        }
    )
    assert read_sshd(tree).host_keys == ("/etc/ssh/ssh_host_rsa_key",)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (None, MachineId.MISSING),
        ("", MachineId.EMPTY),
        ("uninitialized\n", MachineId.UNINITIALIZED),
        ("0123456789abcdef0123456789abcdef\n", MachineId.SET),
    ],
)
def test_the_machine_id_is_set_or_not(text: str | None, state: MachineId) -> None:
    files: dict[str, Content] = {} if text is None else {"/etc/machine-id": text}
    assert read_left_behind(tree_of(files)).machine_id is state


def test_an_id_of_dbus_is_one_that_the_first_start_takes() -> None:
    value, dbus = "0123456789ABCDEF0123456789abcdef\n", "/var/lib/dbus/machine-id"
    found = read_left_behind(tree_of({"/etc/machine-id": "", dbus: value}))
    assert (found.machine_id, found.id_files) == (MachineId.EMPTY, (dbus,))
    linked = read_left_behind(tree_of({"/etc/machine-id": "", dbus: Link("/etc/machine-id")}))
    assert linked.id_files == ()
    both = read_left_behind(tree_of({"/etc/machine-id": value, dbus: value}))
    assert both.id_files == ("/etc/machine-id", dbus)


def test_an_id_that_is_none_is_not_read() -> None:
    with pytest.raises(Unreadable):
        read_left_behind(tree_of({"/etc/machine-id": "not an id"}))


def test_keys_are_told_by_their_header_and_the_rest_by_having_content() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET\n"
    tree = tree_of(
        {
            "/etc/passwd": "u:x:1000:1000::/home/u:/bin/bash\n",
            "/root/.ssh/deploy": key,
            "/root/.ssh/id_rsa.pub": "ssh-rsa AAAA",
            "/root/.ssh/authorized_keys": "",
            "/home/u/.ssh/authorized_keys": "ssh-rsa AAAA u",
            "/home/u/.bash_history": "ls\n",
            "/home/u/.aws/credentials": "SECRET",
            "/home/u/.docker/config.json": '{"auths": {}}',
            "/root/.docker/config.json": '{"auths": {"a": {"auth": "SECRET"}}}',
        }
    )
    found = read_left_behind(tree).files
    assert {(left.kind, left.path) for left in found} == {
        ("private key", "/root/.ssh/deploy"),
        ("credentials", "/root/.docker/config.json"),
        ("keys that may log in", "/home/u/.ssh/authorized_keys"),
        ("shell history", "/home/u/.bash_history"),
        ("credentials", "/home/u/.aws/credentials"),
    }
    assert "SECRET" not in repr(found)


def test_what_can_not_be_read_is_no_clean_bill() -> None:
    for path in ("/etc/shadow", "/etc/passwd"):
        files: dict[str, Content] = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\n", path: Broken()}
        with pytest.raises(Unreadable):
            read_accounts(tree_of(files))
    with pytest.raises(Unreadable):
        read_sshd(tree_of({**SSHD, CONFIG: Broken()}))


def test_states_are_words() -> None:
    assert [state.value for state in PasswordState] == ["empty", "set", "locked"]
