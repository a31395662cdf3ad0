"""Commands about the server, the own account and the own key."""

from pathlib import Path
from typing import Any

from vantage6.client import two_factor
from vantage6.client.groups.group import Group
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import Invalid


class Util(Group):
    """The server itself, passwords and keys."""

    def get_server_version(self) -> Any:
        """Return the version of the server; needs no login."""
        return self._get("version")

    def get_server_health(self) -> Any:
        """Return whether the parts of the server work; needs no login."""
        return self._get("health")

    def change_my_password(self, current_password: str, new_password: str) -> Any:
        """Change your own password.

        Parameters
        ----------
        current_password
            The old one.
        new_password
            The new one: 8 to 128 characters, with an upper-case letter, a lower-case letter, a
            digit, and a character that is no letter and no digit.
        """
        body = {"current_password": current_password, "new_password": new_password}
        return self._send("patch", "password/change", body)

    def list_sessions(self, user: int | None = None) -> Any:
        """Return the sessions that follow from logins and have not ended.

        Parameters
        ----------
        user
            Id of a user; yourself when absent.
        """
        return self._get("session", params={"user_id": user})

    def end_session(self, id_: int) -> Any:
        """End a session: its user has to log in again. It may be your own.

        Parameters
        ----------
        id_
            Id of the session; `list_sessions` shows it.
        """
        return self._send("delete", f"session/{id_}")

    def end_other_sessions(self, user: int | None = None) -> Any:
        """End all sessions but this one.

        Parameters
        ----------
        user
            Id of a user; yourself when absent.
        """
        return self.parent.request("session", params={"user_id": user}, method="delete")

    def reset_my_password(self, email: str | None = None, username: str | None = None) -> Any:
        """Ask for an e-mail with a token to set a new password; needs no login.

        Parameters
        ----------
        email
            Address of the account.
        username
            Name of the account, instead of its address.
        """
        _need_a_name(email, username)
        return self._send("post", "recover/lost", {"username": username, "email": email})

    def set_my_password(self, token: str, password: str) -> Any:
        """Set a new password with the token from the e-mail; needs no login.

        Parameters
        ----------
        token
            What the e-mail says.
        password
            The new password, as in `change_my_password`.
        """
        return self._send("post", "recover/reset", {"reset_token": token, "password": password})

    def reset_two_factor_auth(
        self, password: str, email: str | None = None, username: str | None = None
    ) -> Any:
        """Ask for an e-mail with a token to set up two-factor authentication again.

        Parameters
        ----------
        password
            Your password.
        email
            Address of the account.
        username
            Name of the account, instead of its address.
        """
        _need_a_name(email, username)
        body = {"username": username, "email": email, "password": password}
        return self.parent.request("recover/2fa/lost", json=body, method="post", retry=False)

    def set_two_factor_auth(self, token: str, recovery_code: str | None = None) -> Any:
        """Set up two-factor authentication with the token from the e-mail, and show its code.

        Parameters
        ----------
        token
            What the e-mail says.
        recovery_code
            One of your recovery codes, where you had set up an authenticator app. A user without
            codes asks an administrator of the organization.
        """
        body = {"reset_token": token}
        if recovery_code:
            body["recovery_code"] = recovery_code
        reply = self.parent.request("recover/2fa/reset", json=body, method="post", retry=False)
        if "qr_uri" in reply:
            two_factor.show(reply)
        return reply

    def new_recovery_codes(self, mfa_code: str | int) -> Any:
        """Make new recovery codes instead of your old ones, and show them.

        Parameters
        ----------
        mfa_code
            What the authenticator app shows.
        """
        reply = self._send("post", "recover/2fa/codes", {"mfa_code": mfa_code})
        if "recovery_codes" in reply:
            two_factor.show_codes(reply)
        return reply

    def generate_private_key(
        self, file_: str | Path | None = None, *, replace: bool = False
    ) -> None:
        """Create a private key for your organization and use it from now on.

        Parameters
        ----------
        file_
            Where to write the key; ``private_key.pem`` in the current directory when absent.
        replace
            Replace the public key that the organization already has.

        Raises
        ------
        FileExistsError
            If the file exists: it may hold the only key to older results.
        """
        path = Path(file_ or "private_key.pem").absolute()
        if path.exists():
            raise FileExistsError(f"{path} exists; choose another file or move it away.")
        RSACryptor.create_new_rsa_key(path)
        self.parent.setup_encryption(path, replace=replace)


def _need_a_name(email: str | None, username: str | None) -> None:
    if not (email or username):
        raise Invalid("Give the e-mail address or the user name of the account.")
