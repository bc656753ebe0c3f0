"""Finding the server, checking its host key, and logging in."""

import dataclasses
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from exporter.destinations.sftp_settings import SftpSettings, parse_host_key
from tests.support.deliveries import NAME, deliver, failed_delivery, names_in, settings_for
from tests.support.sftp_server import (
    Fault,
    SftpServer,
    Step,
    make_key,
    public_line,
    server_that_only_says,
)
from tests.support.sshd import running_sshd

KINDS = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]


@pytest.fixture(scope="module")
def keys() -> dict[str, asyncssh.SSHKey]:
    """One key of each kind; an RSA key takes a while to make."""
    return {kind: make_key(kind) for kind in KINDS}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path, password="secret") as server:
        yield server


class TestHostKey:
    def test_unknown_key_is_refused_before_login_and_shown(self, server: SftpServer) -> None:
        error = failed_delivery(settings_for(server, host_keys=()))
        assert error.message.endswith(": host key unknown")
        assert error.permanent
        assert server.host_key_line in error.hint.splitlines()[1]
        assert parse_host_key(server.host_key_line).fingerprint in error.hint
        assert "with the client" in error.hint
        assert server.logins == []

    def test_changed_key_is_refused_before_login_and_shown(
        self, server: SftpServer, keys: dict[str, asyncssh.SSHKey]
    ) -> None:
        error = failed_delivery(settings_for(server, host_keys=(public_line(keys["ssh-ed25519"]),)))
        assert error.message.endswith(": host key changed")
        assert error.permanent
        assert server.host_key_line in error.hint
        assert server.logins == []

    def test_key_of_another_type_than_the_pinned_is_a_changed_key(
        self, server: SftpServer, keys: dict[str, asyncssh.SSHKey]
    ) -> None:
        error = failed_delivery(settings_for(server, host_keys=(public_line(keys["ssh-rsa"]),)))
        assert error.message.endswith(": host key changed")
        assert server.host_key_line in error.hint

    def test_line_shown_for_an_unknown_key_can_be_pasted_as_it_is(self, server: SftpServer) -> None:
        error = failed_delivery(settings_for(server, host_keys=()))
        deliver(settings_for(server, host_keys=(error.hint.splitlines()[1].strip(),)))

    @pytest.mark.parametrize("pinned", KINDS)
    def test_server_with_several_keys_is_asked_for_the_pinned_one(
        self, tmp_path: Path, keys: dict[str, asyncssh.SSHKey], pinned: str
    ) -> None:
        with SftpServer(tmp_path, password="secret", host_keys=list(keys.values())) as server:
            deliver(settings_for(server, host_keys=(public_line(keys[pinned]),)))

    @pytest.mark.parametrize("pinned", KINDS)
    def test_openssh_with_several_keys_is_asked_for_the_pinned_one(self, tmp_path: Path, pinned: str) -> None:
        key = make_key("ssh-ed25519")
        key.write_private_key(tmp_path / "key")
        with running_sshd(tmp_path, tmp_path, authorized_keys=[public_line(key)], host_key_kinds=KINDS) as sshd:
            line = next(line for line in sshd.host_key_lines if line.startswith(pinned))
            unstarted = SftpServer(tmp_path)
            deliver(
                settings_for(unstarted, port=sshd.port, user=sshd.user, host_keys=(line,), key_file=tmp_path / "key")
            )

    def test_one_of_several_pinned_keys_is_enough(self, server: SftpServer, keys: dict[str, asyncssh.SSHKey]) -> None:
        """So that a client can announce a new key before the old one goes."""
        deliver(settings_for(server, host_keys=(public_line(keys["ssh-rsa"]), server.host_key_line)))

    def test_server_with_no_algorithm_in_common_is_reported_as_such(self, tmp_path: Path) -> None:
        with SftpServer(tmp_path, password="secret", key_exchanges=["diffie-hellman-group18-sha512"]) as server:
            error = failed_delivery(settings_for(server))
        assert "no algorithm in common" in error.message
        assert "paramiko<5" in error.hint
        assert error.permanent


