"""A mail server of one test. Prints one JSON object a line: where it listens, then each mail.

The argument says how it is spoken to: `plain`, `starttls` (with sign-in) or `smtps` (with
sign-in). With TLS it makes a certificate for 127.0.0.1 and says where it is.
"""

import asyncio
import datetime
import ipaddress
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "quay", "p/w of the mail server"


def say(step, **more):
    print(json.dumps({"step": step, **more}), flush=True)


class Inbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 no such mailbox"
        if address.startswith("slow@"):
            await asyncio.sleep(2)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(
            "mail",
            to=envelope.rcpt_tos,
            sender=envelope.mail_from,
            text=envelope.content.decode(),
            tls=session.ssl is not None or sys.argv[1] == "smtps",
            user=session.auth_data,
        )
        return "250 OK"


def sign_in(server, session, envelope, mechanism, data):
    known = (USER.encode(), PASSWORD.encode())
    if (data.login, data.password) == known:
        return AuthResult(success=True, auth_data=USER)
    return AuthResult(success=False, handled=False)


def certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of a test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, folder / "key.pem")
    return path, context


async def main(mode):
    settings, where, context = {}, None, None
    if mode != "plain":
        where, context = certificate(pathlib.Path.home())
        settings = {"authenticator": sign_in, "auth_required": True}
    if mode == "starttls":
        settings |= {"tls_context": context, "require_starttls": True}
    elif mode == "smtps":
        settings |= {"auth_require_tls": False}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Inbox(), loop=loop, **settings),
        "127.0.0.1",
        0,
        ssl=context if mode == "smtps" else None,
    )
    say("listening", port=server.sockets[0].getsockname()[1], certificate=str(where))
    # Ends with its input.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(sys.argv[1]))
