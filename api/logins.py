"""Proving who one is with a password and a code, and what follows from failures."""

from typing import Any

from falcon import Request

from vantage6.api import passwords, two_factor
from vantage6.api.limits import Attempt, client_address, is_from_this_machine, network_of
from vantage6.api.service import Service
from vantage6.common.errors import Unauthenticated
from vantage6.models.store import recovery, second_factors, users
from vantage6.models.store.recovery import Change
from vantage6.models.store.setup import FIRST_PASSWORD, ROOT
from vantage6.models.tables import User


class Logins:
    """Checks what users prove themselves with."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def address(self, req: Request) -> str:
        """Return the address that a request comes from."""
        return client_address(req, self._service.config.trusted_proxies)

    def limit_recovery(self, req: Request) -> None:
        """Count a request to recover an account.

        Raises
        ------
        TooMany
            If there were too many from this address.
        """
        self._service.limits.count(Attempt.RECOVERY, network_of(self.address(req)))

    def check_failures(self, req: Request) -> None:
        """Raise `TooMany` if too many logins from this address failed; good ones do not count."""
        self._service.limits.check(Attempt.USER_LOGIN, network_of(self.address(req)))

    def count_node_failure(self, req: Request) -> None:
        """Count a failed login of a node; raise `TooMany` if there were too many."""
        self._service.limits.count(Attempt.NODE_LOGIN, network_of(self.address(req)))

    def check_password(self, user: User | None, password: str, req: Request) -> User:
        """Return the user if the password is his.

        SECURITY: unknown name, wrong password and locked account answer the same, after the same
        work. A right password does not forget wrong codes: `users.login_succeeded` does, after the
        second factor.

        Raises
        ------
        Unauthenticated
            If they do not belong together, or the account is locked.
        """
        locked = user is not None and self._is_locked(user)
        right = passwords.matches(user.password if user and not locked else None, password)
        if user is None or locked or not right:
            self._failed(None if locked else user, req)
            raise Unauthenticated("Wrong username or password.", code="wrong_password")
        if passwords.is_outdated(user.password) and not users.rehash(
            user, passwords.hashed(password)
        ):
            # Somebody else who logs in did, or the password was replaced.
            return self.check_password(users.find(user.id), password, req)
        return user

    def refuse_first_password(self, password: str, req: Request) -> None:
        """Refuse a login from elsewhere with the password that everybody knows.

        Raises
        ------
        Unauthenticated
            If it is that password, and the request was not made on this machine.
        """
        config = self._service.config
        # SECURITY: without it, who finds a new server first owns it.
        if password != FIRST_PASSWORD or config.type == "test":
            return
        if not is_from_this_machine(req, config.trusted_proxies):
            raise Unauthenticated(
                "This account still has the password of the first start, which works on the "
                "server's own machine only. Change it there first: `vserver user reset-password "
                f"{ROOT}`, or client.util.change_my_password at http://localhost:{config.port}.",
                code="first_password",
            )

    def second_factor(
        self, user: User, code: str | int | None, req: Request
    ) -> dict[str, Any] | None:
        """Check the code of somebody whose password was right.

        Returns
        -------
        dict or None
            What the user has to do first; None if the code is right, or none is needed.

        Raises
        ------
        Unauthenticated
            If the code is wrong, or was used already.
        """
        if not self._service.config.two_factor_auth:
            return None
        written = two_factor.written(code)
        # A secret is confirmed by the first right code; until then it is shown again.
        if user.otp_secret is None or (user.otp_last_step is None and not written):
            secret = second_factors.propose(user, two_factor.new_secret())
            return self.enrolment(user, secret)
        if not written:
            return {"msg": "Two-factor authentication is on; send the code of your app too."}
        if second_factors.is_confirmed(user) and two_factor.is_recovery_code(written):
            self._check(second_factors.use_code(user, written), user, req)
            self.tell(user, Change.CODE_USED, req)
        else:
            self.check_code(user, written, req)
        return None

    def check_code(self, user: User, code: str | int | None, req: Request) -> None:
        """Use a code of the app of a user.

        Raises
        ------
        Unauthenticated
            If the code is wrong, or was used already.
        """
        secret = second_factors.secret_of(user) or ""
        step = two_factor.step_of(secret, two_factor.written(code))
        self._check(step is not None and second_factors.use_step(user, step), user, req)

    def _check(self, right: bool, user: User, req: Request) -> None:
        if not right:
            self._failed(user, req)
            raise Unauthenticated("The code is wrong, or it was used already.", code="wrong_code")

    def enrolled(self, user: User, req: Request) -> dict[str, Any]:
        """Return the recovery codes of a user whose first code was right, for this once."""
        is_first = user.otp_secret is not None and user.otp_last_step is None
        if not (is_first and self._service.config.two_factor_auth):
            return {}
        codes = second_factors.new_codes(user)
        self.tell(user, Change.FACTOR_SET_UP, req)
        return {"recovery_codes": codes}

    def tell(self, user: User, change: Change, req: Request) -> None:
        """Have a user told by mail what was changed, since somebody else may have done it."""
        if self._service.limits.allows(Attempt.MAIL, f"{change}:{user.id}"):
            self._service.send_mail(recovery.tell(user, change, self.address(req)))

    def enrolment(self, user: User, secret: str) -> dict[str, Any]:
        """Return what an authenticator app needs to know."""
        return {
            "qr_uri": two_factor.address(secret, user.username, self._service.instance.name),
            "otp_secret": secret,
            "msg": "Add this account to your authenticator app, then log in with its code.",
        }

    def _is_locked(self, user: User) -> bool:
        policy = self._service.config.password_policy
        until = users.locked_until(user, policy.max_failed_attempts, policy.inactivation_minutes)
        return until is not None

    def _failed(self, user: User | None, req: Request) -> None:
        """Count a failure for the address, and for the account if there is one to guess at."""
        address = self.address(req)
        self._service.limits.allows(Attempt.USER_LOGIN, network_of(address))
        policy = self._service.config.password_policy
        mail = recovery.login_failed(
            user, policy.max_failed_attempts, policy.inactivation_minutes, address
        )
        self._service.send_mail(mail)