class TestLogin:
    @pytest.mark.parametrize("kind", KINDS)
    def test_key_of_each_kind_logs_in(self, tmp_path: Path, keys: dict[str, asyncssh.SSHKey], kind: str) -> None:
        keys[kind].write_private_key(tmp_path / "key")
        with SftpServer(tmp_path, authorized_key=public_line(keys[kind])) as server:
            deliver(settings_for(server, key_file=tmp_path / "key"))

    @pytest.mark.parametrize("kind", KINDS)
    def test_encrypted_key_opens_with_its_passphrase_only(
        self, tmp_path: Path, keys: dict[str, asyncssh.SSHKey], kind: str
    ) -> None:
        keys[kind].write_private_key(tmp_path / "key", passphrase="open sesame", rounds=1, ignore_few_rounds=True)
        with SftpServer(tmp_path, authorized_key=public_line(keys[kind])) as server:
            settings = settings_for(server, key_file=tmp_path / "key")
            without = failed_delivery(settings)
            assert "the key file is encrypted" in without.message
            assert without.permanent
            wrong = failed_delivery(settings_for(server, key_file=tmp_path / "key", key_passphrase="open barley"))
            assert "that its passphrase opens" in wrong.message
            assert wrong.permanent
            assert server.logins == []
            deliver(settings_for(server, key_file=tmp_path / "key", key_passphrase="open sesame"))

    def test_wrong_key_is_a_permanent_failure(self, tmp_path: Path, keys: dict[str, asyncssh.SSHKey]) -> None:
        keys["ssh-ed25519"].write_private_key(tmp_path / "key")
        with SftpServer(tmp_path, authorized_key=public_line(make_key("ssh-ed25519"))) as server:
            error = failed_delivery(settings_for(server, key_file=tmp_path / "key"))
        assert error.message.endswith(": login as footfall refused")
        assert error.permanent

    def test_wrong_password_is_a_permanent_failure(self, server: SftpServer) -> None:
        error = failed_delivery(settings_for(server, password="guess"))
        assert error.message.endswith(": login as footfall refused")
        assert error.permanent
        assert "guess" not in error.hint

    def test_password_for_a_server_that_takes_only_keys_says_so(
        self, tmp_path: Path, keys: dict[str, asyncssh.SSHKey]
    ) -> None:
        with SftpServer(tmp_path, authorized_key=public_line(keys["ssh-ed25519"])) as server:
            error = failed_delivery(settings_for(server, password="secret"))
        assert "login as footfall refused" in error.message
        assert "publickey" in error.message
        assert error.permanent

    def test_server_that_hangs_up_after_a_refusal_has_refused(
        self, tmp_path: Path, server: SftpServer, keys: dict[str, asyncssh.SSHKey]
    ) -> None:
        """asyncssh treats paramiko's second attempt to log in, with the password, as a protocol error."""
        keys["ssh-ed25519"].write_private_key(tmp_path / "key")
        server.authorized_key = asyncssh.import_public_key(public_line(keys["ssh-rsa"]))
        error = failed_delivery(settings_for(server, key_file=tmp_path / "key"))
        assert error.message.endswith(": login as footfall refused")
        assert error.permanent

    def test_no_way_to_log_in_is_a_permanent_failure(self, server: SftpServer) -> None:
        error = failed_delivery(settings_for(server, password=None))
        assert error.message.endswith(": no way to log in is set")
        assert error.permanent

    @pytest.mark.parametrize(
        ("content", "why"), [(None, "cannot be read"), (b"", "has no"), (b"\xff\xfe", "has no"), (b"x", "has no")]
    )
    def test_file_that_is_not_a_key_is_a_permanent_failure(
        self, tmp_path: Path, server: SftpServer, content: bytes | None, why: str
    ) -> None:
        if content is not None:
            (tmp_path / "key").write_bytes(content)
        error = failed_delivery(settings_for(server, key_file=tmp_path / "key"))
        assert why in error.message
        assert str(tmp_path / "key") in error.message
        assert error.permanent

    def test_connection_cut_during_login_is_retried(self, server: SftpServer) -> None:
        server.faults = (Fault("cut before", Step.LOGIN),)
        error = failed_delivery(settings_for(server))
        assert "the connection broke while logging in" in error.message
        assert not error.permanent

    def test_login_that_takes_too_long_is_retried(self, server: SftpServer) -> None:
        server.faults = (Fault("hang", Step.LOGIN),)
        error = failed_delivery(settings_for(server, auth_timeout_s=0.2))
        assert "no answer while logging in" in error.message
        assert not error.permanent

    def test_secrets_stay_out_of_repr(self, server: SftpServer) -> None:
        shown = repr(settings_for(server, password="pass word", key_passphrase="pass phrase"))
        assert "pass" not in shown.replace("key_passphrase", "")


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncssh.SSHKey]:
    """A running ssh-agent, and the one key it holds."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("needs ssh-agent: apt-get install -y openssh-client")
    key = make_key("ssh-ed25519")
    (tmp_path / "agent_key").touch(0o600)
    key.write_private_key(tmp_path / "agent_key")
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    while process.poll() is None and not path.exists():
        time.sleep(0.01)
    subprocess.run(["ssh-add", "-q", tmp_path / "agent_key"], check=True)
    yield key
    process.terminate()
    process.wait()


class TestAgent:
    def test_key_of_the_agent_logs_in_when_asked(self, tmp_path: Path, agent: asyncssh.SSHKey) -> None:
        with SftpServer(tmp_path, authorized_key=public_line(agent)) as server:
            deliver(settings_for(server, use_agent=True))

    def test_agent_is_not_used_unasked(self, tmp_path: Path, agent: asyncssh.SSHKey) -> None:
        with SftpServer(tmp_path, authorized_key=public_line(agent)) as server:
            assert "no way to log in is set" in failed_delivery(settings_for(server)).message

    @pytest.mark.parametrize("both_wanted", [False, True])
    def test_key_file_is_followed_by_the_agent_s_keys(
        self, tmp_path: Path, agent: asyncssh.SSHKey, both_wanted: bool
    ) -> None:
        """Both after a refusal, and if the server wants two ways to log in."""
        key = make_key("ssh-ed25519")
        key.write_private_key(tmp_path / "key")
        (tmp_path / "in").mkdir()
        with running_sshd(
            tmp_path / "in",
            tmp_path,
            authorized_keys=[public_line(agent), *([public_line(key)] if both_wanted else [])],
            settings=["AuthenticationMethods publickey,publickey"] if both_wanted else [],
        ) as sshd:
            settings = settings_for(
                SftpServer(tmp_path),
                port=sshd.port,
                user=sshd.user,
                host_keys=sshd.host_key_lines,
                key_file=tmp_path / "key",
            )
            error = failed_delivery(settings)
            assert ("asks for one more way to log in" if both_wanted else "refused") in error.message
            assert error.permanent
            deliver(dataclasses.replace(settings, use_agent=True))
        assert names_in(tmp_path / "in") == {NAME}


class TestConnection:
    def test_refused_connection_is_retried(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        error = failed_delivery(settings_for(SftpServer(tmp_path, password="secret"), port=port))
        assert error.message.endswith(": connection refused")
        assert not error.permanent

    @pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'x' * 64}.example.org"])
    def test_unknown_host_name_is_retried(self, server: SftpServer, host: str) -> None:
        error = failed_delivery(settings_for(server, host=host))
        assert f"host name {host} not found" in error.message
        assert not error.permanent

    @pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0\r\n", b"\x16\x03\xff\n" * 200])
    def test_something_other_than_an_ssh_server_is_reported_as_such(self, tmp_path: Path, greeting: bytes) -> None:
        with server_that_only_says(greeting, hang_up=True) as port:
            error = failed_delivery(settings_for(SftpServer(tmp_path, password="secret"), port=port))
        assert "while shaking hands" in error.message
        assert "does an SSH server answer at this host and port" in error.hint
        assert not error.permanent

    @pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-silent\r\n"], ids=["banner", "key exchange"])
    @pytest.mark.parametrize("limit", ["deadline_s", "banner_timeout_s"])
    def test_server_that_hangs_in_the_handshake_is_given_up(self, tmp_path: Path, greeting: bytes, limit: str) -> None:
        began = time.monotonic()
        with server_that_only_says(greeting) as port:
            error = failed_delivery(settings_for(SftpServer(tmp_path, password="secret"), port=port, **{limit: 0.3}))
        assert time.monotonic() - began < SftpSettings.banner_timeout_s, "a default ended it, not this limit"
        assert "while shaking hands" in error.message
        assert not error.permanent

    def test_server_that_never_answers_is_given_up(self, tmp_path: Path) -> None:
        with socket.socket() as listener, socket.socket() as first:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            first.connect(listener.getsockname())  # fills the queue: Linux answers no other
            settings = settings_for(
                SftpServer(tmp_path, password="secret"), port=listener.getsockname()[1], connect_timeout_s=0.2
            )
            error = failed_delivery(settings)
        assert error.message.endswith(": no answer while connecting")
        assert not error.permanent

    def test_address_of_ipv6_is_written_in_brackets(self, server: SftpServer) -> None:
        assert settings_for(server, host="2001:db8::1", port=22).address == "[2001:db8::1]:22"
