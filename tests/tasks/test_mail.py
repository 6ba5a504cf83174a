"""
Mail and messages, against real servers on the loopback interface.
"""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from orchd import EmailTask, Failed, Flow, SlackTask, Success, gmail_notifier, slack_notifier, task
from orchd.tasks import notifications
from support.recording import executed
from support.smtp import mail_server


@pytest.fixture
def server_tls(tmp_path, monkeypatch):
    """
    What a server of this test shows, and clients of this test trust.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return context


@pytest.fixture
def account(monkeypatch):
    """
    The secrets of an account.
    """
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__EMAIL_USERNAME", "me@example.org")
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__EMAIL_PASSWORD", "good")


def letter(**more):
    """
    Return a task that sends a mail with HTML.
    """
    given = {"subject": "Done ü", "msg": "<b>3</b> rows", "email_to": "a@example.org, b@example.org"}
    return EmailTask(smtp_server="localhost", **given | more)


def test_a_mail_arrives_as_it_was_written(tmp_path):
    """
    Subject, sender, both texts, attachments; and everybody gets it, without seeing who is in Bcc.
    """
    (tmp_path / "rows.csv").write_bytes(b"a,b\r\n1,\xff")
    with mail_server() as box:
        with Flow("f") as flow:
            letter(
                smtp_type="INSECURE",
                smtp_port=box.port,
                msg_plain="3 rows",
                email_from="me@example.org",
                email_to_cc="c@example.org",
                email_to_bcc="d@example.org",
                attachments=[str(tmp_path / "rows.csv")],
            )()

        state, _ = executed(flow)

    assert state.is_successful()
    [(recipients, mail)] = box.letters
    assert sorted(recipients) == [f"{name}@example.org" for name in "abcd"]
    assert (mail["Subject"], mail["From"], mail["Cc"], mail["Bcc"]) == (
        "Done ü",
        "me@example.org",
        "c@example.org",
        None,
    )
    assert mail.get_body(("html",)).get_content().strip() == "<b>3</b> rows"
    assert mail.get_body(("plain",)).get_content().strip() == "3 rows"
    [attached] = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("rows.csv", b"a,b\r\n1,\xff")


@pytest.mark.parametrize("kind", ["SSL", "STARTTLS"])
def test_a_mail_is_encrypted_and_somebody_logs_in(kind, server_tls, account):
    """
    The server's certificate is checked, and the secrets say who it is.
    """
    with mail_server(**{"tls" if kind == "SSL" else "start_tls": server_tls}) as box:
        letter(smtp_type=kind).run(smtp_port=box.port, subject="given in the run")

    assert box.logins == ["me@example.org"]
    assert box.letters[0][1]["Subject"] == "given in the run"


def test_a_server_that_nobody_vouches_for_is_not_trusted(account, server_tls, monkeypatch):
    """
    The mail stays here.
    """
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(tls=server_tls) as box, pytest.raises(ssl.SSLCertVerificationError):
        letter(smtp_type="SSL").run(smtp_port=box.port)

    assert box.letters == []


@pytest.mark.parametrize(
    ("more", "part"),
    [({"msg": None}, "specify either msg or msg_plain"), ({"smtp_type": "FAX"}, "FAX is an unsupported")],
)
def test_a_mail_that_cannot_be_is_refused(more, part):
    """
    One sentence.
    """
    with pytest.raises(ValueError, match=part):
        letter(**more).run()


def test_gmail_tells_of_a_failure_only(server_tls, account, monkeypatch):
    """
    The account writes to itself; states that nobody asked for are passed over.
    """

    @task(state_handlers=[gmail_notifier(only_states=[Failed])])
    def bad():
        raise ValueError("no rows")

    with Flow("f") as flow:
        bad()

    with mail_server(tls=server_tls) as box:
        monkeypatch.setattr(notifications, "GMAIL", ("localhost", box.port))
        state, _ = executed(flow)

    assert state.is_failed()
    [(recipients, mail)] = box.letters
    assert (recipients, mail["Subject"]) == (["me@example.org"], "orchd: bad is now in a Failed state")
    assert "no rows" in mail.get_content()


def test_a_gmail_that_does_not_answer_fails_the_task(account, monkeypatch):
    """
    As any failing state handler does.
    """
    with mail_server() as box:
        port = box.port
    monkeypatch.setattr(notifications, "GMAIL", ("localhost", port))

    with pytest.raises(ValueError, match="Email notification for <Task: t> failed"):
        gmail_notifier(task(lambda: 1, name="t"), Success(), Failed("x"))


@pytest.fixture
def slack(monkeypatch):
    """
    A server that takes what Slack takes; and the secret with its address.
    """
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__SLACK_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/hook")
    taken.append(f"http://127.0.0.1:{server.server_port}")
    yield taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_slack_is_sent_texts_and_whole_messages(slack):
    """
    A text is wrapped; a dict goes as it is; an address may be given in place of the secret.
    """
    SlackTask(message="3 rows").run()
    SlackTask().run(message={"blocks": []}, webhook_url=f"{slack[0]}/other")

    assert slack[1:] == [{"text": "3 rows"}, {"blocks": []}]


def test_a_slack_that_refuses_fails_the_task(slack):
    """
    A message, and a state handler.
    """
    with pytest.raises(OSError, match="404"):
        SlackTask(message="x").run(webhook_url=f"{slack[0]}/gone")

    assert slack_notifier(task(lambda: 1, name="t"), Success(), Failed("x")).message == "x"
    assert slack[-1]["attachments"][0]["title"] == "Failed"
