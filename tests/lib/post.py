"""Emails that come in: written by Python's own library, handed over by the command or by LMTP."""
import email.message, email.policy, email.utils, json, os, smtplib
from garant import check

COUNT = [0]


def mail(sender, to, subject="", text="", files=(), **headers):
    """A message as bytes, with a Message-ID of its own; `headers` have _ for - in their names, and None leaves one out."""
    COUNT[0] += 1
    said = email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
    said["From"], said["To"], said["Subject"] = sender, to, subject
    said["Date"] = "Mon, 23 Nov 2026 09:59:00 +0000"
    if "Message_ID" not in headers:
        said["Message-ID"] = f"<planted.{os.getpid()}.{COUNT[0]}@exemple.example>"
    said.set_content(text)
    for name, content, kind in files:
        main, sub = kind.split("/")
        said.add_attachment(content, maintype=main, subtype=sub, filename=name)
    for name, value in headers.items():
        if value is not None:
            del said[name.replace("_", "-")]
            said[name.replace("_", "-")] = value
    return said.as_bytes()


def came(server, raw, to, sender, tenant=None):
    """What became of it, handed over by the command as a mail server does."""
    run = server.run("mail", "receive", "--to", to, "--from", sender, "--json", given=raw.decode("latin-1"))
    return json.loads(run)


class Lmtp(smtplib.LMTP):
    """A connection to the server's own door for emails, over its socket."""

    def __init__(self, path):
        super().__init__(path)
        self.ehlo_or_helo_if_needed()

    def bring(self, sender, to, raw):
        """The answer to each recipient: 250, or why not."""
        try:
            return self.sendmail(sender, [to] if isinstance(to, str) else to, raw)
        except smtplib.SMTPRecipientsRefused as fault:
            return fault.recipients


def ways(folder):
    """Arguments by which a server takes emails in, and its socket."""
    path = os.path.join(folder, "lmtp")
    return ["--lmtp", "unix:" + path, "--mail-host", "mx.garant.example"], path


def requests_of(client):
    return client.get("/v1/requests").expect(200).json["requests"]


def file_of(client, ident):
    return client.get(f"/v1/requests/{ident}").expect(200).json


def only_mail(client, ident):
    mails = file_of(client, ident)["emails"]
    check(len(mails) == 1, f"{len(mails)} emails")
    return mails[0]
